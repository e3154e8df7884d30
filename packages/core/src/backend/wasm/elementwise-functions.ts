import { cos, sin, tan } from './elementwise-angle.ts';
import { erf, exp, exp2, expm1, sigmoid, tanh } from './elementwise-exponential.ts';
import { log, log10, log1p, log2 } from './elementwise-logarithm.ts';
import { pow } from './elementwise-power.ts';
import type { Lowerings } from './elementwise-scratch.ts';

/**
 * Transcendental functions of four single-precision lanes, by primitive. Polynomials were fitted for minimal
 * relative error, and arguments are reduced so that results are good to one to three units in the last place.
 */
export const float32Functions: Lowerings = {
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sigmoid,
  tanh,
  erf,
  pow,
  sin,
  cos,
  tan,
};

/** Functions that fall back on that of their primitive where arguments are unusual. */
export const callsFunction: ReadonlySet<string> = new Set(['sin', 'cos', 'tan', 'pow']);
