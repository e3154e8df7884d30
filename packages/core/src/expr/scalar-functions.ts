/** Functions of one or two numbers that JavaScript lacks or defines otherwise than IEEE 754 and C do. */

/** -1, 0 or 1; 0 for NaN. */
export function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/** To the nearest integer, halves to the even one; keeps the sign of zero. */
export function roundHalfEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** a to the power b as in C: 1 to any power, and anything to the power 0, is 1. */
export function pow(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Infinity || b === -Infinity))) return 1;
  return a ** b;
}

/** What is left of a after division by b, with the sign of b. */
export function remainder(a: number, b: number): number {
  const left = a % b;
  return left !== 0 && left < 0 !== b < 0 ? left + b : left;
}

/** The quotient rounded down, right even where a / b rounds up to an integer; a / 0 is infinite or NaN. */
export function floorDiv(a: number, b: number): number {
  if (b === 0) return a / b;
  const left = a % b;
  let quotient = (a - left) / b;
  if (left !== 0 && left < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/** 1 / (1 + exp(-x)), without overflow and accurate at both ends. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}
