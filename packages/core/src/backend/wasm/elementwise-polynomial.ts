import { f32x4, v128, type Value } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';
import type { Scratch } from './elementwise-scratch.ts';
import { floatTypes } from './floats.ts';
import { multiplyAdd } from './multiply-add.ts';

/** Adding it rounds to an integer, which then stands in the low bits. */
export const ROUNDER: number = 1.5 * 2 ** 23;
/** The same for double precision. */
export const ROUNDER_DOUBLE: number = 1.5 * 2 ** 52;
/** Bits of √½: mantissas are taken from there to √2, where the logarithm is near 0. */
export const SQRT_HALF_BITS = 0x3f3504f3;

/** c + a b, in one instruction where there is one. */
export const plus = (c: Vector, a: Vector, b: Vector): Vector => multiplyAdd(floatTypes.float32, a, b, c);

/**
 * A polynomial in z, lowest power first: pairs of terms, and those by Horner's rule in z². That halves the
 * chain of dependent operations, which is what long polynomials wait for.
 */
export function polynomial(
  s: Scratch,
  z: Vector,
  coefficients: readonly number[],
  square: Vector = s.keep(f32x4.mul(z, z)),
): Vector {
  let value: Vector | undefined;
  for (let k = (coefficients.length - 1) & -2; k >= 0; k -= 2) {
    const even = f32x4.const(coefficients[k]!);
    const odd = coefficients[k + 1];
    const pair = odd === undefined ? even : plus(even, f32x4.const(odd), z);
    value = value === undefined ? pair : plus(pair, value, square);
  }
  return value!;
}

/** x within bounds; NaN stays, as `pmin(x, c)` and `pmax(x, c)` give x then. */
export const clamp = (x: Vector, low: number, high: number): Vector => f32x4.pmin(f32x4.pmax(x, low), high);

/** Gives a positive vector the signs of another. */
export const withSign = (magnitude: Vector, x: Vector): Vector =>
  v128.or(magnitude, v128.and(x, f32x4.const(-0)));

/** Whether the mask holds in some lane: where none does, edges need no care. */
export const anyLane = (mask: Vector): Value<'i32'> => v128.anyTrue(mask);
