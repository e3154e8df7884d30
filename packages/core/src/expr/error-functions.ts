/**
 * The error function and its relatives in double precision.
 * @source W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): the
 * coefficients of the three ranges.
 */

const SQRT_PI_INVERSE = 0.56418958354775628695;

const smallNumerator: readonly number[] = [
  1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2,
  3.20937758913846947e3,
];
const smallDenominator: readonly number[] = [
  1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
];
const middleNumerator: readonly number[] = [
  2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
  2.98635138197400131e2, 8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3,
  1.23033935479799725e3,
];
const middleDenominator: readonly number[] = [
  1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
  3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
];
const largeNumerator: readonly number[] = [
  1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
  1.60837851487422766e-2, 6.58749161529837803e-4,
];
const largeDenominator: readonly number[] = [
  1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
  2.33520497626869185e-3,
];

/** A polynomial, highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const c of coefficients) value = value * x + c;
  return value;
}

/** exp(-x²) for x ≥ 0: the square is split, so that its rounding does not grow in the exponential. */
function gaussian(x: number): number {
  const high = Math.trunc(x * 16) / 16;
  return Math.exp(-high * high) * Math.exp(-(x - high) * (x + high));
}

/** exp(x²) erfc(x) for x > 0.46875. */
function scaledTail(x: number): number {
  if (x <= 4) return polynomial(middleNumerator, x) / polynomial(middleDenominator, x);
  const z = 1 / (x * x);
  return (SQRT_PI_INVERSE - (z * polynomial(largeNumerator, z)) / polynomial(largeDenominator, z)) / x;
}

/** erfc(x) for x > 0.46875. */
function upperTail(x: number): number {
  return x > 27.3 ? 0 : gaussian(x) * scaledTail(x);
}

/** The error function 2/√π ∫₀ˣ exp(-t²) dt. */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude <= 0.46875) {
    const z = x * x;
    return x * (polynomial(smallNumerator, z) / polynomial(smallDenominator, z));
  }
  if (magnitude > 6) return x > 0 ? 1 : -1;
  const value = 1 - upperTail(magnitude);
  return x < 0 ? -value : value;
}

/** 1 - erf(x), accurate where it is tiny. */
export function erfc(x: number): number {
  if (Math.abs(x) <= 0.46875) return 1 - erf(x);
  return x < 0 ? 2 - upperTail(-x) : upperTail(x);
}

/** exp(x²) erfc(x), which is small but not tiny where erfc is. */
export function erfcx(x: number): number {
  if (Math.abs(x) <= 0.46875) return Math.exp(x * x) * erfc(x);
  if (x === -Infinity) return Infinity;
  // The reciprocal of exp(-x²) has its accuracy.
  return x > 0 ? scaledTail(x) : 2 / gaussian(-x) - scaledTail(-x);
}

/** The inverse of erf on [-1, 1]: a rough start, then Halley's method. */
export function erfinv(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 1)) return magnitude === 1 ? x * Infinity : NaN;
  if (magnitude < 1e-9) return x / (2 * SQRT_PI_INVERSE);
  // S. Winitzki's approximation by elementary functions; relative error below 0.004.
  const log = Math.log1p(-magnitude * magnitude);
  const a = 0.147;
  const half = 2 / (Math.PI * a) + log / 2;
  let y = Math.sqrt(Math.sqrt(half * half - log / a) - half);
  for (let step = 0; step < 3; step++) {
    // Near 1 the complement is the accurate one: 1 - magnitude is exact there.
    const miss = magnitude < 0.5 ? erf(y) - magnitude : 1 - magnitude - erfc(y);
    const newton = miss / (2 * SQRT_PI_INVERSE * gaussian(y));
    y -= newton / (1 + y * newton);
  }
  return x < 0 ? -y : y;
}
