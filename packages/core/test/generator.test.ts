import { describe, expect, it } from '@jest/globals';
import { Generator } from '../src/generator.ts';
import { nextNormal } from '../src/normal-distribution.ts';

function fingerprint(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5 | 0) >>> 0;
}

describe('the stream of a generator', () => {
  it('is MT19937, draw by draw', () => {
    const generator = new Generator(5489);
    expect([generator.word(), generator.word(), generator.word()]).toEqual([
      3499211612, 581869302, 3890346734,
    ]);
    for (let i = 3; i < 9999; i++) generator.word();
    expect(generator.word()).toBe(4123659995);
  });

  it('gives the same draws in bulk as one by one, across every refill of the state', () => {
    const single = new Generator(9);
    const bulk = new Generator(9);
    for (const n of [1, 0, 623, 1, 624, 625, 2000, 3]) {
      const words = new Uint32Array(n);
      bulk.words(words);
      expect(Array.from(words)).toEqual(Array.from({ length: n }, () => single.word()));
    }
    expect(bulk.getState()).toEqual(single.getState());
  });

  it('depends on the low 32 bits of the seed only', () => {
    const first = (seed: number): number => new Generator(seed).word();
    expect(first(2 ** 32 + 5)).toBe(first(5));
    expect(first(2 ** 40)).toBe(first(0));
    expect(first(-1)).toBe(first(2 ** 32 - 1));
    expect(first(1)).not.toBe(first(0));
  });

  it('remembers the whole seed', () => {
    expect(new Generator().initialSeed()).toBe(67280421310721);
    expect(new Generator(2 ** 40 + 3).initialSeed()).toBe(2 ** 40 + 3);
    expect(new Generator(-1).initialSeed()).toBe(2 ** 64);
  });

  it.each([1.5, NaN, 2 ** 53, Infinity])('refuses the seed %p', (seed) => {
    expect(() => new Generator(seed)).toThrow(/^manualSeed: the seed must be an integer/);
  });

  it('forgets the cached normal when it is seeded again', () => {
    const generator = new Generator(4);
    const first = nextNormal(generator);
    generator.manualSeed(4);
    expect(nextNormal(generator)).toBe(first);
  });
});

describe('the state of a generator', () => {
  it('has the bytes of torch.get_rng_state()', () => {
    const generator = new Generator(77);
    expect(fingerprint(generator.getState())).toBe(3348784827);
    for (let i = 0; i < 3; i++) nextNormal(generator);
    generator.words(new Uint32Array(5));
    expect(generator.spareNormal).not.toBeNull();
    expect(fingerprint(generator.getState())).toBe(3858126720);
  });

  it.each([0, 1, 623, 624, 625])('continues after %i draws exactly where it was taken', (draws) => {
    const generator = new Generator(2 ** 40 + 3);
    generator.words(new Uint32Array(draws));
    nextNormal(generator);
    const state = generator.getState();
    const expected = [nextNormal(generator), nextNormal(generator), generator.word()];
    const other = new Generator(1).setState(state);
    expect([nextNormal(other), nextNormal(other), other.word()]).toEqual(expected);
    expect(other.initialSeed()).toBe(2 ** 40 + 3);
  });

  it('is a copy, and may be read from any offset', () => {
    const generator = new Generator(3);
    const state = generator.getState();
    const shifted = new Uint8Array(state.length + 3);
    shifted.set(state, 3);
    const first = generator.word();
    expect(new Generator().setState(shifted.subarray(3)).word()).toBe(first);
  });

  it('refuses bytes that are no state, and keeps its own', () => {
    const generator = new Generator(3);
    const broken = generator.getState();
    broken[16] = 9;
    expect(() => generator.setState(new Uint8Array(10))).toThrow(
      "setState: a generator's state has 5056 bytes, got 10.",
    );
    expect(() => generator.setState(broken)).toThrow(
      'setState: these bytes are not the state of a generator.',
    );
    expect(() => generator.setState(new Uint8Array(5056))).toThrow('not the state of a generator');
    expect(generator.word()).toBe(new Generator(3).word());
  });
});
