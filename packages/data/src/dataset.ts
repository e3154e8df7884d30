import { defaultGenerator, randperm, tensor, ValueError, type Generator, type Tensor } from '@tapegrad/core';

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

/** Some samples of another dataset, in the order of `indices`. @source torch.utils.data.Subset */
export class Subset<Sample> implements Dataset<Sample> {
  readonly dataset: Dataset<Sample>;
  readonly indices: readonly number[];
  readonly length: number;
  readonly getBatch?: (indices: readonly number[]) => Sample | Promise<Sample>;

  constructor(dataset: Dataset<Sample>, indices: readonly number[]) {
    this.dataset = dataset;
    this.indices = indices;
    this.length = indices.length;
    if (dataset.getBatch !== undefined) {
      this.getBatch = (positions) => dataset.getBatch!(positions.map((i) => indices[i]!));
    }
  }

  get(index: number): Sample | Promise<Sample> {
    return this.dataset.get(this.indices[index]!);
  }
}

/** Several datasets one after the other. @throws ValueError without any @source torch.utils.data.ConcatDataset */
export class ConcatDataset<Sample> implements Dataset<Sample> {
  readonly datasets: readonly Dataset<Sample>[];
  readonly length: number;
  /** Where each dataset ends. */
  private readonly ends: readonly number[];

  constructor(datasets: readonly Dataset<Sample>[]) {
    if (datasets.length === 0) throw new ValueError('ConcatDataset: give at least one dataset');
    let end = 0;
    this.datasets = datasets;
    this.ends = datasets.map(({ length }) => (end += length));
    this.length = end;
  }

  /** @throws ValueError for a position outside */
  get(index: number): Sample | Promise<Sample> {
    const which = this.ends.findIndex((end) => index < end);
    if (which < 0 || index < 0) throw new ValueError(`ConcatDataset: position ${index} of ${this.length}`);
    return this.datasets[which]!.get(index - (this.ends[which - 1] ?? 0));
  }
}

/**
 * Divides a dataset at random into parts that do not overlap.
 * @param lengths how many samples each part gets, or which share of them; shares sum to 1, and what rounding leaves is
 * given to the first parts
 * @param options generator: default the one that `manualSeed` restarts
 * @throws ValueError when the lengths do not sum to that of the dataset
 * @source torch.utils.data.random_split
 */
export function randomSplit<Sample>(
  dataset: Dataset<Sample>,
  lengths: readonly number[],
  options: { generator?: Generator | undefined } = {},
): Subset<Sample>[] {
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
