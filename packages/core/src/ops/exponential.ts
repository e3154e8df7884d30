import { elementwise, type Binary, type Elementwise, type TensorBinary, type Unary } from '../define/elementwise.ts';
import { ValueError } from '../errors.ts';
import type { Expr } from '../expr/index.ts';
import type { Tensor } from '../tensor.ts';

/** e^x. @source torch.exp */
export const exp: Unary = elementwise('exp', (x) => x.exp(), { result: 'float' });

/** 2^x. @source torch.exp2 */
export const exp2: Unary = elementwise('exp2', (x) => x.exp2(), { result: 'float' });

/** e^x − 1, accurate near 0. @source torch.expm1 */
export const expm1: Unary = elementwise('expm1', (x) => x.expm1(), { result: 'float' });

/** The natural logarithm; NaN below 0. @derivative 1/x, inf at 0 @source torch.log */
export const log: Unary = elementwise('log', (x) => x.log(), {
  result: 'float',
  domain: [0.1, 4],
  points: [{ at: [0], value: -Infinity, partials: [Infinity] }],
});

/** The logarithm to base 2. @source torch.log2 */
export const log2: Unary = elementwise('log2', (x) => x.log2(), { result: 'float', domain: [0.1, 4] });

/** The logarithm to base 10. @source torch.log10 */
export const log10: Unary = elementwise('log10', (x) => x.log10(), { result: 'float', domain: [0.1, 4] });

/** log(1 + x), accurate near 0. @source torch.log1p */
export const log1p: Unary = elementwise('log1p', (x) => x.log1p(), { result: 'float', domain: [-0.8, 3] });

/** The square root; NaN below 0. @derivative 1/(2y), inf at 0 @source torch.sqrt */
export const sqrt: Unary = elementwise('sqrt', (x) => x.sqrt(), {
  result: 'float',
  domain: [0.1, 4],
  points: [{ at: [0], value: 0, partials: [Infinity] }],
});

/** 1 / √x. @derivative −y³/2 @source torch.rsqrt */
export const rsqrt: Unary = elementwise('rsqrt', (x) => x.rsqrt(), {
  result: 'float',
  domain: [0.1, 4],
  partials: (_, y) => [y.mul(y).mul(y).mul(-0.5)],
  points: [{ at: [0], value: Infinity, partials: [-Infinity] }],
});

/** The error function. @derivative 2/√π · e^(−x²) @source torch.erf */
export const erf: Unary = elementwise('erf', (x) => x.erf(), { result: 'float' });

/** 1 − erf(x), accurate for large x. @source torch.erfc */
export const erfc: Unary = elementwise('erfc', (x) => x.erfc(), { result: 'float' });

/** The inverse of erf on (−1, 1). @source torch.erfinv */
export const erfinv: Unary = elementwise('erfinv', (x) => x.erfinv(), { result: 'float', domain: [-0.9, 0.9] });

/** The larger one plus what the smaller one adds, `log1p` of 1 and a power; equal infinities have no difference. */
function logOfSum(x: Expr, y: Expr, added: (difference: Expr) => Expr): Expr {
  return x.eq(y).and(x.isinf()).where(x, x.max(y).add(added(x.sub(y).abs().neg())));
}

/** log(e^x + e^other), without overflow. @derivative the share of e^x in the sum; NaN for equal infinities @source torch.logaddexp */
export const logaddexp: TensorBinary = elementwise('logaddexp', (x, y) => logOfSum(x, y, (d) => d.exp().log1p()), {
  result: 'float',
  tensorsOnly: true,
  partials: ([x, y]) => [x!.sub(y!).sigmoid(), y!.sub(x!).sigmoid()],
  points: [
    { at: [-Infinity, -Infinity], value: -Infinity, partials: [NaN, NaN] },
    { at: [-Infinity, 1], value: 1, partials: [0, 1] },
    { at: [1000, 1000], value: 1000 + Math.LN2, partials: [0.5, 0.5] },
  ],
});

/** log2(2^x + 2^other), without overflow. @source torch.logaddexp2 */
export const logaddexp2: TensorBinary = elementwise('logaddexp2', (x, y) => logOfSum(x, y, (d) => d.exp2().log1p().mul(Math.LOG2E)), {
  result: 'float',
  tensorsOnly: true,
  partials: ([x, y]) => [x!.sub(y!).mul(Math.LN2).sigmoid(), y!.sub(x!).mul(Math.LN2).sigmoid()],
  points: [{ at: [3, 3], value: 4, partials: [0.5, 0.5] }],
});

/**
 * x · log(other), 0 where x is 0; NaN where other is.
 * @derivative for x, log(other), 0 where x is 0 and other ≤ 0; for other, x / other
 * @source torch.xlogy
 */
export const xlogy: Binary = elementwise('xlogy', (x, y) => y.isnan().where(y, x.eq(0).where(0, x.mul(y.log()))), {
  result: 'float',
  domain: [0.2, 3],
  partials: ([x, y]) => [x!.eq(0).and(y!.le(0)).where(0, y!.log()), x!.div(y!)],
  points: [
    { at: [0, 0], value: 0, partials: [0, NaN] },
    { at: [0, 2], value: 0, partials: [Math.LN2, 0] },
    { at: [0, NaN], value: NaN, partials: [NaN, NaN] },
  ],
});

/** 1 / (x (1 − x)). */
const oddsSlope = (x: Expr): Expr => x.mul(x.neg().add(1)).reciprocal();
const logOfOdds = (x: Expr): Expr => x.div(x.neg().add(1)).log();

const plainLogit: Unary = elementwise('logit', logOfOdds, {
  result: 'float',
  domain: [0.1, 0.9],
  partials: ([x]) => [x!.lt(0).or(x!.gt(1)).where(NaN, oddsSlope(x!))],
  points: [
    { at: [0], value: -Infinity, partials: [Infinity] },
    { at: [1], value: Infinity, partials: [Infinity] },
    { at: [2], value: NaN, partials: [NaN] },
  ],
});

const boundedLogit: Elementwise<(x: Tensor, low: number, high: number) => Tensor> = elementwise(
  'logit',
  (x, low, high) => logOfOdds(x.max(low).min(high)),
  { result: 'float', partials: ([x, low, high]) => [x!.lt(low!).or(x!.gt(high!)).where(0, oddsSlope(x!)), null, null] },
);

type Logit = (x: Tensor, eps?: number | null) => Tensor;

function logitBy(place: 'call' | 'inPlace'): Logit {
  return (x, eps) => {
    if (eps === undefined || eps === null) return place === 'call' ? plainLogit(x) : plainLogit.inPlace(x);
    if (typeof eps !== 'number') throw new ValueError(`logit: eps must be a number, got ${typeof eps}`, { op: 'logit', argument: 'eps' });
    return (place === 'call' ? boundedLogit : boundedLogit.inPlace)(x, eps, 1 - eps);
  };
}

/**
 * log(x / (1 − x)), the inverse of sigmoid.
 * @param eps if given, x is first limited to [eps, 1 − eps]; outside, the derivative is 0
 * @source torch.logit
 */
export const logit: Elementwise<Logit> = Object.assign(logitBy('call'), { op: plainLogit.op, inPlace: logitBy('inPlace') });
