import { IndexError, ShapeError } from '../errors.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** The sum of the diagonal of a matrix. @throws ShapeError for other ranks @source torch.trace */
export function trace(x: Tensor): Tensor {
  if (x.ndim !== 2) {
    throw new ShapeError(
      `trace: expected a matrix, got ${shapeString(x.shape)}; for a batch of matrices use x.diagonal(0, -2, -1).sum(-1)`,
      { op: 'trace', shapes: [x.shape] },
    );
  }
  return x.diagonal().sum();
}

/**
 * Zeros with the last dimension of x on a diagonal of two new dimensions.
 * @shape [..., n] -> [..., n + |offset|, n + |offset|], the new dimensions at `dim1` and `dim2`
 * @throws IndexError when the dimensions are out of range or the same
 * @example
 * console.log(tg.tensor([1, 2]).diagEmbed().toArray()); // → [ [ 1, 0 ], [ 0, 2 ] ]
 * @source torch.diag_embed
 */
export function diagEmbed(x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor {
  if (x.ndim === 0) {
    throw new ShapeError(
      'diagEmbed: a scalar has no dimension to put on a diagonal; use diagflat',
      { op: 'diagEmbed' },
    );
  }
  const [a, b] = [normalizeDim('diagEmbed', dim1, x.ndim + 1), normalizeDim('diagEmbed', dim2, x.ndim + 1)];
  if (a === b) throw new IndexError(`diagEmbed: dim1 and dim2 cannot be the same, got ${dim1} and ${dim2}`, { op: 'diagEmbed' });
  const size = x.shape.at(-1)! + Math.abs(offset);
  const rest = x.shape.slice(0, -1);
  const shape = Array.from({ length: x.ndim + 1 }, (_, d) => (d === a || d === b ? size : rest.shift()!));
  return x.diagonalScatterZeros(shape, offset, a, b);
}

/**
 * The diagonal of a matrix, or the matrix with a vector on its diagonal; always a copy.
 * @param diagonal which: 0 the main one, 1 the one above it
 * @throws ShapeError for other ranks
 * @source torch.diag
 */
export function diag(x: Tensor, diagonal = 0): Tensor {
  if (x.ndim === 1) return x.diagEmbed(diagonal);
  if (x.ndim === 2) return x.diagonal(diagonal).clone();
  throw new ShapeError(`diag: expected a vector or a matrix, got ${shapeString(x.shape)}; for batches use diagonal or diagEmbed`, {
    op: 'diag',
    shapes: [x.shape],
  });
}

/** The matrix with all elements of x on a diagonal. @source torch.diagflat */
export function diagflat(x: Tensor, offset = 0): Tensor {
  return x.flatten().diagEmbed(offset);
}
