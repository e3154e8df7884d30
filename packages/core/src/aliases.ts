/** Second names that PyTorch has for operations. */
export {
  abs as absolute,
  div as divide,
  mul as multiply,
  neg as negative,
  sub as subtract,
} from './ops/arithmetic.ts';
export { trunc as fix } from './ops/rounding.ts';
export {
  clamp as clip,
  ge as greaterEqual,
  gt as greater,
  le as lessEqual,
  lt as less,
  ne as notEqual,
} from './ops/comparison.ts';
export {
  acos as arccos,
  acosh as arccosh,
  asin as arcsin,
  asinh as arcsinh,
  atan as arctan,
  atan2 as arctan2,
  atanh as arctanh,
} from './ops/trigonometric.ts';
