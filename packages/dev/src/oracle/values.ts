import * as tg from '@tapegrad/core';
import type { DType, Tensor } from '@tapegrad/core';

/** A value as the oracle's files spell it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A call or a result that tapegrad does not have a form for. */
export class Unsupported extends Error {}

/** A tensor as the files spell it. */
export interface TensorJson {
  shape: number[];
  dtype: string;
  data: (number | string | boolean)[];
  grad?: boolean;
}

const dtypes: Readonly<Record<string, DType>> = {
  float32: 'float32',
  float64: 'float64',
  int64: 'int32',
  int32: 'int32',
  int16: 'int32',
  int8: 'int32',
  uint8: 'uint8',
  bool: 'bool',
};

/** Our name of one of PyTorch's dtypes. */
export function dtypeOf(name: string): DType {
  const dtype = dtypes[name];
  if (dtype === undefined) throw new Unsupported(`dtype ${name}`);
  return dtype;
}

/** Elements as numbers; NaN and infinities are strings in the files. */
export function numbersOf(data: TensorJson['data']): number[] {
  return data.map(Number);
}

/** What becomes of float64 tensors: they stay, or are rounded to float32 and then held in float64 or float32. */
export type Precision = 'double' | 'rounded' | 'single';

/** Builds the values of a call, and lists the tensors that require grad in order of first appearance. */
export class Decoder {
  readonly leaves: Tensor[] = [];
  private readonly precision: Precision;

  constructor(precision: Precision = 'double') {
    this.precision = precision;
  }

  value(json: Json): unknown {
    if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
    if (Array.isArray(json)) return json.map((item) => this.value(item));
    if (typeof json !== 'object' || json === null) return json;
    if ('$tensor' in json) return this.tensor(json['$tensor'] as unknown as TensorJson);
    if ('$dtype' in json) return dtypeOf(json['$dtype'] as string);
    if ('$ellipsis' in json) return '...';
    if ('$slice' in json) {
      const [start, end, step] = json['$slice'] as (number | null)[];
      return { start, end, step };
    }
    if ('$complex' in json) throw new Unsupported('complex numbers');
    const unknown = Object.keys(json).find((key) => key.startsWith('$'));
    if (unknown !== undefined) throw new Unsupported(`a value of kind ${unknown}`);
    return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, this.value(item)]));
  }

  private tensor({ shape, dtype, data, grad }: TensorJson): Tensor {
    const { precision } = this;
    const isDouble = dtypeOf(dtype) === 'float64';
    const ours = isDouble && precision === 'single' ? 'float32' : dtypeOf(dtype);
    const values = isDouble && precision !== 'double' ? numbersOf(data).map(Math.fround) : numbersOf(data);
    if (ours === 'int32' && values.some((v) => v !== (v | 0))) throw new Unsupported('integers beyond 32 bits');
    const tensor = tg.tensor(Float64Array.from(values), { dtype: ours }).reshape(shape);
    const leaf = tensor.detach();
    if (grad === true) this.leaves.push(leaf.requiresGrad_());
    return leaf;
  }
}

/** How far two numbers may be apart: absolutely, and relative to the expected one. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Dtype and shape. */
interface Form {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What is wrong with the dtype or the shape of a result. */
export function formDifference(actual: Tensor, expected: Form): string | undefined {
  const wanted = dtypeOf(expected.dtype);
  if (actual.dtype !== wanted) return `dtype is ${actual.dtype}, expected ${wanted}`;
  if (actual.shape.join() === expected.shape.join()) return undefined;
  return `shape is [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`;
}

/** What is wrong with a result, or nothing. `scale` widens the tolerance. */
export function difference(actual: Tensor, expected: TensorJson, scale = 1): string | undefined {
  const form = formDifference(actual, expected);
  if (form !== undefined) return form;
  return elementDifference(actual.toTypedArray(), numbersOf(expected.data), scale * (actual.dtype === 'float32' ? 100 : 1));
}

/** What is allowed in float32, relative to the number or the largest one beside it. */
const SINGLE = 1e-5;

/** What is wrong with dtype and shape where float64 may have become float32. */
export function singleFormDifference(actual: Tensor, { dtype, shape }: Tensor): string | undefined {
  return formDifference(actual, { dtype: dtype === 'float64' && actual.dtype === 'float32' ? 'float32' : dtype, shape });
}

/**
 * What is wrong with a result in float32 beside the one in float64; of gradients, none and zeros mean the same.
 * @param scale widens the tolerance
 * @param size as what the largest number counts at least
 */
export function singleDifference(actual: Tensor | null, expected: Tensor | null, scale: number, size: number): string | undefined {
  const one = actual ?? expected;
  if (one === null) return undefined;
  const form = actual === null || expected === null ? undefined : singleFormDifference(actual, expected);
  if (form !== undefined) return form;
  const zeros = new Float64Array(one.numel());
  const wanted = expected?.toTypedArray() ?? zeros;
  const largest = Array.from(wanted).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const relative = tg.isFloating(one.dtype) ? SINGLE : 0;
  const tolerance: Tolerance = { absolute: relative * Math.max(largest, size), relative };
  return elementDifference(actual?.toTypedArray() ?? zeros, wanted, scale, tolerance);
}

const base: Tolerance = { absolute: 1e-9, relative: 1e-7 };

function elementDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: number,
  tolerance: Tolerance = base,
): string | undefined {
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (Math.abs(a - b) <= scale * (tolerance.absolute + tolerance.relative * Math.abs(b))) continue;
    return `element ${i} is ${a}, expected ${b}`;
  }
  return undefined;
}

/** What is wrong with a gradient; none and zeros mean the same. */
export function gradientDifference(actual: Tensor | null, expected: Json, scale = 1): string | undefined {
  if (expected !== null) {
    const json = (expected as unknown as { $tensor: TensorJson }).$tensor;
    if (actual !== null) return difference(actual, json, scale);
    return elementDifference(new Float64Array(json.data.length), numbersOf(json.data), scale);
  }
  if (actual === null) return undefined;
  return elementDifference(actual.toTypedArray(), new Array<number>(actual.numel()).fill(0), scale);
}
