import { elementwise, type Unary } from '../define/elementwise.ts';
import { erfcx as erfcxOf, erfinv, scalarFunction, type ScalarFunction } from '../expr/index.ts';

const SQRT2 = Math.SQRT2;
const SQRT1_2 = Math.SQRT1_2;
const SQRT_TWO_PI = 2.50662827463100050242;

const scaledTail: ScalarFunction = scalarFunction(
  'erfcx',
  (x) => erfcxOf(x),
  (y, x) =>
    x
      .mul(y)
      .mul(2)
      .sub(2 / Math.sqrt(Math.PI)),
);

/** e^(x²) erfc(x). @derivative 2x y − 2/√π @source torch.special.erfcx */
export const erfcx: Unary = elementwise('erfcx', (x) => scaledTail(x), { result: 'float' });

/** The distribution function of the standard normal distribution. @source torch.special.ndtr */
export const ndtr: Unary = elementwise('ndtr', (x) => x.mul(-SQRT1_2).erfc().mul(0.5), { result: 'float' });

/** The logarithm of `ndtr`, accurate where that is tiny. @source torch.special.log_ndtr */
export const logNdtr: Unary = elementwise(
  'log_ndtr',
  (x) => {
    const tail = scaledTail(x.mul(-SQRT1_2)).mul(0.5).log().sub(x.square().mul(0.5));
    return x.lt(-1).where(tail, x.mul(SQRT1_2).erfc().mul(-0.5).log1p());
  },
  {
    result: 'float',
    partials: ([x], y) => [
      y
        .add(x!.square().mul(0.5))
        .neg()
        .exp()
        .mul(1 / SQRT_TWO_PI),
    ],
  },
);

/** The quantile of the standard normal distribution; below 0.02 by Newton's method on the logarithm, which is concave. */
function quantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : NaN;
  if (p > 0.5) return -quantile(1 - p);
  if (p > 0.02) return -SQRT2 * erfinv(1 - 2 * p);
  const logarithm = Math.log(p);
  const rough = Math.sqrt(-2 * logarithm);
  let x = -rough + (Math.log(rough) + Math.log(SQRT_TWO_PI)) / rough;
  for (let step = 0; step < 5; step++) {
    const tail = erfcxOf(-x * SQRT1_2);
    x -= ((Math.log(tail / 2) - (x * x) / 2 - logarithm) * tail * SQRT_TWO_PI) / 2;
  }
  return x;
}

const normalQuantile: ScalarFunction = scalarFunction(
  'ndtri',
  (p) => quantile(p),
  (y) => y.square().mul(0.5).exp().mul(SQRT_TWO_PI),
);

/** The inverse of `ndtr` on [0, 1]. @derivative √(2π) e^(y²/2) @source torch.special.ndtri */
export const ndtri: Unary = elementwise('ndtri', (x) => normalQuantile(x), { result: 'float', domain: [0.05, 0.95] });
