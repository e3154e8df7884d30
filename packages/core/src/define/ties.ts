import type { Tensor } from '../tensor.ts';
import { elementwise, type Binary } from './elementwise.ts';

const isSame: Binary = elementwise('is_same', (x, y) => x.eq(y).or(x.isnan().and(y.isnan())), { result: 'bool' });

/**
 * The part of the gradient that each element of x gets when `chosen`, which broadcasts to x, was chosen among the elements
 * along dimensions: equal ones share it evenly, and NaN is equal to NaN.
 */
export function shareOfTies(x: Tensor, chosen: Tensor, dims: readonly number[]): Tensor {
  const ties = isSame(x.detach(), chosen.detach()).to(chosen.dtype);
  return ties.div(ties.sum(dims, { keepdim: true }));
}
