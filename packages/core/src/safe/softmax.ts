import { checkOptions, keepdimName, none } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';
import { where } from './selection.ts';

/** Whether a slice has an element above −∞. */
function isOpen(x: Tensor, dim: number): Tensor {
  return x.detach().amax(dim, { keepdim: true }).ne(-Infinity);
}

/**
 * The softmax along a dimension, and 0 in slices that are −∞ throughout, as those that a mask leaves nothing of; PyTorch's is NaN
 * there, and so is its gradient.
 * @shape in -> in
 * @throws IndexError for a dimension that x does not have
 * @example
 * const scores = tg.tensor([[1, 1], [-Infinity, -Infinity]]);
 * console.log(tg.safe.softmax(scores, 1).toArray()); // → [ [ 0.5, 0.5 ], [ 0, 0 ] ]
 */
export function softmax(x: Tensor, dim: number): Tensor {
  return where(isOpen(x, dim), x, (y) => y.softmax(dim));
}

/**
 * The logarithm of the sum of exponentials along a dimension, with a gradient of 0 in slices that are −∞ throughout, where that of
 * `logsumexp` is NaN.
 * @throws IndexError for a dimension that x does not have
 */
export function logsumexp(x: Tensor, dim: number, options: { keepdim?: boolean | undefined } = none): Tensor {
  checkOptions('safe.logsumexp', options, keepdimName);
  const result = where(isOpen(x, dim), x, (y) => y.logsumexp(dim, { keepdim: true }), { otherwise: -Infinity });
  return options.keepdim === true ? result : result.squeeze(dim);
}
