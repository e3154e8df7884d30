import { elementwise, type Unary } from '../define/elementwise.ts';
import { scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { hankelTerms } from './hankel.ts';

/** J₀, J₁, Y₀ and Y₁ at one point. */
type Values = readonly [j0: number, j1: number, y0: number, y1: number];

const EULER = 0.57721566490153286061;
/** From here on the asymptotic series has terms below the rounding. */
const FAR = 25;

/**
 * For 0 < x < 25: Jₖ by its recurrence from large k downwards, the direction in which errors shrink; J₀ + 2 ΣJ₂ₖ = 1 gives
 * the scale, and Neumann's series the functions of the second kind.
 * @source Abramowitz and Stegun, 9.12 (Miller's algorithm), 9.1.88 and its derivative
 */
function near(x: number): Values {
  const logarithm = Math.log(x / 2) + EULER;
  const over = 2 / Math.PI;
  if (x < 1e-8) return [1, x / 2, over * logarithm, -over / x];
  const last = 2 * Math.ceil(0.68 * x + 2 + 10 * Math.min(x, 1));
  const j = new Float64Array(last + 2);
  j[last] = 1e-200;
  for (let k = last; k > 0; k--) j[k - 1] = ((2 * k) / x) * j[k]! - j[k + 1]!;
  let [scale, sum0, sum1] = [j[0]!, 0, 0];
  for (let k = last / 2; k > 0; k--) {
    const sign = k % 2 === 0 ? -1 : 1;
    scale += 2 * j[2 * k]!;
    sum0 += (sign * j[2 * k]!) / k;
    sum1 += (sign * (j[2 * k - 1]! - j[2 * k + 1]!)) / k;
  }
  const [j0, j1] = [j[0]! / scale, j[1]! / scale];
  return [j0, j1, over * (logarithm * j0 + (2 * sum0) / scale), over * (logarithm * j1 - j0 / x - sum1 / scale)];
}

/** For x ≥ 25: Hankel's asymptotic series. @source Abramowitz and Stegun, 9.2.5–9.2.10 */
function far(x: number): Values {
  if (x === Infinity) return [0, 0, 0, 0];
  const scale = 1 / Math.sqrt(Math.PI * x);
  // The cosine and sine of x − π/4, without taking the difference.
  const [cosine, sine] = [Math.cos(x) + Math.sin(x), Math.sin(x) - Math.cos(x)];
  const [p0, q0] = alternating(0, x);
  const [p1, q1] = alternating(1, x);
  return [
    scale * (p0 * cosine - q0 * sine),
    scale * (p1 * sine + q1 * cosine),
    scale * (p0 * sine + q0 * cosine),
    scale * (q1 * sine - p1 * cosine),
  ];
}

/** The sums of the even and of the odd terms, with alternating signs. */
function alternating(order: number, x: number): readonly [even: number, odd: number] {
  const sums: [number, number] = [0, 0];
  hankelTerms(order, x).forEach((term, k) => (sums[(k % 2) as 0 | 1] += k % 4 < 2 ? term : -term));
  return sums;
}

function at(x: number): Values {
  return x < FAR ? near(x) : far(x);
}

/** A function of the second kind: infinite at 0, not defined below. */
function secondKind(x: number, part: 2 | 3): number {
  if (x > 0) return at(x)[part];
  return x === 0 ? -Infinity : NaN;
}

const j0: ScalarFunction = scalarFunction(
  'besselJ0',
  (x) => (x === 0 ? 1 : at(Math.abs(x))[0]),
  (_, x) => j1(x).neg(),
);
const j1: ScalarFunction = scalarFunction(
  'besselJ1',
  (x) => (x === 0 ? x : Math.sign(x) * at(Math.abs(x))[1]),
  (y, x) => x.eq(0).where(0.5, j0(x).sub(y.div(x))),
);
const y0: ScalarFunction = scalarFunction(
  'besselY0',
  (x) => secondKind(x, 2),
  (_, x) => y1(x).neg(),
);
const y1: ScalarFunction = scalarFunction(
  'besselY1',
  (x) => secondKind(x, 3),
  (y, x) => y0(x).sub(y.div(x)),
);

/** Bessel's function of the first kind J₀. @derivative −J₁ @source torch.special.bessel_j0 */
export const besselJ0: Unary = elementwise('bessel_j0', (x) => j0(x), { result: 'float' });

/** Bessel's function of the first kind J₁. @derivative J₀ − J₁/x @source torch.special.bessel_j1 */
export const besselJ1: Unary = elementwise('bessel_j1', (x) => j1(x), { result: 'float' });

/** Bessel's function of the second kind Y₀, for x > 0. @derivative −Y₁ @source torch.special.bessel_y0 */
export const besselY0: Unary = elementwise('bessel_y0', (x) => y0(x), { result: 'float', domain: [0.5, 9] });

/** Bessel's function of the second kind Y₁, for x > 0. @derivative Y₀ − Y₁/x @source torch.special.bessel_y1 */
export const besselY1: Unary = elementwise('bessel_y1', (x) => y1(x), { result: 'float', domain: [0.5, 9] });

/** The spherical function of Bessel j₀: sin x / x, 1 at 0. @source torch.special.spherical_bessel_j0 */
export const sphericalBesselJ0: Unary = elementwise(
  'spherical_bessel_j0',
  (x) => x.eq(0).where(1, x.isinf().where(0, x.sin().div(x))),
  {
    result: 'float',
    partials: ([x], y) => [x!.eq(0).where(0, x!.cos().sub(y).div(x!))],
    points: [
      { at: [0], value: 1, partials: [0] },
      { at: [Infinity], value: 0, partials: [null] },
    ],
  },
);
