import {
  elementwise,
  requireOptions,
  ShapeError,
  ValueError,
  type Binary,
  type Elementwise,
  type Tensor,
  warnOnce,
} from '@tapegrad/core';
import { reduced, warnUnequal, type LossOptions, type Reduction } from './reduction.ts';

/** What `klDiv` makes of the losses of all elements: also their sum over the size of the batch. */
export type DivergenceReduction = Reduction | 'batchmean';

/** Options of `klDiv`. */
export interface DivergenceOptions {
  /** Default 'mean', over all elements; 'batchmean' is the divergence as it is defined. */
  reduction?: DivergenceReduction | undefined;
  /** Whether the target holds logarithms too; default false. */
  logTarget?: boolean | undefined;
}

// At a target of 0 the slope of t log t is not finite, and NaN as PyTorch has it.
const divergence: Binary = elementwise(
  'kl_div',
  (x, target) => {
    const entropy = target.eq(0).where(0, target.mul(target.log()));
    return entropy.sub(target.mul(x));
  },
  { partials: ([x, target]) => [target!.neg(), target!.eq(0).where(NaN, target!.log().add(1)).sub(x!)] },
);

const logDivergence: Binary = elementwise('kl_div', (x, target) => target.exp().mul(target.sub(x)));

/**
 * The Kullback-Leibler divergence t (log t − x) of a target distribution from one whose logarithm is x.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @numerics a target of 0 gives 0
 * @derivative for a target of 0, NaN
 * @throws ValueError for an unknown reduction
 * @source torch.nn.functional.kl_div
 */
export function klDiv(x: Tensor, target: Tensor, options: DivergenceOptions = {}): Tensor {
  requireOptions('klDiv', options, ['reduction', 'logTarget']);
  const { reduction = 'mean', logTarget = false } = options;
  const losses = logTarget ? logDivergence(x, target) : divergence(x, target);
  if (reduction === 'batchmean') return x.ndim === 0 ? losses.sum() : losses.sum().div(x.shape[0]!);
  if (reduction === 'mean') {
    warnOnce('klDiv by elements', "klDiv: reduction 'mean' divides by all elements; the divergence is what 'batchmean' gives.");
  }
  return reduced('klDiv', losses, reduction);
}

/** Options of `poissonNllLoss`. */
export interface PoissonOptions extends LossOptions {
  /** Whether x is the logarithm of the rate; default true. */
  logInput?: boolean | undefined;
  /** Add Stirling's approximation of log t! for targets above 1; default false. */
  full?: boolean | undefined;
  /** Added to the rate before its logarithm is taken; default 1e-8. */
  eps?: number | undefined;
}

const logRateLoss: Binary = elementwise('poisson_nll_loss', (x, target) => x.exp().sub(target.mul(x)));

const rateLoss: Elementwise<(x: Tensor, target: Tensor, eps: number) => Tensor> = elementwise(
  'poisson_nll_loss',
  (x, target, eps) => x.sub(target.mul(x.add(eps).log())),
);

const stirling: Elementwise<(target: Tensor, turn: number) => Tensor> = elementwise(
  'stirling',
  (target, turn) => {
    const value = target.mul(target.log()).sub(target).add(target.mul(turn).log().mul(0.5));
    return target.le(1).where(0, value);
  },
);

/**
 * Minus the log-probability of counts under Poisson distributions, without the term log t! unless asked for.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @throws ValueError for an unknown reduction
 * @source torch.nn.functional.poisson_nll_loss
 */
export function poissonNllLoss(x: Tensor, target: Tensor, options: PoissonOptions = {}): Tensor {
  requireOptions('poissonNllLoss', options, ['logInput', 'full', 'eps', 'reduction']);
  const { logInput = true, full = false, eps = 1e-8, reduction } = options;
  const losses = logInput ? logRateLoss(x, target) : rateLoss(x, target, eps);
  return reduced('poissonNllLoss', full ? losses.add(stirling(target, 2 * Math.PI)) : losses, reduction);
}

/** Options of `gaussianNllLoss`. */
export interface GaussianOptions extends LossOptions {
  /** Add the constant log(2π)/2; default false. */
  full?: boolean | undefined;
  /** Smallest variance; default 1e-6. */
  eps?: number | undefined;
}

const gaussianLoss: Elementwise<(x: Tensor, target: Tensor, variance: Tensor) => Tensor> = elementwise(
  'gaussian_nll_loss',
  (x, target, variance) => {
    const difference = x.sub(target);
    return variance.log().add(difference.mul(difference).div(variance)).mul(0.5);
  },
);

/**
 * Minus the log-probability of targets under normal distributions: (log v + (x − t)²/v) / 2.
 * @param variance of the shape of x, or with size 1 or nothing in its last dimension
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @derivative the floor of the variance is passed over
 * @throws ShapeError when the variance does not fit
 * @throws ValueError when a variance is negative
 * @source torch.nn.functional.gaussian_nll_loss
 */
export function gaussianNllLoss(
  x: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianOptions = {},
): Tensor {
  const op = 'gaussianNllLoss';
  requireOptions(op, options, ['full', 'eps', 'reduction']);
  const { full = false, eps = 1e-6, reduction } = options;
  const spread = fitted(op, x, variance);
  if (variance.detach().lt(0).any().item()) {
    throw new ValueError(`${op}: the variance has a negative element; give variances, not their logarithms`, {
      op,
      argument: 'variance',
    });
  }
  warnUnequalOnly(op, x, target);
  // The floor is added as a constant, so that the gradient of the variance passes it.
  const losses = gaussianLoss(x, target, spread.add(spread.detach().rsub(eps).clamp(0)));
  return reduced(op, full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction);
}

/** A target that would enlarge the input is hardly ever meant; one that is repeated may be. */
function warnUnequalOnly(op: string, x: Tensor, target: Tensor): void {
  if (target.ndim > x.ndim) warnUnequal(op, x, target);
}

function fitted(op: string, x: Tensor, variance: Tensor): Tensor {
  const agree = (sizes: readonly number[], others: readonly number[]): boolean =>
    sizes.length === others.length && sizes.every((size, d) => size === others[d]);
  if (agree(variance.shape, x.shape)) return variance;
  const rows = x.shape.slice(0, -1);
  if (agree(variance.shape, rows)) return variance.unsqueeze(-1);
  if (agree(variance.shape, [...rows, 1])) return variance;
  throw new ShapeError(
    `${op}: the variance is [${variance.shape.join(', ')}], but the input [${x.shape.join(', ')}] needs the same ` +
      'shape, or one number per row',
    { op, argument: 'variance', shapes: [x.shape, variance.shape] },
  );
}
