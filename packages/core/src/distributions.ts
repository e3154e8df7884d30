import { ValueError } from './errors.ts';
import type { Generator } from './generator.ts';

/** A typed array that a distribution can fill; `bool` tensors are bytes. */
export type SampleArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const TWO_32 = 2 ** 32;
/** Size of the portions in which float64 uniforms are drawn for a fill of another type. */
const CHUNK = 1024;

/**
 * Fills an array with uniform numbers from [from, to).
 *
 * @param out float32 takes one 32-bit draw per element, float64 two
 * @param from lower bound, default 0
 * @param to upper bound, default 1
 * @numerics `x * (to - from) + from` in the array's precision, rounded once (fused) as in PyTorch's AVX2
 * build
 * @throws ValueError when `from` > `to` or a bound is not finite
 * @source torch.Tensor.uniform_
 */
export function fillUniform(generator: Generator, out: Float32Array | Float64Array, from = 0, to = 1): void {
  if (!(from <= to && Number.isFinite(to - from))) {
    throw new ValueError(
      `uniform: expected finite bounds with from <= to, got from = ${from} and to = ${to}.`,
    );
  }
  if (isFloat32(out)) {
    drawFloats(generator, out);
    const low = Math.fround(from);
    const width = Math.fround(Math.fround(to) - low);
    // A product of two float32 is exact in double, so the only rounding left is the store.
    if (low !== 0 || width !== 1) for (let i = 0; i < out.length; i++) out[i] = out[i]! * width + low;
  } else {
    drawDoubles(generator, out);
    const width = to - from;
    if (from !== 0) for (let i = 0; i < out.length; i++) out[i] = fusedMultiplyAdd(out[i]!, width, from);
    else if (width !== 1) for (let i = 0; i < out.length; i++) out[i] = out[i]! * width;
  }
}

/**
 * Fills an array with integers, uniform in [low, high).
 *
 * @param low smallest value
 * @param high one more than the largest value; below a range of 2³² each element takes one draw, above it two
 * @throws ValueError when a bound is not a safe integer or `low` >= `high`
 * @source torch.randint, torch.Tensor.random_(from, to)
 */
export function fillIntegers(generator: Generator, out: SampleArray, low: number, high: number): void {
  const range = high - low;
  if (![low, high, range].every(Number.isSafeInteger) || range <= 0) {
    throw new ValueError(`randint: expected integers with low < high, got low = ${low} and high = ${high}.`);
  }
  if (range < TWO_32) {
    for (let i = 0; i < out.length; i++) out[i] = (generator.word() % range) + low;
    return;
  }
  for (let i = 0; i < out.length; i++) {
    const draw = (BigInt(generator.word()) << 32n) | BigInt(generator.word());
    out[i] = Number(draw % BigInt(range)) + low;
  }
}

/**
 * Fills an array with a random permutation of 0 … n − 1, n being the array's length.
 *
 * @source torch.randperm
 */
export function fillPermutation(generator: Generator, out: SampleArray): void {
  const n = out.length;
  for (let i = 0; i < n; i++) out[i] = i;
  for (let i = 0; i < n - 1; i++) {
    const other = i + (generator.word() % (n - i));
    const kept = out[i]!;
    out[i] = out[other]!;
    out[other] = kept;
  }
}

/**
 * Fills an array with ones and zeros; an element is 1 with probability `p`.
 *
 * @param p one probability for all elements (two draws each), or one per element (float32: one draw each)
 * @throws ValueError when a probability is outside [0, 1] or the lengths differ
 * @source torch.Tensor.bernoulli_, torch.bernoulli
 */
export function fillBernoulli(
  generator: Generator,
  out: SampleArray,
  p: number | Float32Array | Float64Array,
): void {
  if (typeof p === 'number') {
    checkProbability('bernoulli', p);
    eachChunk(generator, out.length, (uniforms, start) => {
      for (let i = 0; i < uniforms.length; i++) out[start + i] = uniforms[i]! < p ? 1 : 0;
    });
    return;
  }
  if (p.length !== out.length) {
    throw new ValueError(`bernoulli: ${out.length} elements need as many probabilities, got ${p.length}.`);
  }
  for (const probability of p) checkProbability('bernoulli', probability);
  if (isFloat32(p)) {
    for (let i = 0; i < out.length; i++) out[i] = (generator.word() & 0xffffff) < p[i]! * 2 ** 24 ? 1 : 0;
  } else {
    eachChunk(generator, out.length, (uniforms, start) => {
      for (let i = 0; i < uniforms.length; i++) out[start + i] = uniforms[i]! < p[start + i]! ? 1 : 0;
    });
  }
}

/**
 * Fills an array with the factors by which dropout multiplies: 0 with probability `p`, otherwise 1 / (1 − p).
 * For `p` = 0 and `p` = 1 nothing is drawn.
 *
 * @param p probability of dropping an element, 0 to 1
 * @throws ValueError when `p` is outside [0, 1]
 * @source torch.nn.functional.dropout
 */
export function fillDropoutMask(generator: Generator, out: Float32Array | Float64Array, p: number): void {
  checkProbability('dropout', p);
  if (p === 0 || p === 1) {
    out.fill(1 - p);
    return;
  }
  const keep = 1 - p;
  const scale = isFloat32(out) ? 1 / Math.fround(keep) : 1 / keep;
  eachChunk(generator, out.length, (uniforms, start) => {
    for (let i = 0; i < uniforms.length; i++) out[start + i] = uniforms[i]! < keep ? scale : 0;
  });
}

/**
 * Fills an array with exponentially distributed numbers, density λ·e^(−λx).
 *
 * @param rate λ > 0, default 1
 * @throws ValueError when `rate` is not positive
 * @source torch.Tensor.exponential_
 */
export function fillExponential(generator: Generator, out: Float32Array | Float64Array, rate = 1): void {
  if (!(rate > 0)) throw new ValueError(`exponential: the rate must be positive, got ${rate}.`);
  eachChunk(generator, out.length, (uniforms, start) => {
    for (let i = 0; i < uniforms.length; i++) out[start + i] = (-1 / rate) * Math.log(1 - uniforms[i]!);
  });
}

/**
 * Draws indices with replacement; index i with a probability proportional to `weights[i]`.
 *
 * @param out the indices drawn, two 32-bit draws each
 * @param weights non-negative and finite, not all zero; summed in their own precision
 * @throws ValueError when the weights are no distribution
 * @source torch.multinomial(replacement=True) with more than one sample
 */
export function fillMultinomial(
  generator: Generator,
  out: SampleArray,
  weights: Float32Array | Float64Array,
): void {
  const cumulative = weights.slice();
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (!(weight >= 0 && weight < Infinity)) {
      throw new ValueError(
        `multinomial: weights must be finite and not negative, got ${weight} at index ${i}.`,
      );
    }
    cumulative[i] = total + weight;
    total = cumulative[i]!;
  }
  if (!(total > 0)) throw new ValueError('multinomial: at least one weight must be positive.');
  for (let i = 0; i < weights.length; i++) cumulative[i] = cumulative[i]! / total;
  cumulative[weights.length - 1] = 1;
  eachChunk(generator, out.length, (uniforms, start) => {
    for (let i = 0; i < uniforms.length; i++) out[start + i] = firstNotBelow(cumulative, uniforms[i]!);
  });
}

/** Fills with float32 numbers from [0, 1): 24 bits of one draw each. */
export function drawFloats(generator: Generator, out: Float32Array): void {
  // The draws are written where their floats will stand, so that a fill of any size needs no second buffer.
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  generator.words(words);
  for (let i = 0; i < out.length; i++) out[i] = (words[i]! & 0xffffff) * 2 ** -24;
}

/** Fills with float64 numbers from [0, 1): 53 bits of two draws each, the first draw on top. */
export function drawDoubles(generator: Generator, out: Float64Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, 2 * out.length);
  generator.words(words);
  for (let i = 0; i < out.length; i++) {
    out[i] = ((words[2 * i]! & 0x1fffff) * TWO_32 + words[2 * i + 1]!) * 2 ** -53;
  }
}

/** a·b + c rounded once, for numbers far from overflow and underflow. */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const productError = al * bl - (product - ah * bh - al * bh - ah * bl);
  const sum = product + c;
  const rest = sum - product;
  const sumError = product - (sum - rest) + (c - rest);
  return sum + (sumError + productError);
}

/** Calls `use` with n float64 uniforms in portions, so that a large fill needs no large buffer. */
function eachChunk(
  generator: Generator,
  n: number,
  use: (uniforms: Float64Array, start: number) => void,
): void {
  const buffer = new Float64Array(Math.min(n, CHUNK));
  for (let start = 0; start < n; start += CHUNK) {
    const chunk = n - start < CHUNK ? buffer.subarray(0, n - start) : buffer;
    drawDoubles(generator, chunk);
    use(chunk, start);
  }
}

/** Veltkamp's splitting into two halves whose products are exact. */
function split(value: number): [number, number] {
  const scaled = 134217729 * value;
  const high = scaled - (scaled - value);
  return [high, value - high];
}

function firstNotBelow(sorted: Float32Array | Float64Array, value: number): number {
  let left = 0;
  let right = sorted.length;
  while (left < right) {
    const middle = (left + right) >>> 1;
    if (sorted[middle]! < value) left = middle + 1;
    else right = middle;
  }
  return left;
}

function checkProbability(what: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new ValueError(`${what}: a probability must be between 0 and 1, got ${p}.`);
}

function isFloat32(array: SampleArray): array is Float32Array {
  return array.BYTES_PER_ELEMENT === 4;
}
