import { elementwise, type Unary } from '../define/elementwise.ts';

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
