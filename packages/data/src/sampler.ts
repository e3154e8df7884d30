import { defaultGenerator, randint, randperm, requireOptions, Generator, ValueError } from '@tapegrad/core';

/** Gives positions in the order in which they are to be loaded; each iteration is one epoch. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

/** A dataset whose positions are sampled, or how many there are. */
export type Sized = number | { readonly length: number };

/** How many positions there are. */
function sizeOf(source: Sized): number {
  return typeof source === 'number' ? source : source.length;
}

/** 0, 1, 2, … @source torch.utils.data.SequentialSampler */
export class SequentialSampler implements Sampler {
  readonly length: number;
  constructor(dataSource: Sized) {
    this.length = sizeOf(dataSource);
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

/** Options of RandomSampler. */
export interface RandomSamplerOptions {
  /** Draw each position anew from all, so that some come twice; default false. */
  replacement?: boolean;
  /** Positions per epoch; default as many as there are samples. */
  numSamples?: number;
  /** The stream to draw from; by default one per epoch, seeded from the default stream. */
  generator?: Generator | undefined;
}

/** PyTorch draws positions with replacement in portions of this size. */
const PORTION = 32;

/**
 * All positions in random order, anew for each epoch. Without a generator of its own it seeds one from the default
 * stream, by the same draws as PyTorch.
 * @throws ValueError when there are no samples, or `numSamples` is not a positive whole number
 * @source torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  /** How many positions there are to choose from. */
  private readonly size: number;
  private readonly replacement: boolean;
  private readonly generator: Generator | undefined;

  constructor(dataSource: Sized, options: RandomSamplerOptions = {}) {
    requireOptions('RandomSampler', options, ['replacement', 'numSamples', 'generator']);
    const size = sizeOf(dataSource);
    const { replacement = false, numSamples = size, generator } = options;
    requireCount('RandomSampler: numSamples', numSamples);
    this.size = size;
    this.length = numSamples;
    this.replacement = replacement;
    this.generator = generator;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { size, length, replacement } = this;
    const generator = this.generator ?? new Generator(drawSeed(defaultGenerator));
    if (replacement) {
      for (let left = length; left > 0; left -= PORTION) {
        yield* randint(0, size, [Math.min(left, PORTION)], { generator }).toTypedArray();
      }
      return;
    }
    for (let epoch = 0; epoch < Math.floor(length / size); epoch++) yield* randperm(size, { generator }).toTypedArray();
    // PyTorch draws one more order, for what is beyond whole epochs, even if that is nothing.
    if (generator === this.generator || length % size > 0) {
      yield* randperm(size, { generator }).toTypedArray().subarray(0, length % size);
    }
  }
}

/** The given positions in random order, anew for each epoch. @source torch.utils.data.SubsetRandomSampler */
export class SubsetRandomSampler implements Sampler {
  readonly indices: readonly number[];
  readonly length: number;
  private readonly generator: Generator;

  constructor(indices: readonly number[], options: { generator?: Generator | undefined } = {}) {
    requireOptions('SubsetRandomSampler', options, ['generator']);
    this.indices = indices;
    this.length = indices.length;
    this.generator = options.generator ?? defaultGenerator;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const i of randperm(this.length, { generator: this.generator }).toTypedArray()) yield this.indices[i]!;
  }
}

/** Groups of positions, each to be loaded as one batch. */
export interface BatchSource extends Iterable<number[]> {
  readonly length: number;
}

/** Groups the positions of a sampler. @source torch.utils.data.BatchSampler */
export class BatchSampler implements BatchSource {
  private readonly sampler: Sampler;
  private readonly batchSize: number;
  private readonly dropLast: boolean;

  /** @throws ValueError for a batch size that is not a positive whole number */
  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    requireCount('BatchSampler: batchSize', batchSize);
    this.sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length === this.batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}

/** Options of DistributedSampler. */
export interface DistributedSamplerOptions {
  /** How many processes share the samples. */
  numReplicas: number;
  /** Which of them this is, from 0. */
  rank: number;
  /** Shuffle, anew for each epoch; default true. */
  shuffle?: boolean;
  /** Must be the same in all processes; default 0. */
  seed?: number;
  /** Leave out samples that do not fill a round, instead of taking some twice; default false. */
  dropLast?: boolean;
}

/**
 * The part of the positions that one of several processes loads; all parts are of one size. Call `setEpoch` before each
 * epoch, or every epoch has the same order.
 * @throws ValueError for a rank that is not below the number of processes
 * @source torch.utils.data.DistributedSampler
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  private readonly size: number;
  private readonly options: Required<DistributedSamplerOptions>;
  private epoch = 0;

  constructor(dataset: Sized, options: DistributedSamplerOptions) {
    requireOptions('DistributedSampler', options, ['numReplicas', 'rank', 'shuffle', 'seed', 'dropLast']);
    const length = sizeOf(dataset);
    this.options = { shuffle: true, seed: 0, dropLast: false, ...options };
    const { numReplicas, rank, dropLast } = this.options;
    if (!(Number.isInteger(rank) && rank >= 0 && rank < numReplicas)) {
      throw new ValueError(`DistributedSampler: rank must be from 0 to ${numReplicas - 1}, got ${rank}`);
    }
    this.size = length;
    this.length = dropLast ? Math.ceil((length - numReplicas) / numReplicas) : Math.ceil(length / numReplicas);
    if (dropLast && length % numReplicas === 0) this.length = length / numReplicas;
  }

  /** Says which epoch comes, so that it has an order of its own. */
  setEpoch(epoch: number): void {
    this.epoch = epoch;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { shuffle, seed, numReplicas, rank } = this.options;
    const order = shuffle
      ? randperm(this.size, { generator: new Generator(seed + this.epoch) }).toTypedArray()
      : Int32Array.from({ length: this.size }, (_, i) => i);
    // The order begins again where it does not fill the last round.
    for (let i = 0; i < this.length; i++) yield order[(rank + i * numReplicas) % this.size]!;
  }
}

/** A seed as PyTorch draws one: a 64-bit number, of which the generator uses the lower half. */
export function drawSeed(generator: Generator): number {
  generator.word();
  return generator.word();
}

/** @throws ValueError unless the value is a positive whole number */
export function requireCount(what: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0)) throw new ValueError(`${what} must be a positive whole number, got ${value}`);
}
