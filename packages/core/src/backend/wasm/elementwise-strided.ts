import { type DType, dtypeInfo } from '../../dtype.ts';
import type { Expr } from '../../expr/index.ts';
import { allocate, views } from '../../heap.ts';
import { contiguousStrides, numel, type Shape, type Strides } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { copy } from './copy.ts';
import { laneIndex, laneOf, type KernelCache } from './elementwise-cache.ts';
import { blockLayout, compileNested, type Mode, type NestedKernel } from './elementwise-kernel.ts';
import { Scratch } from './scratch.ts';
import { isSharable, type Kernel } from './shared-modules.ts';
import { walk } from './walk.ts';
import { eachPiece, isWorthSharing, sharedWork } from './work.ts';

/** The modes by number: kernels are found by numbers made of them. */
const modes: readonly Mode[] = ['dense', 'splat', 'strided'];
const DENSE = 0;
const SPLAT = 1;
const STRIDED = 2;
/** Beyond so many inputs a number cannot tell all kernels apart. */
const MAX_KEYED_INPUTS = 9;
/** Most operands and parameters that an argument block holds. */
const BLOCK_BYTES = 2048;
let block = 0;

/**
 * The loops of the call that is being prepared, innermost first, and per operand (out first) its strides in
 * elements, its address and its mode. Filled anew by every call, so that calls allocate nothing.
 */
const sizes: number[] = [];
const strides: number[][] = [];
const addresses: number[] = [];
const elementBytes: number[] = [];
const operandModes: number[] = [];

/** Runs an expression over operands of any strides: the two inner loops in a kernel, the others here. */
export function runStrided(
  cache: KernelCache,
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  params: readonly number[],
  compute: DType,
): void {
  setOperand(0, out);
  for (let k = 0; k < inputs.length; k++) setOperand(k + 1, inputs[k]!);
  const count = inputs.length + 1;
  const depth = findLoops(out, inputs);
  if (numel(out.shape) >= TURN_FROM && isRowMajor(out.shape, out.strides) && turnInputs(inputs)) {
    const straight = turned;
    turned = [];
    runStrided(cache, expr, out, straight, params, compute);
    return;
  }
  let key = (laneIndex[laneOf[compute]] * 64 + params.length) * 10 + inputs.length;
  for (let k = 0; k < count; k++) {
    const bytes = elementBytes[k]!;
    const inner = strides[k]![0]! * bytes;
    // A single element may be anywhere, and results are never stored as a splat.
    const isDense = inner === bytes || sizes[0] === 1 || (k === 0 && inner === 0);
    const mode = isDense ? DENSE : inner === 0 ? SPLAT : STRIDED;
    operandModes[k] = mode;
    key = key * 15 + dtypeInfo[k === 0 ? out.dtype : inputs[k - 1]!.dtype].code * 3 + mode;
  }
  const name = inputs.length > MAX_KEYED_INPUTS ? longKey(out, inputs, compute) : key;
  const kernel = cache.strided.get(name) ?? compileStrided(cache, name, expr, out, inputs, compute);
  const isLarge = sizes[0]! * sizes[1]! >= LEAST_SHARED;
  const nanoseconds = isLarge ? numel(out.shape) * cache.nanoseconds : 0;
  if (isLarge && isWorthSharing(nanoseconds) && isSharable(kernel)) {
    share(kernel, nanoseconds, expr.paramCount, params, count, depth);
  } else call(kernel, expr.paramCount, params, count, depth);
}

function setOperand(k: number, x: Strided): void {
  const { bytes } = dtypeInfo[x.dtype];
  elementBytes[k] = bytes;
  addresses[k] = addressOf(x.storage) + x.offset * bytes;
  strides[k] ??= [];
}

/** Merges dimensions where all operands allow it; gives the number of loops, at least two. */
function findLoops(out: Strided, inputs: readonly Strided[]): number {
  const { shape } = out;
  let depth = 0;
  if (isRowMajor(shape, out.strides)) {
    for (let d = shape.length - 1; d >= 0; d--) {
      const size = shape[d]!;
      if (size === 1) continue;
      if (depth > 0 && merges(depth - 1, out, inputs, d)) sizes[depth - 1]! *= size;
      else {
        sizes[depth] = size;
        for (let k = 0; k <= inputs.length; k++)
          strides[k]![depth] = (k === 0 ? out : inputs[k - 1]!).strides[d]!;
        depth++;
      }
    }
  } else {
    const loops = walk(shape, [out.strides, ...inputs.map((x) => x.strides)], 2);
    for (depth = 0; depth < loops.sizes.length; depth++) {
      const level = loops.sizes.length - 1 - depth;
      sizes[depth] = loops.sizes[level]!;
      for (let k = 0; k <= inputs.length; k++) strides[k]![depth] = loops.strides[k]![level]!;
    }
  }
  for (; depth < 2; depth++) {
    sizes[depth] = 1;
    for (let k = 0; k <= inputs.length; k++) strides[k]![depth] = 0;
  }
  return depth;
}

/** Whether the dimensions of out are in order of falling stride already. */
function isRowMajor(shape: Shape, outStrides: Strides): boolean {
  let least = Infinity;
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    if (outStrides[d]! > least) return false;
    least = outStrides[d]!;
  }
  return true;
}

/** Whether every operand goes on in dimension d where the loop of this level ends. */
function merges(level: number, out: Strided, inputs: readonly Strided[], d: number): boolean {
  const size = sizes[level]!;
  if (out.strides[d] !== strides[0]![level]! * size) return false;
  for (let k = 0; k < inputs.length; k++) {
    if (inputs[k]!.strides[d] !== strides[k + 1]![level]! * size) return false;
  }
  return true;
}

/** From so many elements on it pays to turn transposed operands first. */
const TURN_FROM = 1 << 14;
const CACHE_LINE = 64;
const copies: Scratch[] = [];
let turned: Strided[] = [];

/**
 * Copies inputs that lie across into rows: those whose next element in a row is on another cache line and
 * that of the next row on the same, so that lines would be read once for each of their elements. Gives
 * whether there are any; all inputs as they are then stand in `turned`.
 */
function turnInputs(inputs: readonly Strided[]): boolean {
  let any = false;
  for (let k = 0; k < inputs.length; k++) {
    const inner = Math.abs(strides[k + 1]![0]! * elementBytes[k + 1]!);
    const outer = Math.abs(strides[k + 1]![1]! * elementBytes[k + 1]!);
    if (inner < CACHE_LINE || outer === 0 || outer >= CACHE_LINE || sizes[1]! < 16) continue;
    if (!any) turned = [...inputs];
    any = true;
    const x = inputs[k]!;
    const scratch = (copies[k] ??= new Scratch());
    scratch.take(numel(x.shape) * elementBytes[k + 1]!);
    const rows = contiguousStrides(x.shape);
    turned[k] = { storage: scratch.held, offset: 0, shape: x.shape, strides: rows, dtype: x.dtype };
    copy(turned[k]!, x);
  }
  return any;
}

function longKey(out: Strided, inputs: readonly Strided[], compute: DType): string {
  return [compute, ...[out, ...inputs].map((x, k) => `${x.dtype} ${operandModes[k]!}`)].join();
}

function compileStrided(
  cache: KernelCache,
  key: number | string,
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  compute: DType,
): NestedKernel {
  const operands = [out, ...inputs].map(({ dtype }, k) => ({ dtype, mode: modes[operandModes[k]!]! }));
  const [first, ...others] = operands;
  const kernel = compileNested([expr], {
    compute: laneOf[compute],
    outs: [first!],
    inputs: others,
    params: expr.paramCount,
  });
  cache.strided.set(key, kernel);
  return kernel;
}

function call(
  kernel: NestedKernel,
  paramCount: number,
  params: readonly number[],
  count: number,
  depth: number,
): void {
  if (block === 0) block = allocate(BLOCK_BYTES, 2 ** 32);
  const first = fillBlock(block, paramCount, params, count);
  if (depth === 2) kernel(block);
  else {
    visit(count, depth - 1, () => {
      for (let k = 0; k < count; k++) views.i32[first + 3 * k] = addresses[k]!;
      kernel(block);
    });
  }
}

/** Writes an argument block for the two inner loops, and gives the index of its first address. */
function fillBlock(block: number, paramCount: number, params: readonly number[], count: number): number {
  const { f64, i32 } = views;
  for (let k = 0; k < paramCount; k++) f64[block / 8 + k] = params[k]!;
  const start = block / 4 + blockLayout.integers(paramCount);
  const first = block / 4 + blockLayout.operand(paramCount, 0);
  i32[start] = sizes[1]!;
  i32[start + 1] = sizes[0]!;
  for (let k = 0; k < count; k++) {
    i32[first + 3 * k] = addresses[k]!;
    i32[first + 3 * k + 1] = strides[k]![1]! * elementBytes[k]!;
    i32[first + 3 * k + 2] = strides[k]![0]! * elementBytes[k]!;
  }
  return first;
}

/** From so many elements on in the two inner loops they are divided among threads, into pieces of so many at least. */
const LEAST_SHARED = 4096;
/** Pieces of rows are multiples of this, so that the same elements are computed in vectors. */
const ROW_UNIT = 64;
const blocks = new Scratch();

/** Runs the kernel on several threads, which divide the longer of the two inner loops; each call has a block of its own. */
function share(
  kernel: NestedKernel,
  nanoseconds: number,
  paramCount: number,
  params: readonly number[],
  count: number,
  depth: number,
): void {
  const work = sharedWork(nanoseconds);
  const outer = sizes.slice(2, depth).reduce((product, size) => product * size, 1);
  const bytes = Math.ceil((blockLayout.operand(paramCount, count) * 4) / 16) * 16;
  let at = blocks.take(bytes * Math.ceil(work.width / outer) * outer);
  const level = sizes[1]! >= work.width ? 1 : 0;
  const [whole, other] = [sizes[level]!, sizes[1 - level]!];
  const pieces = Math.ceil(work.width / outer);
  visit(count, depth - 1, () => {
    eachPiece(pieces, whole, level === 1 ? 1 : ROW_UNIT, Math.ceil(LEAST_SHARED / other), (start, size) => {
      sizes[level] = size;
      const first = fillBlock(at, paramCount, params, count);
      for (let k = 0; k < count; k++) {
        views.i32[first + 3 * k] = addresses[k]! + start * strides[k]![level]! * elementBytes[k]!;
      }
      work.task();
      work.call(kernel as Kernel, [at]);
      at += bytes;
    });
    sizes[level] = whole;
  });
  work.run();
}

/** Goes through the loops from this level inwards down to the two inner ones, and leaves the addresses as it found them. */
function visit(count: number, level: number, body: () => void): void {
  if (level === 1) {
    body();
    return;
  }
  const size = sizes[level]!;
  for (let i = 0; i < size; i++) {
    visit(count, level - 1, body);
    for (let k = 0; k < count; k++) addresses[k]! += strides[k]![level]! * elementBytes[k]!;
  }
  for (let k = 0; k < count; k++) addresses[k]! -= size * strides[k]![level]! * elementBytes[k]!;
}
