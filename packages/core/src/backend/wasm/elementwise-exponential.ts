import { f32x4, i32x4, v128 } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';
import { clamp, plus, polynomial, ROUNDER, withSign } from './elementwise-polynomial.ts';
import type { Lowering, Scratch } from './elementwise-scratch.ts';

/** The bits of ROUNDER: none of its low 9, so that a shift of the exponent's width leaves only what was rounded. */
const ROUNDER_BITS = 0x4b400000;
/** ln 2 in two parts: products of the first with whole numbers below 2^15 are exact. */
export const LN2_HIGH = 0.693359375;
/** The second part. */
export const LN2_LOW: number = -2.12194440054690583e-4;
/** (exp(r) - 1 - r) / r² for |r| ≤ ln 2 / 2, error 3e-9 of exp(r). */
export const expTail: readonly number[] = [
  0.4999999403953552, 0.1666651964187622, 0.041668396443128586, 0.008368796668946743, 0.0013814433477818966,
];

/** 2^n for whole n in -126 … 127, and infinity for 128; n may be what adding ROUNDER leaves. */
const powerOfTwo = (n: Vector, factor = 0): Vector => i32x4.add(i32x4.shl(n, 23), 0x3f800000 + (factor << 23));

/** An argument of exp as n ln 2 + r with whole n: ROUNDER + n, r, and its square. */
interface Reduced {
  readonly rounded: Vector;
  readonly r: Vector;
  readonly square: Vector;
}

/** Reduces x or -x. */
function reduced(s: Scratch, x: Vector, sign: 1 | -1 = 1): Reduced {
  const rounded = s.keep(plus(f32x4.const(ROUNDER), x, f32x4.const(sign * Math.LOG2E)));
  const whole = s.keep(f32x4.sub(rounded, ROUNDER));
  const high =
    sign === 1 ? plus(x, whole, f32x4.const(-LN2_HIGH)) : f32x4.sub(f32x4.mul(whole, -LN2_HIGH), x);
  const r = s.keep(plus(high, whole, f32x4.const(-LN2_LOW)));
  return { rounded, r, square: s.keep(f32x4.mul(r, r)) };
}

/** exp(r) - 1 - r, in the order of operations that is most accurate. */
function tailOf(s: Scratch, { r, square }: Pick<Reduced, 'r' | 'square'>): Vector {
  return f32x4.mul(square, polynomial(s, r, expTail, square));
}

/** factor · (exp(r) - 1), by a shorter chain of operations. */
function growth(s: Scratch, { r, square }: Reduced, factor: number): Vector {
  const [c0, c1, c2, c3, c4] = expTail.map((c) => c * factor) as [number, number, number, number, number];
  const line = (low: number, high: number): Vector => plus(f32x4.const(low), r, f32x4.const(high));
  const low = s.keep(plus(factor === 1 ? r : f32x4.mul(r, factor), square, line(c0, c1)));
  const high = plus(line(c2, c3), square, f32x4.const(c4));
  return plus(low, high, f32x4.mul(square, square));
}

/** value · 2^n in two steps, so that results may overflow or be subnormal. */
export function scale(s: Scratch, value: Vector, n: Vector): Vector {
  const half = s.keep(i32x4.shr(n, 1));
  return f32x4.mul(f32x4.mul(value, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** exp(x), subnormal results included. */
export const exp: Lowering = (s, a) => {
  const x = reduced(s, s.keep(clamp(a, -104, 89)));
  return scale(s, f32x4.add(f32x4.add(tailOf(s, x), x.r), 1), s.keep(i32x4.sub(x.rounded, ROUNDER_BITS)));
};

/** exp(x) in fewer steps, good to 2 units in the last place; 0 for what would be subnormal, or nearly. */
export const normalExp: Lowering = (s, a) => {
  const x = reduced(s, s.keep(clamp(a, -87.3, 89)));
  // Half of 2^n is still representable where 2^n is not; half of the smallest is 0, all bits of it.
  return f32x4.mul(f32x4.add(growth(s, x, 2), 2), powerOfTwo(x.rounded, -1));
};

/** 2^x, exact for whole x. */
export const exp2: Lowering = (s, a) => {
  const x = s.keep(clamp(a, -151, 129));
  const rounded = s.keep(f32x4.add(x, ROUNDER));
  const r = s.keep(f32x4.mul(f32x4.sub(x, f32x4.sub(rounded, ROUNDER)), Math.LN2));
  const square = s.keep(f32x4.mul(r, r));
  return scale(s, f32x4.add(f32x4.add(tailOf(s, { r, square }), r), 1), i32x4.sub(rounded, ROUNDER_BITS));
};

/** exp(x) - 1, relatively accurate near 0. */
export const expm1: Lowering = (s, a) => {
  const x = reduced(s, s.keep(clamp(a, -20, 89)));
  // Half of 2^n is still representable where 2^n is not.
  const half = s.keep(powerOfTwo(x.rounded, -1));
  const small = f32x4.add(x.r, tailOf(s, x));
  return f32x4.mul(f32x4.add(f32x4.mul(half, small), f32x4.sub(half, 0.5)), 2);
};

/** 1 / (1 + exp(-x)). */
export const sigmoid: Lowering = (s, a) => {
  // Powers below 2^-126 are nothing beside 1, and from 2^128 on the result is 0.
  const x = reduced(s, s.keep(clamp(a, -89, 87)), -1);
  const power = f32x4.mul(f32x4.add(growth(s, x, 1), 1), powerOfTwo(x.rounded));
  return f32x4.div(1, f32x4.add(power, 1));
};

/** tanh(x), relatively accurate near 0. */
export const tanh: Lowering = (s, a) => {
  // t / (t + 2) with t = exp(2|x|) - 1 is accurate near 0 and exactly 1 from 9.1 on.
  const x = reduced(s, s.keep(f32x4.mul(f32x4.pmin(f32x4.abs(a), 9.1), 2)));
  const power = s.keep(powerOfTwo(x.rounded));
  const t = s.keep(f32x4.add(f32x4.mul(power, f32x4.add(x.r, tailOf(s, x))), f32x4.sub(power, 1)));
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

/** erf(x), relatively accurate near 0. */
export const erf: Lowering = (s, a) => {
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
