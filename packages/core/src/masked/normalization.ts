import type { DTypeName } from '../dtype.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';
import { filled, type MaskOption } from './mask.ts';
import { norm } from './reduction.ts';

/** Options of masked functions along a dimension. */
export interface MaskedAlongOptions extends MaskOption {
  /** Cast to this dtype first. */
  dtype?: DTypeName | undefined;
}

const alongNames: OptionNames<MaskedAlongOptions> = { mask: 1, dtype: 1 };

/** Options of `normalize`. */
export interface MaskedNormalizeOptions extends MaskedAlongOptions {
  /** The least divisor; default 1e-12. */
  eps?: number | undefined;
}

// What is masked out gets whatever follows from the element that takes its place.

/** The softmax along a dimension; what does not count is −∞. @source torch.masked.softmax */
export function softmax(x: Tensor, dim: number, options: MaskedAlongOptions = none): Tensor {
  checkOptions('masked.softmax', options, alongNames);
  const { mask, dtype } = options;
  return filled('softmax', x, mask, -Infinity).softmax(dim, { dtype });
}

/** The logarithm of the softmax along a dimension; what does not count is −∞. @source torch.masked.log_softmax */
export function logSoftmax(x: Tensor, dim: number, options: MaskedAlongOptions = none): Tensor {
  checkOptions('masked.logSoftmax', options, alongNames);
  const { mask, dtype } = options;
  return filled('logSoftmax', x, mask, -Infinity).logSoftmax(dim, { dtype });
}

/** The softmax of −x along a dimension; what does not count is ∞. @source torch.masked.softmin */
export function softmin(x: Tensor, dim: number, options: MaskedAlongOptions = none): Tensor {
  checkOptions('masked.softmin', options, alongNames);
  const { mask, dtype } = options;
  return filled('softmin', x, mask, Infinity).softmin(dim, { dtype });
}

/** x over its p-norm along a dimension, or over `eps` if that is larger; what does not count is 0. @source torch.masked.normalize */
export function normalize(x: Tensor, ord: number, dim: number, options: MaskedNormalizeOptions = none): Tensor {
  checkOptions('masked.normalize', options, { mask: 1, dtype: 1, eps: 1 });
  const { mask, dtype, eps = 1e-12 } = options;
  const source = dtype === undefined ? x : x.to(dtype);
  const length = norm(source, ord, dim, { mask, keepdim: true });
  return filled('normalize', source, mask, 0).div(length.maximum(length.newFull([], eps)));
}

/** The running sums along a dimension; what does not count is 0. @source torch.masked.cumsum */
export function cumsum(x: Tensor, dim: number, options: MaskedAlongOptions = none): Tensor {
  checkOptions('masked.cumsum', options, alongNames);
  const { mask, dtype } = options;
  return filled('cumsum', x, mask, 0).cumsum(dim, { dtype });
}

/** The running products along a dimension; what does not count is 1. @source torch.masked.cumprod */
export function cumprod(x: Tensor, dim: number, options: MaskedAlongOptions = none): Tensor {
  checkOptions('masked.cumprod', options, alongNames);
  const { mask, dtype } = options;
  return filled('cumprod', x, mask, 1).cumprod(dim, { dtype });
}
