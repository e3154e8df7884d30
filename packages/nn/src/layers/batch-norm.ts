import {
  batchNorm, type DTypeName, instanceNorm, noGrad, ones, ShapeError, type Tensor, zeros,
  requireOptions,
} from '@tapegrad/core';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';

/** Options of batch and instance normalisation. */
export interface BatchNormLayerOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number | undefined;
  /** Share of the batch in the new running statistics, default 0.1; null takes the mean over all batches. */
  momentum?: number | null | undefined;
  /** Whether a scale and a shift per channel are learned; default true, for instance normalisation false. */
  affine?: boolean | undefined;
  /** Whether running statistics are kept for evaluation; default true, for instance normalisation false. */
  trackRunningStats?: boolean | undefined;
  /** dtype of parameters and statistics; default float32. */
  dtype?: DTypeName | undefined;
}

/** Parameters and running statistics, as batch and instance normalisation have them. */
export abstract class RunningNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  /** @shape [numFeatures] */
  weight: Parameter | null;
  /** @shape [numFeatures] */
  bias: Parameter | null;
  runningMean: Tensor | null = null;
  runningVar: Tensor | null = null;
  numBatchesTracked: Tensor | null = null;

  constructor(numFeatures: number, options: BatchNormLayerOptions) {
    super();
    requireSizes(this.constructor.name, { numFeatures });
    requireOptions(this.constructor.name, options, ['eps', 'momentum', 'affine', 'trackRunningStats', 'dtype']);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, dtype } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = affine ? new Parameter(ones([numFeatures], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures], { dtype })) : null;
    const buffer = (field: string, key: string, make: () => Tensor): void => {
      this.registerBuffer(field, trackRunningStats ? make() : null, { key });
    };
    buffer('runningMean', 'running_mean', () => zeros([numFeatures], { dtype }));
    buffer('runningVar', 'running_var', () => ones([numFeatures], { dtype }));
    buffer('numBatchesTracked', 'num_batches_tracked', () => zeros([], { dtype: 'int64' }));
  }

  /** Forgets the running statistics. */
  resetRunningStats(): void {
    noGrad(() => {
      this.runningMean?.zero_();
      this.runningVar?.fill_(1);
      this.numBatchesTracked?.zero_();
    });
  }

  /** Puts the initial values back. */
  resetParameters(): void {
    this.resetRunningStats();
    noGrad(() => {
      this.weight?.fill_(1);
      this.bias?.zero_();
    });
  }

  override get dependsOnMode(): boolean {
    return this.trackRunningStats;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this;
    return `${numFeatures}, ${listed({ eps, momentum, affine, trackRunningStats })}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.numFeatures}`;
  }
}

/** What BatchNorm1d, 2d and 3d share. */
abstract class BatchNorm extends RunningNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, options);
  }

  /** Ranks that an input may have. @internal */
  protected abstract ranks(): readonly number[];

  forward(x: Tensor): Tensor {
    checkRank(this, x, this.ranks());
    const { runningMean, runningVar, eps, momentum, training, trackRunningStats } = this;
    const updating = training && trackRunningStats;
    let share = momentum ?? 0;
    if (updating && this.numBatchesTracked !== null) {
      const count = this.numBatchesTracked;
      noGrad(() => count.add_(1));
      if (momentum === null) share = 1 / count.item();
    }
    const own = training || (runningMean === null && runningVar === null);
    const used = !training || trackRunningStats;
    return batchNorm(x, used ? runningMean : null, used ? runningVar : null, this.weight, this.bias, {
      training: own,
      momentum: share,
      eps,
    });
  }
}

function checkRank(layer: Module, { shape }: Tensor, ranks: readonly number[]): void {
  if (ranks.includes(shape.length)) return;
  const wanted = ranks.map((rank) => `${rank}D`).join(' or ');
  throw new ShapeError(
    `${layer.constructor.name}: expected ${wanted} input, got ${shape.length}D: [${shape.join(', ')}]`,
    {
      shapes: [shape],
    },
  );
}

/**
 * Normalises each feature over the batch (and the sequence), then scales and shifts it. In training the
 * statistics of the batch are used and running ones updated; in evaluation the running ones are used.
 * @shape [N, C] or [N, C, L] -> the same
 * @throws ValueError when training sees one value per channel
 * @source torch.nn.BatchNorm1d (Ioffe & Szegedy 2015)
 */
export class BatchNorm1d extends BatchNorm {
  protected ranks(): readonly number[] {
    return [2, 3];
  }
}

/**
 * As BatchNorm1d for images.
 * @shape [N, C, H, W] -> the same
 * @example
 * const norm = new nn.BatchNorm2d(3);
 * norm(tg.ones([2, 3, 4, 4]));
 * console.log(Object.keys(norm.stateDict()).slice(2)); // → [ 'running_mean', 'running_var', 'num_batches_tracked' ]
 * console.log(norm.numBatchesTracked?.item()); // → 1
 * @source torch.nn.BatchNorm2d
 */
export class BatchNorm2d extends BatchNorm {
  protected ranks(): readonly number[] {
    return [4];
  }
}

/** As BatchNorm1d for volumes. @shape [N, C, D, H, W] -> the same @source torch.nn.BatchNorm3d */
export class BatchNorm3d extends BatchNorm {
  protected ranks(): readonly number[] {
    return [5];
  }
}

/**
 * BatchNorm over all processes that train together, which is one here: a batch normalisation for inputs of any rank.
 * @shape [N, C, …] -> the same
 * @source torch.nn.SyncBatchNorm
 */
export class SyncBatchNorm extends BatchNorm {
  protected ranks(): readonly number[] {
    return [2, 3, 4, 5];
  }

  /** The module as it is, since batch norms of a single process agree. @source torch.nn.SyncBatchNorm.convert_sync_batchnorm */
  static convertSyncBatchnorm<M extends Module>(module: M): M {
    return module;
  }
}

/** What InstanceNorm1d, 2d and 3d share. */
abstract class InstanceNorm extends RunningNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, { affine: false, trackRunningStats: false, ...options });
  }

  /** Rank of a batch. @internal */
  protected abstract rank(): number;

  forward(x: Tensor): Tensor {
    const rank = this.rank();
    checkRank(this, x, [rank - 1, rank]);
    const { runningMean, runningVar, weight, bias, momentum, eps } = this;
    const useInputStats = this.training || !this.trackRunningStats;
    const options = { useInputStats, momentum: momentum ?? 0, eps };
    if (x.ndim === rank) return instanceNorm(x, runningMean, runningVar, weight, bias, options);
    return instanceNorm(x.unsqueeze(0), runningMean, runningVar, weight, bias, options).squeeze(0);
  }
}

/**
 * Normalises each channel of each sample.
 * @shape [N, C, L] or [C, L] -> the same
 * @source torch.nn.InstanceNorm1d
 */
export class InstanceNorm1d extends InstanceNorm {
  protected rank(): number {
    return 3;
  }
}

/**
 * Normalises each channel of each image.
 * @shape [N, C, H, W] or [C, H, W] -> the same
 * @source torch.nn.InstanceNorm2d
 */
export class InstanceNorm2d extends InstanceNorm {
  protected rank(): number {
    return 4;
  }
}

/**
 * Normalises each channel of each volume.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> the same
 * @source torch.nn.InstanceNorm3d
 */
export class InstanceNorm3d extends InstanceNorm {
  protected rank(): number {
    return 5;
  }
}
