import { drawDoubles, drawFloats, fusedMultiplyAdd } from './distributions.ts';
import { ValueError } from './errors.ts';
import type { Generator } from './generator.ts';

/** From this many elements on, normals come in blocks: eight radii, then eight angles. */
const BLOCK = 16;
const HALF = BLOCK / 2;
const f = Math.fround;

/**
 * Fills an array with normally distributed numbers (Box–Muller).
 *
 * From 16 elements on they are made in blocks of 16 from uniform draws of the array's precision; a last,
 * incomplete block is drawn anew and overlaps the one before. Fewer than 16 are made one pair at a time in
 * double precision, and the unused half of a pair waits in the generator for the next such call.
 *
 * @param out the array to fill, at any offset
 * @param mean default 0
 * @param std standard deviation, not negative, default 1
 * @numerics float32 blocks evaluate logarithm, sine and cosine by the float32 polynomials of PyTorch's AVX2
 * kernel, so they are the same on every machine; the others use `Math`, whose last bit is the JavaScript
 * engine's
 * @throws ValueError when `std` is negative or NaN
 * @source torch.Tensor.normal_; Box and Muller (1958)
 */
export function fillNormal(generator: Generator, out: Float32Array | Float64Array, mean = 0, std = 1): void {
  if (typeof mean !== 'number') throw new ValueError(`normal: the mean must be a number, got ${String(mean)}`);
  if (!(std >= 0)) throw new ValueError(`normal: the standard deviation must not be negative, got ${std}.`);
  if (out.length < BLOCK) {
    for (let i = 0; i < out.length; i++) out[i] = nextNormal(generator, mean, std);
  } else if (out.BYTES_PER_ELEMENT === 4) {
    fillBlocks(generator, out as Float32Array, drawFloats, transformFloats, f(mean), f(std));
  } else {
    fillBlocks(generator, out as Float64Array, drawDoubles, transformDoubles, mean, std);
  }
}

/**
 * One normally distributed number, in double precision.
 *
 * @param mean default 0
 * @param std standard deviation, default 1
 */
export function nextNormal(generator: Generator, mean = 0, std = 1): number {
  let sample = generator.spareNormal;
  generator.spareNormal = null;
  if (sample === null) {
    const uniforms = new Float64Array(2);
    drawDoubles(generator, uniforms);
    const radius = Math.sqrt(-2 * Math.log(1 - uniforms[1]!));
    const angle = 2 * Math.PI * uniforms[0]!;
    generator.spareNormal = radius * Math.sin(angle);
    sample = radius * Math.cos(angle);
  }
  return fusedMultiplyAdd(sample, std, mean);
}

function fillBlocks<A extends Float32Array | Float64Array>(
  generator: Generator,
  out: A,
  draw: (generator: Generator, out: A) => void,
  transform: (block: A, at: number, mean: number, std: number) => void,
  mean: number,
  std: number,
): void {
  draw(generator, out);
  const n = out.length;
  for (let at = 0; at + BLOCK <= n; at += BLOCK) transform(out, at, mean, std);
  if (n % BLOCK === 0) return;
  draw(generator, out.subarray(n - BLOCK) as A);
  transform(out, n - BLOCK, mean, std);
}

function transformDoubles(block: Float64Array, at: number, mean: number, std: number): void {
  for (let i = at; i < at + HALF; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - block[i]!));
    const angle = 2 * Math.PI * block[i + HALF]!;
    block[i] = fusedMultiplyAdd(radius * Math.cos(angle), std, mean);
    block[i + HALF] = fusedMultiplyAdd(radius * Math.sin(angle), std, mean);
  }
}

// Below, a product inside one sum is left unrounded: products of two float32 are exact in double, so `f(a *
// b + c)` is a fused multiply-add, and the places of the roundings are those of the AVX2 kernel.

const TWO_PI = f(2 * Math.PI);
const FOUR_OVER_PI = f(4 / Math.PI);
const SQRT_HALF = f(Math.SQRT1_2);
/** π/4 in three parts, the first two with few enough bits that their multiples are exact. */
const QUARTER_PI_1 = 0.78515625;
const QUARTER_PI_2 = 2.4187564849853515625e-4;
const QUARTER_PI_3 = f(3.774894977445941e-8);
/** ln 2 in two parts. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = f(-2.1219444e-4);
/** Minimax polynomials of the Cephes library (S. Moshier), highest degree first. */
const LOG = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const COS = Float32Array.of(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2);
const SIN = Float32Array.of(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1);

function transformFloats(block: Float32Array, at: number, mean: number, std: number): void {
  for (let i = at; i < at + HALF; i++) {
    const radius = f(Math.sqrt(f(-2 * logarithm(1 - block[i]!))));
    const angle = f(TWO_PI * block[i + HALF]!);
    const octant = (Math.trunc(f(angle * FOUR_OVER_PI)) + 1) & ~1;
    let x = f(angle - octant * QUARTER_PI_1);
    x = f(x - octant * QUARTER_PI_2);
    x = f(x - octant * QUARTER_PI_3);
    const square = f(x * x);
    const even = cosine(square);
    const odd = sine(x, square);
    const swapped = (octant & 2) !== 0;
    const cos = (swapped ? odd : even) * (((octant + 2) & 4) === 0 ? 1 : -1);
    const sin = (swapped ? even : odd) * ((octant & 4) === 0 ? 1 : -1);
    block[i] = f(radius * cos) * std + mean;
    block[i + HALF] = f(radius * sin) * std + mean;
  }
}

/** Natural logarithm of a float32 from (0, 1], by its float32 polynomial. */
function logarithm(value: number): number {
  let exponent = 0;
  let x = value;
  while (x < 0.5) {
    x *= 2;
    exponent--;
  }
  if (x === 1) return 0;
  if (x < SQRT_HALF) {
    exponent--;
    x += x;
  }
  x -= 1;
  const square = f(x * x);
  let y = LOG[0]!;
  for (let i = 1; i < LOG.length; i++) y = f(y * x + LOG[i]!);
  y = f(f(y * x) * square + f(exponent * LN2_LOW));
  y = f(y - 0.5 * square);
  return f(f(x + y) + exponent * LN2_HIGH);
}

function cosine(square: number): number {
  const y = f(f(COS[0]! * square + COS[1]!) * square + COS[2]!);
  return f(f(f(y * square) * square - 0.5 * square) + 1);
}

function sine(x: number, square: number): number {
  const y = f(f(SIN[0]! * square + SIN[1]!) * square + SIN[2]!);
  return f(f(y * square) * x + x);
}
