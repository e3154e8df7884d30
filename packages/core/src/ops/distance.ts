import { elementwise, type Unary } from '../define/elementwise.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import { broadcastShapes, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** √x with derivative 0 at 0: two equal points do not pull at each other. */
const distance: Unary = elementwise('cdist', (x) => x.sqrt(), {
  partials: (_, y) => [y.eq(0).where(0, y.reciprocal().mul(0.5))],
});

/** Whether Euclidean distances go through one matrix product, which is faster for many points and less exact for close ones. */
export type CdistMode = 'use_mm_for_euclid_dist_if_necessary' | 'use_mm_for_euclid_dist' | 'donot_use_mm_for_euclid_dist';

const modes: readonly CdistMode[] = [
  'use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist',
];

/** From so many points on a matrix product pays off. */
const MANY = 25;

/**
 * The p-norm distances between all pairs of points of two sets; batch dimensions broadcast.
 * @shape [..., m, k], [..., n, k] -> [..., m, n]
 * @param p order of the norm, at least 0; default 2
 * @derivative 0 between equal points
 * @numerics takes memory for all m n differences of k coordinates, except where it goes through a product
 * @throws ShapeError when the points have different numbers of coordinates
 * @source torch.cdist
 */
export function cdist(x: Tensor, y: Tensor, p = 2, options: { computeMode?: CdistMode | null | undefined } = none): Tensor {
  checkOptions('cdist', options, { computeMode: 1 });
  const shapes = [x.shape, y.shape];
  if (x.ndim < 2 || y.ndim < 2 || x.shape.at(-1) !== y.shape.at(-1)) {
    throw new ShapeError(
      `cdist: both sets must be at least matrices with one point per row and equally many columns, got ${shapeString(x.shape)} ` +
        `and ${shapeString(y.shape)}`,
      { op: 'cdist', shapes },
    );
  }
  if (!(p >= 0)) throw new ValueError(`cdist: p must be at least 0, got ${p}`, { op: 'cdist', argument: 'p' });
  const mode = options.computeMode ?? modes[0]!;
  if (!modes.includes(mode)) {
    throw new ValueError(
      `cdist: computeMode must be one of ${modes.join(', ')}, got ${String(mode)}`,
      { op: 'cdist', argument: 'computeMode' },
    );
  }
  broadcastShapes('cdist', x.shape.slice(0, -2), y.shape.slice(0, -2));
  const isLarge = x.shape.at(-2)! > MANY || y.shape.at(-2)! > MANY;
  if (p === 2 && mode !== modes[2] && (mode === modes[1] || isLarge)) return euclideanByProduct(x, y);
  return x.unsqueeze(-2).sub(y.unsqueeze(-3)).vectorNorm(p, -1);
}

/** From |x|² + |y|² − 2 x·y. */
function euclideanByProduct(x: Tensor, y: Tensor): Tensor {
  const squares = (t: Tensor): Tensor => t.square().sum(-1, { keepdim: true });
  return distance(squares(x).add(squares(y).mT).sub(x.matmul(y.mT).mul(2)).clamp(0));
}
