import { elementwise, type Unary } from '../define/elementwise.ts';
import { custom } from '../define/rules.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { normalizeDims, numel, reducedShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Dims, KeepdimOption } from './reduction.ts';

/** Options of variances and standard deviations. */
export interface VarianceOptions extends KeepdimOption {
  /** What is taken off the number of elements in the divisor; default 1. */
  correction?: number | undefined;
  /** The older way to say correction 1 (true, the default) or 0. */
  unbiased?: boolean | undefined;
}

function requireFloating(op: string, x: Tensor): void {
  if (isFloating(x.dtype)) return;
  throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32').${op}()`, {
    op,
    dtypes: [x.dtype],
  });
}

/** The variance over dimensions, with the means that it was taken around (kept with size 1). */
function spread(op: string, x: Tensor, dim: Dims | undefined, options: VarianceOptions): { variance: Tensor; mean: Tensor } {
  requireFloating(op, x);
  const dims = normalizeDims(op, dim, x.ndim);
  const { keepdim, unbiased = true, correction = unbiased ? 1 : 0 } = options;
  const count = numel(dims.map((d) => x.shape[d]!));
  const mean = x.mean(dims, { keepdim: true });
  const squares = x.sub(mean).square().sum(dims, { keepdim });
  return { variance: squares.div(Math.max(count - correction, 0)), mean };
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
function variance(x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor {
  return spread('var', x, dim, options).variance;
}
export { variance as var };

/**
 * The standard deviation over dimensions, all by default.
 * @derivative 0 where all elements are equal
 * @throws DTypeError for integers
 * @source torch.std
 */
export function std(x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor {
  return deviation(spread('std', x, dim, options).variance);
}

/** The variance and the mean over dimensions. @source torch.var_mean */
export function varMean(x: Tensor, dim?: Dims, options: VarianceOptions = {}): [variance: Tensor, mean: Tensor] {
  const result = spread('varMean', x, dim, options);
  return [result.variance, result.mean.reshape(result.variance.shape)];
}

/** The standard deviation and the mean over dimensions. @source torch.std_mean */
export function stdMean(x: Tensor, dim?: Dims, options: VarianceOptions = {}): [std: Tensor, mean: Tensor] {
  const result = spread('stdMean', x, dim, options);
  return [deviation(result.variance), result.mean.reshape(result.variance.shape)];
}

const logOfSum = custom<{ dims: readonly number[]; keepdim: boolean }>('logsumexp', {
  forward: ([input], { dims, keepdim }) => {
    const x = input!.detach();
    const largest = x.amax(dims, { keepdim: true });
    const shift = largest.maskedFill(largest.isinf(), 0);
    const sums = x.sub(shift).exp().sum(dims, { keepdim: true });
    return [sums.log().add(shift).reshape(reducedShape(x.shape, dims, keepdim))];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g], { dims }, [meta]) {
    const kept = reducedShape(meta!.shape, dims, true);
    return [g!.reshape(kept).mul(node.input(0).sub(node.output(0).reshape(kept)).exp())];
  },
});

/**
 * log Σ e^x over dimensions.
 * @derivative the softmax; NaN where all elements are −∞
 * @numerics the largest element is taken off first, so that nothing overflows
 * @source torch.logsumexp
 */
export function logsumexp(x: Tensor, dim: Dims, options: KeepdimOption = {}): Tensor {
  requireFloating('logsumexp', x);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  if (dims.some((d) => x.shape[d] === 0)) return x.exp().sum(dims, options).log();
  return logOfSum([x], { dims, keepdim: options.keepdim === true })[0]!;
}
