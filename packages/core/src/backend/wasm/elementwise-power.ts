import { f32x4, f64x2, i32x4, v128 } from './assembler.ts';
import { expTail, scale } from './elementwise-exponential.ts';
import type { Vector } from './elementwise-lanes.ts';
import { anyLane, polynomial, ROUNDER_DOUBLE, SQRT_HALF_BITS } from './elementwise-polynomial.ts';
import type { Lowering, Scratch } from './elementwise-scratch.ts';

/** log2((1 + s) / (1 - s)) / s in powers of s², error 1e-12 of the logarithm where it is largest. */
const doubleLog2 = [
  2.8853900818458835, 0.9617966480394579, 0.5770866833021882, 0.411532190384119, 0.3428548124633254,
];
const joinLow = (low: Vector, high: Vector): Vector => f64x2.shuffle(low, high, [0, 2]);
const halvesOf = (x: Vector): [Vector, Vector] => [x, f64x2.shuffle(x, x, [1, 1])];

/**
 * y log2(1 + f) + y k for two lanes, in double precision, as a whole number in the low bits and a fraction.
 */
function powerExponent(s: Scratch, f: Vector, k: Vector, y: Vector): { rounded: Vector; fraction: Vector } {
  const d = s.keep(f64x2.promoteF32x4(f));
  const ratio = s.keep(f64x2.div(d, f64x2.add(d, 2)));
  const square = s.keep(f64x2.mul(ratio, ratio));
  let series: Vector = f64x2.const(doubleLog2.at(-1)!);
  for (const c of doubleLog2.slice(0, -1).reverse()) series = f64x2.add(f64x2.mul(series, square), c);
  const log = f64x2.add(f64x2.mul(series, ratio), f64x2.fromI32x4(k));
  const exponent = f64x2.mul(log, f64x2.promoteF32x4(y));
  const t = s.keep(f64x2.pmin(f64x2.pmax(exponent, -200), 200));
  const rounded = s.keep(f64x2.add(t, ROUNDER_DOUBLE));
  return { rounded, fraction: f32x4.demoteF64x2(f64x2.sub(t, f64x2.sub(rounded, ROUNDER_DOUBLE))) };
}

/** x^y; negative x with whole y too. */
export const pow: Lowering = (s, x, y) => {
  const magnitude = s.keep(f32x4.abs(x));
  const k = s.keep(i32x4.shr(i32x4.sub(magnitude, SQRT_HALF_BITS), 23));
  const f = s.keep(f32x4.sub(i32x4.sub(magnitude, i32x4.shl(k, 23)), 1));
  const [f0, f1] = halvesOf(f);
  const [k0, k1] = halvesOf(k);
  const [y0, y1] = halvesOf(y);
  const low = powerExponent(s, f0, k0, y0);
  const high = powerExponent(s, f1, k1, y1);
  const r = s.keep(f32x4.mul(joinLow(low.fraction, high.fraction), Math.LN2));
  const square = s.keep(f32x4.mul(r, r));
  const tail = f32x4.mul(square, polynomial(s, r, expTail, square));
  const n = s.keep(i32x4.shuffle(low.rounded, high.rounded, [0, 2, 4, 6]));
  const positive = scale(s, f32x4.add(f32x4.add(tail, r), 1), n);
  const ofZero = v128.or(
    v128.and(f32x4.lt(y, 0), f32x4.const(Infinity)),
    v128.and(f32x4.eq(y, 0), f32x4.const(1)),
  );
  const isZero = s.keep(f32x4.eq(x, 0));
  const value = v128.bitselect(ofZero, positive, isZero);
  // Below 0 whole powers have a sign, others are NaN: all bits set.
  const isWhole = s.keep(f32x4.eq(f32x4.nearest(y), y));
  const half = s.keep(f32x4.mul(y, 0.5));
  const isOdd = v128.and(isWhole, f32x4.ne(f32x4.nearest(half), half));
  const signed = v128.or(value, v128.and(v128.and(x, f32x4.const(-0)), isOdd));
  const result = s.keep(v128.or(signed, v128.andNot(f32x4.lt(x, 0), isWhole)));
  const usual = v128.and(
    v128.and(v128.or(f32x4.ge(magnitude, 2 ** -126), isZero), f32x4.lt(magnitude, Infinity)),
    f32x4.lt(f32x4.abs(y), Infinity),
  );
  s.f.if(anyLane(v128.not(usual)), () => s.f.set(result, s.callEach('pow', [x, y])));
  return result;
};
