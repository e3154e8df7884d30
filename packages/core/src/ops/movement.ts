import { linear } from '../define/rules.ts';
import { viewOf } from '../dispatch.ts';
import { IndexError, ShapeError } from '../errors.ts';
import { requireNumbers } from '../option-names.ts';
import { contiguousStrides, isContiguous, normalizeDim, numel, sameShape, shapeString, withEntry, withoutEntry, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A list of numbers given as one array or as separate arguments. */
export type Sizes = number[] | [sizes: readonly number[]];

function listOf(sizes: Sizes): readonly number[] {
  return Array.isArray(sizes[0]) ? (sizes[0] as readonly number[]) : (sizes as readonly number[]);
}

const viewAs = linear<{ shape: Shape; strides: readonly number[] }>('view', {
  forward: ([x], { shape, strides }) => viewOf(x!, shape, strides, x!.offset),
  transpose: (g, _, { shape }) => g.reshape(shape),
});

/** Fills in the one size that may be −1, and checks that the number of elements stays. */
function resolveSizes(op: string, x: Tensor, sizes: readonly number[]): number[] {
  const total = x.numel();
  const shape = [...sizes];
  const unknown = shape.indexOf(-1);
  let isValid = shape.every(Number.isInteger);
  for (let d = 0; d < shape.length; d++) if (shape[d]! < 0 && d !== unknown) isValid = false;
  if (!isValid) {
    throw new ShapeError(
      `${op}: invalid shape ${shapeString(sizes)}: sizes must be whole numbers of at least 0, and at most one may be -1`,
      { op, shapes: [x.shape, sizes] },
    );
  }
  if (unknown >= 0) {
    shape[unknown] = 1;
    const known = numel(shape);
    if (known === 0 && total === 0) {
      throw new ShapeError(
        `${op}: the size -1 in ${shapeString(sizes)} could be any number, since the tensor of shape ${shapeString(x.shape)} has no ` +
          'elements; write the size',
        { op, shapes: [x.shape, sizes] },
      );
    }
    shape[unknown] = total / known;
  }
  if (numel(shape) !== total || !shape.every(Number.isInteger)) {
    throw new ShapeError(
      `${op}: shape ${shapeString(sizes)} is invalid for a tensor of ${total} elements (its shape is ${shapeString(x.shape)})`,
      { op, shapes: [x.shape, sizes] },
    );
  }
  return shape;
}

/** Strides that show the elements of x in another shape without a copy, or null if there are none. */
function viewStrides(x: Tensor, shape: Shape): number[] | null {
  if (isContiguous(x.shape, x.strides)) return contiguousStrides(shape);
  const strides = new Array<number>(shape.length).fill(1);
  // Runs of old dimensions that lie densely can be cut anew.
  let d = shape.length - 1;
  let chunk = 1;
  let base = x.strides.at(-1) ?? 1;
  for (let i = x.shape.length - 1; i >= 0; i--) {
    chunk *= x.shape[i]!;
    const ends = i === 0 || (x.shape[i - 1] !== 1 && x.strides[i - 1] !== chunk * base);
    if (!ends) continue;
    let filled = 1;
    while (d >= 0 && (filled < chunk || shape[d] === 1)) {
      strides[d] = filled * base;
      filled *= shape[d]!;
      d--;
    }
    if (filled !== chunk) return null;
    if (i > 0) {
      chunk = 1;
      base = x.strides[i - 1]!;
    }
  }
  return d < 0 ? strides : null;
}

/**
 * The same elements in another shape, sharing memory; one size may be −1.
 * @throws ShapeError when the number of elements differs or the strides do not allow it (`reshape` copies then)
 * @source torch.Tensor.view
 */
export function view(x: Tensor, ...sizes: Sizes): Tensor {
  const shape = resolveSizes('view', x, listOf(sizes));
  const strides = viewStrides(x, shape);
  if (strides === null) {
    throw new ShapeError(
      `view: ${shapeString(x.shape)} with strides ${shapeString(x.strides)} cannot be shown as ${shapeString(shape)} without ` +
        'copying (at least one dimension spans across two contiguous subspaces). Use reshape(), which copies if it must',
      { op: 'view', shapes: [x.shape, shape] },
    );
  }
  return viewAs([x], { shape, strides });
}

/** The same elements in another shape; a view where strides allow it, else a copy. @source torch.reshape */
export function reshape(x: Tensor, ...sizes: Sizes): Tensor {
  const shape = resolveSizes('reshape', x, listOf(sizes));
  const strides = viewStrides(x, shape);
  return strides === null ? x.contiguous().view(shape) : viewAs([x], { shape, strides });
}

/** Dimensions `start` to `end` (inclusive) joined into one. @source torch.flatten */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  const from = normalizeDim('flatten', start, x.ndim);
  const to = normalizeDim('flatten', end, x.ndim);
  if (from > to) throw new IndexError(`flatten: start dim ${start} comes after end dim ${end}`, { op: 'flatten' });
  if (x.ndim === 0) return x.reshape([1]);
  if (from === to) return x;
  const joined = numel(x.shape.slice(from, to + 1));
  return x.reshape([...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

/** One dimension cut into several; one of the sizes may be −1. @source torch.unflatten */
export function unflatten(x: Tensor, dim: number, sizes: readonly number[]): Tensor {
  const d = normalizeDim('unflatten', dim, x.ndim);
  const known = sizes.reduce((n, s) => (s === -1 ? n : n * s), 1);
  const filled = sizes.map((s) => (s === -1 ? x.shape[d]! / known : s));
  if (numel(filled) !== x.shape[d]) {
    throw new ShapeError(`unflatten: sizes ${shapeString(sizes)} do not multiply up to ${x.shape[d]}, the size of dim ${dim}`);
  }
  return x.reshape([...x.shape.slice(0, d), ...filled, ...x.shape.slice(d + 1)]);
}

function ordered(list: readonly number[], dims: readonly number[]): number[] {
  const found = new Array<number>(dims.length);
  for (let d = 0; d < dims.length; d++) found[d] = list[dims[d]!]!;
  return found;
}

const permuteDims = linear<readonly number[]>('permute', {
  forward: ([x], dims) => {
    return viewOf(x!, ordered(x!.shape, dims), ordered(x!.strides, dims), x!.offset);
  },
  transpose: (g, dims) => {
    const back = new Array<number>(dims.length);
    for (let d = 0; d < dims.length; d++) back[dims[d]!] = d;
    return g.permute(back);
  },
});

/**
 * The dimensions in another order.
 * @throws ShapeError when the list does not name every dimension once
 * @source torch.permute
 */
export function permute(x: Tensor, ...dims: Sizes): Tensor {
  const given = listOf(dims);
  const order = given.map((d) => normalizeDim('permute', d, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== order.length) {
    throw new ShapeError(
      `permute: dims ${shapeString(given)} must name each of the ${x.ndim} dimensions of ${shapeString(x.shape)} once`,
      { op: 'permute', shapes: [x.shape] },
    );
  }
  return permuteDims([x], order);
}

/** Two dimensions exchanged. @source torch.transpose */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const a = normalizeDim('transpose', dim0, x.ndim);
  const b = normalizeDim('transpose', dim1, x.ndim);
  if (x.ndim === 0) return x;
  const order = new Array<number>(x.ndim);
  for (let d = 0; d < order.length; d++) order[d] = d === a ? b : d === b ? a : d;
  return permuteDims([x], order);
}

/** The transpose of a matrix; tensors of fewer dimensions stay as they are. @source torch.t */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2) {
    throw new ShapeError(`t: expects a tensor of at most 2 dimensions, got ${shapeString(x.shape)}; use transpose or mT`);
  }
  return x.ndim < 2 ? x : x.transpose(0, 1);
}

/** Dimensions `source` moved to the places `destination`. @source torch.movedim */
export function movedim(x: Tensor, source: number | readonly number[], destination: number | readonly number[]): Tensor {
  const from = [source].flat().map((d) => normalizeDim('movedim', d, x.ndim));
  const to = [destination].flat().map((d) => normalizeDim('movedim', d, x.ndim));
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length) {
    throw new ShapeError(`movedim: source [${from.join(', ')}] and destination [${to.join(', ')}] must pair up, each dimension once`);
  }
  const rest = x.shape.map((_, d) => d).filter((d) => !from.includes(d));
  const order = x.shape.map((_, d) => (to.includes(d) ? from[to.indexOf(d)]! : -1)).map((d) => (d < 0 ? rest.shift()! : d));
  return permuteDims([x], order);
}

const expandTo = linear<Shape>('expand', {
  forward: ([x], shape) => {
    const lead = shape.length - x!.ndim;
    const strides = shape.map((n, d) => (d < lead || x!.shape[d - lead] !== n ? 0 : x!.strides[d - lead]!));
    return viewOf(x!, shape, strides, x!.offset);
  },
  transpose: (g, _, { shape }) => g.sumToSize(shape),
});

/**
 * Dimensions of size 1 repeated, and new ones in front, without a copy; −1 keeps a size.
 * @throws ShapeError when a size other than 1 would change
 * @source torch.Tensor.expand
 */
export function expand(x: Tensor, ...sizes: Sizes): Tensor {
  const given = listOf(sizes);
  const lead = given.length - x.ndim;
  const shape = given.map((n, d) => (n === -1 && d >= lead ? x.shape[d - lead]! : n));
  const bad = x.shape.findIndex((n, d) => lead < 0 || (n !== 1 && shape[d + lead] !== n));
  if (lead < 0 || bad >= 0 || shape.some((n) => n < 0)) {
    throw new ShapeError(
      `expand: ${shapeString(x.shape)} cannot be expanded to ${shapeString(given)}: the expanded size must match the ` +
        'existing size, except where that is 1',
      { op: 'expand', shapes: [x.shape, given] },
    );
  }
  return sameShape(shape, x.shape) ? viewAs([x], { shape: x.shape, strides: x.strides }) : expandTo([x], shape);
}

/** x expanded to the shape of other. @source torch.Tensor.expand_as */
export function expandAs(x: Tensor, other: Tensor): Tensor {
  return x.expand(other.shape);
}

/** x broadcast to a shape. @source torch.broadcast_to */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  return x.expand(shape);
}

/** A dimension of size 1 put in at `dim`. @source torch.unsqueeze */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const d = normalizeDim('unsqueeze', dim, x.ndim + 1);
  const step = d < x.ndim ? x.shape[d]! * x.strides[d]! : 1;
  const shape = [...x.shape.slice(0, d), 1, ...x.shape.slice(d)];
  return viewAs([x], { shape, strides: [...x.strides.slice(0, d), step, ...x.strides.slice(d)] });
}

/** Dimensions of size 1 taken out: all, or those named (others named stay). @source torch.squeeze */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const named = dim === undefined ? null : [dim].flat().map((d) => normalizeDim('squeeze', d, x.ndim));
  const keep = x.shape.map((n, d) => n !== 1 || (named !== null && !named.includes(d)));
  return viewAs([x], { shape: x.shape.filter((_, d) => keep[d]), strides: x.strides.filter((_, d) => keep[d]) });
}

/** Attributes of a cut through one dimension. */
interface Cut {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

const sliceOf = linear<Cut>('slice', {
  forward: ([x], { dim, start, length, step }) => {
    const shape = withEntry(x!.shape, dim, length);
    const strides = withEntry(x!.strides, dim, x!.strides[dim]! * step);
    return viewOf(x!, shape, strides, x!.offset + start * x!.strides[dim]!);
  },
  transpose: (g, cut, { shape }) => sliceBackward(g, shape, cut),
});

/** Zeros of a shape with `g` written into a slice: the transpose of slicing. */
const sliceBackward: (g: Tensor, shape: Shape, cut: Cut) => Tensor = (g, shape, cut) => {
  return sliceEmbedding([g], { shape, cut });
};

const sliceEmbedding = linear<{ shape: Shape; cut: Cut }>('slice_backward', {
  forward: ([g], { shape, cut: { dim, start, length, step } }) => {
    const zeros = g!.newZeros(shape);
    const strides = withEntry(zeros.strides, dim, zeros.strides[dim]! * step);
    const sizes = withEntry(shape, dim, length);
    zeros.detach().asStrided(sizes, strides, start * zeros.strides[dim]!).detach().copy_(g!.detach());
    return zeros;
  },
  transpose: (g, { cut: { dim, start, length, step } }) => g.slice(dim, start, start + (length - 1) * step + 1, step),
});

/**
 * Elements `start` to `end` (exclusive) of a dimension, every `step`-th. Negative positions count from the end, and
 * positions past it are cut off.
 * @throws IndexError when step is not positive
 * @source torch.Tensor indexing with a slice
 */
export function slice(x: Tensor, dim: number, start?: number | null, end?: number | null, step = 1): Tensor {
  const d = normalizeDim('slice', dim, x.ndim);
  if (x.ndim === 0) throw new IndexError('slice: a zero-dimensional tensor cannot be sliced', { op: 'slice' });
  if (!(step > 0)) throw new IndexError(`slice: step must be greater than zero, got ${step}`, { op: 'slice' });
  const size = x.shape[d]!;
  const clip = (p: number): number => Math.min(Math.max(p < 0 ? p + size : p, 0), size);
  const from = clip(start ?? 0);
  const to = Math.max(clip(end ?? size), from);
  return sliceOf([x], { dim: d, start: from, length: Math.ceil((to - from) / step), step });
}

/** A position that is given as a tensor. */
function startOf(start: Tensor): number {
  if (start.ndim === 0 && !start.isFloatingPoint() && start.dtype !== 'bool') return start.item();
  throw new IndexError(
    `narrow: start must be a number, or a tensor of shape [] that holds an integer; got ${start.dtype} of shape ${shapeString(start.shape)}`,
    { op: 'narrow', argument: 'start', shapes: [start.shape] },
  );
}

/**
 * `length` elements of a dimension from `start` on.
 * @param start a number, negative from the end, or a tensor of shape [] that holds an integer
 * @throws IndexError when they are not all there
 * @source torch.narrow
 */
export function narrow(x: Tensor, dim: number, start: number | Tensor, length: number): Tensor {
  if (typeof start !== 'number') return x.narrow(dim, startOf(start), length);
  const d = normalizeDim('narrow', dim, x.ndim);
  const size = x.shape[d] ?? 0;
  const from = start < 0 ? start + size : start;
  if (x.ndim === 0 || from < 0 || length < 0 || from + length > size) {
    throw new IndexError(
      `narrow: start (${start}) + length (${length}) exceeds dimension size (${size}) of ${shapeString(x.shape)} at dim ${dim}`,
      { op: 'narrow', shapes: [x.shape] },
    );
  }
  return sliceOf([x], { dim: d, start: from, length, step: 1 });
}

const selectOf = linear<{ dim: number; index: number }>('select', {
  forward: ([x], { dim, index }) => {
    const offset = x!.offset + index * x!.strides[dim]!;
    return viewOf(x!, withoutEntry(x!.shape, dim), withoutEntry(x!.strides, dim), offset);
  },
  transpose: (g, { dim, index }, { shape }) => {
    return sliceBackward(g.unsqueeze(dim), shape, { dim, start: index, length: 1, step: 1 });
  },
});

/** The slice at one position of a dimension, which disappears. @throws IndexError when out of range @source torch.select */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const d = normalizeDim('select', dim, x.ndim);
  const size = x.shape[d] ?? 0;
  if (x.ndim === 0 || !Number.isInteger(index) || index < -size || index >= size) {
    throw new IndexError(
      `select: index ${index} is out of bounds for dimension ${dim} with size ${size} of a tensor of shape ${shapeString(x.shape)}`,
      { op: 'select', argument: 'index', shapes: [x.shape] },
    );
  }
  return selectOf([x], { dim: d, index: index < 0 ? index + size : index });
}

const diagonalOf = linear<{ offset: number; dim1: number; dim2: number }>('diagonal', {
  forward: ([x], { offset, dim1, dim2 }) => {
    const rows = x!.shape[dim1]!;
    const columns = x!.shape[dim2]!;
    const length = Math.max(offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns), 0);
    const without = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== dim1 && d !== dim2);
    const shift = length === 0 ? 0 : offset >= 0 ? offset * x!.strides[dim2]! : -offset * x!.strides[dim1]!;
    const step = x!.strides[dim1]! + x!.strides[dim2]!;
    return viewOf(x!, [...without(x!.shape), length], [...without(x!.strides), step], x!.offset + shift);
  },
  transpose: (g, { offset, dim1, dim2 }, { shape }) => g.diagonalScatterZeros(shape, offset, dim1, dim2),
});

/** The diagonal of two dimensions, as the last dimension of the result. @source torch.diagonal */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  requireNumbers('diagonal', { offset });
  const a = normalizeDim('diagonal', dim1, x.ndim);
  const b = normalizeDim('diagonal', dim2, x.ndim);
  if (a === b) throw new IndexError(`diagonal: dim1 and dim2 cannot be the same, got ${dim1} and ${dim2}`, { op: 'diagonal' });
  return diagonalOf([x], { offset, dim1: a, dim2: b });
}

/** Zeros of a shape with `g` written on a diagonal. @internal */
export function diagonalScatterZeros(g: Tensor, shape: Shape, offset: number, dim1: number, dim2: number): Tensor {
  return diagonalEmbedding([g], { shape, offset, dim1, dim2 });
}

const diagonalEmbedding = linear<{ shape: Shape; offset: number; dim1: number; dim2: number }>('diagonal_backward', {
  forward: ([g], { shape, offset, dim1, dim2 }) => {
    const zeros = g!.newZeros(shape);
    zeros.diagonal(offset, dim1, dim2).detach().copy_(g!.detach());
    return zeros;
  },
  transpose: (g, { offset, dim1, dim2 }) => g.diagonal(offset, dim1, dim2),
});
