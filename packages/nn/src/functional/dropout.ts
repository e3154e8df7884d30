import { dropout as dropElements, ones, ShapeError, ValueError, type Tensor } from '@tapegrad/core';
import { valueOf, type Named } from '../named.ts';

/** Whether anything is dropped; by position or by name. */
export type Training = Named<'training', boolean>;

/**
 * Sets elements to 0 with probability p and scales the others by 1/(1 − p).
 * @param training default true; otherwise the result is x
 * @throws ValueError when p is not in [0, 1]
 * @source torch.nn.functional.dropout
 */
export function dropout(x: Tensor, p = 0.5, training: Training = true): Tensor {
  return dropElements(x, p, isTraining('dropout', training, true));
}

function isTraining(op: string, given: Training, byDefault: boolean): boolean {
  return valueOf(op, 'training', given) ?? byDefault;
}

/** One element per sample and channel, to be broadcast over the rest. */
function channelShape(op: string, x: Tensor): number[] {
  if (x.ndim < 2) {
    throw new ShapeError(`${op}: the input needs batch and channels, got [${x.shape.join(', ')}]`, {
      op,
      shapes: [x.shape],
    });
  }
  return x.shape.map((size, d) => (d < 2 ? size : 1));
}

/** Drops whole channels of [N, C, …], or of [C, …] when the rank is `unbatched`. */
function channels(op: string, x: Tensor, p: number, training: Training, unbatched: number | null): Tensor {
  checkProbability(op, p);
  if (!isTraining(op, training, true) || p === 0) return x;
  if (x.ndim === unbatched) return channels(op, x.unsqueeze(0), p, true, null).squeeze(0);
  return x.mul(dropElements(ones(channelShape(op, x), { dtype: x.dtype }), p));
}

/**
 * Sets whole channels to 0 with probability p and scales the others.
 * @shape [N, C, L] or [C, L] -> the same
 * @source torch.nn.functional.dropout1d
 */
export function dropout1d(x: Tensor, p = 0.5, training: Training = true): Tensor {
  return channels('dropout1d', x, p, training, 2);
}

/**
 * Sets whole channels to 0 with probability p and scales the others.
 * @shape [N, C, …] -> the same
 * @source torch.nn.functional.dropout2d
 */
export function dropout2d(x: Tensor, p = 0.5, training: Training = true): Tensor {
  return channels('dropout2d', x, p, training, null);
}

/**
 * Sets whole channels to 0 with probability p and scales the others.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> the same
 * @source torch.nn.functional.dropout3d
 */
export function dropout3d(x: Tensor, p = 0.5, training: Training = true): Tensor {
  return channels('dropout3d', x, p, training, 4);
}

/** What SELU tends to for −∞, negated. */
const SATURATION = 1.7580993408473766;

function alpha(
  op: string,
  x: Tensor,
  p: number,
  training: Training,
  shapeOf: (op: string, x: Tensor) => readonly number[],
): Tensor {
  checkProbability(op, p);
  if (!isTraining(op, training, false) || p === 0) return x;
  const shape = shapeOf(op, x);
  if (p === 1) return x.mul(0);
  const kept = dropElements(ones(shape, { dtype: x.dtype }), p).mul(1 - p);
  const scale = 1 / Math.sqrt((SATURATION ** 2 * p + 1) * (1 - p));
  const shift = kept.sub(1).mul(SATURATION * scale).add(SATURATION * scale * p);
  return x.mul(kept.mul(scale)).add(shift);
}

/**
 * Sets elements to the value that SELU saturates at, and rescales so that mean 0 and variance 1 stay.
 * @source torch.nn.functional.alpha_dropout (Klambauer et al. 2017)
 */
export function alphaDropout(x: Tensor, p = 0.5, training: Training = false): Tensor {
  return alpha('alphaDropout', x, p, training, (_, { shape }) => shape);
}

/** As `alphaDropout`, for whole channels. @source torch.nn.functional.feature_alpha_dropout */
export function featureAlphaDropout(x: Tensor, p = 0.5, training: Training = false): Tensor {
  return alpha('featureAlphaDropout', x, p, training, channelShape);
}

function checkProbability(op: string, p: number): void {
  if (p >= 0 && p <= 1) return;
  throw new ValueError(`${op}: the probability must be between 0 and 1, got ${p}`, { op, argument: 'p' });
}
