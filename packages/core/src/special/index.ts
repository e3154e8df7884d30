/** Special functions, under PyTorch's names. */
export { erf, erfc, erfinv, exp2, expm1, log1p, logit, xlogy } from '../ops/exponential.ts';
export { round } from '../ops/rounding.ts';
export { logSoftmax, softmax } from '../ops/softmax.ts';
export { logsumexp } from '../ops/statistics.ts';
export { sinc } from '../ops/trigonometric.ts';
export * from './airy.ts';
export * from './bessel.ts';
export * from './entropy.ts';
export * from './incomplete-gamma.ts';
export * from './modified-bessel.ts';
export * from './names.ts';
export * from './normal.ts';
export * from './orthogonal-polynomials.ts';
export * from './zeta.ts';
