import { extended } from '../define/framing.ts';
import { custom, linear } from '../define/rules.ts';
import { resultType } from '../define/promotion.ts';
import { empty, kernels, viewOf } from '../dispatch.ts';
import { IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, refuseOptions, type NoOptions, type OptionNames } from '../option-names.ts';
import { broadcastShapes, normalizeDim, sameShape, shapeString, withEntry, withoutEntry, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

const joined = linear<{ dim: number; starts: readonly number[]; shape: Shape }>('cat', {
  forward: (pieces, { dim, starts, shape }) => {
    const out = empty(shape, pieces[0]!.dtype);
    const { storage, strides, dtype } = out;
    for (let i = 0; i < pieces.length; i++) {
      kernels().copy({ storage, offset: starts[i]! * strides[dim]!, shape: pieces[i]!.shape, strides, dtype }, pieces[i]!);
    }
    return out;
  },
  transpose: (g, { dim, starts }, { shape }, i) => g.narrow(dim, starts[i]!, shape[dim]!),
});

const isNoTensor = (x: unknown): boolean => !(x instanceof Tensor);
const isScalar = (x: Tensor): boolean => x.ndim === 0;
const isFilled = (x: Tensor): boolean => x.ndim !== 1 || x.shape[0] !== 0;

function requireSome(op: string, tensors: readonly Tensor[]): void {
  if (tensors.length === 0) throw new ValueError(`${op}: expected at least one tensor, got an empty list`, { op });
  const other = tensors.findIndex(isNoTensor);
  if (other >= 0) throw new ValueError(`${op}: element ${other} of the list is no tensor, but ${String(tensors[other])}`, { op });
}

/**
 * Tensors one after the other along a dimension. Their dtypes are promoted; tensors of shape [0] are skipped.
 * @throws ShapeError when they differ in rank, or in size in another dimension
 * @source torch.cat
 */
export function cat(tensors: readonly Tensor[], dim = 0, options?: NoOptions): Tensor {
  refuseOptions('cat', options);
  requireSome('cat', tensors);
  const scalar = tensors.findIndex(isScalar);
  if (scalar >= 0) {
    throw new ShapeError(`cat: tensor ${scalar} is zero-dimensional and cannot be concatenated; use stack`, { op: 'cat' });
  }
  const filled = tensors.filter(isFilled);
  const pieces = filled.length === 0 ? tensors : filled;
  const first = pieces[0]!;
  const d = normalizeDim('cat', dim, first.ndim);
  const dtype = resultType(tensors, []);
  const starts: number[] = [];
  const converted: Tensor[] = [];
  let size = 0;
  for (const piece of pieces) {
    const { shape } = piece;
    if (shape.length !== first.ndim || !sameShape(withEntry(shape, d, 0), withEntry(first.shape, d, 0))) {
      throw new ShapeError(
        `cat: the tensors must match in every dimension but ${d}; tensor 0 is ${shapeString(first.shape)} and tensor ` +
          `${starts.length} ${shapeString(shape)}`,
        { op: 'cat', shapes: [first.shape, shape] },
      );
    }
    starts.push(size);
    size += shape[d]!;
    converted.push(piece.to(dtype));
  }
  return joined(converted, { dim: d, starts, shape: withEntry(first.shape, d, size) });
}

/**
 * Tensors of one shape along a new dimension.
 * @throws ShapeError when their shapes differ
 * @source torch.stack
 */
export function stack(tensors: readonly Tensor[], dim = 0, options?: NoOptions): Tensor {
  refuseOptions('stack', options);
  requireSome('stack', tensors);
  const { shape } = tensors[0]!;
  const other = tensors.findIndex((x) => !sameShape(x.shape, shape));
  if (other >= 0) {
    throw new ShapeError(
      `stack: the tensors must have equal shapes; tensor 0 is ${shapeString(shape)} and tensor ${other} ` +
        shapeString(tensors[other]!.shape),
      { op: 'stack', shapes: [shape, tensors[other]!.shape] },
    );
  }
  const d = normalizeDim('stack', dim, shape.length + 1);
  return cat(tensors.map((x) => x.unsqueeze(d)), d);
}

/** Attributes of a cut into pieces. */
interface Pieces {
  readonly dim: number;
  readonly lengths: readonly number[];
  /** Whether the dimension disappears from the pieces, which then have length 1. */
  readonly drop: boolean;
}

/** Views side by side that share one node, so that their gradients are joined once, when all of them are there. */
const pieces = (name: string): ((x: Tensor, attrs: Pieces) => Tensor[]) => {
  const cut = custom<Pieces>(name, {
    results: 'all',
    forward: ([x], { dim, lengths, drop }) => {
      const strides = drop ? withoutEntry(x!.strides, dim) : x!.strides;
      const views: Tensor[] = [];
      let offset = x!.offset;
      for (const length of lengths) {
        const shape = drop ? withoutEntry(x!.shape, dim) : withEntry(x!.shape, dim, length);
        views.push(viewOf(x!, shape, strides, offset, 'multiple'));
        offset += length * x!.strides[dim]!;
      }
      return views;
    },
    vjp: (_, gradients, { dim, lengths, drop }, [meta]) => {
      const some = gradients.find(Boolean)!;
      const parts: Tensor[] = [];
      for (let i = 0; i < lengths.length; i++) {
        const g = gradients[i];
        if (g) parts.push(drop ? g.unsqueeze(dim) : g);
        else parts.push(some.newZeros(withEntry(meta!.shape, dim, lengths[i]!)));
      }
      return [cat(parts, dim)];
    },
  });
  return (x, attrs) => cut([x], attrs);
};

const splitOf = pieces('split');
const unbindOf = pieces('unbind');

/** All slices along a dimension, without it. They may not be changed in place while recording. @source torch.unbind */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  const d = normalizeDim('unbind', dim, x.ndim);
  if (x.ndim === 0) throw new IndexError('unbind: a zero-dimensional tensor has no dimension to take apart', { op: 'unbind' });
  return unbindOf(x, { dim: d, lengths: new Array<number>(x.shape[d]!).fill(1), drop: true });
}

/** Pieces of the given size (the last may be smaller) or sizes. @throws ShapeError when sizes do not add up @source torch.split */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const d = normalizeDim('split', dim, x.ndim);
  const total = x.shape[d] ?? 0;
  if (x.ndim === 0) throw new IndexError('split: a zero-dimensional tensor cannot be split', { op: 'split' });
  if (typeof sizes === 'number' && !(sizes > 0 || (sizes === 0 && total === 0))) {
    throw new ShapeError(`split: split size must be positive, got ${sizes}`, { op: 'split', shapes: [x.shape] });
  }
  const lengths =
    typeof sizes === 'number'
      ? Array.from({ length: Math.max(Math.ceil(total / (sizes || 1)), 1) }, (_, i) => Math.min(sizes, total - i * sizes))
      : sizes;
  if (lengths.reduce((a, b) => a + b, 0) !== total || lengths.some((n) => n < 0)) {
    throw new ShapeError(
      `split: split sizes [${lengths.join(', ')}] must add up to ${total}, the size of dim ${dim} of ${shapeString(x.shape)}`,
      { op: 'split', shapes: [x.shape] },
    );
  }
  return splitOf(x, { dim: d, lengths, drop: false });
}

/** At most `chunks` pieces of equal size (the last may be smaller). @source torch.chunk */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const d = normalizeDim('chunk', dim, x.ndim);
  if (!(chunks > 0)) throw new ShapeError(`chunk: the number of chunks must be positive, got ${chunks}`, { op: 'chunk' });
  return split(x, Math.max(Math.ceil((x.shape[d] ?? 0) / chunks), 1), d);
}

/** At least two dimensions: a vector becomes a row. */
function asRow(x: Tensor): Tensor {
  return x.ndim < 2 ? x.reshape([1, x.numel()]) : x;
}

/** Tensors side by side: along dimension 1, or 0 for vectors. @source torch.hstack */
export function hstack(tensors: readonly Tensor[]): Tensor {
  requireSome('hstack', tensors);
  const parts = tensors.map((x) => (x.ndim === 0 ? x.reshape([1]) : x));
  return cat(parts, parts[0]!.ndim === 1 ? 0 : 1);
}

/** Tensors one below the other, vectors as rows. @source torch.vstack */
export function vstack(tensors: readonly Tensor[]): Tensor {
  requireSome('vstack', tensors);
  return cat(tensors.map(asRow), 0);
}

/** Tensors one behind the other, along dimension 2. @source torch.dstack */
export function dstack(tensors: readonly Tensor[]): Tensor {
  requireSome('dstack', tensors);
  return cat(tensors.map((x) => (x.ndim < 3 ? asRow(x).unsqueeze(2) : x)), 2);
}

/** Vectors as columns beside each other, and matrices as they are. @source torch.column_stack */
export function columnStack(tensors: readonly Tensor[]): Tensor {
  requireSome('columnStack', tensors);
  return cat(tensors.map((x) => (x.ndim < 2 ? x.reshape([x.numel(), 1]) : x)), 1);
}

/** How `meshgrid` orders its dimensions. */
export interface MeshgridOptions {
  /** 'ij' (default): the first vector runs along dimension 0; 'xy': along dimension 1. */
  indexing?: 'ij' | 'xy' | undefined;
}

const meshgridNames: OptionNames<MeshgridOptions> = { indexing: 1 };

/**
 * The coordinates of all points of a grid, one tensor per vector.
 * @throws ShapeError when an argument has more than one dimension
 * @source torch.meshgrid
 */
export function meshgrid(vectors: readonly Tensor[], options: MeshgridOptions = none): Tensor[] {
  checkOptions('meshgrid', options, meshgridNames);
  requireSome('meshgrid', vectors);
  const bad = vectors.findIndex((x) => x.ndim > 1);
  if (bad >= 0) {
    throw new ShapeError(`meshgrid: argument ${bad} must be a vector, got ${shapeString(vectors[bad]!.shape)}`, { op: 'meshgrid' });
  }
  const sizes = vectors.map((x) => x.numel());
  const swap = options.indexing === 'xy' && vectors.length > 1;
  return vectors.map((x, i) => {
    const grid = x.reshape(sizes.map((n, k) => (k === i ? n : 1))).expand(sizes);
    return swap ? grid.transpose(0, 1) : grid;
  });
}

/** Tensors broadcast to their common shape. @source torch.broadcast_tensors */
export function broadcastTensors(tensors: readonly Tensor[]): Tensor[] {
  const shape = tensors.reduce<Shape>((common, x) => broadcastShapes('broadcastTensors', common, x.shape), []);
  return tensors.map((x) => x.expand(shape));
}

/**
 * All ways to take one element of each vector, one row each; a single vector is returned as it is.
 * @shape [a], [b], … -> [a b …, number of vectors]
 * @throws ShapeError when an argument is not a vector
 * @source torch.cartesian_prod
 */
export function cartesianProd(vectors: readonly Tensor[]): Tensor {
  requireSome('cartesianProd', vectors);
  requireVectors('cartesianProd', vectors);
  if (vectors.length === 1) return vectors[0]!;
  return stack(meshgrid(vectors).map((grid) => grid.reshape([grid.numel()])), 1);
}

function requireVectors(op: string, tensors: readonly Tensor[]): void {
  const bad = tensors.findIndex((x) => x.ndim !== 1);
  if (bad < 0) return;
  throw new ShapeError(`${op}: argument ${bad} must be a vector, got ${shapeString(tensors[bad]!.shape)}`, {
    op,
    shapes: [tensors[bad]!.shape],
  });
}

/** How `combinations` chooses. */
export interface CombinationsOptions {
  /** Whether one element may be taken several times; default false. */
  withReplacement?: boolean | undefined;
}

const combinationsNames: OptionNames<CombinationsOptions> = { withReplacement: 1 };

/**
 * All ways to choose r elements of a vector, in order of position, one row each.
 * @shape [n] -> [count, r]
 * @throws ShapeError when x is not a vector; ValueError when r is not a whole number of at least 0
 * @source torch.combinations
 */
export function combinations(x: Tensor, r = 2, options: CombinationsOptions = none): Tensor {
  checkOptions('combinations', options, combinationsNames);
  requireVectors('combinations', [x]);
  if (!Number.isInteger(r) || r < 0) {
    throw new ValueError(`combinations: r must be a whole number of at least 0, got ${r}`, { op: 'combinations', argument: 'r' });
  }
  if (r === 0) return x.newZeros([0]);
  const step = options.withReplacement === true ? 0 : 1;
  let rows: number[][] = [[]];
  for (let k = 0; k < r; k++) {
    rows = rows.flatMap((row) => {
      const from = row.length === 0 ? 0 : row.at(-1)! + step;
      return Array.from({ length: Math.max(x.shape[0]! - from, 0) }, (_, i) => [...row, from + i]);
    });
  }
  const index = Int32Array.from(rows.flat());
  return x.indexSelect(0, x.detach().newFrom(index, 'int32', [index.length])).reshape([rows.length, r]);
}

/**
 * A matrix with the given ones along its diagonal and zeros elsewhere; vectors count as rows.
 * @throws ShapeError when an argument has more than two dimensions
 * @source torch.block_diag
 */
export function blockDiag(tensors: readonly Tensor[]): Tensor {
  requireSome('blockDiag', tensors);
  const bad = tensors.findIndex((x) => x.ndim > 2);
  if (bad >= 0) {
    throw new ShapeError(
      `blockDiag: argument ${bad} has more than 2 dimensions, ${shapeString(tensors[bad]!.shape)}`,
      { op: 'blockDiag' },
    );
  }
  const blocks = tensors.map(asRow);
  const width = blocks.reduce((sum, x) => sum + x.shape[1]!, 0);
  let before = 0;
  const rows = blocks.map((x) => {
    const columns = x.shape[1]!;
    const row = extended(x, 1, [before, width - before - columns]);
    before += columns;
    return row;
  });
  return cat(rows, 0);
}

function atLeast(x: Tensor | readonly Tensor[], widen: (x: Tensor) => Tensor): Tensor | Tensor[] {
  return x instanceof Tensor ? widen(x) : x.map(widen);
}

/** A tensor, or each of a list, with at least one dimension. @source torch.atleast_1d */
export function atleast1d(x: Tensor): Tensor;
export function atleast1d(x: readonly Tensor[]): Tensor[];
export function atleast1d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return atLeast(x, (one) => (one.ndim === 0 ? one.reshape([1]) : one));
}

/** A tensor, or each of a list, with at least two dimensions; vectors become rows. @source torch.atleast_2d */
export function atleast2d(x: Tensor): Tensor;
export function atleast2d(x: readonly Tensor[]): Tensor[];
export function atleast2d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return atLeast(x, asRow);
}

/** A tensor, or each of a list, with at least three dimensions; a matrix gets its third one behind. @source torch.atleast_3d */
export function atleast3d(x: Tensor): Tensor;
export function atleast3d(x: readonly Tensor[]): Tensor[];
export function atleast3d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return atLeast(x, (one) => (one.ndim < 3 ? asRow(one).unsqueeze(2) : one));
}
