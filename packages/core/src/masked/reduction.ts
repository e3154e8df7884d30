import { isFloating } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import type { Dims } from '../ops/reduction.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { normalizeDims, reducedShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { countOf, filled, highestOf, lowestOf, maskedReduceNames, type MaskedReduceOptions } from './mask.ts';

// Where no element counts at all, a reduction gives what it starts from.

/** The sum of the elements that count. @source torch.masked.sum */
export function sum(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.sum', given, maskedReduceNames);
  const { mask, ...options } = given;
  return filled('sum', x, mask, 0).sum(dim, options);
}

/** The product of the elements that count. @source torch.masked.prod */
export function prod(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.prod', given, maskedReduceNames);
  const { mask, ...options } = given;
  return filled('prod', x, mask, 1).prod(dim, options);
}

/** The largest element that counts. @source torch.masked.amax */
export function amax(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.amax', given, maskedReduceNames);
  const { mask, dtype, keepdim } = given;
  const source = dtype === undefined ? x : x.to(dtype);
  return filled('amax', source, mask, lowestOf(source)).amax(dim, { keepdim });
}

/** The smallest element that counts. @source torch.masked.amin */
export function amin(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.amin', given, maskedReduceNames);
  const { mask, dtype, keepdim } = given;
  const source = dtype === undefined ? x : x.to(dtype);
  return filled('amin', source, mask, highestOf(source)).amin(dim, { keepdim });
}

/** Where the largest element that counts stands, in the dtype of the input as in PyTorch. @source torch.masked.argmax */
export function argmax(x: Tensor, dim?: number | null, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.argmax', given, maskedReduceNames);
  const { mask, dtype, keepdim } = given;
  return filled('argmax', x, mask, lowestOf(x))
    .argmax(dim, { keepdim })
    .to(dtype ?? x.dtype);
}

/** Where the smallest element that counts stands, in the dtype of the input as in PyTorch. @source torch.masked.argmin */
export function argmin(x: Tensor, dim?: number | null, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.argmin', given, maskedReduceNames);
  const { mask, dtype, keepdim } = given;
  return filled('argmin', x, mask, highestOf(x))
    .argmin(dim, { keepdim })
    .to(dtype ?? x.dtype);
}

/** The mean of the elements that count; NaN of none, with derivatives of 0. @source torch.masked.mean */
export function mean(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.mean', given, maskedReduceNames);
  const { mask, dtype, keepdim = false } = given;
  const count = countOf('mean', x, mask, dim, keepdim);
  // Not 0 / 0, whose derivatives are NaN: of none there is nothing that could change.
  return sum(x, dim, { mask, dtype, keepdim }).div(count.clamp(1)).maskedFill(count.eq(0), NaN);
}

/** The median of the elements that count along a dimension, the lower one of two; NaN of none. @source torch.masked.median */
export function median(x: Tensor, dim = -1, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.median', given, maskedReduceNames);
  const { mask, keepdim } = given;
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`masked.median: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, {
      op: 'masked.median',
      dtypes: [x.dtype],
    });
  }
  return filled('median', x, mask, NaN).nanmedian(dim, { keepdim }).values;
}

/** The p-norm of the elements that count. @source torch.masked.norm */
export function norm(x: Tensor, ord = 2, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.norm', given, maskedReduceNames);
  const { mask, ...options } = given;
  return filled('norm', x, mask, ord === -Infinity ? Infinity : 0).vectorNorm(ord, dim, options);
}

/** log Σ e^x of the elements that count; −∞ of none, with derivatives of 0. @source torch.masked.logsumexp */
export function logsumexp(x: Tensor, dim?: Dims, given: MaskedReduceOptions = none): Tensor {
  checkOptions('masked.logsumexp', given, maskedReduceNames);
  const { mask, dtype, keepdim } = given;
  const source = dtype === undefined ? x : x.to(dtype);
  const among = filled('logsumexp', source, mask, lowestOf(source));
  if (mask === undefined || mask === null) return among.logsumexp(dim ?? null, { keepdim });
  // Not of −∞ alone, where derivatives are NaN: of none there is nothing that could change.
  const isNone = countOf('logsumexp', x, mask, dim, true).eq(0);
  const sums = among.maskedFill(isNone, 0).logsumexp(dim ?? null, { keepdim: true }).maskedFill(isNone, -Infinity);
  return keepdim === true ? sums : sums.reshape(reducedShape(x.shape, normalizeDims('logsumexp', dim, x.ndim), false));
}

/** Options of masked variances. */
export interface MaskedVarianceOptions extends MaskedReduceOptions {
  /** Whether the divisor is one less than the number of elements; default false. */
  unbiased?: boolean | undefined;
}

const maskedVarianceNames: OptionNames<MaskedVarianceOptions> = { keepdim: 1, dtype: 1, mask: 1, unbiased: 1 };

/** The variance of the elements that count; by default over their number. @source torch.masked.var */
function variance(x: Tensor, dim?: Dims, options: MaskedVarianceOptions = none): Tensor {
  checkOptions('masked.var', options, maskedVarianceNames);
  const { mask, dtype, keepdim = false, unbiased = false } = options;
  const source = dtype !== undefined ? x.to(dtype) : isFloating(x.dtype) ? x : x.to('float32');
  const centre = sum(source, dim, { mask, keepdim: true }).div(countOf('var', x, mask, dim, true));
  const squares = sum(source.sub(centre).square(), dim, { mask, keepdim });
  const count = countOf('var', x, mask, dim, keepdim);
  return squares.div(unbiased ? count.sub(1).clamp(0) : count);
}
export { variance as var };

/** The standard deviation of the elements that count; by default over their number. @source torch.masked.std */
export function std(x: Tensor, dim?: Dims, options: MaskedVarianceOptions = none): Tensor {
  checkOptions('masked.std', options, maskedVarianceNames);
  return variance(x, dim, options).sqrt();
}

/** Options of the masked `logaddexp`. */
export interface MaskedLogaddexpOptions {
  /** True where an element of the first tensor counts. */
  inputMask?: Tensor | null | undefined;
  /** True where an element of the second one counts. */
  otherMask?: Tensor | null | undefined;
}

/** log(e^x + e^other) of what counts. @source torch.masked.logaddexp */
export function logaddexp(x: Tensor, other: Tensor, options: MaskedLogaddexpOptions = none): Tensor {
  checkOptions('masked.logaddexp', options, { inputMask: 1, otherMask: 1 });
  const { inputMask, otherMask } = options;
  return filled('logaddexp', x, inputMask, -Infinity).logaddexp(filled('logaddexp', other, otherMask, -Infinity));
}
