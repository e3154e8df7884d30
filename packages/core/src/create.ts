import type { NdArray } from 'ndarray';
import { empty as emptyTensor } from './dispatch.ts';
import { dtypeInfo, getDefaultDType, isFloating, toDType, type DType, type DTypeName, type TypedArray } from './dtype.ts';
import { DTypeError, ShapeError, ValueError } from './errors.ts';
import { denseLayout } from './layout.ts';
import { checkOptions, none, requireNumbers, tensorNames } from './option-names.ts';
import { arithmeticSequence, geometricSequence, linearSequence } from './sequences.ts';
import { contiguousStrides, numel, shapeString, sizesOneByOne, type Shape } from './shape.ts';
import { storageOf } from './storage.ts';
import { notDifferentiable, Tensor } from './tensor.ts';

/** What every factory takes beside its own arguments. */
export interface TensorOptions {
  /** Default: float32 (see `setDefaultDType`), or what the data say. */
  dtype?: DTypeName | undefined;
  /** Whether operations on the tensor are recorded; default false. */
  requiresGrad?: boolean | undefined;
}

/** Data that `tensor` understands. */
export type TensorData =
  | number
  | boolean
  | bigint
  | Tensor
  | ArrayBufferView
  | NdArray
  | readonly TensorData[];

/**
 * A tensor from a number, nested arrays, a typed array, an ndarray (any strides) or another tensor; always a copy.
 * Numbers become the default dtype and booleans bool; typed arrays keep their type, where 64-bit integers and other
 * integer types become int32 if they fit.
 * @throws ShapeError when nested arrays are ragged
 * @throws DTypeError when integers do not fit into int32, or a gradient is asked for integers
 * @example
 * console.log(tg.tensor([[1, 2], [3, 4]]).shape); // → [ 2, 2 ]
 * @source torch.tensor
 */
export function tensor(data: TensorData, options: TensorOptions = none): Tensor {
  checkOptions('tensor', options, tensorNames);
  const { values, shape, dtype } = read(data);
  return fromValues(values, shape, options.dtype === undefined ? dtype : toDType(options.dtype), options);
}

interface Values {
  readonly values: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}

function read(data: TensorData): Values {
  if (data instanceof Tensor) return { values: data.toTypedArray(), shape: data.shape, dtype: data.dtype };
  if (ArrayBuffer.isView(data)) return { ...readTyped(data), shape: [(data as Uint8Array).length] };
  if (isNdArray(data)) return readNdArray(data);
  return readNested(data);
}

const typedDTypes: Readonly<Record<string, DType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Int8Array: 'int32',
  Int16Array: 'int32',
  Uint16Array: 'int32',
  Uint32Array: 'int32',
  BigInt64Array: 'int32',
  BigUint64Array: 'int32',
};

function readTyped(data: ArrayBufferView): { values: ArrayLike<number>; dtype: DType } {
  const type = Object.prototype.toString.call(data).slice(8, -1);
  const dtype = typedDTypes[type];
  if (dtype === undefined) throw new DTypeError(`tensor: a ${type} cannot be read; give a typed array of numbers`);
  const values = type.startsWith('Big') ? Array.from(data as BigInt64Array, Number) : (data as unknown as TypedArray);
  return { values, dtype };
}

function isNdArray(data: unknown): data is NdArray {
  const candidate = data as Partial<NdArray> | null;
  return typeof candidate === 'object' && candidate !== null && typeof candidate.index === 'function' && 'stride' in candidate;
}

function readNdArray(nd: NdArray): Values {
  const { shape, stride, offset } = nd;
  const data = nd.data as ArrayLike<number> & { get?: (i: number) => number };
  const at = typeof data.get === 'function' ? (i: number): number => data.get!(i) : (i: number): number => Number(data[i]);
  const dtype = ArrayBuffer.isView(data) ? readTyped(data).dtype : getDefaultDType();
  const values = new Float64Array(numel(shape));
  const strides = contiguousStrides(shape);
  for (let i = 0; i < values.length; i++) {
    let place = offset;
    for (let d = 0; d < shape.length; d++) place += (Math.floor(i / strides[d]!) % shape[d]!) * stride[d]!;
    values[i] = at(place);
  }
  return { values, shape: [...shape], dtype };
}

function readNested(data: TensorData): Values {
  const shape: number[] = [];
  for (let level: TensorData | undefined = data; Array.isArray(level); level = level[0] as TensorData | undefined) {
    shape.push(level.length);
  }
  const values: number[] = [];
  let allBool = true;
  const visit = (item: TensorData, depth: number, path: string): void => {
    if (Array.isArray(item)) {
      if (item.length !== shape[depth]) throw ragged(path, item.length, shape[depth]);
      item.forEach((child, i) => visit(child as TensorData, depth + 1, `${path}[${i}]`));
      return;
    }
    if (depth !== shape.length) throw ragged(path, undefined, shape[depth]);
    if (item instanceof Tensor) {
      values.push(item.item());
      allBool &&= item.dtype === 'bool';
    } else if (typeof item === 'number' || typeof item === 'boolean' || typeof item === 'bigint') {
      values.push(Number(item));
      allBool &&= typeof item === 'boolean';
    } else {
      throw new ValueError(`tensor: expected numbers, but data${path} is ${item === null ? 'null' : typeof item}`);
    }
  };
  visit(data, 0, '');
  return { values, shape, dtype: allBool && values.length > 0 ? 'bool' : getDefaultDType() };
}

function ragged(path: string, got: number | undefined, expected: number | undefined): ShapeError {
  const found = got === undefined ? 'a number' : `an array of length ${got}`;
  const wanted = expected === undefined ? 'a number' : `an array of length ${expected}`;
  return new ShapeError(`tensor: nested arrays must have equal lengths, but data${path} is ${found} where ${wanted} is expected`);
}

/** A tensor whose elements are copied from `values`. */
function fromValues(values: ArrayLike<number>, shape: Shape, dtype: DType, options: TensorOptions): Tensor {
  const { bytes, array: TypedArrayOf } = dtypeInfo[dtype];
  const copy = new TypedArrayOf(new ArrayBuffer(values.length * bytes), 0, values.length);
  if (dtype === 'bool') for (let i = 0; i < copy.length; i++) copy[i] = values[i] ? 1 : 0;
  else {
    if (!isFloating(dtype)) checkRange(values, dtype);
    copy.set(values);
  }
  return finish(new Tensor(storageOf(new Uint8Array(copy.buffer), dtype), 0, denseLayout(shape, dtype)), options);
}

function checkRange(values: ArrayLike<number>, dtype: DType): void {
  const { min, max } = dtypeInfo[dtype];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= min && value <= max)) {
      throw new DTypeError(
        `tensor: element ${i} is ${value}, which ${dtype} cannot hold (${min} to ${max}); 64-bit integers are held as ` +
          'int32 here, use float64 for larger whole numbers',
        { op: 'tensor', dtypes: [dtype] },
      );
    }
  }
}

function finish(x: Tensor, options: TensorOptions): Tensor {
  if (options.requiresGrad === true) {
    if (!isFloating(x.dtype)) throw notDifferentiable(x.dtype);
    x.leafRequiresGrad = true;
  }
  return x;
}

/** Sizes as one array or a single number. */
export type Size = number | readonly number[];

function shapeFrom(op: string, size: Size): number[] {
  const shape = typeof size === 'number' ? [size] : [...size];
  if (shape.some((n) => !(Number.isInteger(n) && n >= 0))) {
    throw new ShapeError(`${op}: sizes must be whole numbers of at least 0, got ${shapeString(shape)}`, { op });
  }
  return shape;
}

/** Checks options, and says the dtype that they ask for. */
function optionDType(op: string, options: TensorOptions, otherwise = getDefaultDType()): DType {
  if (typeof options === 'number') throw sizesOneByOne(op, options);
  checkOptions(op, options, tensorNames);
  return options.dtype === undefined ? otherwise : toDType(options.dtype);
}

/** A tensor whose values are not set. @source torch.empty */
export function empty(size: Size, options: TensorOptions = none): Tensor {
  return finish(emptyTensor(shapeFrom('empty', size), optionDType('empty', options)), options);
}

/** A tensor filled with one value. @source torch.full */
export function full(size: Size, value: number | boolean, options: TensorOptions = none): Tensor {
  return filled('full', size, value, options);
}

function filled(op: string, size: Size, value: number | boolean, options: TensorOptions): Tensor {
  const dtype = optionDType(op, options, typeof value === 'boolean' ? 'bool' : undefined);
  const x = emptyTensor(shapeFrom(op, size), dtype).fill_(value);
  // Nobody has seen it before.
  x.storage.version = 0;
  return finish(x, options);
}

/** A tensor of zeros. @source torch.zeros */
export function zeros(size: Size, options: TensorOptions = none): Tensor {
  return filled('zeros', size, 0, options);
}

/** A tensor of ones. @source torch.ones */
export function ones(size: Size, options: TensorOptions = none): Tensor {
  return filled('ones', size, 1, options);
}

/** A matrix with ones on the diagonal. @source torch.eye */
export function eye(rows: number, columns: number = rows, options: TensorOptions = none): Tensor {
  requireNumbers('eye', { rows, columns });
  const shape = shapeFrom('eye', [rows, columns]);
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return fromValues(values, shape, optionDType('eye', options), options);
}

/**
 * The numbers start, start + step, … before end. `arange(end)` starts at 0. Whole numbers give int32 as in PyTorch.
 * @throws ValueError when step is 0 or points away from end
 * @source torch.arange
 */
export function arange(startOrEnd: number, end?: number, step = 1, options: TensorOptions = none): Tensor {
  const [from, to] = end === undefined ? [0, startOrEnd] : [startOrEnd, end];
  requireNumbers('arange', { start: from, end: to, step });
  checkOptions('arange', options, tensorNames);
  const count = Math.ceil((to - from) / step);
  if (!Number.isFinite(count) || step === 0 || count < 0) {
    throw new ValueError(`arange: ${from} to ${to} in steps of ${step} is not a range that ends`, { op: 'arange' });
  }
  const whole = Number.isInteger(from) && Number.isInteger(to) && Number.isInteger(step);
  const dtype = options.dtype === undefined ? (whole ? 'int32' : getDefaultDType()) : toDType(options.dtype);
  return fromValues(arithmeticSequence(from, step, count, dtype), [count], dtype, options);
}

/**
 * `steps` numbers from start to end, both included, at equal distances.
 * @numerics in float32 the bits that PyTorch gives with AVX2; its own depend on the width of vectors
 * @source torch.linspace
 */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = none): Tensor {
  requireNumbers('linspace', { start, end, steps });
  const dtype = optionDType('linspace', options);
  const shape = shapeFrom('linspace', steps);
  return fromValues(linearSequence(start, end, steps, dtype), shape, dtype, options);
}

/**
 * `steps` powers of a base, with exponents at equal distances from start to end, both included.
 * @param base default 10
 * @source torch.logspace
 */
export function logspace(start: number, end: number, steps: number, base = 10, options: TensorOptions = none): Tensor {
  requireNumbers('logspace', { start, end, steps, base });
  const dtype = optionDType('logspace', options);
  const shape = shapeFrom('logspace', steps);
  return fromValues(geometricSequence(start, end, steps, base, dtype), shape, dtype, options);
}

/** Rows and columns of the positions in a matrix whose column `has` with what the row and the offset allow, row by row. */
function positionsWhere(
  op: string,
  size: Size,
  offset: number,
  has: (column: number, limit: number) => boolean,
  options: TensorOptions,
): Tensor {
  requireNumbers(op, { offset });
  const dtype = optionDType(op, options, 'int32');
  const [rows, columns] = shapeFrom(op, size) as [number, number];
  const all = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);
  const chosen = all.filter(([row, column]) => has(column, row + offset));
  const values = [...chosen.map(([row]) => row), ...chosen.map(([, column]) => column)];
  return fromValues(values, [2, chosen.length], dtype, options);
}

/**
 * The positions of a matrix on and below a diagonal, row by row, as int32.
 * @shape [2, count]: rows, then columns
 * @param offset which diagonal: 0 the main one, 1 the one above it
 * @source torch.tril_indices
 */
export function trilIndices(rows: number, columns: number, offset = 0, options: TensorOptions = none): Tensor {
  return positionsWhere('trilIndices', [rows, columns], offset, (column, limit) => column <= limit, options);
}

/**
 * The positions of a matrix on and above a diagonal, row by row, as int32.
 * @shape [2, count]: rows, then columns
 * @param offset which diagonal: 0 the main one, 1 the one above it
 * @source torch.triu_indices
 */
export function triuIndices(rows: number, columns: number, offset = 0, options: TensorOptions = none): Tensor {
  return positionsWhere('triuIndices', [rows, columns], offset, (column, limit) => column >= limit, options);
}
