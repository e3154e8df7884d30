import { describe, expect, it } from '@jest/globals';
import { Generator, manualSeed, rand, tensor } from '@tapegrad/core';
import { BatchSampler, ConcatDataset, DataLoader, DistributedSampler, randomSplit, RandomSampler } from '../src/index.ts';
import { SequentialSampler, SubsetRandomSampler, WeightedRandomSampler, type Dataset } from '../src/index.ts';

const numbers = (n: number): Dataset<number> => ({ length: n, get: (i) => i });
/** The next number of the default stream: that it is PyTorch's shows that as much was drawn. */
const next = (): string => rand(1).item().toFixed(6);

describe('samplers draw what PyTorch draws', () => {
  it('RandomSampler with replacement, and for more or fewer samples than there are', () => {
    manualSeed(3);
    expect([...new RandomSampler(7, { replacement: true, numSamples: 40 })]).toEqual([
      5, 6, 2, 4, 6, 6, 4, 0, 2, 6, 3, 3, 5, 4, 4, 2, 2, 0, 5, 3, 2, 1, 6, 6, 2, 0, 1, 1, 0, 1, 0, 3, 4, 2, 4, 6, 0, 5, 6, 3,
    ]);
    expect(next()).toBe('0.285842');
    manualSeed(3);
    expect([...new RandomSampler(5, { numSamples: 12 })]).toEqual([2, 1, 0, 4, 3, 3, 0, 1, 2, 4, 3, 4]);
    expect(next()).toBe('0.285842');
    const generator = new Generator(5);
    expect([...new RandomSampler(5, { numSamples: 7, generator })]).toEqual([1, 3, 0, 4, 2, 1, 3]);
    expect([...new RandomSampler(5, { numSamples: 10, generator })]).toEqual([3, 1, 0, 2, 4, 1, 0, 2, 3, 4]);
    expect([...new SubsetRandomSampler([0, 1, 2, 3], { generator })]).toEqual([1, 0, 2, 3]);
  });

  it('SubsetRandomSampler', () => {
    manualSeed(4);
    expect([...new SubsetRandomSampler([10, 20, 30, 40, 50])]).toEqual([10, 40, 20, 50, 30]);
    expect(next()).toBe('0.007195');
  });

  it('WeightedRandomSampler with and without replacement', () => {
    const weights = [0.1, 0.9, 0.4, 0.7, 3, 0.6];
    manualSeed(6);
    expect([...new WeightedRandomSampler(weights, 12)]).toEqual([4, 4, 4, 4, 4, 4, 1, 4, 5, 5, 3, 1]);
    expect(next()).toBe('0.617322');
    manualSeed(6);
    expect([...new WeightedRandomSampler(tensor(weights, { dtype: 'float64' }), 5, { replacement: false })]).toEqual([4, 3, 5, 1, 2]);
    expect(next()).toBe('0.633244');
    manualSeed(6);
    expect([...new WeightedRandomSampler(weights, 1)]).toEqual([4]);
    expect(next()).toBe('0.986830');
  });

  it('DistributedSampler', () => {
    const part = (length: number, numReplicas: number, rank: number, options = {}): number[] => {
      const sampler = new DistributedSampler(length, { numReplicas, rank, ...options });
      sampler.setEpoch(1);
      expect([...sampler]).toHaveLength(sampler.length);
      return [...sampler];
    };
    expect([0, 1, 2].map((rank) => part(10, 3, rank, { seed: 2 }))).toEqual([[6, 7, 1, 4], [0, 8, 9, 6], [3, 5, 2, 0]]);
    const plain = { shuffle: false, dropLast: true };
    expect([0, 1, 2].map((rank) => part(10, 3, rank, plain))).toEqual([[0, 3, 6], [1, 4, 7], [2, 5, 8]]);
    expect(part(9, 3, 2, plain)).toEqual([2, 5, 8]);
    expect(part(2, 5, 4, { shuffle: false })).toEqual([0]);
  });

  it('randomSplit by lengths and by shares', () => {
    manualSeed(9);
    expect(randomSplit(numbers(10), [3, 7]).map((part) => part.indices)).toEqual([[0, 5, 8], [7, 6, 2, 9, 1, 4, 3]]);
    expect(randomSplit(numbers(10), [0.25, 0.35, 0.4]).map((part) => part.indices)).toEqual([[1, 0, 6], [4, 3, 2], [7, 5, 9, 8]]);
    expect(next()).toBe('0.447653');
  });

  it('batches of a sampler in a loader', () => {
    manualSeed(8);
    const batchSampler = new BatchSampler(new RandomSampler(7), 3, true);
    const loader = new DataLoader<number, number[]>(numbers(7), { batchSampler, collateFn: (samples) => samples });
    expect([...loader]).toEqual([[3, 1, 0], [2, 5, 6]]);
    expect([loader.length, next()]).toEqual([2, '0.513802']);
  });
});

describe('samplers and splits refuse what makes no sense', () => {
  it('counts, ranks, weights and lengths', () => {
    expect(() => new RandomSampler(0)).toThrow('RandomSampler: numSamples must be a positive whole number, got 0');
    expect(() => new BatchSampler(new SequentialSampler(3), 0)).toThrow('BatchSampler: batchSize must be a positive whole number, got 0');
    expect(() => new DistributedSampler(3, { numReplicas: 2, rank: 2 })).toThrow('rank must be from 0 to 1, got 2');
    expect(() => new WeightedRandomSampler([1, -1], 2)).toThrow('must be finite and not negative, got -1 at position 1');
    expect(() => new WeightedRandomSampler([0, 0], 2)).toThrow('at least one weight must be positive');
    expect(() => new WeightedRandomSampler([1, 0], 2, { replacement: false })).toThrow('2 positions cannot be drawn');
    expect(() => randomSplit(numbers(10), [3, 6])).toThrow('[3, 6] does not divide 10 samples');
    expect(() => randomSplit(numbers(10), [0.3, 0.6])).toThrow('[0.3, 0.6] does not divide 10 samples');
    expect(() => new ConcatDataset([])).toThrow('at least one dataset');
    expect(() => new ConcatDataset([numbers(2)]).get(2)).toThrow('position 2 of 2');
  });
});

describe('ConcatDataset', () => {
  it('puts datasets one after the other', () => {
    const all = new ConcatDataset([numbers(2), numbers(0), numbers(3)]);
    expect([all.length, ...Array.from({ length: 5 }, (_, i) => all.get(i))]).toEqual([5, 0, 1, 0, 1, 2]);
  });
});
