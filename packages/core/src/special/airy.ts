import { elementwise, type Unary } from '../define/elementwise.ts';
import { scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { scaledSecondKind } from './modified-bessel.ts';

/** Airy's function and its derivative at one point. */
type Values = readonly [value: number, slope: number];

const AT_ZERO: Values = [0.35502805388781723926, -0.25881940379280679841];
/** Below this the asymptotic series has terms below the rounding. */
const FAR = -8;

/** For x > 1, where the function decays. @source Abramowitz and Stegun, 10.4.14 and 10.4.16 */
function decaying(x: number): Values {
  const zeta = (2 / 3) * x * Math.sqrt(x);
  const decay = Math.exp(-zeta);
  if (decay === 0) return [0, 0];
  return [
    (decay * Math.sqrt(x / 3) * scaledSecondKind(1 / 3, zeta)) / Math.PI,
    (-decay * x * scaledSecondKind(2 / 3, zeta)) / (Math.PI * Math.sqrt(3)),
  ];
}

/** The solution of y″ = x y a distance of at most 1 away, by its Taylor series. */
function carried([value, slope]: Values, from: number, distance: number): Values {
  // Coefficients: aₖ₊₂ (k + 1)(k + 2) = from · aₖ + aₖ₋₁.
  let [a, b, c] = [0, value, slope];
  let [sum, change, power] = [value, 0, 1];
  for (let k = 0; k < 40; k++) {
    change += (k + 1) * c * power;
    power *= distance;
    sum += c * power;
    [a, b, c] = [b, c, (from * b + a) / ((k + 1) * (k + 2))];
  }
  return [sum, change];
}

/** For x < −8, where the function oscillates. @source Abramowitz and Stegun, 10.4.60 and 10.4.62 */
function oscillating(x: number): Values {
  const size = -x;
  const zeta = (2 / 3) * size * Math.sqrt(size);
  const [u, v] = [
    [0, 0],
    [0, 0],
  ] as [[number, number], [number, number]];
  for (let k = 0, term = 1; k < 2 * zeta && Math.abs(term) > 1e-17;) {
    const sign = k % 4 < 2 ? 1 : -1;
    u[(k % 2) as 0 | 1] += sign * term;
    v[(k % 2) as 0 | 1] -= (sign * term * (6 * k + 1)) / (6 * k - 1);
    k++;
    term *= ((6 * k - 5) * (6 * k - 3) * (6 * k - 1)) / (216 * k * (2 * k - 1) * zeta);
  }
  // The cosine and sine of zeta − π/4, times √2.
  const [cosine, sine] = [Math.cos(zeta) + Math.sin(zeta), Math.sin(zeta) - Math.cos(zeta)];
  const root = size ** 0.25;
  const scale = 1 / Math.sqrt(2 * Math.PI);
  return [(scale * (cosine * u[0] + sine * u[1])) / root, scale * root * (sine * v[0] - cosine * v[1])];
}

function at(x: number): Values {
  if (x > 1) return decaying(x);
  if (x < FAR) return oscillating(x);
  let [values, from] = [AT_ZERO, 0];
  for (; from > x + 1; from--) values = carried(values, from, -1);
  return carried(values, from, x - from);
}

const airy: ScalarFunction = scalarFunction(
  'airyAi',
  (x) => at(x)[0],
  (_, x) => airySlope(x),
);
const airySlope: ScalarFunction = scalarFunction(
  'airyAiSlope',
  (x) => at(x)[1],
  (_, x) => x.mul(airy(x)),
);

/** Airy's function Ai, which solves y″ = x y and decays for large x. @source torch.special.airy_ai */
export const airyAi: Unary = elementwise('airy_ai', (x) => airy(x), { result: 'float' });
