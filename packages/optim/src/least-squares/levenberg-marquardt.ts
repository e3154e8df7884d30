import { requireOptions, Tensor, tensor, ValueError } from '@tapegrad/core';
import { Box, type Bounds } from './box.ts';
import { LinearModel } from './linear-model.ts';
import { linearize, residualsAt, type ResidualFunction } from './residuals.ts';

/** Options of leastSquares. */
export interface LeastSquaresOptions {
  /** Least and largest values, for all parameters or for each; default none. */
  bounds?: Bounds;
  /** Stop when the sum of squares falls, and is expected to fall, by no larger share; default 1e-16. */
  ftol?: number;
  /** Stop when the parameters change by no larger share, in their natural scales; default 1e-10. */
  xtol?: number;
  /** Stop when the cosine of the angle between the residuals and every column of derivatives is no larger; default 1e-12. */
  gtol?: number;
  /** Variance of the residuals where it is known, for the covariance; by default it is estimated from them. */
  variance?: number;
  /** Most evaluations of the residuals; default 1000 for each parameter and one. */
  maxEvaluations?: number;
  /** The derivatives of the residuals, rows of one per parameter; by default the tape finds them. */
  jacobian?: (x: Tensor) => Tensor;
}

/** What leastSquares found. */
export interface LeastSquaresResult {
  /** The parameters, in the shape of the start and in double precision. */
  readonly x: Tensor;
  /** Half the sum of squared residuals. */
  readonly cost: number;
  /** @shape [m] */
  readonly residuals: Tensor;
  /** @shape [m, n] */
  readonly jacobian: Tensor;
  /**
   * Estimated covariance of the parameters: s² (JᵀJ)⁻¹, where s² is the sum of squares per degree of freedom unless
   * `variance` says. Null when there are no degrees of freedom to estimate it, or some parameters cannot be told apart.
   * @shape [n, n]
   */
  readonly covariance: Tensor | null;
  /** Which tolerance was reached; `'evaluations'` when none was. */
  readonly reason: 'cost' | 'step' | 'gradient' | 'evaluations';
  /** Whether a tolerance was reached. */
  readonly converged: boolean;
  /** How often the residuals and the derivatives were computed. */
  readonly evaluations: number;
  readonly iterations: number;
}

const optionNames = ['bounds', 'ftol', 'xtol', 'gtol', 'variance', 'maxEvaluations', 'jacobian'] as const;

/** The damping of the first step, in units of the squared norms of the columns. */
const FIRST_DAMPING = 1e-2;
/** The share of a step at which its curvature is measured, and the most curvature with which it is believed. */
const PROBE = 0.1;
const MOST_BENT = 0.75;
/** The least share of the expected decrease with which a step is taken. */
const LEAST_GAIN = 1e-4;

/**
 * Parameters with the least sum of squared residuals, by steps between those of Gauss and Newton and those of steepest
 * descent: the further the linear picture is from the truth, the more a step is damped. Steps bend along the path of best
 * steps, which saves many of them in curved valleys.
 * @param residuals gives any number of residuals; is called with a float64 tensor of the start's shape
 * @param start where to begin
 * @throws ValueError when the start is outside the bounds or has residuals that are not finite, the function gives none, or
 * the derivatives are not finite on the way
 * @numerics Works on the Jacobian itself, by reflections, never on JᵀJ. A step to where residuals are not finite is
 * taken back.
 * @example
 * const t = tg.tensor([0, 1, 2, 3], { dtype: 'float64' });
 * const y = tg.tensor([2, 1.2131, 0.7358, 0.4463], { dtype: 'float64' });
 * const fit = tg.optim.leastSquares((p) => {
 *   const [height, rate] = p.unbind();
 *   return t.mul(rate).neg().exp().mul(height).sub(y);
 * }, [1, 1]);
 * console.log(fit.x.toArray().map((value) => value.toFixed(3)), fit.reason); // → [ '2.000', '0.500' ] step
 * @source Moré (1978) for the scales; Nielsen (1999), Damping Parameter in Marquardt's Method, for the damping; Transtrum
 * and Sethna (2012) for the bent steps; Kanzow, Yamashita and Fukushima (2004) for the bounds
 */
export function leastSquares(
  residuals: ResidualFunction,
  start: Tensor | readonly number[],
  options: LeastSquaresOptions = {},
): LeastSquaresResult {
  requireOptions('leastSquares', options, optionNames);
  const { ftol = 1e-16, xtol = 1e-10, gtol = 1e-12, jacobian: given } = options;
  const shape = start instanceof Tensor ? start.shape : [start.length];
  let x: Float64Array = Float64Array.from(start instanceof Tensor ? start.detach().toTypedArray() : start);
  const maxEvaluations = options.maxEvaluations ?? 1000 * (x.length + 1);
  const box = new Box(x, options.bounds);
  let model = linearize(residuals, x, shape, given);
  let sum = square(model.residuals);
  if (!Number.isFinite(sum)) throw new ValueError('leastSquares: the residuals at the start are not finite');

  const all = [...x.keys()];
  const scales = new Float64Array(x.length);
  let damping = FIRST_DAMPING;
  let growth = 2;
  let evaluations = 1;
  let iterations = 0;
  let reason: LeastSquaresResult['reason'] | null = null;
  const evaluate = (at: Float64Array): Float64Array => {
    evaluations++;
    return residualsAt(residuals, at, shape);
  };
  while (reason === null) {
    const norms = model.columnNorms();
    norms.forEach((norm, j) => (scales[j] = Math.max(scales[j]!, norm)));
    const downhill = model.gradient().map((slope) => -slope);
    let free = box.open(x, downhill, all);
    if (free.every((j) => Math.abs(downhill[j]!) <= gtol * norms[j]! * Math.sqrt(sum))) {
      reason = 'gradient';
      break;
    }
    iterations++;
    const spans = scales.map((scale) => scale || 1);
    let steps = model.steps(free, spans);
    // Damp more and more until a step makes the sum of squares smaller.
    for (let taken = false; !taken && reason === null; ) {
      if (evaluations >= maxEvaluations) {
        reason = 'evaluations';
        break;
      }
      let velocity = steps.step(damping);
      // A step may want to cross a bound although downhill is away from it; then the others go alone.
      for (let open = box.open(x, velocity, free); open.length < free.length; open = box.open(x, velocity, free)) {
        free = open;
        steps = model.steps(free, spans);
        velocity = steps.step(damping);
      }
      const straight = plus(x, velocity, 1);
      let next = box.clip(straight);
      const inside = next.every((value, j) => value === straight[j]);
      const step = inside ? velocity : plus(next, x, -1);
      const expected = model.decrease(step);
      let bent = 0;
      if (inside) {
        const acceleration = steps.stepFor(curvature(model, velocity, evaluate(plus(x, velocity, PROBE))));
        bent = (2 * length(acceleration, scales)) / length(velocity, scales);
        if (bent <= MOST_BENT) next = box.clip(plus(next, acceleration, 0.5));
      }
      const sumThere = square(evaluate(next));
      const decrease = sum - sumThere;
      const gain = decrease / expected;
      taken = expected > 0 && gain > LEAST_GAIN && bent <= MOST_BENT;
      if (expected >= 0 && expected <= ftol * sum && !(decrease > ftol * sum)) reason = 'cost';
      else if (length(step, scales) <= xtol * (length(x, scales) + xtol)) reason = 'step';
      if (taken) {
        damping *= Math.max(1 / 3, 1 - (2 * gain - 1) ** 3);
        growth = 2;
        x = next;
        sum = sumThere;
        model = linearize(residuals, x, shape, given);
      } else {
        damping *= growth;
        growth *= 2;
      }
    }
  }
  const covariance = model.covariance(options.variance);
  return {
    x: tensor(x).view([...shape]),
    cost: sum / 2,
    residuals: tensor(model.residuals),
    jacobian: tensor(model.jacobian).view([model.residuals.length, x.length]),
    covariance: covariance === null ? null : tensor(covariance).view([x.length, x.length]),
    reason,
    converged: reason !== 'evaluations',
    evaluations,
    iterations,
  };
}

/** The second derivatives of the residuals along a step, from their values at a share of it. */
function curvature(model: LinearModel, step: Float64Array, near: Float64Array): Float64Array {
  const slopes = model.times(step);
  return near.map((r, i) => (2 / PROBE) * ((r - model.residuals[i]!) / PROBE - slopes[i]!));
}

/** A point moved by a share of a step. */
function plus(x: Float64Array, step: Float64Array, share: number): Float64Array {
  return x.map((value, j) => value + share * step[j]!);
}

function square(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0);
}

/** The length of a vector in the scales of the parameters. */
function length(x: Float64Array, scales: Float64Array): number {
  return Math.hypot(...x.map((value, j) => value * scales[j]!));
}
