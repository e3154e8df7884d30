import { elementwise, type Operand, type TensorBinary } from '../define/elementwise.ts';
import { lgamma, scalarFunction, type Expr, type ScalarFunction } from '../expr/index.ts';
import { refuseDerivative } from './undefined-derivative.ts';

/** The lower and the upper part of Γ(a), as shares of the whole. */
type Parts = readonly [lower: number, upper: number];

/** x^a e^−x / Γ(a). @numerics for large a by Stirling's formula, in which the large terms have cancelled */
function density(a: number, x: number): number {
  if (a < 10) return Math.exp(a * Math.log(x) - x - lgamma(a));
  const excess = (x - a) / a;
  const z = 1 / (a * a);
  const correction = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360)))))) / a;
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(a * (Math.log1p(excess) - excess) - correction);
}

/** Σ xᵏ / (a (a + 1) … (a + k)). @source Abramowitz and Stegun, 6.5.29 */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

/** The continued fraction of the upper part, from the front. @source Abramowitz and Stegun, 6.5.31; Lentz, Applied Optics 15 (1976) */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let value = d;
  for (let k = 1; k < 1e6; k++) {
    const numerator = -k * (k - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

function partsOf(a: number, x: number): Parts {
  if (!(a >= 0 && x >= 0) || (a === 0 && x === 0) || (a === Infinity && x === Infinity)) return [NaN, NaN];
  if (a === 0 || x === Infinity) return [1, 0];
  if (x === 0 || a === Infinity) return [0, 1];
  if (x < a + 1) {
    const lower = density(a, x) * lowerSeries(a, x);
    return [lower, 1 - lower];
  }
  const upper = density(a, x) * upperFraction(a, x);
  return [1 - upper, upper];
}

/** x^(a − 1) e^−x / Γ(a). */
const slope = (a: Expr, x: Expr): Expr => a.sub(1).mul(x.log()).sub(x).sub(a.lgamma()).exp();

const lower: ScalarFunction = scalarFunction(
  'gammainc',
  (a, x) => partsOf(a, x)[0],
  () => NaN,
  (_, a, x) => slope(a, x),
);
const upper: ScalarFunction = scalarFunction(
  'gammaincc',
  (a, x) => partsOf(a, x)[1],
  () => NaN,
  (_, a, x) => slope(a, x).neg(),
);

function operands(op: string): (a: Operand, x: Operand) => readonly Operand[] {
  return (a, x) => {
    refuseDerivative(op, 'a', a);
    return [a, x];
  };
}

/**
 * The regularized lower incomplete gamma function ∫₀ˣ tᵃ⁻¹ e^−t dt / Γ(a).
 * @derivative for x only
 * @throws GradError when a requires grad
 * @source torch.special.gammainc, torch.igamma
 */
export const gammainc: TensorBinary = elementwise(
  'gammainc',
  (a, x) => lower(a, x),
  { result: 'float', tensorsOnly: true },
  operands('gammainc'),
);

/**
 * The regularized upper incomplete gamma function, 1 − `gammainc`.
 * @derivative for x only
 * @throws GradError when a requires grad
 * @source torch.special.gammaincc, torch.igammac
 */
export const gammaincc: TensorBinary = elementwise(
  'gammaincc',
  (a, x) => upper(a, x),
  { result: 'float', tensorsOnly: true },
  operands('gammaincc'),
);
