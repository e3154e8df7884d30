import { IndexError, ShapeError, ValueError } from './errors.ts';
import { described } from './option-names.ts';

/** Sizes per dimension; `[]` is a scalar. */
export type Shape = readonly number[];

/** Distance in elements between neighbours, per dimension; 0 repeats one element. */
export type Strides = readonly number[];

/** Number of elements of a shape; 1 for a scalar. */
export function numel(shape: Shape): number {
  let n = 1;
  for (let d = 0; d < shape.length; d++) n *= shape[d]!;
  return n;
}

/** Row-major strides of a dense tensor of this shape. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(shape[d]!, 1);
  }
  return strides;
}

/** Whether the elements lie densely in row-major order; strides of size-1 dimensions do not matter. */
export function isContiguous(shape: Shape, strides: Strides): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d]!;
    if (size === 0) return true;
    if (size !== 1) {
      if (strides[d] !== step) return false;
      step *= size;
    }
  }
  return true;
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

/** A list per dimension with another entry at one of them: a shape with another size, for instance. A scalar's has no entry. */
export function withEntry(list: readonly number[], dim: number, entry: number): number[] {
  const copy = [...list];
  if (dim < copy.length) copy[dim] = entry;
  return copy;
}

/** A list per dimension without one of them. */
export function withoutEntry(list: readonly number[], dim: number): number[] {
  const copy = [...list];
  copy.splice(dim, 1);
  return copy;
}

/** A shape as it is printed everywhere: `[2, 3]`. */
export function shapeString(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/**
 * The shape that two operands have after broadcasting: aligned at the right, sizes equal or 1. It is one of theirs if it can be.
 * @throws ShapeError naming both sizes and the dimension
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  let isA = a.length === rank;
  let isB = b.length === rank;
  for (let d = rank - 1, i = a.length - 1, j = b.length - 1; d >= 0; d--, i--, j--) {
    const x = i >= 0 ? a[i]! : 1;
    const y = j >= 0 ? b[j]! : 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: ${shapeString(a)} and ${shapeString(b)} do not broadcast: the size of tensor a (${x}) must match ` +
          `the size of tensor b (${y}) at non-singleton dimension ${d}${broadcastHint(a, b)}`,
        { op, shapes: [a, b] },
      );
    }
    const size = x === 1 ? y : x;
    out[d] = size;
    isA &&= size === x;
    isB &&= size === y;
  }
  if (isA) return a;
  return isB ? b : out;
}

function broadcastHint(a: Shape, b: Shape): string {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  if (short.length === 1 && long.length >= 2 && long[0] === short[0]) {
    return `. To line ${shapeString(short)} up with dimension 0, unsqueeze it at the right: x.unsqueeze(-1)`;
  }
  return '. Sizes are aligned from the right and must be equal or 1';
}

/**
 * Turns a dimension counted from the end into one counted from the start.
 * @throws IndexError when it is out of range
 */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const limit = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -limit || dim >= limit) {
    if (typeof dim !== 'number') throw notADim(op, dim);
    throw new IndexError(
      `${op}: dim ${dim} is out of range for a tensor of ${rank} dimension${rank === 1 ? '' : 's'}; ` +
        `expected ${-limit} to ${limit - 1}`,
      { op, argument: 'dim' },
    );
  }
  return dim < 0 ? dim + limit : dim;
}

function notADim(op: string, dim: unknown): IndexError {
  return new IndexError(
    `${op}: dim must be a whole number, given by position; got ${described(dim)}. Options go in an object after it`,
    { op, argument: 'dim' },
  );
}

/** As in PyTorch, where a set of dimensions is a word of 64 bits. */
const MAX_REDUCED_RANK = 64;

/**
 * A list of dimensions in rising order; null, undefined or an empty list mean all of them.
 * @throws IndexError when one is out of range or named twice
 */
export function normalizeDims(op: string, dims: number | readonly number[] | null | undefined, rank: number): number[] {
  if (rank > MAX_REDUCED_RANK) {
    throw new ShapeError(`${op}: only tensors with up to ${MAX_REDUCED_RANK} dimensions can be reduced, got ${rank}`, { op });
  }
  if (dims === null || dims === undefined || (Array.isArray(dims) && dims.length === 0)) {
    return Array.from({ length: rank }, (_, d) => d);
  }
  const list = (Array.isArray(dims) ? (dims as readonly number[]) : [dims as number]).map((d) => normalizeDim(op, d, rank));
  if (rank === 0) return [];
  const sorted = list.sort((a, b) => a - b);
  for (let k = 1; k < sorted.length; k++) {
    if (sorted[k] === sorted[k - 1]) {
      throw new IndexError(`${op}: dim ${sorted[k]} appears twice in the list of dimensions`, { op, argument: 'dim' });
    }
  }
  return sorted;
}

/** A shape after some of its dimensions were reduced to size 1 or taken out. */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  return keepdim ? shape.map((n, d) => (dims.includes(d) ? 1 : n)) : shape.filter((_, d) => !dims.includes(d));
}

/** The error for sizes that were given one by one, as in `zeros(2, 3)`. */
export function sizesOneByOne(op: string, second: number): ValueError {
  return new ValueError(
    `${op}: sizes of several dimensions go in an array, as in ${op}([2, 3]); got ${second} where options are expected`,
    { op },
  );
}
