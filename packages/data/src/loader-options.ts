import { requireOptions, ValueError, warnOnce, type Generator } from '@tapegrad/core';
import type { BatchSource, Sampler } from './sampler.ts';

/** How a DataLoader makes batches. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples per batch; default 1. With null samples come as they are, one by one. */
  batchSize?: number | null;
  /** Load in random order, anew each epoch; default false. */
  shuffle?: boolean;
  /** The order of loading, instead of `shuffle`. */
  sampler?: Sampler;
  /** The positions of each batch, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: BatchSource;
  /** Threads that load, for `for await` and datasets from `moduleDataset`; default 0, which is to load in this one. */
  numWorkers?: number;
  /**
   * Joins samples into a batch, in this thread; default `defaultCollate`, or the dataset's `getBatch`, both in the threads if
   * there are any.
   */
  collateFn?: (samples: Sample[]) => Batch;
  /** Has no effect: there is no memory of another device to copy to. As in PyTorch without one, true is pointed out. */
  pinMemory?: boolean;
  /** Leave out the last batch if it is not full; default false. */
  dropLast?: boolean;
  /** Seconds after which a batch that a thread has not loaded is an error; default 0, which is to wait. */
  timeout?: number;
  /** The random stream for shuffling, and for the seeds of threads; default the one that `manualSeed` restarts. */
  generator?: Generator;
  /**
   * Batches that are on their way while one is used: for each thread, default 2; without threads those of a dataset that
   * promises its samples, default 0.
   */
  prefetchFactor?: number;
  /** Keep the threads, and what they hold, from epoch to epoch; default false. `close` ends them. */
  persistentWorkers?: boolean;
}

const names = [
  'batchSize', 'shuffle', 'sampler', 'batchSampler', 'numWorkers', 'collateFn', 'pinMemory', 'dropLast', 'timeout', 'generator',
  'prefetchFactor', 'persistentWorkers',
] as const;

/** Options of PyTorch's that cannot do here what they do there, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  workerInitFn:
    'functions cannot be handed to threads; the function that makes the dataset runs in each of them and may ask getWorkerInfo()',
  multiprocessingContext: 'batches are loaded by threads of this process; leave it out',
  pinMemoryDevice: 'there is no other device; leave it out',
};

/** Options that have a default. */
type Defaulted = 'batchSize' | 'shuffle' | 'numWorkers' | 'dropLast' | 'timeout' | 'prefetchFactor' | 'persistentWorkers';

/** Options with their defaults. */
export type CompleteOptions<Sample, Batch> = DataLoaderOptions<Sample, Batch> & Required<Pick<DataLoaderOptions<Sample, Batch>, Defaulted>>;

/** The options with their defaults. @throws ValueError for those that are unknown, out of range, or exclude each other */
export function completeOptions<Sample, Batch>(options: DataLoaderOptions<Sample, Batch>): CompleteOptions<Sample, Batch> {
  const given = Object.fromEntries(Object.entries(options).filter(([name, value]) => {
    const isGiven = value !== undefined && (value !== null || name === 'batchSize');
    if (isGiven && Object.hasOwn(refused, name)) throw new ValueError(`DataLoader: ${name} is not possible: ${refused[name]}`);
    return isGiven;
  })) as DataLoaderOptions<Sample, Batch>;
  requireOptions('DataLoader', typeof options === 'object' ? given : options, names);
  const { batchSize = 1, shuffle = false, numWorkers = 0, dropLast = false, timeout = 0, persistentWorkers = false } = given;
  const prefetchFactor = given.prefetchFactor ?? (numWorkers > 0 ? 2 : 0);
  const requireWhole = (name: string, value: number, least: number): void => {
    if (!(Number.isInteger(value) && value >= least)) {
      throw new ValueError(`DataLoader: ${name} must be a whole number from ${least} on, got ${value}`);
    }
  };
  if (batchSize !== null) requireWhole('batchSize', batchSize, 1);
  requireWhole('numWorkers', numWorkers, 0);
  requireWhole('prefetchFactor', prefetchFactor, numWorkers > 0 ? 1 : 0);
  if (!(timeout >= 0)) throw new ValueError(`DataLoader: timeout must be a number of seconds, got ${timeout}`);
  if (numWorkers === 0 && timeout > 0) throw new ValueError('DataLoader: only threads have a timeout; set numWorkers');
  if (numWorkers === 0 && persistentWorkers) throw new ValueError('DataLoader: persistentWorkers needs numWorkers above 0');
  if (shuffle && given.sampler !== undefined) throw new ValueError('DataLoader: give either shuffle or a sampler, not both');
  if (batchSize === null && dropLast) throw new ValueError('DataLoader: without batches (batchSize null) there is no last one to drop');
  if (given.batchSampler !== undefined && (shuffle || given.sampler !== undefined || dropLast || given.batchSize !== undefined)) {
    throw new ValueError('DataLoader: batchSampler takes the place of batchSize, shuffle, sampler and dropLast');
  }
  if (given.pinMemory) warnOnce('pinned memory', 'DataLoader: pinMemory has no effect, since there is no other device to copy to.');
  return { ...given, batchSize, shuffle, numWorkers, dropLast, timeout, prefetchFactor, persistentWorkers };
}
