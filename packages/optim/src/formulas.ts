import type { Expr } from '@tapegrad/core';

/** The gradient to follow: in its direction or against it, and with a weight decay that acts through it. */
export function penalized(gradient: Expr, param: Expr, sign: Expr, decay: Expr): Expr {
  return gradient.mul(sign).add(param.mul(decay));
}

/** A moving average after one more value, of which it takes the share 1 − β. */
export function average(before: Expr, value: Expr, beta: Expr): Expr {
  return before.add(value.sub(before).mul(beta.neg().add(1)));
}

/** A moving average of squares after the square of one more value. */
export function averageSquare(before: Expr, value: Expr, beta: Expr): Expr {
  return before.mul(beta).add(value.mul(value).mul(beta.neg().add(1)));
}

/** The sign that makes a step go up instead of down. */
export function signOf({ maximize }: { maximize: boolean }): number {
  return maximize ? -1 : 1;
}
