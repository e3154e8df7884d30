import { f32x4, i32x4, v128 } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';
import { anyLane, polynomial, ROUNDER } from './elementwise-polynomial.ts';
import type { Lowering, Scratch } from './elementwise-scratch.ts';

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
    const isLarge = anyLane(v128.not(f32x4.lt(f32x4.abs(x), MAX_ANGLE)));
    s.f.if(isLarge, () => s.f.set(result, s.callEach(name, [x])));
    return result;
  };

/** Bit 1 of n as the bit of the sign. */
const signOf = (n: Vector): Vector => i32x4.shl(i32x4.shr(n, 1), 31);

/** The sine. */
export const sin: Lowering = ofAngle('sin', (n, sine, cosine, odd) =>
  v128.xor(v128.bitselect(cosine, sine, odd), signOf(n)),
);

/** The cosine. */
export const cos: Lowering = ofAngle('cos', (n, sine, cosine, odd) =>
  v128.xor(v128.bitselect(sine, cosine, odd), signOf(i32x4.add(n, 1))),
);

/** The tangent. */
export const tan: Lowering = ofAngle('tan', (n, sine, cosine, odd) =>
  v128.xor(f32x4.div(v128.bitselect(cosine, sine, odd), v128.bitselect(sine, cosine, odd)), i32x4.shl(n, 31)),
);
