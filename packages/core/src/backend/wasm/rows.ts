import { dtypeInfo } from '../../dtype.ts';
import { allocate, views } from '../../heap.ts';
import { contiguousStrides, numel, type Shape } from '../../shape.ts';
import { addressOf, freeStorage, Storage } from '../../storage.ts';
import type { RowComputation, Strided } from '../types.ts';
import { copy } from './copy.ts';
import { type FloatDType, isFloatDType } from './floats.ts';
import { columnBytes } from './rows-columns.ts';
import { compileRows, paramCountOf, rowBlock, type RowKernel } from './rows-kernel.ts';
import { Scratch } from './scratch.ts';

/** Most that an argument block holds. */
const BLOCK_BYTES = 1024;
let block = 0;
const sums = new Scratch();

/** What is kept with a computation. */
interface Compiled {
  readonly params: number;
  readonly kernels: Map<string, RowKernel>;
}

/** Where the rows of an operand start, and how far they are apart, in elements. */
interface Placed {
  readonly operand: Strided;
  readonly step: number;
  /** Whether elements of a row lie side by side; otherwise they are all one. */
  readonly isDense: boolean;
}

/** The step from row to row if it is the same everywhere, else null. */
function stepOf({ shape, strides }: Strided): number | null {
  let step = 0;
  let size = 1;
  for (let d = shape.length - 2; d >= 0; d--) {
    if (shape[d] === 1) continue;
    if (size === 1) step = strides[d]!;
    else if (strides[d] !== step * size) return null;
    size *= shape[d]!;
  }
  return step;
}

function place(x: Strided): Placed | null {
  const inner = x.strides[x.strides.length - 1]!;
  const isSingle = x.shape[x.shape.length - 1]! <= 1;
  const step = stepOf(x);
  return step === null || (inner !== 1 && inner !== 0 && !isSingle)
    ? null
    : { operand: x, step, isDense: inner === 1 && !isSingle };
}

/** A dense tensor like x in memory of its own; one element per row where x repeats it. */
function denseLike(x: Strided, shape: Shape): Strided {
  const storage = new Storage(numel(shape) * dtypeInfo[x.dtype].bytes);
  return { storage, offset: 0, shape, strides: contiguousStrides(shape), dtype: x.dtype };
}

/**
 * Folds over rows and what follows from them, all rows in one call of a kernel. Operands whose rows are not dense, or not
 * evenly spaced, go through a copy.
 */
export function rows(
  computation: RowComputation,
  shape: Shape,
  outs: readonly Strided[],
  inputs: readonly Strided[],
  params: readonly number[],
): void {
  const dtype = outs[0]!.dtype;
  if (!isFloatDType(dtype)) return;
  const copies: Strided[] = [];
  const placedInputs = inputs.map((x) => {
    const placed = place(x);
    if (placed !== null) return placed;
    const repeats = x.strides[x.strides.length - 1] === 0;
    const source = repeats ? { ...x, shape: [...x.shape.slice(0, -1), 1] } : x;
    const dense = denseLike(source, source.shape);
    copies.push(dense);
    copy(dense, source);
    return { operand: dense, step: repeats ? 1 : shape[shape.length - 1]!, isDense: !repeats };
  });
  const written: [Strided, Strided][] = [];
  const placedOuts = outs.map((out, o) => {
    if (computation.outputs[o]!.sort === 'column') return { operand: out, step: 0, isDense: true };
    const placed = place(out);
    if (placed !== null) return placed;
    const dense = denseLike(out, out.shape);
    copies.push(dense);
    written.push([out, dense]);
    return { operand: dense, step: out.shape[out.shape.length - 1]!, isDense: true };
  });
  call(computation, dtype, shape, placedOuts, placedInputs, params, written);
  for (const [out, dense] of written) copy(out, dense);
  for (const { storage } of copies) freeStorage(storage);
}

function call(
  computation: RowComputation,
  dtype: FloatDType,
  shape: Shape,
  outs: readonly Placed[],
  inputs: readonly Placed[],
  params: readonly number[],
  written: [Strided, Strided][],
): void {
  const columns = shape[shape.length - 1]!;
  const { kernel, count } = kernelFor(computation, dtype, inputs);
  const sumBytes = columnBytes(columns, dtype);
  const summed = computation.outputs.reduce((n, { sort }) => n + Number(sort === 'column'), 0);
  let sumAt = summed > 0 ? sums.take(sumBytes * summed) : 0;
  let sumOffset = 0;
  if (block === 0) block = allocate(BLOCK_BYTES, 2 ** 32);
  const operands = [...outs, ...inputs];
  const addresses = operands.map(({ operand }) => addressOf(operand.storage) + operand.offset * dtypeInfo[operand.dtype].bytes);
  const { f64, i32 } = views;
  for (let k = 0; k < count; k++) f64[block / 8 + k] = params[k]!;
  const counts = block / 4 + rowBlock.counts(count);
  i32[counts] = numel(shape.slice(0, -1));
  i32[counts + 1] = columns;
  for (let k = 0; k < operands.length; k++) {
    const { operand, step } = operands[k]!;
    const at = block / 4 + rowBlock.operand(count, k);
    i32[at] = addresses[k]!;
    i32[at + 1] = step * dtypeInfo[operand.dtype].bytes;
    if (k >= outs.length || computation.outputs[k]!.sort !== 'column') continue;
    i32[at] = sumAt;
    const line = { shape: [columns], dtype };
    const last = operand.strides[operand.strides.length - 1]!;
    written.push([
      { ...line, storage: operand.storage, offset: operand.offset, strides: [last] },
      { ...line, storage: sums.held, offset: sumOffset / dtypeInfo[dtype].bytes, strides: [1] },
    ]);
    sumAt += sumBytes;
    sumOffset += sumBytes;
  }
  kernel(block);
}

function kernelFor(computation: RowComputation, dtype: FloatDType, inputs: readonly Placed[]): { kernel: RowKernel; count: number } {
  const slot = computation.compiled as { kernels: Compiled | null };
  slot.kernels ??= { params: paramCountOf(computation), kernels: new Map() };
  const { params, kernels } = slot.kernels;
  let key: string = dtype;
  for (const { operand, isDense } of inputs) key += ` ${operand.dtype}${isDense ? '' : '*'}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    const kinds = inputs.map(({ operand, isDense }) => ({ dtype: operand.dtype, isDense }));
    kernel = compileRows(computation, { dtype, inputs: kinds });
    kernels.set(key, kernel);
  }
  return { kernel, count: params };
}
