import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { contiguousStrides, numel, type Shape } from '../../shape.ts';
import { addressOf, freeStorage, Storage } from '../../storage.ts';
import type { RowComputation, Strided } from '../types.ts';
import { changed } from './changed.ts';
import { copy } from './copy.ts';
import { nanosecondsOf as elementNanoseconds } from './elementwise-cache.ts';
import { type FloatDType, isFloatDType } from './floats.ts';
import { columnFold, SPARE_BYTES } from './fold.ts';
import { columnBytes } from './rows-columns.ts';
import { compileRows, paramCountOf, rowBlock, type RowKernel } from './rows-kernel.ts';
import { Scratch } from './scratch.ts';
import { isSharable, type Kernel } from './shared-modules.ts';
import { isWorthSharing, sharedWork } from './work.ts';

const blocks = new Scratch();
const sums = new Scratch();
const spare = new Scratch();
/** Sums over rows are taken in parts of so many elements, in multiples of so many rows. */
const PART_ELEMENTS = 1 << 15;
const PART_ROWS = 32;

/** What is kept with a computation. */
interface Compiled {
  readonly paramCount: number;
  /** Outputs that are sums over rows. */
  readonly summed: readonly number[];
  /** About what an element takes one thread. */
  readonly nanoseconds: number;
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
    const source = repeats ? changed(x, { shape: [...x.shape.slice(0, -1), 1] }) : x;
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
  const rowCount = numel(shape.slice(0, -1));
  const { kernel, compiled } = kernelFor(computation, dtype, inputs);
  const { paramCount, summed } = compiled;
  const nanoseconds = rowCount * columns * compiled.nanoseconds;
  const work = isWorthSharing(nanoseconds) && isSharable(kernel) ? sharedWork(nanoseconds) : null;
  // Sums over rows are taken in parts that depend on the sizes alone.
  const part = Math.ceil(PART_ELEMENTS / Math.max(1, columns) / PART_ROWS) * PART_ROWS;
  const parts = summed.length === 0 ? 1 : Math.max(1, Math.ceil(rowCount / part));
  const sumBytes = columnBytes(columns, dtype);
  const sumAt = summed.length === 0 ? 0 : sums.take(sumBytes * summed.length * parts);
  const operands = [...outs, ...inputs];
  const bytes: number[] = [];
  const addresses: number[] = [];
  for (const { operand } of operands) {
    const size = dtypeInfo[operand.dtype].bytes;
    bytes.push(size);
    addresses.push(addressOf(operand.storage) + operand.offset * size);
  }
  const pieces = summed.length > 0 ? parts : (work?.width ?? 1);
  const blockBytes = Math.ceil((rowBlock.operand(paramCount, operands.length) * 4) / 16) * 16;
  let block = blocks.take(blockBytes * pieces);
  let sum = sumAt;
  const step = parts > 1 ? part : Math.ceil(rowCount / pieces);
  let first = 0;
  do {
    const { f64, i32 } = views;
    for (let k = 0; k < paramCount; k++) f64[block / 8 + k] = params[k]!;
    const counts = block / 4 + rowBlock.counts(paramCount);
    i32[counts] = Math.min(step, rowCount - first);
    i32[counts + 1] = columns;
    for (let k = 0; k < operands.length; k++) {
      const at = block / 4 + rowBlock.operand(paramCount, k);
      const rowBytes = operands[k]!.step * bytes[k]!;
      i32[at] = addresses[k]! + first * rowBytes;
      i32[at + 1] = rowBytes;
    }
    for (const o of summed) {
      i32[block / 4 + rowBlock.operand(paramCount, o)] = sum;
      sum += sumBytes;
    }
    if (work === null) kernel(block);
    else {
      work.task();
      work.call(kernel as Kernel, [block]);
    }
    block += blockBytes;
    first += step;
  } while (first < rowCount);
  work?.run();
  summed.forEach((o, k) => {
    const offset = k * sumBytes;
    if (parts > 1) {
      const spareAt = spare.take(SPARE_BYTES);
      columnFold('sum', dtype).columns(sumAt + offset, sumAt + offset, columns, 1, 0, parts, sumBytes * summed.length, spareAt);
    }
    const { storage, offset: outOffset, strides } = outs[o]!.operand;
    const line = { shape: [columns], dtype };
    written.push([
      { ...line, storage, offset: outOffset, strides: [strides[strides.length - 1]!] },
      { ...line, storage: sums.held, offset: offset / dtypeInfo[dtype].bytes, strides: [1] },
    ]);
  });
}

function kernelFor(
  computation: RowComputation,
  dtype: FloatDType,
  inputs: readonly Placed[],
): { kernel: RowKernel; compiled: Compiled } {
  const slot = computation.compiled as { kernels: Compiled | null };
  const compiled = (slot.kernels ??= {
    paramCount: paramCountOf(computation),
    summed: computation.outputs.flatMap(({ sort }, o) => (sort === 'column' ? [o] : [])),
    nanoseconds: nanosecondsOf(computation),
    kernels: new Map(),
  });
  const { kernels } = compiled;
  let key: string = dtype;
  for (const { operand, isDense } of inputs) key += ` ${operand.dtype}${isDense ? '' : '*'}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    const kinds = inputs.map(({ operand, isDense }) => ({ dtype: operand.dtype, isDense }));
    kernel = compileRows(computation, { dtype, inputs: kinds });
    kernels.set(key, kernel);
  }
  return { kernel, compiled };
}

/** About what an element takes one thread. */
function nanosecondsOf({ folds, outputs }: RowComputation): number {
  return [...folds, ...outputs].reduce((sum, { value }) => sum + elementNanoseconds(value), 0);
}
