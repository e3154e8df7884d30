import { elementwise, type Unary } from '../define/elementwise.ts';
import { rowProgram } from '../define/row-program.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { checkOptions, keepdimName, none, type OptionNames } from '../option-names.ts';
import { normalizeDims, numel, reducedShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Dims, KeepdimOption } from './reduction.ts';

/** Options of variances and standard deviations. */
export interface VarianceOptions extends KeepdimOption {
  /** What is taken off the number of elements in the divisor; default 1. */
  correction?: number | null | undefined;
  /** The older way to say correction 1 (true, the default) or 0. */
  unbiased?: boolean | undefined;
}

const varianceNames: OptionNames<VarianceOptions> = { keepdim: 1, correction: 1, unbiased: 1 };

function requireFloating(op: string, x: Tensor): void {
  if (isFloating(x.dtype)) return;
  throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32').${op}()`, {
    op,
    dtypes: [x.dtype],
  });
}

/** The tensor with some dimensions made one. */
function joined(x: Tensor, dims: readonly number[]): { rows: Tensor; dim: number } {
  if (dims.length === 1 && x.ndim > 0) return { rows: x, dim: dims[0]! };
  const rest = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const size = numel(dims.map((d) => x.shape[d]!));
  return { rows: x.permute([...rest, ...dims]).reshape([...rest.map((d) => x.shape[d]!), size]), dim: rest.length };
}

const moments = rowProgram('var', ['element'], (row, x) => {
  const total = row.sum(x);
  const mean = total.div(row.count);
  // To first order, squares around the mean do not depend on it.
  const squares = row.sum(x.sub(mean).square(), [total]);
  const [variance, average] = [squares.div(row.param(0)), mean];
  return { outputs: [variance, average].map((value) => ({ sort: 'row', value })) };
});

/** The variance over dimensions, and the means that it was taken around. */
function spread(op: string, x: Tensor, dim: Dims | undefined, options: VarianceOptions): { variance: Tensor; mean: Tensor } {
  checkOptions(op, options, varianceNames);
  requireFloating(op, x);
  const dims = normalizeDims(op, dim, x.ndim);
  const { keepdim = false, unbiased = true } = options;
  const correction = options.correction ?? (unbiased ? 1 : 0);
  const { rows, dim: along } = joined(x, dims);
  const [variance, mean] = moments.apply([rows], rows.shape, along, [Math.max(rows.shape[along]! - correction, 0)]);
  const shape = reducedShape(x.shape, dims, keepdim);
  return { variance: variance!.reshape(shape), mean: mean!.reshape(shape) };
}

/** √x, whose derivative is taken as 0 where x is 0: a constant has no spread to change. */
const deviation: Unary = elementwise('std', (x) => x.sqrt(), {
  partials: (_, y) => [y.eq(0).where(0, y.reciprocal().mul(0.5))],
});

/**
 * The variance over dimensions, all by default.
 * @derivative 2 (x − mean) / (n − correction)
 * @numerics two passes: the mean first, so that large offsets do no harm; NaN where n does not exceed the correction
 * @throws DTypeError for integers
 * @source torch.var
 */
function variance(x: Tensor, dim?: Dims, options: VarianceOptions = none): Tensor {
  return spread('var', x, dim, options).variance;
}
export { variance as var };

/**
 * The standard deviation over dimensions, all by default.
 * @derivative 0 where all elements are equal
 * @throws DTypeError for integers
 * @source torch.std
 */
export function std(x: Tensor, dim?: Dims, options: VarianceOptions = none): Tensor {
  return deviation(spread('std', x, dim, options).variance);
}

/** The variance and the mean over dimensions. @source torch.var_mean */
export function varMean(x: Tensor, dim?: Dims, options: VarianceOptions = none): [variance: Tensor, mean: Tensor] {
  const result = spread('varMean', x, dim, options);
  return [result.variance, result.mean];
}

/** The standard deviation and the mean over dimensions. @source torch.std_mean */
export function stdMean(x: Tensor, dim?: Dims, options: VarianceOptions = none): [std: Tensor, mean: Tensor] {
  const result = spread('stdMean', x, dim, options);
  return [deviation(result.variance), result.mean];
}

const logOfSum = rowProgram('logsumexp', ['element'], (row, x) => {
  const largest = row.max(x);
  const shift = largest.isinf().where(0, largest);
  return { outputs: [{ sort: 'row', value: row.sum(x.sub(shift).exp()).log().add(shift) }] };
});

/**
 * log Σ e^x over dimensions.
 * @derivative the softmax; NaN where all elements are −∞
 * @numerics the largest element is taken off first, so that nothing overflows
 * @source torch.logsumexp
 */
export function logsumexp(x: Tensor, dim: Dims, options: KeepdimOption = none): Tensor {
  checkOptions('logsumexp', options, keepdimName);
  requireFloating('logsumexp', x);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  const { rows, dim: along } = joined(x, dims);
  return logOfSum.apply([rows], rows.shape, along)[0]!.reshape(reducedShape(x.shape, dims, options.keepdim === true));
}
