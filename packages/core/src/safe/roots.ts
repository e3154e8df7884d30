import { checkOptions, keepdimName, none } from '../option-names.ts';
import { normalizeDims } from '../shape.ts';
import type { Dims } from '../ops/reduction.ts';
import type { Tensor } from '../tensor.ts';
import { where } from './selection.ts';

/**
 * √x with derivatives of 0 at 0, where those of `sqrt` are infinite.
 * @example
 * const x = tg.tensor([0, 4], { requiresGrad: true });
 * console.log(tg.grad(tg.safe.sqrt(x).sum(), x)[0].toArray()); // → [ 0, 0.25 ]
 */
export function sqrt(x: Tensor): Tensor {
  return where(x.ne(0), x, (y) => y.sqrt());
}

/**
 * The Euclidean norm over dimensions, all by default, with derivatives of 0 of every order where it is 0; the second one of
 * `norm` is NaN there.
 * @throws IndexError for a dimension that x does not have
 */
export function norm(x: Tensor, dim?: Dims, options: { keepdim?: boolean | undefined } = none): Tensor {
  checkOptions('safe.norm', options, keepdimName);
  return sqrt(x.square().sum(normalizeDims('norm', dim, x.ndim), { keepdim: options.keepdim }));
}
