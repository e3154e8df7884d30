import { dtypeInfo, type DType } from '../../dtype.ts';
import { contiguousStrides, isContiguous, numel } from '../../shape.ts';
import { addressOf, freeStorage, hostArray, Storage } from '../../storage.ts';
import type { Reduction, Strided } from '../types.ts';
import { changed } from './changed.ts';
import { copy } from './copy.ts';
import { type FloatDType, isFloatDType } from './floats.ts';
import { columnFold, type FloatFold, rowFold, SPARE_BYTES } from './fold.ts';
import { Scratch } from './scratch.ts';
import { forOuter, walk } from './walk.ts';
import { alone, eachPiece, workOf } from './work.ts';

const spare = new Scratch();

/** Folds `dims` of x, which have size 1 in out. */
export function reduce(kind: Reduction, out: Strided, x: Strided, dims: readonly number[]): void {
  if (numel(out.shape) === 0) return;
  if (kind === 'any' || kind === 'all' || x.dtype !== out.dtype || !isFloatDType(x.dtype)) {
    foldOneByOne(kind, out, x);
    return;
  }
  const isDense = isContiguous(x.shape, x.strides) && isContiguous(out.shape, out.strides);
  if (isDense && dims.length > 0 && dims.length - 1 === dims[dims.length - 1]! - dims[0]!) {
    foldDense(kind, x.dtype, out, x, dims);
  } else foldFloats(kind, x.dtype, out, x, dims);
}

/** Dense operands and neighbouring dims: a tensor of three dims of which the middle one is folded. */
function foldDense(
  kind: FloatFold,
  dtype: FloatDType,
  out: Strided,
  x: Strided,
  dims: readonly number[],
): void {
  const { bytes } = dtypeInfo[dtype];
  const { shape } = x;
  let [outer, folded, inner] = [1, 1, 1];
  for (let d = 0; d < shape.length; d++) {
    if (d < dims[0]!) outer *= shape[d]!;
    else if (d <= dims[dims.length - 1]!) folded *= shape[d]!;
    else inner *= shape[d]!;
  }
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const xAt = addressOf(x.storage) + x.offset * bytes;
  if (inner > 1) foldColumns(kind, dtype, outAt, xAt, outer, inner, folded);
  else if (outer === 1 && folded >= LONG) foldLong(kind, dtype, outAt, xAt, folded);
  else foldRows(kind, dtype, outAt, xAt, outer, bytes, folded * bytes, 1, 0, folded, bytes);
}

/** What it takes one thread to fold an element. */
const NANOSECONDS = 0.08;
/** Elements of a task at least. */
const LEAST_PIECE = 8192;
/** Columns that the kernel takes at a time. */
const COLUMNS_UNIT = 32;
/** From so many elements on, a fold of all is taken in parts of PART, which depends on nothing else. */
const LONG = 1 << 18;
const PART = 1 << 15;
const partial = new Scratch();

/** Folds dense dims outer, folded, inner: the middle one. */
function foldColumns(
  kind: FloatFold,
  dtype: FloatDType,
  out: number,
  x: number,
  outer: number,
  inner: number,
  folded: number,
): void {
  const column = dtypeInfo[dtype].bytes;
  const row = inner * column;
  const together = inner * folded;
  const work = together < LEAST_PIECE && outer > 1 ? alone : workOf(outer * together * NANOSECONDS);
  const { columns } = work.kernels(columnFold(kind, dtype));
  if (work === alone) {
    const spareAt = spare.take(SPARE_BYTES);
    for (let i = 0; i < outer; i++) columns(out + i * row, x + i * folded * row, inner, 1, 0, folded, row, spareAt);
    return;
  }
  const pieces = Math.ceil(work.width / outer);
  for (let i = 0; i < outer; i++) {
    eachPiece(pieces, inner, COLUMNS_UNIT, Math.ceil(LEAST_PIECE / folded), (first, size) => {
      work.task();
      const spareAt = work.inside().take(spare, SPARE_BYTES);
      const [to, from] = [out + i * row + first * column, x + i * folded * row + first * column];
      columns(to, from, size, 1, 0, folded, row, spareAt);
    });
  }
  work.run();
}

/** Folds lines of n0 by n1 elements. */
function foldRows(
  kind: FloatFold,
  dtype: FloatDType,
  out: number,
  x: number,
  lines: number,
  outLine: number,
  xLine: number,
  n0: number,
  step0: number,
  n1: number,
  step1: number,
): void {
  const work = workOf(lines * n0 * n1 * NANOSECONDS);
  const { rows } = work.kernels(rowFold(kind, dtype));
  if (work === alone) {
    rows(out, x, lines, outLine, xLine, n0, step0, n1, step1);
    return;
  }
  eachPiece(work.width, lines, 1, Math.ceil(LEAST_PIECE / (n0 * n1)), (first, size) => {
    work.task();
    rows(out + first * outLine, x + first * xLine, size, outLine, xLine, n0, step0, n1, step1);
  });
  work.run();
}

/** Folds very many elements into one: parts of them, and then their results. */
function foldLong(kind: FloatFold, dtype: FloatDType, out: number, x: number, count: number): void {
  const { bytes } = dtypeInfo[dtype];
  const whole = Math.floor(count / PART);
  const rest = count - whole * PART;
  const at = partial.take((whole + 1) * bytes);
  foldRows(kind, dtype, at, x, whole, bytes, PART * bytes, 1, 0, PART, bytes);
  if (rest > 0) foldRows(kind, dtype, at + whole * bytes, x + whole * PART * bytes, 1, bytes, 0, 1, 0, rest, bytes);
  foldRows(kind, dtype, out, at, 1, bytes, 0, 1, 0, rest > 0 ? whole + 1 : whole, bytes);
}

function foldFloats(
  kind: FloatFold,
  dtype: FloatDType,
  out: Strided,
  x: Strided,
  dims: readonly number[],
): void {
  const { bytes } = dtypeInfo[dtype];
  // Only dimensions of x that are folded have no stride in out.
  const outStrides = [...out.strides];
  for (const d of dims) outStrides[d] = 0;
  const { sizes, strides } = walk(x.shape, [x.strides, outStrides], 0);
  const [xSteps, outSteps] = strides as [number[], number[]];
  const kept: number[] = [];
  const folded: number[] = [];
  for (let d = 0; d < sizes.length; d++) (outSteps[d] === 0 ? folded : kept).push(d);
  if (folded.length > 2) {
    foldCopy(kind, out, x, dims);
    return;
  }
  const [outer, inner] = folded.length === 2 ? folded : [undefined, folded[0]];
  const last = kept.pop();
  const size = (d: number | undefined): number => (d === undefined ? 1 : sizes[d]!);
  const step = (steps: readonly number[], d: number | undefined): number => (d === undefined ? 0 : steps[d]! * bytes);
  const [n0, step0, n1, step1] = [size(outer), step(xSteps, outer), size(inner), step(xSteps, inner)];
  const [lines, xLine, outLine] = [size(last), step(xSteps, last), step(outSteps, last)];
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const xAt = addressOf(x.storage) + x.offset * bytes;
  const asColumns = xLine === bytes && outLine === bytes && step1 !== bytes;
  const spareAt = asColumns ? spare.take(SPARE_BYTES) : 0;
  const fold = (to: number, from: number): void => {
    if (asColumns) columnFold(kind, dtype).columns(to, from, lines, n0, step0, n1, step1, spareAt);
    else foldRows(kind, dtype, to, from, lines, outLine, xLine, n0, step0, n1, step1);
  };
  if (kept.length === 0) {
    fold(outAt, xAt);
    return;
  }
  const others = {
    sizes: kept.map((d) => sizes[d]!),
    strides: strides.map((steps) => kept.map((d) => steps[d]!)),
  };
  forOuter(others, kept.length, ([xOffset = 0, outOffset = 0]) => fold(outAt + outOffset * bytes, xAt + xOffset * bytes));
}

/** Many separate folded dimensions: brings them together at the end first. */
function foldCopy(kind: FloatFold, out: Strided, x: Strided, dims: readonly number[]): void {
  const order = x.shape.map((_, d) => d);
  order.sort((a, b) => Number(dims.includes(a)) - Number(dims.includes(b)) || a - b);
  const permuted = (t: Strided): Strided => changed(t, {
    shape: order.map((d) => t.shape[d]!),
    strides: order.map((d) => t.strides[d]!),
  });
  const source = permuted(x);
  const storage = new Storage(numel(x.shape) * dtypeInfo[x.dtype].bytes);
  const dense = changed(source, { storage, offset: 0, strides: contiguousStrides(source.shape) });
  copy(dense, source);
  const tail = dims.map((_, k) => order.length - dims.length + k);
  reduce(kind, permuted(out), dense, tail);
  freeStorage(storage);
}

type Step = (total: number, value: number) => number;

const starts: Readonly<Record<Reduction, (dtype: DType) => number>> = {
  sum: () => 0,
  prod: () => 1,
  max: (dtype) => (dtypeInfo[dtype].category === 2 ? -Infinity : dtypeInfo[dtype].min),
  min: (dtype) => (dtypeInfo[dtype].category === 2 ? Infinity : dtypeInfo[dtype].max),
  any: () => 0,
  all: () => 1,
};
const steps: Readonly<Record<Reduction, Step>> = {
  sum: (total, value) => total + value,
  prod: (total, value) => total * value,
  max: (total, value) => (value > total || Number.isNaN(value) ? value : total),
  min: (total, value) => (value < total || Number.isNaN(value) ? value : total),
  any: (total, value) => (value !== 0 ? 1 : total),
  all: (total, value) => (value === 0 ? 0 : total),
};
/** Integer arithmetic wraps around. */
const integerSteps: Readonly<Record<Reduction, Step>> = {
  ...steps,
  sum: (total, value) => (total + value) | 0,
  prod: (total, value) => Math.imul(total, value),
};

/** Any dtypes: reads x, computes in out's dtype. */
function foldOneByOne(kind: Reduction, out: Strided, x: Strided): void {
  const from = hostArray(x.storage, x.dtype);
  const to = hostArray(out.storage, out.dtype);
  const isFloat = dtypeInfo[out.dtype].category === 2;
  const step = (isFloat ? steps : integerSteps)[kind];
  nested(out.shape, out.strides, out.strides, 0, out.offset, out.offset, (outAt) => {
    to[outAt] = starts[kind](out.dtype);
  });
  // Dimensions of size 1 in out stay where they are there.
  const outStrides = out.strides.map((stride, d) => (out.shape[d] === 1 ? 0 : stride));
  nested(x.shape, outStrides, x.strides, 0, out.offset, x.offset, (outAt, xAt) => {
    to[outAt] = step(to[outAt]!, from[xAt]!);
  });
}

/** Visits all elements of two operands; the last dimension in a loop of its own. */
function nested(
  shape: readonly number[],
  a: readonly number[],
  b: readonly number[],
  dim: number,
  aAt: number,
  bAt: number,
  body: (aAt: number, bAt: number) => void,
): void {
  if (dim === shape.length) {
    body(aAt, bAt);
    return;
  }
  const [size, aStep, bStep] = [shape[dim]!, a[dim]!, b[dim]!];
  const isLast = dim === shape.length - 1;
  for (let i = 0; i < size; i++) {
    if (isLast) body(aAt + i * aStep, bAt + i * bStep);
    else nested(shape, a, b, dim + 1, aAt + i * aStep, bAt + i * bStep, body);
  }
}
