import { f32x4, i32x4, v128, type Value } from './assembler.ts';
import { tableF32x4 } from './elementwise-constants.ts';
import type { Vector } from './elementwise-lanes.ts';
import type { Lowering, Lowerings, Scratch } from './elementwise-scratch.ts';

/**
 * Transcendental functions of four single-precision lanes. Polynomials were fitted here for minimal relative
 * error; arguments are reduced so that the result is good to about two units in the last place. NaN comes out
 * where it goes in: `pmin(x, c)` and `pmax(x, c)` give x when it is NaN.
 */

/**
 * A polynomial in z, lowest power first: pairs of terms, and those by Horner's rule in z². That halves the
 * chain of dependent operations, which is what long polynomials wait for.
 */
function polynomial(
  s: Scratch,
  z: Vector,
  coefficients: readonly number[],
  square: Vector = s.keep(f32x4.mul(z, z)),
): Vector {
  let value: Vector | undefined;
  for (let k = (coefficients.length - 1) & -2; k >= 0; k -= 2) {
    const even = tableF32x4(coefficients[k]!);
    const odd = coefficients[k + 1];
    const pair = odd === undefined ? even : f32x4.add(f32x4.mul(tableF32x4(odd), z), even);
    value = value === undefined ? pair : f32x4.add(f32x4.mul(value, square), pair);
  }
  return value!;
}

const clamp = (x: Vector, low: number, high: number): Vector => f32x4.pmin(f32x4.pmax(x, low), high);

/** Adding it rounds to an integer, which then stands in the low bits. */
const ROUNDER = 1.5 * 2 ** 23;
const ROUNDER_BITS = 0x4b400000;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.12194440054690583e-4;
/** (exp(r) - 1 - r) / r² for |r| ≤ ln 2 / 2, error 3e-9 of exp(r). */
const expTail = [
  0.4999999403953552, 0.1666651964187622, 0.041668396443128586, 0.008368796668946743, 0.0013814433477818966,
];

/** 2^n for whole n in -126 … 127. */
const powerOfTwo = (n: Vector): Vector => i32x4.add(i32x4.shl(n, 23), 0x3f800000);

/** x = n ln 2 + r with whole n; gives n as an integer, and exp(r) - 1 as r + r² q(r). */
function reduceExp(s: Scratch, x: Vector): { n: Vector; r: Vector; tail: Vector } {
  const rounded = s.keep(f32x4.add(f32x4.mul(x, Math.LOG2E), ROUNDER));
  const whole = s.keep(f32x4.sub(rounded, ROUNDER));
  const r = s.keep(f32x4.sub(f32x4.sub(x, f32x4.mul(whole, LN2_HIGH)), f32x4.mul(whole, LN2_LOW)));
  const square = s.keep(f32x4.mul(r, r));
  const tail = f32x4.mul(square, polynomial(s, r, expTail, square));
  return { n: s.keep(i32x4.sub(rounded, ROUNDER_BITS)), r, tail };
}

/** value · 2^n in two steps, so that results may overflow or be subnormal. */
function scale(s: Scratch, value: Vector, n: Vector): Vector {
  const half = s.keep(i32x4.shr(n, 1));
  return f32x4.mul(f32x4.mul(value, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

const exp: Lowering = (s, a) => {
  const { n, r, tail } = reduceExp(s, s.keep(clamp(a, -104, 89)));
  return scale(s, f32x4.add(f32x4.add(tail, r), 1), n);
};

const exp2: Lowering = (s, a) => {
  const x = s.keep(clamp(a, -151, 129));
  const rounded = s.keep(f32x4.add(x, ROUNDER));
  const r = s.keep(f32x4.mul(f32x4.sub(x, f32x4.sub(rounded, ROUNDER)), Math.LN2));
  const square = s.keep(f32x4.mul(r, r));
  const tail = f32x4.mul(square, polynomial(s, r, expTail, square));
  return scale(s, f32x4.add(f32x4.add(tail, r), 1), i32x4.sub(rounded, ROUNDER_BITS));
};

const expm1: Lowering = (s, a) => {
  const { n, r, tail } = reduceExp(s, s.keep(clamp(a, -20, 89)));
  // Half of 2^n is still representable where 2^n is not.
  const half = s.keep(powerOfTwo(i32x4.sub(n, 1)));
  const small = f32x4.add(r, tail);
  return f32x4.mul(f32x4.add(f32x4.mul(half, small), f32x4.sub(half, 0.5)), 2);
};

const sigmoid: Lowering = (s, a, b, c, node) =>
  f32x4.div(1, f32x4.add(exp(s, s.keep(f32x4.neg(a)), b, c, node), 1));

/** Gives a positive vector the signs of another. */
const withSign = (magnitude: Vector, x: Vector): Vector => v128.or(magnitude, v128.and(x, f32x4.const(-0)));

const tanh: Lowering = (s, a) => {
  // t / (t + 2) with t = exp(2|x|) - 1 is accurate near 0 and exactly 1 from 9.1 on.
  const { n, r, tail } = reduceExp(s, s.keep(f32x4.mul(f32x4.pmin(f32x4.abs(a), 9.1), 2)));
  const power = s.keep(powerOfTwo(n));
  const t = s.keep(f32x4.add(f32x4.mul(power, f32x4.add(r, tail)), f32x4.sub(power, 1)));
  return withSign(f32x4.div(t, f32x4.add(t, 2)), a);
};

/** erf(x)/x - 1 in powers of x², for |x| ≤ 0.7. */
const erfNearZero = [
  0.12837912142276764, -0.37612220644950867, 0.11276999115943909, -0.026474477723240852, 0.004281796980649233,
];
/** log2(1 - erf(x)) for x from 0.7 to where erf rounds to 1. */
const logErfc = [
  -4.205545792501653e-6, -1.628109335899353, -0.9170928597450256, -0.15194638073444366, 0.03308253735303879,
  -0.004657523240894079, 0.0003111266705673188,
];
/** 2^r for |r| ≤ ½, error 9e-8. */
const shortExp2 = [
  1, 0.6931470036506653, 0.24022239446640015, 0.0555073581635952, 0.009671670384705067, 0.0013264395529404283,
];

const erf: Lowering = (s, a) => {
  const x = s.keep(f32x4.pmin(f32x4.abs(a), 3.95));
  const square = s.keep(f32x4.mul(x, x));
  const small = s.keep(f32x4.add(f32x4.mul(polynomial(s, square, erfNearZero), x), x));
  const exponent = s.keep(polynomial(s, x, logErfc, square));
  const rounded = s.keep(f32x4.add(exponent, ROUNDER));
  const r = s.keep(f32x4.sub(exponent, f32x4.sub(rounded, ROUNDER)));
  // The integer goes straight into the exponent's bits: the result is a normal number.
  const erfc = i32x4.add(polynomial(s, r, shortExp2), i32x4.shl(rounded, 23));
  return withSign(v128.bitselect(f32x4.sub(1, erfc), small, f32x4.gt(x, 0.7)), a);
};

/** Bits of √½: mantissas are taken from there to √2, where the logarithm is near 0. */
const SQRT_HALF_BITS = 0x3f3504f3;
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

/** Whether no lane is so; the usual way then needs no care for edges. */
const anyLane = (mask: Vector): Value<'i32'> => v128.anyTrue(mask);
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

/** Fraction of log2(e). */
const LOG2E_FRACTION = Math.LOG2E - 1;
const log2 = logarithm((e, f, correction) =>
  sum(f32x4.mul(correction, LOG2E_FRACTION), f32x4.mul(f, LOG2E_FRACTION), correction, f, e),
);

/** The first bits of log10(e) and log10(2): products with them are exact. */
const LOG10E_HIGH = 0.43359375;
const LOG10_2_HIGH = 0.30078125;
const log10 = logarithm((e, f, correction) =>
  sum(
    f32x4.mul(f32x4.add(correction, f), Math.LOG10E - LOG10E_HIGH),
    f32x4.mul(correction, LOG10E_HIGH),
    f32x4.mul(e, Math.log10(2) - LOG10_2_HIGH),
    f32x4.mul(f, LOG10E_HIGH),
    f32x4.mul(e, LOG10_2_HIGH),
  ),
);

const log1p: Lowering = (s, x) => {
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

/** π/2 in four parts: products of the first three with whole numbers below 2^13 are exact. */
const HALF_PI = [1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.5633440682570896e-12];
/** Beyond it the reduction would lose accuracy. */
const MAX_ANGLE = 12800;

/** x = n π/2 + r: n in the low bits of an integer, and r. */
function reduceAngle(s: Scratch, x: Vector): { n: Vector; r: Vector } {
  const n = s.keep(f32x4.add(f32x4.mul(x, 2 / Math.PI), ROUNDER));
  const whole = s.keep(f32x4.sub(n, ROUNDER));
  let r: Vector = x;
  for (const part of HALF_PI) r = f32x4.sub(r, f32x4.mul(whole, part));
  return { n, r: s.keep(r) };
}

function sineAndCosine(s: Scratch, r: Vector): { sine: Vector; cosine: Vector } {
  const z = s.keep(f32x4.mul(r, r));
  const sinTail = polynomial(s, z, [-0.16666655242443085, 0.008332157507538795, -0.00019514784798957407]);
  const cosTail = polynomial(s, z, [0.04166664555668831, -0.0013887311797589064, 2.4432587451883592e-5]);
  return {
    sine: s.keep(f32x4.add(f32x4.mul(f32x4.mul(sinTail, z), r), r)),
    cosine: s.keep(f32x4.add(f32x4.sub(f32x4.mul(f32x4.mul(cosTail, z), z), f32x4.mul(z, 0.5)), 1)),
  };
}

/**
 * A function of an angle; where one is too large for the reduction, all lanes go through the exact function.
 */
const ofAngle =
  (
    name: 'sin' | 'cos' | 'tan',
    combine: (n: Vector, sine: Vector, cosine: Vector, odd: Vector) => Vector,
  ): Lowering =>
  (s, x) => {
    const { n, r } = reduceAngle(s, x);
    const { sine, cosine } = sineAndCosine(s, r);
    const odd = s.keep(i32x4.shr(i32x4.shl(n, 31), 31));
    const result = s.keep(combine(n, sine, cosine, odd));
    const isLarge = v128.anyTrue(v128.not(f32x4.lt(f32x4.abs(x), MAX_ANGLE)));
    s.f.if(isLarge, () => s.f.set(result, s.callEach(name, [x])));
    return result;
  };

/** Bit 1 of n as the bit of the sign. */
const signOf = (n: Vector): Vector => i32x4.shl(i32x4.shr(n, 1), 31);

/** The functions, by primitive. */
export const float32Functions: Lowerings = {
  exp,
  exp2,
  expm1,
  log: logarithm(naturalLog),
  log2,
  log10,
  log1p,
  sigmoid,
  tanh,
  erf,
  sin: ofAngle('sin', (n, sine, cosine, odd) => v128.xor(v128.bitselect(cosine, sine, odd), signOf(n))),
  cos: ofAngle('cos', (n, sine, cosine, odd) =>
    v128.xor(v128.bitselect(sine, cosine, odd), signOf(i32x4.add(n, 1))),
  ),
  tan: ofAngle('tan', (n, sine, cosine, odd) =>
    v128.xor(
      f32x4.div(v128.bitselect(cosine, sine, odd), v128.bitselect(sine, cosine, odd)),
      i32x4.shl(n, 31),
    ),
  ),
};

/** Lowerings that call the function of their primitive too. */
export const callsFunction: ReadonlySet<string> = new Set(['sin', 'cos', 'tan']);
