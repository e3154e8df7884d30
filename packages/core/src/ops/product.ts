import { ShapeError, ValueError } from '../errors.ts';
import { broadcastShapes, normalizeDim, numel, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The inner product of two vectors; for numbers that are not complex the same as `dot`.
 * @shape [k], [k] -> []
 * @source torch.vdot
 */
export function vdot(x: Tensor, y: Tensor): Tensor {
  return x.dot(y);
}

/**
 * The inner products of all pairs of vectors in the last dimensions; a scalar multiplies.
 * @shape [..., k], [***, k] -> [..., ***]
 * @throws ShapeError when the last dimensions differ
 * @source torch.inner
 */
export function inner(x: Tensor, y: Tensor): Tensor {
  if (x.ndim === 0 || y.ndim === 0) return x.mul(y);
  if (x.shape.at(-1) !== y.shape.at(-1)) {
    throw new ShapeError(
      `inner: the last dimensions of ${shapeString(x.shape)} and ${shapeString(y.shape)} must be equal; to pair others, use ` +
        'tensordot(y, [[dims of x], [dims of y]])',
      { op: 'inner', shapes: [x.shape, y.shape] },
    );
  }
  return x.tensordot(y, [[-1], [-1]]);
}

/** Dimensions of two tensors that are summed over in pairs: the last n of one with the first n of the other, or two lists. */
export type ContractedDims = number | readonly [x: readonly number[], y: readonly number[]];

function contractedDims(x: Tensor, y: Tensor, dims: ContractedDims): [x: number[], y: number[]] {
  const op = 'tensordot';
  if (typeof dims === 'number') {
    if (!Number.isInteger(dims) || dims < 0 || dims > Math.min(x.ndim, y.ndim)) {
      throw new ValueError(
        `tensordot: dims is ${dims}, but the tensors ${shapeString(x.shape)} and ${shapeString(y.shape)} have ${x.ndim} and ` +
          `${y.ndim} dimensions`,
        { op, argument: 'dims', shapes: [x.shape, y.shape] },
      );
    }
    const count = Array.from({ length: dims }, (_, k) => k);
    return [count.map((k) => x.ndim - dims + k), count];
  }
  const [a, b] = dims;
  if (a.length !== b.length) {
    throw new ValueError(
      `tensordot: both lists of dims must have the same length, got ${a.length} and ${b.length}`,
      { op, argument: 'dims' },
    );
  }
  const named = (list: readonly number[], rank: number): number[] => {
    const own = list.map((d) => normalizeDim(op, d, rank));
    if (new Set(own).size === own.length) return own;
    throw new ValueError(`tensordot: the dims [${list.join(', ')}] name a dimension twice`, { op, argument: 'dims' });
  };
  return [named(a, x.ndim), named(b, y.ndim)];
}

/**
 * The sum of products over pairs of dimensions; those that are left stand in the result in order, x's first.
 * @param dims how many: the last of x with the first of y; or two lists that pair up. Default 2.
 * @throws ShapeError when paired dimensions differ in size and neither has size 1
 * @source torch.tensordot
 */
export function tensordot(x: Tensor, y: Tensor, dims: ContractedDims = 2): Tensor {
  const [dimsX, dimsY] = contractedDims(x, y, dims);
  let [a, b] = [x, y];
  dimsX.forEach((d, k) => {
    const [n, m] = [x.shape[d]!, y.shape[dimsY[k]!]!];
    if (n === m) return;
    if (n !== 1 && m !== 1) {
      throw new ShapeError(
        `tensordot: dim ${d} of ${shapeString(x.shape)} and dim ${dimsY[k]} of ${shapeString(y.shape)} are summed over together, ` +
          `but their sizes are ${n} and ${m}`,
        { op: 'tensordot', argument: 'dims', shapes: [x.shape, y.shape] },
      );
    }
    if (n === 1) b = b.sum(dimsY[k]!, { keepdim: true });
    else a = a.sum(d, { keepdim: true });
  });
  const restX = x.shape.map((_, d) => d).filter((d) => !dimsX.includes(d));
  const restY = y.shape.map((_, d) => d).filter((d) => !dimsY.includes(d));
  const sizes = (t: Tensor, list: readonly number[]): number[] => list.map((d) => t.shape[d]!);
  const inner = numel(sizes(a, dimsX));
  const left = a.permute([...restX, ...dimsX]).reshape([numel(sizes(a, restX)), inner]);
  const right = b.permute([...dimsY, ...restY]).reshape([inner, numel(sizes(b, restY))]);
  return left.mm(right).reshape([...sizes(a, restX), ...sizes(b, restY)]);
}

/**
 * The Kronecker product: every element of x times the whole of y; missing dimensions in front count as 1.
 * @shape [m, n], [p, q] -> [m p, n q]
 * @example
 * console.log(tg.tensor([[1, 2]]).kron(tg.tensor([[1], [3]])).toArray()); // → [ [ 1, 2 ], [ 3, 6 ] ]
 * @source torch.kron
 */
export function kron(x: Tensor, y: Tensor): Tensor {
  const rank = Math.max(x.ndim, y.ndim);
  const filled = ({ shape }: Tensor): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [a, b] = [filled(x), filled(y)];
  const product = x.reshape(a.flatMap((n) => [n, 1])).mul(y.reshape(b.flatMap((n) => [1, n])));
  return product.reshape(a.map((n, d) => n * b[d]!));
}

/**
 * The cross product of vectors in three dimensions; the tensors broadcast.
 * @param dim where the three components lie; by default the first dimension of size 3
 * @throws ShapeError when that dimension does not have size 3
 * @source torch.cross
 */
export function cross(x: Tensor, y: Tensor, dim?: number | null): Tensor {
  const shape = broadcastShapes('cross', x.shape, y.shape);
  const d = dim === undefined || dim === null ? firstOfThree(shape) : normalizeDim('cross', dim, shape.length);
  const sizes = [x, y].map((t) => t.shape[d - shape.length + t.ndim]);
  if (sizes.some((n) => n !== 3)) {
    throw new ShapeError(
      `cross: dim ${d} must have size 3, but the shapes are ${shapeString(x.shape)} and ${shapeString(y.shape)}`,
      { op: 'cross', argument: 'dim', shapes: [x.shape, y.shape] },
    );
  }
  const [a, b] = [x.expand(shape), y.expand(shape)];
  return a.roll(-1, d).mul(b.roll(-2, d)).sub(a.roll(-2, d).mul(b.roll(-1, d)));
}

function firstOfThree(shape: Shape): number {
  const d = shape.indexOf(3);
  if (d >= 0) return d;
  throw new ShapeError(`cross: no dimension of ${shapeString(shape)} has size 3`, { op: 'cross', shapes: [shape] });
}
