import { where as select } from '../ops/selection.ts';
import { checkOptions, none } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';

/** Options of `where`. */
export interface SafeWhereOptions {
  /** What `f` sees in the place of elements where the condition is false; default 1. */
  inside?: number | undefined;
  /** The result there; default 0. */
  otherwise?: number | undefined;
}

/**
 * `f(x)` where the condition is true, a number elsewhere, with a gradient of 0 there: `f` never sees those elements, so whatever
 * it has there (log 0, 1 / 0) reaches neither values nor gradients of any order. The plain `where(condition, f(x), 0)`
 * computes `f` everywhere, and has the gradient 0 · ∞ = NaN.
 * @shape condition broadcasts with x and with f(x)
 * @param inside must be a number at which `f` and its derivatives are finite
 * @example
 * const x = tg.tensor([0, 2], { requiresGrad: true });
 * const y = tg.safe.where(x.gt(0), x, (positive) => positive.log());
 * console.log(tg.grad(y.sum(), x)[0].toArray()); // → [ 0, 0.5 ]
 */
export function where(condition: Tensor, x: Tensor, f: (x: Tensor) => Tensor, options: SafeWhereOptions = none): Tensor {
  checkOptions('safe.where', options, { inside: 1, otherwise: 1 });
  const { inside = 1, otherwise = 0 } = options;
  return select(condition, f(select(condition, x, inside)), otherwise);
}
