import { elementwise, type Elementwise, type Operand } from '../define/elementwise.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `x` where the condition is true, `other` elsewhere; all three broadcast.
 * @derivative the branch not taken gets 0. A NaN that arises inside that branch stays NaN there, since 0 · inf is NaN:
 * `safe.where` computes the branch on safe values
 * @source torch.where
 */
export const where: Elementwise<(condition: Tensor, x: Operand, other: Operand) => Tensor> = elementwise(
  'where',
  (condition, x, other) => condition.ne(0).where(x, other),
  { masks: [0] },
);
