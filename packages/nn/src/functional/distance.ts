import {
  broadcastTensors,
  elementwise,
  requireOptions,
  ShapeError,
  tensor,
  ValueError,
  type Elementwise,
  type Tensor,
} from '@tapegrad/core';
import { together } from '../named.ts';

/** Options of `cosineSimilarity`. */
export interface CosineOptions {
  /** Along which dimension, default 1; or given by position. */
  dim?: number | undefined;
  /** Smallest norm to divide by; default 1e-8. */
  eps?: number | undefined;
}

/** √x, but at least a floor: in the derivative too, 1 / (2 y). */
const flooredRoot: Elementwise<(x: Tensor, floor: number) => Tensor> = elementwise(
  'floored_root',
  (x, floor) => x.sqrt().max(floor),
  { partials: (_, y) => [y.reciprocal().mul(0.5), null] },
);

/**
 * The cosine of the angle between vectors along a dimension (default 1).
 * @shape two that broadcast -> the same without the dimension
 * @derivative the floor of a norm does not stop its gradient
 * @source torch.nn.functional.cosine_similarity
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  dim: number | CosineOptions = 1,
  options: CosineOptions = {},
): Tensor {
  const given = together<CosineOptions>('cosineSimilarity', dim, { dim }, ['dim', 'eps'], options);
  const { dim: along = 1, eps = 1e-8 } = given;
  const unit = (x: Tensor): Tensor => x.div(flooredRoot(x.square().sum(along, { keepdim: true }), eps));
  const [a, b] = broadcastTensors([x1, x2]) as [Tensor, Tensor];
  return unit(a).mul(unit(b)).sum(along);
}

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** Which norm; default 2. */
  p?: number | undefined;
  /** Added to every difference, so that equal vectors have a gradient; default 1e-6. */
  eps?: number | undefined;
  /** Keep the last dimension with size 1; default false. */
  keepdim?: boolean | undefined;
}

/**
 * The norm of x1 − x2 + eps along the last dimension.
 * @shape [..., D], [..., D] -> [...]
 * @source torch.nn.functional.pairwise_distance
 */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options: PairwiseDistanceOptions = {}): Tensor {
  requireOptions('pairwiseDistance', options, ['p', 'eps', 'keepdim']);
  const { p = 2, eps = 1e-6, keepdim = false } = options;
  return x1.sub(x2).add(eps).vectorNorm(p, -1, { keepdim });
}

/**
 * The distances of all pairs of rows, each pair once: (0, 1), (0, 2), …, (1, 2), ….
 * @shape [N, M] -> [N (N − 1) / 2]
 * @derivative 0 where two rows are equal
 * @throws ShapeError unless x is a matrix; ValueError when p is negative
 * @source torch.nn.functional.pdist
 */
export function pdist(x: Tensor, p = 2): Tensor {
  if (x.ndim !== 2) {
    throw new ShapeError(`pdist: the input must be a matrix, got [${x.shape.join(', ')}]`, {
      op: 'pdist',
      shapes: [x.shape],
    });
  }
  if (!(p >= 0))
    throw new ValueError(`pdist: p must not be negative, got ${p}`, { op: 'pdist', argument: 'p' });
  const count = x.shape[0]!;
  const pairs = Array.from({ length: count }, (_, i) => i).flatMap((i) =>
    Array.from({ length: count - 1 - i }, (__, k) => [i, i + 1 + k] as const),
  );
  const rows = (side: 0 | 1): Tensor =>
    x.indexSelect(
      0,
      tensor(
        Int32Array.from(pairs, (pair) => pair[side]),
        { dtype: 'int32' },
      ),
    );
  return rows(0).sub(rows(1)).vectorNorm(p, 1);
}

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** Which norm; default 2. */
  p?: number | undefined;
  /** Along which dimension; default 1. */
  dim?: number | undefined;
  /** Smallest norm to divide by; default 1e-12. */
  eps?: number | undefined;
}

/**
 * x divided by its norm along a dimension.
 * @shape any -> the same
 * @source torch.nn.functional.normalize
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  requireOptions('normalize', options, ['p', 'dim', 'eps']);
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  return x.div(x.vectorNorm(p, dim, { keepdim: true }).clamp(eps));
}
