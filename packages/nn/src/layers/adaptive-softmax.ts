import { requireOptions, tensor, ShapeError, ValueError, IndexError, cat, type DTypeName, type Tensor } from '@tapegrad/core';
import { ModuleList, Sequential } from '../containers.ts';
import { Module } from '../module.ts';
import { Linear } from './linear.ts';

/** Options of AdaptiveLogSoftmaxWithLoss. */
export interface AdaptiveSoftmaxOptions {
  /** By how much fewer features each further cluster has; default 4. */
  divValue?: number | undefined;
  /** Whether the head has a bias; default false. */
  headBias?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/**
 * Softmax over very many classes, sorted by how often they occur: the head decides among the frequent ones
 * and clusters of
 * the others, and each cluster among its own, from fewer features.
 * @param cutoffs the first class of each cluster, rising
 * @shape [N, inFeatures] or [inFeatures], labels [N] or [] -> log-probability of each label, and the loss []
 * @throws ValueError unless the cutoffs rise and are below nClasses; IndexError when a label is not a class
 * @source torch.nn.AdaptiveLogSoftmaxWithLoss (Grave et al. 2016)
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  readonly inFeatures: number;
  readonly nClasses: number;
  /** The first class of each cluster, and the number of classes. */
  readonly cutoffs: readonly number[];
  head: Linear;
  tail: ModuleList;

  constructor(
    inFeatures: number,
    nClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveSoftmaxOptions = {},
  ) {
    super();
    requireOptions('AdaptiveLogSoftmaxWithLoss', options, ['divValue', 'headBias', 'dtype']);
    const { divValue = 4, headBias = false, dtype } = options;
    const rises = cutoffs.every(
      (n, i) => Number.isInteger(n) && n > (i === 0 ? 0 : cutoffs[i - 1]!) && n < nClasses,
    );
    if (cutoffs.length === 0 || !rises) {
      throw new ValueError(
        `AdaptiveLogSoftmaxWithLoss: the cutoffs must be rising whole numbers between 0 and ${nClasses}, got [${cutoffs.join(', ')}]`,
        { argument: 'cutoffs' },
      );
    }
    const typed = dtype === undefined ? {} : { dtype };
    this.inFeatures = inFeatures;
    this.nClasses = nClasses;
    this.cutoffs = [...cutoffs, nClasses];
    this.head = new Linear(inFeatures, this.#shortlist + this.#clusters, { bias: headBias, ...typed });
    this.tail = new ModuleList(
      Array.from({ length: this.#clusters }, (_, i) => {
        const width = Math.floor(inFeatures / divValue ** (i + 1));
        const classes = this.cutoffs[i + 1]! - this.cutoffs[i]!;
        return new Sequential(
          new Linear(inFeatures, width, { bias: false, ...typed }),
          new Linear(width, classes, { bias: false, ...typed }),
        );
      }),
    );
  }

  get #shortlist(): number {
    return this.cutoffs[0]!;
  }

  get #clusters(): number {
    return this.cutoffs.length - 1;
  }

  /** @returns the log-probability of each label, and minus their mean */
  forward(x: Tensor, target: Tensor): { output: Tensor; loss: Tensor } {
    if (
      x.ndim !== target.ndim + 1 ||
      target.ndim > 1 ||
      (target.ndim === 1 && x.shape[0] !== target.shape[0])
    ) {
      throw new ShapeError(
        `AdaptiveLogSoftmaxWithLoss: input is [${x.shape.join(', ')}] and target [${target.shape.join(', ')}]; expected ` +
          `[N, ${this.inFeatures}] and [N], or [${this.inFeatures}] and []`,
        { shapes: [x.shape, target.shape] },
      );
    }
    if (target.ndim === 0) {
      const { output, loss } = this.forward(x.unsqueeze(0), target.unsqueeze(0));
      return { output: output.squeeze(0), loss };
    }
    const labels = [...target.toTypedArray()];
    const wrong = labels.find((label) => !(label >= 0 && label < this.nClasses));
    if (wrong !== undefined) {
      throw new IndexError(
        `AdaptiveLogSoftmaxWithLoss: label ${wrong} must be from 0 to ${this.nClasses - 1}`,
        { argument: 'target' },
      );
    }
    const clusterOf = labels.map((label) => this.cutoffs.findIndex((cutoff) => label < cutoff));
    const inHead = labels.map((label, i) =>
      clusterOf[i] === 0 ? label : this.#shortlist + clusterOf[i]! - 1,
    );
    const integers = (list: readonly number[]): Tensor => tensor(Int32Array.from(list), { dtype: 'int32' });
    let output = this.head(x).logSoftmax(1).gather(1, integers(inHead).unsqueeze(1)).squeeze(1);
    for (let cluster = 1; cluster <= this.#clusters; cluster++) {
      const rows = labels.flatMap((_, i) => (clusterOf[i] === cluster ? [i] : []));
      if (rows.length === 0) continue;
      const at = integers(rows);
      const local = integers(rows.map((i) => labels[i]! - this.cutoffs[cluster - 1]!));
      const scores = (this.tail.at(cluster - 1) as Sequential)(x.indexSelect(0, at)) as Tensor;
      output = output.indexAdd(0, at, scores.logSoftmax(1).gather(1, local.unsqueeze(1)).squeeze(1));
    }
    return { output, loss: output.neg().mean() };
  }

  /** The log-probabilities of all classes. @shape [N, inFeatures] -> [N, nClasses] */
  logProb(x: Tensor): Tensor {
    const head = this.head(x).logSoftmax(1);
    const clusters = this.tail.values().map((cluster, i) => {
      return ((cluster as Sequential)(x) as Tensor).logSoftmax(1).add(head.narrow(1, this.#shortlist + i, 1));
    });
    return cat([head.narrow(1, 0, this.#shortlist), ...clusters], 1);
  }

  /** The likeliest class of each row. @shape [N, inFeatures] -> [N] */
  predict(x: Tensor): Tensor {
    return this.logProb(x).argmax(1);
  }

  override label(): string {
    return `${this.constructor.name} ${this.inFeatures} → ${this.nClasses}`;
  }
}
