import { dtypeInfo, isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Options of covariances. */
export interface CovarianceOptions {
  /** What is taken off the number of observations in the divisor; default 1. */
  correction?: number | undefined;
  /** How often each observation was made: integers, not negative. */
  fweights?: Tensor | null | undefined;
  /** How much each observation counts: floating-point, not negative. */
  aweights?: Tensor | null | undefined;
}

const covarianceNames: OptionNames<CovarianceOptions> = { correction: 1, fweights: 1, aweights: 1 };

function checkWeights(name: 'fweights' | 'aweights', weights: Tensor, count: number): Tensor {
  const details = { op: 'cov', argument: name, shapes: [weights.shape] };
  if (weights.ndim > 1 || weights.numel() !== count) {
    throw new ShapeError(
      `cov: ${name} must be a vector with one weight for each of the ${count} observations, got ${shapeString(weights.shape)}`,
      details,
    );
  }
  const wanted = name === 'fweights' ? 1 : 2;
  if (dtypeInfo[weights.dtype].category !== wanted) {
    throw new DTypeError(`cov: ${name} must hold ${wanted === 1 ? 'integers' : 'floating-point numbers'}, got ${weights.dtype}`, {
      ...details,
      dtypes: [weights.dtype],
    });
  }
  if (weights.detach().lt(0).any().item() === 1) throw new ValueError(`cov: ${name} must not be negative`, details);
  return weights;
}

/**
 * The covariance matrix of the variables in the rows of x, whose columns are observations; of a vector its variance.
 * @shape [variables, observations] -> [variables, variables]
 * @throws ShapeError for more than two dimensions, or weights that do not fit
 * @throws DTypeError when `fweights` are no integers or `aweights` no floats
 * @throws ValueError for negative weights
 * @source torch.cov
 */
export function cov(x: Tensor, options: CovarianceOptions = none): Tensor {
  checkOptions('cov', options, covarianceNames);
  if (x.ndim > 2) {
    throw new ShapeError(`cov: the input must have at most two dimensions, got ${shapeString(x.shape)}`, {
      op: 'cov',
      shapes: [x.shape],
    });
  }
  const { correction = 1, fweights, aweights } = options;
  const rows = x.ndim < 2 ? x.reshape([1, -1]) : x;
  const count = rows.shape[1]!;
  const times = fweights ? checkWeights('fweights', fweights, count).reshape([-1]) : null;
  const shares = aweights ? checkWeights('aweights', aweights, count).reshape([-1]) : null;
  const weights = times !== null && shares !== null ? times.mul(shares) : (times ?? shares);
  const total = weights?.sum() ?? x.newFull([], count);
  const mean = (weights === null ? rows : rows.mul(weights)).sum(1, { keepdim: true }).div(total);
  const centred = rows.sub(mean);
  const lost = shares === null || correction === 0 ? correction : weights!.mul(shares).sum().mul(correction).div(total);
  const products = centred.matmul((weights === null ? centred : centred.mul(weights)).t());
  return products.div(total.sub(lost).clamp(0)).squeeze();
}

/**
 * The matrix of correlation coefficients of the variables in the rows of x; 1 for a vector.
 * @numerics limited to [−1, 1], which rounding may exceed
 * @throws ShapeError for more than two dimensions
 * @source torch.corrcoef
 */
export function corrcoef(x: Tensor): Tensor {
  if (x.ndim > 2) {
    throw new ShapeError(`corrcoef: the input must have at most two dimensions, got ${shapeString(x.shape)}`, {
      op: 'corrcoef',
      shapes: [x.shape],
    });
  }
  const covariance = (isFloating(x.dtype) ? x : x.to('float32')).cov();
  if (covariance.ndim === 0) return covariance.div(covariance);
  const deviations = covariance.diagonal().sqrt();
  return covariance.div(deviations.unsqueeze(1)).div(deviations.unsqueeze(0)).clamp(-1, 1);
}
