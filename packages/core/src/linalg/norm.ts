import { ShapeError, ValueError } from '../errors.ts';
import type { Dims, ReduceOptions } from '../ops/reduction.ts';
import { checkOptions, none, reduceNames } from '../option-names.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { requireFloating, requireMatrices, requireSquare } from './matrices.ts';
import { inv } from './solve.ts';
import { svdvals } from './svd.ts';

/**
 * Orders of norms of matrices: 'fro' the root of the sum of squares, 'nuc' the sum of the singular values, ±1 the largest
 * or smallest sum of a column's magnitudes, ±Infinity of a row's, ±2 the largest or smallest singular value.
 */
export type MatrixOrder = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | typeof Infinity;

/** Each norm of matrices in the last two dimensions, which it leaves out. */
const orders: ReadonlyMap<unknown, (a: Tensor) => Tensor> = new Map<unknown, (a: Tensor) => Tensor>([
  ['fro', (a) => a.vectorNorm(2, [-2, -1])],
  ['nuc', (a) => svdvals(a).sum(-1)],
  [1, (a) => a.abs().sum(-2).amax(-1)],
  [-1, (a) => a.abs().sum(-2).amin(-1)],
  [Infinity, (a) => a.abs().sum(-1).amax(-1)],
  [-Infinity, (a) => a.abs().sum(-1).amin(-1)],
  [2, (a) => svdvals(a).amax(-1)],
  [-2, (a) => svdvals(a).amin(-1)],
]);

/**
 * A norm of the matrices in two dimensions.
 * @param ord default 'fro'
 * @param dim default the last two
 * @derivative shared evenly among equal extremes; 0 at 0 for 'fro'
 * @throws ValueError for another order
 * @source torch.linalg.matrix_norm
 */
export function matrixNorm(
  a: Tensor,
  ord: MatrixOrder = 'fro',
  dim: readonly number[] = [-2, -1],
  options: ReduceOptions = none,
): Tensor {
  checkOptions('matrixNorm', options, reduceNames);
  const op = 'matrixNorm';
  const source = options.dtype === undefined ? a : a.to(options.dtype);
  requireMatrices(op, source);
  const fold = orders.get(ord);
  if (fold === undefined) {
    throw new ValueError(`${op}: ord must be 'fro', 'nuc', ±1, ±2 or ±Infinity, got ${String(ord)}`, { op, argument: 'ord' });
  }
  if (dim.length !== 2) {
    throw new ValueError(
      `${op}: dim must name two dimensions, got [${dim.join(', ')}]`,
      { op, argument: 'dim' },
    );
  }
  const [rows, columns] = dim.map((d) => normalizeDim(op, d, source.ndim)) as [number, number];
  if (rows === columns) {
    throw new ValueError(
      `${op}: the two dims must be different, got [${dim.join(', ')}]`,
      { op, argument: 'dim' },
    );
  }
  const out = fold(source.movedim([rows, columns], [-2, -1]));
  return options.keepdim === true ? [rows, columns].sort((x, y) => x - y).reduce((x, d) => x.unsqueeze(d), out) : out;
}

/** The norm of vectors, over all elements or along dimensions. @source torch.linalg.vector_norm */
export function vectorNorm(x: Tensor, ord = 2, dim?: Dims, options: ReduceOptions = none): Tensor {
  return x.vectorNorm(ord, dim, options);
}

/**
 * A norm: without an order the 2-norm of all elements or those in `dim`; with an order that of a vector or matrix, or of
 * the vectors or matrices in one or two dimensions.
 * @throws ShapeError when there is an order, no `dim`, and neither one nor two dimensions
 * @source torch.linalg.norm
 */
export function norm(x: Tensor, ord?: number | MatrixOrder | null, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('norm', options, reduceNames);
  const op = 'norm';
  if (options.dtype === undefined) requireFloating(op, x);
  const dims = dim === undefined || dim === null ? null : [dim].flat();
  if (ord === undefined || ord === null) return x.vectorNorm(2, dims, options);
  if (dims === null ? x.ndim === 2 : dims.length === 2) return matrixNorm(x, ord as MatrixOrder, dims ?? [0, 1], options);
  if (typeof ord !== 'number') {
    throw new ValueError(
      `${op}: '${ord}' is a norm of matrices; the input must be a matrix, or dim name two dimensions, got ` +
        `${shapeString(x.shape)}`,
      { op, argument: 'ord' },
    );
  }
  if (dims === null && x.ndim !== 1) {
    throw new ShapeError(
      `${op}: with an order the input must be a vector or a matrix, got ${shapeString(x.shape)}; name the dims, or use ` +
        'vectorNorm',
      { op, shapes: [x.shape] },
    );
  }
  if (dims !== null && dims.length > 2) {
    throw new ValueError(
      `${op}: dim must name one or two dimensions, got ${dims.length}`,
      { op, argument: 'dim' },
    );
  }
  return x.vectorNorm(ord, dims, options);
}

/**
 * The condition number: a norm times that of the inverse; for the order 2 (default) and −2 the ratio of the extreme
 * singular values, of matrices that need not be square.
 * @shape [..., m, n] -> [...]
 * @throws LinAlgError for other orders, when a matrix is singular
 * @source torch.linalg.cond
 */
export function cond(a: Tensor, p: MatrixOrder | null = null): Tensor {
  requireMatrices('cond', a);
  if (p === null || p === 2 || p === -2) {
    if (a.shape.at(-1) === 0 || a.shape.at(-2) === 0) return a.newZeros(a.shape.slice(0, -2));
    const values = svdvals(a);
    const [largest, smallest] = [values.select(-1, 0), values.select(-1, -1)];
    return p === -2 ? smallest.div(largest) : largest.div(smallest);
  }
  requireSquare('cond', a);
  return matrixNorm(a, p).mul(matrixNorm(inv(a), p));
}
