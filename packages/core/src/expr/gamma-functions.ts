/**
 * The logarithm of the gamma function and its derivatives in double precision.
 * @source Abramowitz and Stegun, Handbook of Mathematical Functions: 6.1.33 (series at 2), 6.1.41 (Stirling),
 * 6.3.18 (digamma), 6.4.10 (polygamma by zeta); 23.2.9's Euler–Maclaurin form for Hurwitz' zeta
 */

/** (ζ(k) - 1) (-1)^k / k for k = 2, 3, … */
const seriesAtTwo: readonly number[] = [
  0.32246703342411322, -0.067352301053198095, 0.020580808427784548, -0.0073855510286739853,
  0.0028905103307415233, -0.001192753911703261, 0.00050966952474304242, -0.00022315475845357938,
  9.9457512781808534e-5, -4.4926236738133142e-5, 2.0507212775670692e-5, -9.4394882752683959e-6,
  4.3748667899074878e-6, -2.0392157538013662e-6, 9.5514121304074198e-7, -4.492469198764566e-7,
  2.1207184805554666e-7, -1.00432248239681e-7, 4.7698101693639806e-8, -2.2711094608943165e-8,
  1.0838659214896954e-8, -5.1834750419700467e-9, 2.4836745438024783e-9, -1.1921401405860912e-9,
  5.731367241678862e-10,
];
const ONE_MINUS_EULER = 0.42278433509846713939;
const HALF_LOG_TWO_PI = 0.91893853320467274178;
/** B₂ₖ / (2k (2k - 1)) */
const stirling: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
];
/** B₂ₖ / 2k */
const digammaTail: readonly number[] = [
  1 / 12,
  -1 / 120,
  1 / 252,
  -1 / 240,
  1 / 132,
  -691 / 32760,
  1 / 12,
  -3617 / 8160,
];
/** B₂ₖ / (2k)! */
const eulerMaclaurin: readonly number[] = [
  0.0833333333333333333, -0.00138888888888888889, 3.30687830687830688e-5, -8.2671957671957672e-7,
  2.0876756987868099e-8, -5.28419013868749318e-10, 1.33825365306846788e-11, -3.38968029632258287e-13,
  8.58606205627784456e-15, -2.17486869855806187e-16, 5.50900282836022952e-18, -1.39544646858125233e-19,
];

/** Σ coefficients[k] z^k */
function power(coefficients: readonly number[], z: number): number {
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * z + coefficients[k]!;
  return sum;
}

/** log Γ(2 + t) for |t| ≤ 1/2, relatively accurate at its zero. */
function nearTwo(t: number): number {
  return t * (ONE_MINUS_EULER + t * power(seriesAtTwo, t));
}

/** sin(πx), with the period taken off exactly. */
function sinPi(x: number): number {
  const turn = x % 2;
  return Math.sin(Math.PI * (Math.abs(turn) > 1 ? turn - Math.sign(turn) * 2 : turn));
}

/** log |Γ(x)|; infinite at 0, -1, -2, … */
export function lgamma(x: number): number {
  if (x <= 0) {
    if (x === Math.floor(x)) return Infinity;
    return Math.log(Math.PI / Math.abs(sinPi(x) * x)) - lgamma(-x);
  }
  if (x < 0.5) return nearTwo(x) - Math.log1p(x) - Math.log(x);
  if (x < 1.5) return nearTwo(x - 1) - Math.log1p(x - 1);
  if (x < 10) {
    let product = 1;
    let rest = x;
    while (rest > 2.5) product *= --rest;
    return Math.log(product) + nearTwo(rest - 2);
  }
  if (x === Infinity) return x;
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + power(stirling, 1 / (x * x)) / x;
}

/** The derivative of log Γ; -∞ at 0, NaN at the other poles. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x < 0) {
    if (x === Math.floor(x)) return NaN;
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  }
  let sum = 0;
  let z = x;
  for (; z < 10; z++) sum -= 1 / z;
  if (z === Infinity) return z;
  const inverse = 1 / (z * z);
  return sum + Math.log(z) - 0.5 / z - inverse * power(digammaTail, inverse);
}

/** Hurwitz' zeta function Σ (k + q)^-s over k ≥ 0, for s > 1. */
export function zeta(s: number, q: number): number {
  if (s === 1) return Infinity;
  if (!(s > 1) || Number.isNaN(q)) return NaN;
  if (q <= 0) {
    if (q === Math.floor(q)) return Infinity;
    if (s !== Math.floor(s)) return NaN;
  }
  let sum = 0;
  let z = q;
  for (; z < 10; z++) sum += z ** -s;
  let term = z ** -s;
  sum += (term * z) / (s - 1) + term / 2;
  let factor = s;
  term /= z;
  for (let k = 0; k < eulerMaclaurin.length; k++) {
    sum += eulerMaclaurin[k]! * factor * term;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
    term /= z * z;
  }
  return sum;
}

/** The n-th derivative of digamma. */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x);
  if (x === Infinity) return 0;
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return (n % 2 === 0 ? -factorial : factorial) * zeta(n + 1, x);
}
