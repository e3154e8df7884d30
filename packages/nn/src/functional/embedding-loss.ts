import { elementwise, requireOptions, ShapeError, type Elementwise, type Tensor } from '@tapegrad/core';
import { pairwiseDistance } from './distance.ts';
import type { MarginOptions } from './margin-loss.ts';
import { reduced, type LossOptions } from './reduction.ts';

/** Added to the squared norms of `cosineEmbeddingLoss`. */
const TINY = 1e-12;

type WithMargin = Elementwise<(cosine: Tensor, target: Tensor, margin: number) => Tensor>;

const cosineHinge: WithMargin = elementwise('cosine_embedding_loss', (cosine, target, margin) => {
  const excess = cosine.sub(margin);
  const apart = target.eq(-1).where(excess.lt(0).where(0, excess), 0);
  return target.eq(1).where(cosine.neg().add(1), apart);
});

/**
 * 1 − cos(x1, x2) where the target is 1, and what the cosine exceeds the margin (default 0) by where it is
 * −1.
 * @shape [N, D], [N, D], [N] or [D], [D], [] -> [] (or like the target, for reduction 'none')
 * @throws ShapeError when the tensors do not fit each other
 * @source torch.nn.functional.cosine_embedding_loss
 */
export function cosineEmbeddingLoss(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const op = 'cosineEmbeddingLoss';
  requireOptions(op, options, ['margin', 'reduction']);
  const { margin = 0, reduction } = options;
  if (target.ndim > 1 || x1.ndim !== target.ndim + 1 || x2.ndim !== target.ndim + 1) {
    throw new ShapeError(
      `${op}: the inputs are [${x1.shape.join(', ')}] and [${x2.shape.join(', ')}] and the target is ` +
        `[${target.shape.join(', ')}]; expected [N, D], [N, D] and [N], or [D], [D] and []`,
      { op, shapes: [x1.shape, x2.shape, target.shape] },
    );
  }
  const squared = (x: Tensor): Tensor => x.square().sum(-1).add(TINY);
  const cosine = x1
    .mul(x2)
    .sum(-1)
    .div(squared(x1).mul(squared(x2)).sqrt());
  return reduced(op, cosineHinge(cosine, target, margin), reduction);
}

/** Options of `tripletMarginLoss`. */
export interface TripletOptions extends MarginOptions {
  /** Which norm measures distances; default 2. */
  p?: number | undefined;
  /** Added to every difference; default 1e-6. */
  eps?: number | undefined;
  /** Take the distance of positive and negative where it is smaller; default false. */
  swap?: boolean | undefined;
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin), with a margin of 1 unless given.
 * @shape [N, D] or [D], three times -> [] (or [N] or [], for reduction 'none')
 * @throws ShapeError when the numbers of dimensions differ
 * @source torch.nn.functional.triplet_margin_loss (Balntas et al. 2016)
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletOptions = {},
): Tensor {
  const op = 'tripletMarginLoss';
  requireOptions(op, options, ['margin', 'p', 'eps', 'swap', 'reduction']);
  const { p, eps, ...rest } = options;
  if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim) {
    const shapes = [anchor.shape, positive.shape, negative.shape];
    throw new ShapeError(
      `${op}: anchor, positive and negative must have as many dimensions, got ` +
        shapes.map((shape) => `[${shape.join(', ')}]`).join(', '),
      { op, shapes },
    );
  }
  const distanceFunction = (x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y, { p, eps });
  return triplet(op, anchor, positive, negative, { ...rest, distanceFunction });
}

/** Options of `tripletMarginWithDistanceLoss`. */
export interface TripletDistanceOptions extends LossOptions {
  /** A distance of two batches; default `pairwiseDistance`. */
  distanceFunction?: ((x: Tensor, y: Tensor) => Tensor) | null | undefined;
  /** Default 1. */
  margin?: number | undefined;
  /** Take the distance of positive and negative where it is smaller; default false. */
  swap?: boolean | undefined;
}

/**
 * `tripletMarginLoss` with a distance of your own.
 * @source torch.nn.functional.triplet_margin_with_distance_loss
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletDistanceOptions = {},
): Tensor {
  const op = 'tripletMarginWithDistanceLoss';
  requireOptions(op, options, ['distanceFunction', 'margin', 'swap', 'reduction']);
  return triplet(op, anchor, positive, negative, options);
}

function triplet(
  op: string,
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletDistanceOptions,
): Tensor {
  const { margin = 1, swap = false, reduction } = options;
  const distance = options.distanceFunction ?? pairwiseDistance;
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = far.minimum(distance(positive, negative));
  return reduced(op, near.sub(far).add(margin).clamp(0), reduction);
}
