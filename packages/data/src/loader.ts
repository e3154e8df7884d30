import { defaultGenerator, ValueError, type Generator } from '@tapegrad/core';
import { defaultCollate } from './collate.ts';
import type { Dataset } from './dataset.ts';
import { drawSeed, RandomSampler, SequentialSampler, type Sampler } from './sampler.ts';

/** How a DataLoader makes batches. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples per batch; default 1. */
  batchSize?: number;
  /** Load in random order, anew each epoch; default false. */
  shuffle?: boolean;
  /** The order of loading, instead of `shuffle`. */
  sampler?: Sampler;
  /** Leave out the last batch if it is not full; default false. */
  dropLast?: boolean;
  /** Joins samples into a batch; default `defaultCollate`. */
  collate?: (samples: Sample[]) => Batch;
  /** The random stream for shuffling; default the one that `manualSeed` restarts. */
  generator?: Generator;
}

/**
 * Goes through a dataset in batches: `for (const [x, y] of loader)`, or `for await` where samples are promised.
 * Each iteration is one epoch; the order of a seeded shuffle is PyTorch's.
 * @throws ValueError for a batch size below 1, or `shuffle` together with a sampler
 * @source torch.utils.data.DataLoader
 */
export class DataLoader<Sample, Batch = Sample> implements Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly sampler: Sampler;
  private readonly collate: ((samples: Sample[]) => Batch) | undefined;
  private readonly generator: Generator | undefined;

  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch> = {}) {
    const { batchSize = 1, shuffle = false, sampler, dropLast = false, collate, generator } = options;
    if (!(Number.isInteger(batchSize) && batchSize > 0)) {
      throw new ValueError(`DataLoader: batchSize must be a positive whole number, got ${batchSize}`);
    }
    if (shuffle && sampler !== undefined) throw new ValueError('DataLoader: give either shuffle or a sampler, not both');
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.collate = collate;
    this.generator = generator;
    this.sampler =
      sampler ?? (shuffle ? new RandomSampler(dataset.length, { generator }) : new SequentialSampler(dataset.length));
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const { length } = this.sampler;
    return this.dropLast ? Math.floor(length / this.batchSize) : Math.ceil(length / this.batchSize);
  }

  /** The positions of each batch of one epoch; what iterating loads. Draws the order from the random stream. */
  *batches(): BatchIndices<number[]> {
    // PyTorch draws a seed for its worker processes at the start of each epoch, with or without workers.
    drawSeed(this.generator ?? defaultGenerator);
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

  /** Loads the samples at these positions as one batch. */
  load(indices: readonly number[]): Batch | Promise<Batch> {
    const { dataset, collate } = this;
    if (dataset.getBatch !== undefined && collate === undefined) return dataset.getBatch(indices) as Batch | Promise<Batch>;
    const join = collate ?? (defaultCollate as (samples: Sample[]) => Batch);
    const samples = indices.map((i) => dataset.get(i));
    if (samples.some(isPromise)) return Promise.all(samples).then(join);
    return join(samples as Sample[]);
  }

  /** @throws ValueError when the dataset promises its samples: use `for await` */
  *[Symbol.iterator](): Iterator<Batch> {
    for (const indices of this.batches()) {
      const batch = this.load(indices);
      if (isPromise(batch)) throw new ValueError('DataLoader: this dataset promises its samples; use for await (… of loader)');
      yield batch;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Batch> {
    for (const indices of this.batches()) yield await this.load(indices);
  }
}

type BatchIndices<T> = globalThis.Generator<T, void, undefined>;

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}
