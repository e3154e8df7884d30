import { describe, expect, it } from '@jest/globals';
import {
  fillBernoulli,
  fillDropoutMask,
  fillExponential,
  fillIntegers,
  fillMultinomial,
  fillPermutation,
  fillUniform,
} from '../src/distributions.ts';
import { ValueError } from '../src/errors.ts';
import { Generator } from '../src/generator.ts';
import { fillNormal } from '../src/normal-distribution.ts';

const arrays = { float32: Float32Array, float64: Float64Array };
type Floating = keyof typeof arrays;

/** A hash of every bit; the expected ones were made from what PyTorch 1.13 draws for the same seed. */
function fingerprint(values: Float32Array | Float64Array | Int32Array): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

function nextThree(generator: Generator): number {
  const values = new Float32Array(3);
  fillUniform(generator, values);
  return fingerprint(values);
}

describe('bit for bit as PyTorch draws them', () => {
  it.each<[number, number, Floating, number, number, number]>([
    [0, 5, 'float32', 0, 1, 75340470],
    [0, 1000, 'float32', -1, 2, 1459637816],
    [1234, 784, 'float32', -1 / 28, 1 / 28, 3890681799],
    [2 ** 31, 17, 'float32', -0.1, 0.7, 2571725402],
    [2 ** 32 + 5, 700, 'float64', 0, 1, 28054703],
    [2 ** 40, 31, 'float64', -0.1, 0.7, 1497237529],
    [-1, 15, 'float64', 0, 5, 2836330469],
  ])('uniform: seed %p, %p elements of %s in [%p, %p)', (seed, n, dtype, from, to, expected) => {
    const values = new arrays[dtype](n);
    fillUniform(new Generator(seed), values, from, to);
    expect(fingerprint(values)).toBe(expected);
  });

  it.each([
    [0, 1, 0, 1, 4013190748],
    [1, 15, 0, 1, 2779025115],
    [0, 16, 0, 1, 1747849270],
    [1234, 17, 2, 3, 2078514178],
    [2 ** 31, 31, -0.3, 0.02, 1889285394],
    [2 ** 32 + 5, 100, 0, 1, 3239301338],
    [2 ** 40, 1000, 0, 1, 4038338750],
    [1, 5000, -1, 0.5, 2684118952],
  ])('normal: seed %p, %p float32 of mean %p and standard deviation %p', (seed, n, mean, std, expected) => {
    const values = new Float32Array(n);
    fillNormal(new Generator(seed), values, mean, std);
    expect(fingerprint(values)).toBe(expected);
  });

  it.each([
    [0, 1000, 0, 10, 3918604695],
    [1, 17, -5, 7, 738238753],
    [1234, 100, 0, 2 ** 31, 2778347285],
    [0, 100, 0, 2 ** 32 - 1, 1375915680],
    [1, 100, 0, 2 ** 32, 3813776703],
    [2 ** 40, 100, -(2 ** 40), 2 ** 45, 1230242519],
  ])('integers: seed %p, %p elements in [%p, %p)', (seed, n, low, high, expected) => {
    const values = new Float64Array(n);
    fillIntegers(new Generator(seed), values, low, high);
    expect(fingerprint(values)).toBe(expected);
  });

  it.each([
    [0, 1, 1268118805, 649376897],
    [0, 2, 1270166100, 2824439186],
    [0, 10, 2920180756, 2929114144],
    [1, 1000, 771532969, 3694564136],
    [2 ** 32 + 5, 60000, 3412092501, 1753770484],
  ])('permutation: seed %p, %p elements, and the stream after it', (seed, n, expected, after) => {
    const generator = new Generator(seed);
    const values = new Int32Array(n);
    fillPermutation(generator, values);
    expect(fingerprint(values)).toBe(expected);
    expect(nextThree(generator)).toBe(after);
  });

  it.each([
    [0, 1000, 0.3, 2713678184, 3874760933, 507225829, 2093817450],
    [1, 17, 0.5, 1419213640, 813706901, 3798530389, 2618245769],
    [1234, 5000, 0.123, 3291217528, 1043140424, 3488739134, 606276547],
    [1, 100, 0, 3963512581, 3963512581, 1058971493, 2020873729],
    [1, 100, 1, 1058971493, 1058971493, 3963512581, 2020873729],
  ])(
    'Bernoulli and dropout: seed %p, %p elements, p = %p',
    (seed, n, p, scalar, perElement, dropout, after) => {
      const values = new Float32Array(n);
      fillBernoulli(new Generator(seed), values, p);
      expect(fingerprint(values)).toBe(scalar);
      fillBernoulli(new Generator(seed), values, new Float32Array(n).fill(p));
      expect(fingerprint(values)).toBe(perElement);
      const generator = new Generator(seed);
      fillDropoutMask(generator, values, p);
      expect(fingerprint(values)).toBe(dropout);
      expect(nextThree(generator)).toBe(after);
    },
  );

  it('exponential and multinomial', () => {
    const exponential = new Float32Array(1000);
    fillExponential(new Generator(0), exponential, 1.7);
    expect(fingerprint(exponential)).toBe(1273769608);
    const weights = [0.1, 0.7, 0, 0.3, 2.2, 0.1];
    const indices = new Int32Array(1000);
    fillMultinomial(new Generator(0), indices, Float32Array.from(weights));
    expect(fingerprint(indices)).toBe(1598293794);
    fillMultinomial(new Generator(1), indices.subarray(0, 17), Float64Array.from(weights));
    expect(fingerprint(indices.subarray(0, 17))).toBe(270939716);
  });

  it('a mixture that carries the cached normal across other draws', () => {
    const generator = new Generator(3);
    const run = <A extends Float32Array | Int32Array>(
      fill: (generator: Generator, out: A) => void,
      out: A,
    ): number => {
      fill(generator, out);
      return fingerprint(out);
    };
    expect([
      run(fillNormal, new Float32Array(3)),
      run(fillUniform, new Float32Array(5)),
      run(fillNormal, new Float32Array(20)),
      run(fillNormal, new Float32Array(1)),
      run(fillPermutation, new Int32Array(7)),
      run(fillNormal, new Float32Array(1)),
      run(fillUniform, new Float32Array(700)),
      run(fillNormal, new Float32Array(4)),
    ]).toEqual([
      694647619, 1278005121, 3542697370, 3801067209, 3200159858, 2049050143, 932672666, 2450432296,
    ]);
  });
});

describe('float64 samples that pass through a logarithm', () => {
  const close = (actual: Float64Array, expected: number[]): void => {
    expect(actual.length).toBe(expected.length);
    expected.forEach((value, i) => expect(Math.abs(actual[i]! / value - 1)).toBeLessThan(1e-14));
  };

  it("are PyTorch's to the last digits: normals below 16 elements", () => {
    const values = new Float64Array(5);
    fillNormal(new Generator(0), values);
    close(
      values,
      [1.5409961082440433, -0.2934289057609464, -2.1787893820745574, 0.5684312772806678, -1.084522342424021],
    );
  });

  it("are PyTorch's to the last digits: normals in blocks, with a last block that overlaps", () => {
    const values = new Float64Array(20);
    fillNormal(new Generator(0), values);
    close(
      values,
      [
        -2.310411800234176, -0.3732508612577643, -1.0608166785462863, 0.9995093547811761,
        -0.019964750907762653, 0.2102998901016947, 0.17718935139366584, -0.830510051008449,
        0.23871805816817063, 0.7335283685272841, -1.3218818291421377, 1.3148113651971234, -0.6870036940435463,
        1.4880743158106724, -0.4484158047114511, -0.8910030351707375, 0.6748575435940039, 1.0468653769814655,
        0.15429517864658948, -0.7498915228391941,
      ],
    );
  });

  it("are PyTorch's to the last digits: exponentials", () => {
    const values = new Float64Array(4);
    fillExponential(new Generator(0), values, 2);
    close(values, [1.754163093353821, 0.6151923820898384, 0.30752204694700574, 1.2675593221079409]);
  });
});

describe('a fill', () => {
  it('touches only the part of the buffer that it is given', () => {
    const buffer = new Float32Array(40).fill(7);
    fillNormal(new Generator(0), buffer.subarray(3, 37));
    expect([...buffer.subarray(0, 3), ...buffer.subarray(37)]).toEqual([7, 7, 7, 7, 7, 7]);
    const whole = new Float32Array(34);
    fillNormal(new Generator(0), whole);
    expect(buffer.subarray(3, 37)).toEqual(whole);
  });

  it('of no elements draws nothing', () => {
    const generator = new Generator(1);
    const none = new Float32Array(0);
    fillUniform(generator, none);
    fillNormal(generator, none);
    fillBernoulli(generator, none, 0.5);
    fillPermutation(generator, none);
    fillExponential(generator, none);
    expect(generator.word()).toBe(new Generator(1).word());
  });

  it('writes whole numbers into bytes and int32', () => {
    const bytes = new Uint8Array(200);
    const ints = new Int32Array(200);
    fillIntegers(new Generator(2), bytes, 0, 256);
    fillIntegers(new Generator(2), ints, 0, 256);
    expect(Array.from(bytes)).toEqual(Array.from(ints));
    fillBernoulli(new Generator(2), bytes, 0.5);
    expect(new Set(bytes)).toEqual(new Set([0, 1]));
  });

  it('of a permutation holds every index once', () => {
    const values = new Int32Array(1000);
    fillPermutation(new Generator(8), values);
    expect(Array.from(values).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('never draws an index of weight zero', () => {
    const values = new Int32Array(500);
    fillMultinomial(new Generator(8), values, Float64Array.of(0, 1, 0, 1, 0));
    expect(new Set(values)).toEqual(new Set([1, 3]));
  });

  it.each<[string, () => void]>([
    [
      'uniform: expected finite bounds with from <= to, got from = 2 and to = 1.',
      () => fillUniform(new Generator(0), new Float32Array(1), 2, 1),
    ],
    [
      'normal: the standard deviation must not be negative, got -1.',
      () => fillNormal(new Generator(0), new Float32Array(1), 0, -1),
    ],
    [
      'randint: expected integers with low < high, got low = 3 and high = 3.',
      () => fillIntegers(new Generator(0), new Int32Array(1), 3, 3),
    ],
    [
      'bernoulli: a probability must be between 0 and 1, got 1.5.',
      () => fillBernoulli(new Generator(0), new Uint8Array(1), 1.5),
    ],
    [
      'bernoulli: a probability must be between 0 and 1, got NaN.',
      () => fillBernoulli(new Generator(0), new Uint8Array(2), Float32Array.of(0.5, NaN)),
    ],
    [
      'bernoulli: 2 elements need as many probabilities, got 1.',
      () => fillBernoulli(new Generator(0), new Uint8Array(2), Float32Array.of(0.5)),
    ],
    [
      'dropout: a probability must be between 0 and 1, got -0.1.',
      () => fillDropoutMask(new Generator(0), new Float32Array(1), -0.1),
    ],
    [
      'exponential: the rate must be positive, got 0.',
      () => fillExponential(new Generator(0), new Float32Array(1), 0),
    ],
    [
      'multinomial: weights must be finite and not negative, got -1 at index 1.',
      () => fillMultinomial(new Generator(0), new Int32Array(1), Float32Array.of(1, -1)),
    ],
    [
      'multinomial: at least one weight must be positive.',
      () => fillMultinomial(new Generator(0), new Int32Array(1), new Float32Array(2)),
    ],
  ])('says what is wrong: %s', (message, call) => {
    expect(call).toThrow(new ValueError(message));
  });
});
