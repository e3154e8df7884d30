import { elementwise, requireOptions, ValueError, type Binary, type Elementwise, type Tensor } from '@tapegrad/core';
import { reduced, warnUnequal, type LossOptions } from './reduction.ts';

type WithWidth = Elementwise<(x: Tensor, target: Tensor, width: number) => Tensor>;

const squaredError: Binary = elementwise('mse_loss', (x, target) => {
  const difference = x.sub(target);
  return difference.mul(difference);
});

const absoluteError: Binary = elementwise('l1_loss', (x, target) => x.sub(target).abs());

const smoothError: WithWidth = elementwise('smooth_l1_loss', (x, target, beta) => {
  const difference = x.sub(target);
  const size = difference.abs();
  return size.lt(beta).where(difference.mul(difference).mul(0.5).div(beta), size.sub(beta.mul(0.5)));
});

const huberError: WithWidth = elementwise('huber_loss', (x, target, delta) => {
  const difference = x.sub(target);
  const size = difference.abs();
  return size.le(delta).where(difference.mul(difference).mul(0.5), delta.mul(size.sub(delta.mul(0.5))));
});

/**
 * The squared error (x − t)².
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @source torch.nn.functional.mse_loss
 */
export function mseLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireOptions('mseLoss', options, ['reduction']);
  warnUnequal('mseLoss', x, target);
  return reduced('mseLoss', squaredError(x, target), options.reduction);
}

/**
 * The absolute error |x − t|.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @derivative 0 where both are equal
 * @source torch.nn.functional.l1_loss
 */
export function l1Loss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireOptions('l1Loss', options, ['reduction']);
  warnUnequal('l1Loss', x, target);
  return reduced('l1Loss', absoluteError(x, target), options.reduction);
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  /** Where the loss changes from squared to absolute; default 1, and 0 is `l1Loss`. */
  beta?: number | undefined;
}

/**
 * For d = x − t: d²/(2β) where |d| < β, |d| − β/2 elsewhere.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @throws ValueError when β is negative
 * @source torch.nn.functional.smooth_l1_loss
 */
export function smoothL1Loss(x: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  requireOptions('smoothL1Loss', options, ['reduction', 'beta']);
  const { reduction, beta = 1 } = options;
  if (!(beta >= 0))
    throw new ValueError(`smoothL1Loss: beta must not be negative, got ${beta}`, { op: 'smoothL1Loss' });
  warnUnequal('smoothL1Loss', x, target);
  const losses = beta === 0 ? absoluteError(x, target) : smoothError(x, target, beta);
  return reduced('smoothL1Loss', losses, reduction);
}

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  /** Where the loss changes from squared to absolute; default 1. */
  delta?: number | undefined;
}

/**
 * For d = x − t: d²/2 where |d| ≤ δ, δ(|d| − δ/2) elsewhere.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @throws ValueError unless δ is positive
 * @source torch.nn.functional.huber_loss
 */
export function huberLoss(x: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  requireOptions('huberLoss', options, ['reduction', 'delta']);
  const { reduction, delta = 1 } = options;
  if (!(delta > 0))
    throw new ValueError(`huberLoss: delta must be positive, got ${delta}`, { op: 'huberLoss' });
  warnUnequal('huberLoss', x, target);
  return reduced('huberLoss', huberError(x, target, delta), reduction);
}
