import type { Tensor } from '@tapegrad/core';
import {
  cosineEmbeddingLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../functional/embedding-loss.ts';
import type { TripletDistanceOptions, TripletOptions } from '../functional/embedding-loss.ts';
import {
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
} from '../functional/margin-loss.ts';
import type { MarginOptions, MultilabelSoftOptions, MultiMarginOptions } from '../functional/margin-loss.ts';
import { Loss, WeightedLoss } from './loss.ts';

/**
 * A distance, or what it lacks of the margin (default 1).
 * @shape any, the same -> []
 * @source torch.nn.HingeEmbeddingLoss
 */
export class HingeEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options: MarginOptions = {}) {
    super(options, ['margin']);
    this.margin = options.margin ?? 1;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return hingeEmbeddingLoss(x, target, { margin, reduction });
  }
}

/**
 * max(0, −t (x1 − x2) + margin), the margin being 0.
 * @shape any, the same, the same -> []
 * @source torch.nn.MarginRankingLoss
 */
export class MarginRankingLoss extends Loss {
  readonly margin: number;

  constructor(options: MarginOptions = {}) {
    super(options, ['margin']);
    this.margin = options.margin ?? 0;
  }

  forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return marginRankingLoss(x1, x2, target, { margin, reduction });
  }
}

/** log(1 + e^(−t x)) for targets of 1 and −1. @shape any, the same -> [] @source torch.nn.SoftMarginLoss */
export class SoftMarginLoss extends Loss {
  forward(x: Tensor, target: Tensor): Tensor {
    return softMarginLoss(x, target, { reduction: this.reduction });
  }
}

/**
 * What the score of the right class lacks of the margin to others.
 * @shape [N, C], labels [N] -> []
 * @source torch.nn.MultiMarginLoss
 */
export class MultiMarginLoss extends WeightedLoss {
  readonly p: number;
  readonly margin: number;

  constructor(options: MultiMarginOptions = {}) {
    super(options, ['p', 'margin']);
    this.p = options.p ?? 1;
    this.margin = options.margin ?? 1;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this;
    return multiMarginLoss(x, target, { p, margin, weight, reduction });
  }
}

/**
 * What the scores of named classes lack of 1 to others.
 * @shape [N, C], labels [N, C] -> []
 * @source torch.nn.MultiLabelMarginLoss
 */
export class MultiLabelMarginLoss extends Loss {
  forward(x: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(x, target, { reduction: this.reduction });
  }
}

/**
 * The mean over classes of binary cross-entropies.
 * @shape [..., C], the same -> []
 * @source torch.nn.MultiLabelSoftMarginLoss
 */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  constructor(options: MultilabelSoftOptions = {}) {
    super(options);
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return multilabelSoftMarginLoss(x, target, { weight, reduction });
  }
}

/**
 * 1 − cos(x1, x2), or what it exceeds the margin (default 0) by.
 * @shape [N, D], [N, D], [N] -> []
 * @source torch.nn.CosineEmbeddingLoss
 */
export class CosineEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options: MarginOptions = {}) {
    super(options, ['margin']);
    this.margin = options.margin ?? 0;
  }

  forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return cosineEmbeddingLoss(x1, x2, target, { margin, reduction });
  }
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin).
 * @shape [N, D] three times -> []
 * @source torch.nn.TripletMarginLoss
 */
export class TripletMarginLoss extends Loss {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options: TripletOptions = {}) {
    super(options, ['margin', 'p', 'eps', 'swap']);
    const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
    this.margin = margin;
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

/** TripletMarginLoss with a distance of your own. @source torch.nn.TripletMarginWithDistanceLoss */
export class TripletMarginWithDistanceLoss extends Loss {
  readonly distanceFunction: ((x: Tensor, y: Tensor) => Tensor) | null;
  readonly margin: number;
  readonly swap: boolean;

  constructor(options: TripletDistanceOptions = {}) {
    super(options, ['distanceFunction', 'margin', 'swap']);
    this.distanceFunction = options.distanceFunction ?? null;
    this.margin = options.margin ?? 1;
    this.swap = options.swap ?? false;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distanceFunction, margin, swap, reduction } = this;
    return tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction });
  }
}
