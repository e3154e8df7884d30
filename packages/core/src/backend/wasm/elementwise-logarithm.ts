import { f32x4, i32x4, v128 } from './assembler.ts';
import { LN2_HIGH, LN2_LOW } from './elementwise-exponential.ts';
import type { Vector } from './elementwise-lanes.ts';
import { anyLane, polynomial, SQRT_HALF_BITS } from './elementwise-polynomial.ts';
import type { Lowering, Scratch } from './elementwise-scratch.ts';

/** (log(1 + f) - f + f²/2) / f³ for 1 + f in √½ … √2, error 8e-10 of the logarithm. */
const logTail = [
  0.3333331346511841, -0.25000008940696716, 0.20002123713493347, -0.16668008267879486, 0.14219452440738678,
  -0.12405277043581009, 0.11888633668422699, -0.11677886545658112, 0.06748345494270325,
];

/** log(1 + f) - f */
function logCorrection(s: Scratch, f: Vector): Vector {
  const square = s.keep(f32x4.mul(f, f));
  return f32x4.sub(
    f32x4.mul(f32x4.mul(square, f), polynomial(s, f, logTail, square)),
    f32x4.mul(square, 0.5),
  );
}

/** Zero, subnormal, negative, infinite or NaN. */
const irregular = (x: Vector): Vector => v128.not(v128.and(f32x4.ge(x, 2 ** -126), f32x4.lt(x, Infinity)));

/** `value`, or what logarithms are at 0, below, at infinity and NaN; x is what to return for the last two. */
function logEdges(x: Vector, argument: Vector, value: Vector): Vector {
  const regular = v128.and(f32x4.gt(argument, 0), f32x4.lt(argument, Infinity));
  // All bits set is NaN: for negative arguments.
  const other = v128.bitselect(
    f32x4.const(-Infinity),
    v128.or(x, f32x4.lt(argument, 0)),
    f32x4.eq(argument, 0),
  );
  return v128.bitselect(value, other, regular);
}

/** A logarithm from the exponent e, f = mantissa - 1, and log(1 + f) - f. */
type Combine = (e: Vector, f: Vector, correction: Vector) => Vector;

/** The logarithm of positive normal numbers; `shift` is what to subtract from the exponent. */
function normalLog(s: Scratch, x: Vector, combine: Combine, shift?: Vector): Vector {
  const k = s.keep(i32x4.shr(i32x4.sub(x, SQRT_HALF_BITS), 23));
  const f = s.keep(f32x4.sub(i32x4.sub(x, i32x4.shl(k, 23)), 1));
  const e = f32x4.fromI32x4(k);
  return combine(s.keep(shift === undefined ? e : f32x4.sub(e, shift)), f, s.keep(logCorrection(s, f)));
}

const logarithm =
  (combine: Combine): Lowering =>
  (s, x) => {
    const result = s.keep(normalLog(s, x, combine));
    s.f.if(anyLane(irregular(x)), () => {
      const subnormal = s.keep(f32x4.lt(x, 2 ** -126));
      const scaled = s.keep(v128.bitselect(f32x4.mul(x, 2 ** 23), x, subnormal));
      const value = normalLog(s, scaled, combine, s.keep(v128.and(subnormal, f32x4.const(23))));
      s.f.set(result, logEdges(x, x, value));
    });
    return result;
  };

/** Adds from small to large. */
const sum = (...terms: Vector[]): Vector => terms.reduce((a, b) => f32x4.add(a, b));

const naturalLog: Combine = (e, f, correction) =>
  sum(correction, f32x4.mul(e, LN2_LOW), f, f32x4.mul(e, LN2_HIGH));

/** log(x). */
export const log: Lowering = logarithm(naturalLog);

/** Fraction of log2(e). */
const LOG2E_FRACTION = Math.LOG2E - 1;
/** The logarithm to base 2, exact for powers of 2. */
export const log2: Lowering = logarithm((e, f, correction) =>
  sum(f32x4.mul(correction, LOG2E_FRACTION), f32x4.mul(f, LOG2E_FRACTION), correction, f, e),
);

/** The first bits of log10(e) and log10(2): products with them are exact. */
const LOG10E_HIGH = 0.43359375;
const LOG10_2_HIGH = 0.30078125;
/** The logarithm to base 10. */
export const log10: Lowering = logarithm((e, f, correction) =>
  sum(
    f32x4.mul(f32x4.add(correction, f), Math.LOG10E - LOG10E_HIGH),
    f32x4.mul(correction, LOG10E_HIGH),
    f32x4.mul(e, Math.log10(2) - LOG10_2_HIGH),
    f32x4.mul(f, LOG10E_HIGH),
    f32x4.mul(e, LOG10_2_HIGH),
  ),
);

/** log(1 + x), relatively accurate near 0. */
export const log1p: Lowering = (s, x) => {
  const u = s.keep(f32x4.add(x, 1));
  const k = s.keep(i32x4.shr(i32x4.sub(u, SQRT_HALF_BITS), 23));
  // (1 + x) 2^-k - 1 without rounding 1 + x first.
  const unit = s.keep(i32x4.sub(i32x4.const(0x3f800000), i32x4.shl(k, 23)));
  const f = s.keep(f32x4.add(f32x4.mul(unit, x), f32x4.sub(unit, 1)));
  const e = s.keep(f32x4.fromI32x4(k));
  const result = s.keep(naturalLog(e, f, s.keep(logCorrection(s, f))));
  s.f.if(anyLane(v128.or(irregular(u), f32x4.gt(u, 2 ** 26))), () => {
    const large = s.keep(v128.bitselect(normalLog(s, u, naturalLog), result, f32x4.gt(u, 2 ** 26)));
    s.f.set(result, logEdges(x, u, large));
  });
  return result;
};
