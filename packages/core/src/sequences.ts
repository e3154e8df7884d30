import { isFloating, type DType } from './dtype.ts';

/**
 * How many float32 numbers PyTorch computes at once on processors with AVX2. Those of a vector are found from its first one,
 * which is rounded, so that the last bits depend on it: with wider or no vectors PyTorch gives others.
 */
const LANES = 8;

/**
 * A sequence in float32 as PyTorch's kernels make it: whole vectors, two at a time, and what is left number by number.
 * @param at the number at a place, not yet rounded
 * @param steps how far the numbers of a vector lie behind its first one
 */
function inVectors(count: number, at: (i: number) => number, steps: (lanes: number) => number): Float64Array {
  const whole = count - (count % (2 * LANES));
  return Float64Array.from({ length: count }, (_, i) => {
    const lane = i < whole ? i % LANES : 0;
    return lane === 0 ? at(i) : Math.fround(at(i - lane)) + steps(lane);
  });
}

/** A number as an element of this dtype: PyTorch converts what its ranges are made of before it computes with them. */
function inDType(dtype: DType, value: number): number {
  if (dtype === 'float32') return Math.fround(value);
  return isFloating(dtype) ? value : Math.trunc(value);
}

/** `count` numbers from start in equal steps, in float32 with PyTorch's bits. */
export function arithmeticSequence(start: number, step: number, count: number, dtype: DType): Float64Array {
  const [first, each] = isFloating(dtype) ? [start, step] : [Math.trunc(start), Math.trunc(step)];
  const at = (i: number): number => first + each * i;
  if (dtype === 'float32') return inVectors(count, at, (lanes) => step * lanes);
  return Float64Array.from({ length: count }, (_, i) => at(i));
}

/** Numbers at equal distances that are found from the nearer end; of one number, the start. */
function between(start: number, end: number, step: number, count: number): (i: number) => number {
  const half = Math.max(count >> 1, 1);
  return (i) => (i < half ? start + step * i : end - step * (count - 1 - i));
}

/** `count` numbers at equal distances from start to end, both included; in float32 with PyTorch's bits. */
export function linearSequence(start: number, end: number, count: number, dtype: DType): Float64Array {
  const [first, last] = [inDType(dtype, start), inDType(dtype, end)];
  const distance = inDType(dtype, last - first) / Math.max(count - 1, 1);
  const step = dtype === 'float32' ? Math.fround(distance) : distance;
  const at = between(first, last, step, count);
  if (dtype === 'float32') return inVectors(count, at, (lanes) => Math.fround(step * lanes));
  return Float64Array.from({ length: count }, (_, i) => at(i));
}

/**
 * The powers of a base with exponents at equal distances from start to end, both included. Of float32, PyTorch rounds the
 * ends and their difference, and computes the rest in float64.
 */
export function geometricSequence(start: number, end: number, count: number, base: number, dtype: DType): Float64Array {
  const [first, last] = [inDType(dtype, start), inDType(dtype, end)];
  const at = between(first, last, inDType(dtype, last - first) / Math.max(count - 1, 1), count);
  return Float64Array.from({ length: count }, (_, i) => base ** at(i));
}
