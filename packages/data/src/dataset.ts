import { defaultGenerator, randperm, requireOptions, tensor, ValueError, type Generator, type Tensor } from '@tapegrad/core';
import { setWorkersOf, workersOf, type Workers } from './workers.ts';

/** Samples that are reached by position. */
export interface Dataset<Sample> {
  /** Number of samples. */
  readonly length: number;
  /** The sample at a position from 0 to length − 1; a promise of it where loading takes time. */
  get(index: number): Sample | Promise<Sample>;
  /** Several samples at once, already collated; a loader prefers this to `get` where it exists. */
  getBatch?(indices: readonly number[]): Sample | Promise<Sample>;
}

/** Samples that come one after the other, such as the lines of a stream; each iteration is one epoch. */
export type IterableDataset<Sample> = Iterable<Sample> | AsyncIterable<Sample>;

/** A dataset as it is, or an array as one. @internal */
export function asDataset<Sample>(samples: Dataset<Sample> | readonly Sample[]): Dataset<Sample> {
  if (!Array.isArray(samples)) return samples as Dataset<Sample>;
  const { length } = samples;
  return {
    length,
    get: (index) => {
      requirePosition('array of samples', index, length);
      return samples[index] as Sample;
    },
  };
}

function requirePosition(what: string, index: number, length: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < length)) throw new ValueError(`${what}: position ${index} of ${length}`);
}

/**
 * Rows of tensors that belong together: sample i is the i-th row of each.
 * @throws ValueError when the tensors have different numbers of rows
 * @source torch.utils.data.TensorDataset
 */
export class TensorDataset<Tensors extends Tensor[] = Tensor[]> implements Dataset<Tensors> {
  readonly tensors: Readonly<Tensors>;
  readonly length: number;

  constructor(...tensors: Tensors) {
    const sizes = tensors.map((x) => x.shape[0]);
    if (sizes.length === 0 || sizes.some((n) => n === undefined || n !== sizes[0])) {
      throw new ValueError(`TensorDataset: the tensors must have equal numbers of rows, got [${sizes.join(', ')}]`);
    }
    this.tensors = tensors;
    this.length = sizes[0]!;
  }

  get(index: number): Tensors {
    return this.tensors.map((x) => x.select(0, index)) as Tensors;
  }

  getBatch(indices: readonly number[]): Tensors {
    const rows = tensor(Int32Array.from(indices));
    return this.tensors.map((x) => x.indexSelect(0, rows)) as Tensors;
  }
}

/**
 * Some samples of another dataset, in the order of `indices`. Threads load it where they load the other.
 * @source torch.utils.data.Subset
 */
export class Subset<Sample> implements Dataset<Sample> {
  readonly dataset: Dataset<Sample>;
  readonly indices: readonly number[];
  readonly length: number;
  readonly getBatch?: (indices: readonly number[]) => Sample | Promise<Sample>;

  constructor(dataset: Dataset<Sample> | readonly Sample[], indices: readonly number[]) {
    this.dataset = asDataset(dataset);
    this.indices = indices;
    this.length = indices.length;
    const whole = this.dataset;
    if (whole.getBatch !== undefined) {
      this.getBatch = (positions) => whole.getBatch!(positions.map((i) => this.place(i)));
    }
    const start = workersOf(dataset);
    if (start !== undefined) setWorkersOf(this, async (options) => this.mapped(await start(options)));
  }

  /** @throws ValueError for a position outside */
  get(index: number): Sample | Promise<Sample> {
    return this.dataset.get(this.place(index));
  }

  private place(index: number): number {
    requirePosition('Subset', index, this.length);
    return this.indices[index]!;
  }

  /** The threads of the whole, asked for positions in it. */
  private mapped(workers: Workers): Workers {
    return {
      load: (worker, order) => workers.load(worker, { ...order, positions: order.positions!.map((i) => this.place(i)) }),
      close: () => workers.close(),
    };
  }
}

/** Several datasets one after the other. @throws ValueError without any @source torch.utils.data.ConcatDataset */
export class ConcatDataset<Sample> implements Dataset<Sample> {
  readonly datasets: readonly Dataset<Sample>[];
  readonly length: number;
  /** Where each dataset ends. */
  private readonly ends: readonly number[];

  constructor(datasets: readonly (Dataset<Sample> | readonly Sample[])[]) {
    if (datasets.length === 0) throw new ValueError('ConcatDataset: give at least one dataset');
    let end = 0;
    this.datasets = datasets.map(asDataset);
    this.ends = this.datasets.map(({ length }) => (end += length));
    this.length = end;
  }

  /** @throws ValueError for a position outside */
  get(index: number): Sample | Promise<Sample> {
    requirePosition('ConcatDataset', index, this.length);
    const which = this.ends.findIndex((end) => index < end);
    return this.datasets[which]!.get(index - (this.ends[which - 1] ?? 0));
  }
}

/**
 * Several streams one after the other; asynchronous if one of them is.
 * @throws ValueError for a dataset that is no stream
 * @example
 * const chain = new tg.data.ChainDataset([new Set([1, 2]), new Set([3])]);
 * console.log([...new tg.data.DataLoader(chain, { batchSize: 3 })].map((batch) => batch.toArray())); // → [ [ 1, 2, 3 ] ]
 * @source torch.utils.data.ChainDataset
 */
export class ChainDataset<Sample> implements AsyncIterable<Sample> {
  readonly datasets: readonly IterableDataset<Sample>[];
  /** Only where no stream has to be awaited. */
  declare readonly [Symbol.iterator]?: () => Iterator<Sample>;

  constructor(datasets: readonly IterableDataset<Sample>[]) {
    const odd = datasets.findIndex((each) => !(Symbol.iterator in each) && !(Symbol.asyncIterator in each));
    if (odd >= 0) throw new ValueError(`ChainDataset: the dataset at index ${odd} is no stream; use ConcatDataset for data by position`);
    this.datasets = [...datasets];
    if (!datasets.every((each) => Symbol.iterator in each)) return;
    Object.defineProperty(this, Symbol.iterator, {
      value: function* () {
        for (const dataset of datasets as Iterable<Sample>[]) yield* dataset;
      },
    });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Sample> {
    for (const dataset of this.datasets) yield* dataset;
  }
}

/** What a StackDataset is made of: datasets in a list, or by name. */
type Parts = readonly Dataset<unknown>[] | Readonly<Record<string, Dataset<unknown>>>;

/** What a dataset gives. */
type SampleOf<Part> = Part extends Dataset<infer Sample> ? Sample : never;

/**
 * Datasets side by side: sample i has the i-th of each, in an array or by name.
 * @throws ValueError without any, or when they have different lengths
 * @example
 * const { TensorDataset, StackDataset } = tg.data;
 * const [x, y] = [tg.tensor([1, 2]), tg.tensor([3, 4])].map((column) => new TensorDataset(column));
 * console.log(new StackDataset({ x, y }).get(1).y[0].item()); // → 4
 * @source torch.utils.data.StackDataset
 */
export class StackDataset<P extends Parts> implements Dataset<SampleOfAll<P>> {
  readonly datasets: P;
  readonly length: number;

  constructor(datasets: P) {
    const lengths = Object.values(datasets).map(({ length }) => length);
    if (lengths.length === 0 || lengths.some((n) => n !== lengths[0])) {
      throw new ValueError(`StackDataset: the datasets must have equal lengths, got [${lengths.join(', ')}]`);
    }
    this.datasets = datasets;
    this.length = lengths[0]!;
  }

  /** @throws ValueError for a position outside */
  get(index: number): SampleOfAll<P> | Promise<SampleOfAll<P>> {
    requirePosition('StackDataset', index, this.length);
    const names = Object.keys(this.datasets);
    const samples = Object.values(this.datasets).map((dataset) => dataset.get(index));
    const stacked = (all: unknown[]): SampleOfAll<P> => {
      return (Array.isArray(this.datasets) ? all : Object.fromEntries(names.map((name, i) => [name, all[i]]))) as SampleOfAll<P>;
    };
    return samples.some((sample) => sample instanceof Promise) ? Promise.all(samples).then(stacked) : stacked(samples);
  }
}

/** The samples of datasets, in the places of the datasets. */
type SampleOfAll<P> = { -readonly [K in keyof P]: SampleOf<P[K]> };

/**
 * Divides a dataset at random into parts that do not overlap.
 * @param lengths how many samples each part gets, or which share of them; shares sum to 1, and what rounding leaves is
 * given to the first parts
 * @param options generator: default the one that `manualSeed` restarts
 * @throws ValueError when the lengths do not sum to that of the dataset
 * @source torch.utils.data.random_split
 */
export function randomSplit<Sample>(
  dataset: Dataset<Sample> | readonly Sample[],
  lengths: readonly number[],
  options: { generator?: Generator | undefined } = {},
): Subset<Sample>[] {
  requireOptions('randomSplit', options, ['generator']);
  const sum = lengths.reduce((total, length) => total + length, 0);
  const counts = [...lengths];
  if (sum <= 1 && Math.abs(sum - 1) < 1e-9) {
    lengths.forEach((share, i) => (counts[i] = Math.floor(dataset.length * share)));
    const left = dataset.length - counts.reduce((total, count) => total + count, 0);
    for (let i = 0; i < left; i++) counts[i % counts.length]!++;
  }
  const total = counts.reduce((all, count) => all + count, 0);
  if (total !== dataset.length || counts.some((count) => !(Number.isInteger(count) && count >= 0))) {
    throw new ValueError(
      `randomSplit: [${lengths.join(', ')}] does not divide ${dataset.length} samples; give lengths with that sum, or shares with sum 1`,
    );
  }
  const order = randperm(dataset.length, { generator: options.generator ?? defaultGenerator }).toTypedArray();
  let start = 0;
  return counts.map((count) => new Subset(dataset, [...order.subarray(start, (start += count))]));
}
