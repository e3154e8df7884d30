import { defaultGenerator, ValueError } from '@tapegrad/core';
import { defaultCollate } from './collate.ts';
import { asDataset, type Dataset, type IterableDataset } from './dataset.ts';
import { groups, groupsAsync, isPromise, isStream, loadBatch, loadSamples, needsAwait } from './dataset-batches.ts';
import { completeOptions, type CompleteOptions, type DataLoaderOptions } from './loader-options.ts';
import { Place, type LoaderState } from './loader-place.ts';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler, type BatchSource, type Sampler } from './sampler.ts';
import { workerBatches } from './worker-batches.ts';
import { workersOf, type Order, type Workers } from './workers.ts';

/**
 * Goes through a dataset in batches: `for (const [x, y] of loader)`, or `for await` where samples are promised, come from a
 * stream or are loaded by threads (`numWorkers`). Each iteration is one epoch; the order of a seeded shuffle is PyTorch's, and
 * so are the random numbers in threads.
 *
 * A training that is interrupted goes on from `stateDict` with the batch after the last one given, bit for bit.
 * @throws ValueError for options that are unknown, out of range, not possible here or exclude each other, an order for a
 * stream, or threads for a dataset that they cannot make
 * @example
 * const loader = new tg.data.DataLoader(['a', 'b', 'c', 'd', 'e'], { batchSize: 2, dropLast: true });
 * console.log(loader.length, [...loader]); // → 2 [ [ 'a', 'b' ], [ 'c', 'd' ] ]
 * @source torch.utils.data.DataLoader
 */
export class DataLoader<
  Sample,
  Batch = Sample,
  Source extends Dataset<Sample> | IterableDataset<Sample> = Dataset<Sample>,
> implements Iterable<Batch>, AsyncIterable<Batch>
{
  readonly dataset: Source;
  /** Null where samples come one by one, or `batchSampler` says how many come together. */
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly prefetchFactor: number;
  /** The samples by position; null for a stream. */
  private readonly positional: Dataset<Sample> | null;
  /** The positions of each batch, null for a stream. */
  private readonly batchSource: BatchSource | null;
  private readonly options: CompleteOptions<Sample, Batch>;
  private readonly place: Place;
  /** Threads that are kept from epoch to epoch. */
  private kept: Workers | null = null;
  /** Epochs that threads have begun. */
  private epoch = 0;

  constructor(
    dataset: (Source & (Dataset<Sample> | IterableDataset<Sample>)) | readonly Sample[],
    options: DataLoaderOptions<Sample, Batch> = {},
  ) {
    const complete = completeOptions(options);
    const { batchSize, shuffle, sampler, batchSampler, dropLast, numWorkers, prefetchFactor, generator } = complete;
    if (numWorkers > 0 && workersOf(dataset) === undefined) {
      throw new ValueError(
        'DataLoader: numWorkers needs a dataset that threads can make: put it into a module of its own and get it by ' +
          'moduleDataset of @tapegrad/data/node; it may be taken apart by Subset and randomSplit',
      );
    }
    const source = (Array.isArray(dataset) ? asDataset<Sample>(dataset) : dataset) as Source;
    this.positional = isStream<Sample>(source) ? null : (source as Dataset<Sample>);
    if (this.positional === null && (shuffle || sampler !== undefined || batchSampler !== undefined)) {
      throw new ValueError('DataLoader: samples of a stream come in its own order; shuffle before, or load by position');
    }
    this.dataset = source;
    this.batchSize = batchSampler === undefined ? batchSize : null;
    this.dropLast = dropLast;
    this.numWorkers = numWorkers;
    this.prefetchFactor = prefetchFactor;
    this.options = complete;
    this.place = new Place(generator ?? defaultGenerator, numWorkers);
    this.batchSource = this.positional === null ? null : (batchSampler ?? batchesOf(this.positional.length, complete));
  }

  /**
   * Number of batches in an epoch; of a stream what its `length` lets expect.
   * @throws ValueError for a stream that does not tell its length
   */
  get length(): number {
    if (this.batchSource !== null) return this.batchSource.length;
    const { length } = this.dataset as { length?: unknown };
    if (typeof length !== 'number') throw noPositions();
    return (this.dropLast ? Math.floor : Math.ceil)(length / (this.batchSize ?? 1));
  }

  /**
   * The positions of each batch of one epoch; what iterating loads. Draws the order from the random stream.
   * @throws ValueError for a stream
   */
  *batches(): globalThis.Generator<number[], void, undefined> {
    const source = this.bySource();
    drawSeed(this.options.generator ?? defaultGenerator);
    yield* source;
  }

  /** Loads the samples at these positions as one batch, in this thread. @throws ValueError for a stream */
  load(indices: readonly number[]): Batch | Promise<Batch> {
    const { collateFn } = this.options;
    this.bySource();
    const dataset = this.positional!;
    if (this.isSingle) {
      const sample = dataset.get(indices[0]!);
      return isPromise(sample) ? sample.then((value) => this.single(value)) : this.single(sample);
    }
    if (collateFn === undefined) return loadBatch(dataset, indices) as Batch | Promise<Batch>;
    const samples = loadSamples(dataset, indices);
    return isPromise(samples) ? samples.then(collateFn) : collateFn(samples);
  }

  /** @throws ValueError when the dataset promises its samples, or threads load them: use `for await` */
  *[Symbol.iterator](): Iterator<Batch> {
    const { place } = this;
    if (this.numWorkers > 0) throw new ValueError('DataLoader: threads load (numWorkers); use for await (… of loader)');
    place.begin(false);
    if (this.positional === null) {
      for (const samples of place.rest(groups(this.stream, this.batchSize ?? 1, this.dropLast))) {
        place.give();
        yield this.joined(samples);
      }
    } else {
      for (const positions of place.rest(this.bySource())) {
        const batch = this.load(positions);
        if (isPromise(batch)) throw needsAwait();
        place.give();
        yield batch;
      }
    }
    place.end();
  }

  /** What goes wrong while a batch is on its way is thrown when it is its turn. */
  async *[Symbol.asyncIterator](): AsyncIterator<Batch> {
    const { place, prefetchFactor } = this;
    if (this.numWorkers > 0) {
      yield* this.fromWorkers();
      return;
    }
    place.begin(false);
    if (this.positional === null) {
      for await (const samples of place.restAsync(groupsAsync(this.stream, this.batchSize ?? 1, this.dropLast))) {
        place.give();
        yield this.joined(samples);
      }
    } else {
      const onTheirWay: Promise<Batch>[] = [];
      const next = async (): Promise<Batch> => {
        const batch = await onTheirWay.shift()!;
        place.give();
        return batch;
      };
      for (const positions of place.rest(this.bySource())) {
        const batch = (async () => this.load(positions))();
        // A batch that nobody asks for any more may fail in silence.
        batch.catch(() => undefined);
        onTheirWay.push(batch);
        if (onTheirWay.length > prefetchFactor) yield await next();
      }
      while (onTheirWay.length > 0) yield await next();
    }
    place.end();
  }

  /** Where the loader stands: in the body of a loop, behind the batch of this turn. Threads begin where they were, too. */
  stateDict(): LoaderState {
    return this.place.stateDict();
  }

  /**
   * Lets the next iteration go on from a state of `stateDict`, and restores the loader's random stream. A sampler of one's
   * own must draw its order when it is begun.
   * @throws ValueError, before anything has changed, when the state is of another number of threads
   */
  loadStateDict(state: LoaderState): void {
    this.place.loadStateDict(state);
    void this.close();
  }

  /** Ends threads that were kept for the next epoch (`persistentWorkers`). */
  async close(): Promise<void> {
    const { kept } = this;
    this.kept = null;
    await kept?.close();
  }

  private async *fromWorkers(): AsyncGenerator<Batch, void> {
    const { place, numWorkers, prefetchFactor, options } = this;
    const { persistentWorkers, timeout } = options;
    place.begin(persistentWorkers);
    const start = { numWorkers, seed: place.seed!, random: place.random };
    const workers = this.kept ?? (await workersOf(this.dataset)!(start));
    this.kept = persistentWorkers ? workers : null;
    const epoch = this.epoch++;
    const [turn, skip] = [place.turn, [...place.given]];
    const positions = this.batchSource === null ? null : place.rest(this.batchSource);
    const order = (worker: number): Order | undefined => {
      const next = positions?.next();
      if (next?.done) return undefined;
      const { batchSize, dropLast } = this;
      return {
        positions: next === undefined ? null : next.value,
        batchSize: this.isSingle ? null : (batchSize ?? 1),
        dropLast,
        join: options.collateFn === undefined,
        skip: skip[worker]!,
        epoch,
      };
    };
    try {
      for await (const { worker, value, random } of workerBatches(workers, { numWorkers, turn, prefetchFactor, timeout, order })) {
        place.give(worker, random);
        yield options.collateFn === undefined ? (value as Batch) : options.collateFn(value as Sample[]);
      }
      place.end();
    } catch (error) {
      this.kept = null;
      await workers.close();
      throw error;
    } finally {
      if (!persistentWorkers) await workers.close();
    }
  }

  /** Whether samples come as they are, one by one. */
  private get isSingle(): boolean {
    return this.batchSize === null && this.options.batchSampler === undefined;
  }

  private get stream(): IterableDataset<Sample> {
    return this.dataset as IterableDataset<Sample>;
  }

  private joined(samples: Sample[]): Batch {
    const join = (this.options.collateFn ?? defaultCollate) as (samples: Sample[]) => Batch;
    return this.isSingle ? this.single(samples[0]!) : join(samples);
  }

  /** A sample that is in no batch; as in PyTorch, what would join a batch is given the sample. */
  private single(sample: Sample): Batch {
    const convert = this.options.collateFn as ((sample: unknown) => Batch) | undefined;
    return convert === undefined ? (sample as unknown as Batch) : convert(sample);
  }

  private bySource(): BatchSource {
    if (this.batchSource !== null) return this.batchSource;
    throw noPositions();
  }
}

/** The positions of each batch, as the options ask for them. */
function batchesOf<Sample, Batch>(length: number, options: CompleteOptions<Sample, Batch>): BatchSource {
  const { shuffle, batchSize, dropLast, generator } = options;
  const sampler: Sampler = options.sampler ?? (shuffle ? new RandomSampler(length, { generator }) : new SequentialSampler(length));
  return new BatchSampler(sampler, batchSize ?? 1, dropLast);
}

function noPositions(): ValueError {
  return new ValueError('DataLoader: the samples of a stream have no positions and no known number');
}
