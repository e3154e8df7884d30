import { elementwise, type Binary, type Operand } from '../define/elementwise.ts';
import { scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { refuseDerivative } from './undefined-derivative.ts';

/** Polynomials p₀ = 1, p₁ = slope · x + intercept and so on by a recurrence of three terms. */
interface Family {
  readonly slope: number;
  readonly intercept: number;
  /** The a, b and c in pₖ₊₁ = (a x + b) pₖ − c pₖ₋₁. */
  readonly step: (k: number) => readonly [a: number, b: number, c: number];
  /** The n-th polynomial in closed form where there is one and it is the shorter way, else NaN. */
  readonly closed?: (n: number, x: number) => number;
}

/** Up to this degree the recurrence takes fewer steps than a closed form. */
const SHORT = 8;

/**
 * The derivative of some order of the n-th polynomial: the recurrence, differentiated term by term.
 * @source Abramowitz and Stegun, Handbook of Mathematical Functions, 22.7
 */
function evaluate({ slope, intercept, step, closed }: Family, order: number, n: number, x: number): number {
  const degree = Math.trunc(n);
  if (degree < 0) return 0;
  if (!Number.isFinite(degree)) return NaN;
  const value = order === 0 && degree > SHORT ? closed?.(degree, x) ?? NaN : NaN;
  if (!Number.isNaN(value)) return value;
  // Derivatives of order 0, 1, 2, … of two neighbours.
  let before = new Float64Array(order + 1);
  let now = new Float64Array(order + 1);
  before[0] = 1;
  now[0] = slope * x + intercept;
  if (order > 0) now[1] = slope;
  if (degree === 0) return before[order]!;
  // What has overflown to NaN stays NaN, however high the degree is.
  for (let k = 1; k < degree && !Number.isNaN(now[order]); k++) {
    const [a, b, c] = step(k);
    const factor = a * x + b;
    for (let d = order; d >= 0; d--) before[d] = factor * now[d]! + (d > 0 ? d * a * now[d - 1]! : 0) - c * before[d]!;
    [before, now] = [now, before];
  }
  return now[order]!;
}

/* @__NO_SIDE_EFFECTS__ */
function polynomial(name: string, family: Family): Binary {
  const derivative: ScalarFunction = scalarFunction(
    name,
    (order, n, x) => evaluate(family, order, n, x),
    () => NaN,
    () => NaN,
    (_, order, n, x) => derivative(order.add(1), n, x),
  );
  return elementwise(
    name,
    (x, n) => derivative(0, n, x),
    { result: 'float' },
    (x: Operand, n: Operand) => {
      refuseDerivative(name, 'n', n);
      return [x, n];
    },
  );
}

/** A polynomial in the cosine of an angle, which it is inside (−1, 1). */
type OfAngle = (n: number, angle: number) => number;

const ofFirstKind: OfAngle = (n, angle) => Math.cos(n * angle);
const ofSecondKind: OfAngle = (n, angle) => Math.sin((n + 1) * angle) / Math.sin(angle);
const ofThirdKind: OfAngle = (n, angle) => Math.cos((n + 0.5) * angle) / Math.cos(angle / 2);
const ofFourthKind: OfAngle = (n, angle) => Math.sin((n + 0.5) * angle) / Math.sin(angle / 2);

/** Chebyshev's polynomials of all kinds differ in the second one only; `scale` and `shift` say what stands for x. */
/* @__NO_SIDE_EFFECTS__ */
function chebyshev(slope: number, intercept: number, ofAngle: OfAngle, scale = 1, shift = 0): Family {
  return {
    slope: slope * scale,
    intercept: slope * shift + intercept,
    step: () => [2 * scale, 2 * shift, 1],
    closed: (n, x) => {
      const cosine = scale * x + shift;
      return Math.abs(cosine) < 1 ? ofAngle(n, Math.acos(cosine)) : NaN;
    },
  };
}

/**
 * Chebyshev's polynomial of the first kind Tₙ(x).
 * @param n the degree; fractions are cut off, and below 0 the result is 0, here and in the families below
 * @derivative for x only
 * @throws GradError when n requires grad
 * @source torch.special.chebyshev_polynomial_t
 */
export const chebyshevPolynomialT: Binary = polynomial('chebyshev_polynomial_t', chebyshev(1, 0, ofFirstKind));

/** Chebyshev's polynomial of the second kind Uₙ(x). @source torch.special.chebyshev_polynomial_u */
export const chebyshevPolynomialU: Binary = polynomial('chebyshev_polynomial_u', chebyshev(2, 0, ofSecondKind));

/** Chebyshev's polynomial of the third kind Vₙ(x). @source torch.special.chebyshev_polynomial_v */
export const chebyshevPolynomialV: Binary = polynomial('chebyshev_polynomial_v', chebyshev(2, -1, ofThirdKind));

/** Chebyshev's polynomial of the fourth kind Wₙ(x). @source torch.special.chebyshev_polynomial_w */
export const chebyshevPolynomialW: Binary = polynomial('chebyshev_polynomial_w', chebyshev(2, 1, ofFourthKind));

/** Tₙ(2x − 1). @source torch.special.shifted_chebyshev_polynomial_t */
export const shiftedChebyshevPolynomialT: Binary = polynomial('shifted_chebyshev_polynomial_t', chebyshev(1, 0, ofFirstKind, 2, -1));

/** Uₙ(2x − 1). @source torch.special.shifted_chebyshev_polynomial_u */
export const shiftedChebyshevPolynomialU: Binary = polynomial('shifted_chebyshev_polynomial_u', chebyshev(2, 0, ofSecondKind, 2, -1));

/** Vₙ(2x − 1). @source torch.special.shifted_chebyshev_polynomial_v */
export const shiftedChebyshevPolynomialV: Binary = polynomial('shifted_chebyshev_polynomial_v', chebyshev(2, -1, ofThirdKind, 2, -1));

/** Wₙ(2x − 1). @source torch.special.shifted_chebyshev_polynomial_w */
export const shiftedChebyshevPolynomialW: Binary = polynomial('shifted_chebyshev_polynomial_w', chebyshev(2, 1, ofFourthKind, 2, -1));

/** Hermite's polynomial as physicists have it, Hₙ(x). @source torch.special.hermite_polynomial_h */
export const hermitePolynomialH: Binary = polynomial('hermite_polynomial_h', { slope: 2, intercept: 0, step: (k) => [2, 0, 2 * k] });

/** Hermite's polynomial as in probability theory, Heₙ(x). @source torch.special.hermite_polynomial_he */
export const hermitePolynomialHe: Binary = polynomial('hermite_polynomial_he', { slope: 1, intercept: 0, step: (k) => [1, 0, k] });

/** Laguerre's polynomial Lₙ(x). @source torch.special.laguerre_polynomial_l */
export const laguerrePolynomialL: Binary = polynomial('laguerre_polynomial_l', {
  slope: -1,
  intercept: 1,
  step: (k) => [-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1)],
});

/** Legendre's polynomial Pₙ(x). @source torch.special.legendre_polynomial_p */
export const legendrePolynomialP: Binary = polynomial('legendre_polynomial_p', {
  slope: 1,
  intercept: 0,
  step: (k) => [(2 * k + 1) / (k + 1), 0, k / (k + 1)],
});
