import { defaultGenerator, requireOptions, ValueError, type Generator } from '@tapegrad/core';
import { defaultCollate } from './collate.ts';
import type { Dataset, IterableDataset } from './dataset.ts';
import { BatchSampler, drawSeed, RandomSampler, requireCount, SequentialSampler } from './sampler.ts';
import type { BatchSource, Sampler } from './sampler.ts';

/** How a DataLoader makes batches. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples per batch; default 1. */
  batchSize?: number;
  /** Load in random order, anew each epoch; default false. */
  shuffle?: boolean;
  /** The order of loading, instead of `shuffle`. */
  sampler?: Sampler;
  /** The positions of each batch, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: BatchSource;
  /** Leave out the last batch if it is not full; default false. */
  dropLast?: boolean;
  /** Joins samples into a batch; default `defaultCollate`. */
  collate?: (samples: Sample[]) => Batch;
  /** The random stream for shuffling; default the one that `manualSeed` restarts. */
  generator?: Generator;
  /** How many batches `for await` has on their way while one is used; for datasets reached by position; default 0. */
  prefetch?: number;
}

const optionNames = [
  'batchSize', 'shuffle', 'sampler', 'batchSampler', 'dropLast', 'collate', 'generator', 'prefetch',
] as const;

/**
 * Goes through a dataset in batches: `for (const [x, y] of loader)`, or `for await` where samples are promised or come
 * from a stream. Each iteration is one epoch; the order of a seeded shuffle is PyTorch's.
 * @throws ValueError for a batch size below 1, options that exclude each other, or an order for a stream
 * @source torch.utils.data.DataLoader
 */
export class DataLoader<
  Sample,
  Batch = Sample,
  Source extends Dataset<Sample> | IterableDataset<Sample> = Dataset<Sample>,
> implements Iterable<Batch>, AsyncIterable<Batch>
{
  readonly dataset: Source;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly prefetch: number;
  /** The positions of each batch; null for a stream. */
  private readonly batchSource: BatchSource | null;
  private readonly collate: ((samples: Sample[]) => Batch) | undefined;
  private readonly generator: Generator | undefined;

  constructor(dataset: Source & (Dataset<Sample> | IterableDataset<Sample>), options: DataLoaderOptions<Sample, Batch> = {}) {
    requireOptions('DataLoader', options, optionNames);
    const { batchSize = 1, shuffle = false, sampler, batchSampler, dropLast = false, prefetch = 0, generator } = options;
    requireCount('DataLoader: batchSize', batchSize);
    if (!(Number.isInteger(prefetch) && prefetch >= 0)) {
      throw new ValueError(`DataLoader: prefetch must be a whole number of batches, got ${prefetch}`);
    }
    if (shuffle && sampler !== undefined) throw new ValueError('DataLoader: give either shuffle or a sampler, not both');
    if (batchSampler !== undefined && (shuffle || sampler !== undefined || dropLast || options.batchSize !== undefined)) {
      throw new ValueError('DataLoader: batchSampler takes the place of batchSize, shuffle, sampler and dropLast');
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.prefetch = prefetch;
    this.collate = options.collate;
    this.generator = generator;
    if (isStream<Sample>(dataset)) {
      if (shuffle || sampler !== undefined || batchSampler !== undefined) {
        throw new ValueError('DataLoader: samples of a stream come in its own order; shuffle before, or load by position');
      }
      this.batchSource = null;
    } else {
      const { length } = dataset as Dataset<Sample>;
      const order = sampler ?? (shuffle ? new RandomSampler(length, { generator }) : new SequentialSampler(length));
      this.batchSource = batchSampler ?? new BatchSampler(order, batchSize, dropLast);
    }
  }

  /** Number of batches in an epoch. @throws ValueError for a stream, whose end nobody knows */
  get length(): number {
    return this.bySource().length;
  }

  /**
   * The positions of each batch of one epoch; what iterating loads. Draws the order from the random stream.
   * @throws ValueError for a stream
   */
  *batches(): BatchIndices<number[]> {
    const source = this.bySource();
    this.drawWorkerSeed();
    yield* source;
  }

  /** Loads the samples at these positions as one batch. @throws ValueError for a stream */
  load(indices: readonly number[]): Batch | Promise<Batch> {
    const { collate } = this;
    const dataset = this.dataset as Dataset<Sample>;
    this.bySource();
    if (dataset.getBatch !== undefined && collate === undefined) return dataset.getBatch(indices) as Batch | Promise<Batch>;
    const samples = indices.map((i) => dataset.get(i));
    if (samples.some(isPromise)) return Promise.all(samples).then((all) => this.join(all));
    return this.join(samples as Sample[]);
  }

  /** @throws ValueError when the dataset promises its samples: use `for await` */
  *[Symbol.iterator](): Iterator<Batch> {
    const needsAwait = 'DataLoader: this dataset promises its samples; use for await (… of loader)';
    if (this.batchSource === null) {
      const stream = this.dataset as IterableDataset<Sample>;
      if (!(Symbol.iterator in stream)) throw new ValueError(needsAwait);
      this.drawWorkerSeed();
      let waiting: Sample[] = [];
      for (const sample of stream) {
        waiting.push(sample);
        if (waiting.length < this.batchSize) continue;
        yield this.join(waiting);
        waiting = [];
      }
      if (waiting.length > 0 && !this.dropLast) yield this.join(waiting);
      return;
    }
    for (const indices of this.batches()) {
      const batch = this.load(indices);
      if (isPromise(batch)) throw new ValueError(needsAwait);
      yield batch;
    }
  }

  /** What goes wrong while a batch is on its way is thrown when it is its turn. */
  async *[Symbol.asyncIterator](): AsyncIterator<Batch> {
    if (this.batchSource === null) {
      this.drawWorkerSeed();
      let waiting: Sample[] = [];
      for await (const sample of this.dataset as IterableDataset<Sample>) {
        waiting.push(sample);
        if (waiting.length < this.batchSize) continue;
        yield this.join(waiting);
        waiting = [];
      }
      if (waiting.length > 0 && !this.dropLast) yield this.join(waiting);
      return;
    }
    const onTheirWay: Promise<Batch>[] = [];
    for (const indices of this.batches()) {
      const batch = (async () => this.load(indices))();
      // A batch that nobody asks for any more may fail in silence.
      batch.catch(() => undefined);
      onTheirWay.push(batch);
      if (onTheirWay.length > this.prefetch) yield await onTheirWay.shift()!;
    }
    for (const batch of onTheirWay) yield await batch;
  }

  private join(samples: Sample[]): Batch {
    return (this.collate ?? (defaultCollate as (samples: Sample[]) => Batch))(samples);
  }

  private bySource(): BatchSource {
    if (this.batchSource !== null) return this.batchSource;
    throw new ValueError('DataLoader: the samples of a stream have no positions and no known number');
  }

  /** PyTorch draws a seed for its worker processes at the start of each epoch, with or without workers. */
  private drawWorkerSeed(): void {
    drawSeed(this.generator ?? defaultGenerator);
  }
}

type BatchIndices<T> = globalThis.Generator<T, void, undefined>;

function isStream<Sample>(dataset: Dataset<Sample> | IterableDataset<Sample>): dataset is IterableDataset<Sample> {
  return !('get' in dataset);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}
