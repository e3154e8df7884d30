import { Tensor, ValueError } from '@tapegrad/core';
import { leastSquares, type LeastSquaresOptions, type LeastSquaresResult } from './levenberg-marquardt.ts';

/** Options of curveFit. */
export interface CurveFitOptions extends LeastSquaresOptions {
  /** Standard deviation of the observations, for all or for each; residuals are divided by it. */
  sigma?: number | Tensor;
  /** Whether `sigma` is known in its own units, and not only up to a factor that the residuals tell; default false. */
  absoluteSigma?: boolean;
}

/**
 * Fits the parameters of a curve to observations, by least squares.
 * @param model gives the curve at `x` for a float64 tensor of parameters
 * @param x whatever the model takes; a tensor of predictors as a rule
 * @param y observations, in the shape that the model gives
 * @param start where the parameters begin
 * @throws ValueError as leastSquares, and when the model's shape is not that of the observations
 * @example
 * const days = tg.tensor([1, 2, 3, 5, 7, 10], { dtype: 'float64' });
 * const demand = tg.tensor([109, 149, 149, 191, 213, 224], { dtype: 'float64' });
 * const fit = tg.optim.curveFit(
 *   (x, p) => {
 *     const [limit, rate] = p.unbind();
 *     return x.mul(rate).neg().exp().rsub(1).mul(limit);
 *   },
 *   days,
 *   demand,
 *   [100, 0.75],
 * );
 * const errors = fit.covariance.diagonal().sqrt();
 * console.log(fit.x.toArray().map((value) => value.toFixed(4))); // → [ '213.8094', '0.5472' ]
 * console.log(errors.toArray().map((value) => value.toFixed(4))); // → [ '12.3545', '0.1046' ]
 * @source scipy.optimize.curve_fit
 */
export function curveFit<X>(
  model: (x: X, parameters: Tensor) => Tensor,
  x: X,
  y: Tensor,
  start: Tensor | readonly number[],
  options: CurveFitOptions = {},
): LeastSquaresResult {
  const { sigma = 1, absoluteSigma = false, ...rest } = options;
  const target = y.detach().double();
  const spread = sigma instanceof Tensor ? sigma.detach().double() : sigma;
  const residuals = (parameters: Tensor): Tensor => {
    const curve = model(x, parameters);
    if (curve.shape.join() !== y.shape.join()) {
      throw new ValueError(
        `curveFit: the model gives shape [${curve.shape.join(', ')}] for observations of shape [${y.shape.join(', ')}]`,
      );
    }
    return curve.sub(target).div(spread);
  };
  return leastSquares(residuals, start, absoluteSigma ? { variance: 1, ...rest } : rest);
}
