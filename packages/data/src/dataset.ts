import { tensor, ValueError, type Tensor } from '@tapegrad/core';

/** Samples that are reached by position. */
export interface Dataset<Sample> {
  /** Number of samples. */
  readonly length: number;
  /** The sample at a position from 0 to length − 1; a promise of it where loading takes time. */
  get(index: number): Sample | Promise<Sample>;
  /** Several samples at once, already collated; a loader prefers this to `get` where it exists. */
  getBatch?(indices: readonly number[]): Sample | Promise<Sample>;
}

/**
 * Rows of tensors that belong together: sample i is the i-th row of each.
 * @throws ValueError when the tensors have different numbers of rows
 * @source torch.utils.data.TensorDataset
 */
export class TensorDataset implements Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[];
  readonly length: number;

  constructor(...tensors: Tensor[]) {
    const sizes = tensors.map((x) => x.shape[0]);
    if (sizes.length === 0 || sizes.some((n) => n === undefined || n !== sizes[0])) {
      throw new ValueError(`TensorDataset: the tensors must have equal numbers of rows, got [${sizes.join(', ')}]`);
    }
    this.tensors = tensors;
    this.length = sizes[0]!;
  }

  get(index: number): Tensor[] {
    return this.tensors.map((x) => x.select(0, index));
  }

  getBatch(indices: readonly number[]): Tensor[] {
    const rows = tensor(Int32Array.from(indices));
    return this.tensors.map((x) => x.indexSelect(0, rows));
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
