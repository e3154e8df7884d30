import { elementwise, type Unary } from '../define/elementwise.ts';
import { scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { hankelTerms } from './hankel.ts';

/** From here on the asymptotic series has terms below the rounding. */
const FAR = 20;

/**
 * e^−x I(x) of order 0 or 1 for x ≥ 0: the power series, whose terms are all positive, then the asymptotic one.
 * @source Abramowitz and Stegun, 9.6.10 and 9.7.1
 */
function scaledFirstKind(order: 0 | 1, x: number): number {
  if (x > FAR) {
    const sum = hankelTerms(order, x).reduceRight((rest, term, k) => rest + (k % 2 === 0 ? term : -term), 0);
    return sum / Math.sqrt(2 * Math.PI * x);
  }
  let term = order === 0 ? 1 : x / 2;
  let sum = term;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x * x) / (4 * k * (k + order));
    sum += term;
  }
  return sum * Math.exp(-x);
}

/** e^x in two steps, so that a small factor between them keeps the product finite. */
function unscaled(scaled: number, x: number): number {
  return Math.exp(x / 2) * scaled * Math.exp(x / 2);
}

/**
 * e^x K(x) of an order, for x > 0: ∫ e^(−x (cosh t − 1)) cosh(order · t) dt over t ≥ 0 by the trapezoidal rule, which
 * converges exponentially for such integrands.
 * @source Abramowitz and Stegun, 9.6.24; Trefethen and Weideman, SIAM Review 56 (2014)
 */
export function scaledSecondKind(order: number, x: number): number {
  if (!(x > 0)) return x === 0 ? Infinity : NaN;
  const step = Math.min(1 / 6, 0.6 / Math.sqrt(x));
  let sum = 0.5;
  for (let k = 1; ; k++) {
    const t = k * step;
    const exponent = 2 * x * Math.sinh(t / 2) ** 2;
    if (!(exponent < 45 + order * t)) return sum * step;
    sum += Math.exp(-exponent) * Math.cosh(order * t);
  }
}

const odd = (x: number, value: number): number => (x < 0 ? -value : value);

const i0Scaled: ScalarFunction = scalarFunction(
  'scaledBesselI0',
  (x) => scaledFirstKind(0, Math.abs(x)),
  (y, x) => i1Scaled(x).sub(x.sign().mul(y)),
);
const i1Scaled: ScalarFunction = scalarFunction(
  'scaledBesselI1',
  (x) => odd(x, scaledFirstKind(1, Math.abs(x))),
  (y, x) => x.eq(0).where(0.5, i0Scaled(x).sub(y.mul(x.sign().add(x.reciprocal())))),
);
const bessel0: ScalarFunction = scalarFunction(
  'besselI0',
  (x) => unscaled(scaledFirstKind(0, Math.abs(x)), Math.abs(x)),
  (_, x) => bessel1(x),
);
const bessel1: ScalarFunction = scalarFunction(
  'besselI1',
  (x) => odd(x, unscaled(scaledFirstKind(1, Math.abs(x)), Math.abs(x))),
  (y, x) => x.eq(0).where(0.5, bessel0(x).sub(y.div(x))),
);
const k0: ScalarFunction = scalarFunction(
  'besselK0',
  (x) => scaledSecondKind(0, x) * Math.exp(-x),
  (_, x) => k1(x).neg(),
);
const k1: ScalarFunction = scalarFunction(
  'besselK1',
  (x) => scaledSecondKind(1, x) * Math.exp(-x),
  (y, x) => k0(x).add(y.div(x)).neg(),
);
const k0Scaled: ScalarFunction = scalarFunction(
  'scaledBesselK0',
  (x) => scaledSecondKind(0, x),
  (y, x) => y.sub(k1Scaled(x)),
);
const k1Scaled: ScalarFunction = scalarFunction(
  'scaledBesselK1',
  (x) => scaledSecondKind(1, x),
  (y, x) => y.sub(y.div(x)).sub(k0Scaled(x)),
);

/** The modified function of Bessel of the first kind I₀. @derivative I₁ @source torch.special.i0 */
export const i0: Unary = elementwise('i0', (x) => bessel0(x), { result: 'float' });

/** e^−|x| I₀(x). @source torch.special.i0e */
export const i0e: Unary = elementwise('i0e', (x) => i0Scaled(x), { result: 'float', points: [{ at: [0], value: 1, partials: [0] }] });

/** The modified function of Bessel of the first kind I₁. @derivative I₀ − I₁/x, ½ at 0 @source torch.special.i1 */
export const i1: Unary = elementwise('i1', (x) => bessel1(x), { result: 'float', points: [{ at: [0], value: 0, partials: [0.5] }] });

/** e^−|x| I₁(x). @derivative ½ at 0 @source torch.special.i1e */
export const i1e: Unary = elementwise('i1e', (x) => i1Scaled(x), { result: 'float', points: [{ at: [0], value: 0, partials: [0.5] }] });

/** As `i0`. @source torch.special.modified_bessel_i0 */
export const modifiedBesselI0: Unary = i0;

/** As `i1`. @source torch.special.modified_bessel_i1 */
export const modifiedBesselI1: Unary = i1;

/** The modified function of Bessel of the second kind K₀, for x > 0. @derivative −K₁ @source torch.special.modified_bessel_k0 */
export const modifiedBesselK0: Unary = elementwise('modified_bessel_k0', (x) => k0(x), { result: 'float', domain: [0.3, 4] });

/**
 * The modified function of Bessel of the second kind K₁, for x > 0.
 * @derivative −K₀ − K₁/x
 * @source torch.special.modified_bessel_k1
 */
export const modifiedBesselK1: Unary = elementwise('modified_bessel_k1', (x) => k1(x), { result: 'float', domain: [0.3, 4] });

/** e^x K₀(x). @source torch.special.scaled_modified_bessel_k0 */
export const scaledModifiedBesselK0: Unary = elementwise('scaled_modified_bessel_k0', (x) => k0Scaled(x), {
  result: 'float',
  domain: [0.3, 4],
});

/** e^x K₁(x). @source torch.special.scaled_modified_bessel_k1 */
export const scaledModifiedBesselK1: Unary = elementwise('scaled_modified_bessel_k1', (x) => k1Scaled(x), {
  result: 'float',
  domain: [0.3, 4],
});
