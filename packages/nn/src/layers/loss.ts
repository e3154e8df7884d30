import { requireOptions, type Tensor } from '@tapegrad/core';
import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from '../functional/binary-loss.ts';
import { crossEntropy, nllLoss } from '../functional/class-loss.ts';
import type { CrossEntropyOptions, NLLOptions } from '../functional/class-loss.ts';
import type { BinaryLogitsOptions, BinaryOptions } from '../functional/binary-loss.ts';
import { checkReduction, type LossOptions, type Reduction } from '../functional/reduction.ts';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../functional/regression-loss.ts';
import type { HuberOptions, SmoothL1Options } from '../functional/regression-loss.ts';
import { Module } from '../module.ts';

/** What PyTorch's former two options stand for, which go before `reduction`; undefined without either. */
function formerReduction(sizeAverage: unknown, reduce: unknown): Reduction | undefined {
  if (sizeAverage == null && reduce == null) return undefined;
  if (reduce === false) return 'none';
  return sizeAverage === false ? 'sum' : 'mean';
}

/** What the losses share: how the losses of all elements are reduced. */
export abstract class Loss extends Module {
  readonly reduction: Reduction;

  /** @param further options that a loss has beside the reduction */
  constructor(options: LossOptions = {}, further: readonly string[] = []) {
    super();
    const given = options as Readonly<Record<string, unknown>>;
    requireOptions(this.constructor.name, given, ['reduction', ...further, 'sizeAverage', 'reduce']);
    const reduction = formerReduction(given['sizeAverage'], given['reduce']) ?? options.reduction ?? 'mean';
    checkReduction(this.constructor.name, reduction);
    this.reduction = reduction;
  }
}

/** The squared error (x − t)². @shape any, the same -> [] @source torch.nn.MSELoss */
export class MSELoss extends Loss {
  forward(x: Tensor, target: Tensor): Tensor {
    return mseLoss(x, target, { reduction: this.reduction });
  }
}

/** The absolute error |x − t|. @shape any, the same -> [] @source torch.nn.L1Loss */
export class L1Loss extends Loss {
  forward(x: Tensor, target: Tensor): Tensor {
    return l1Loss(x, target, { reduction: this.reduction });
  }
}

/**
 * Squared error below beta, absolute error above.
 * @shape any, the same -> []
 * @source torch.nn.SmoothL1Loss
 */
export class SmoothL1Loss extends Loss {
  readonly beta: number;

  constructor(options: SmoothL1Options = {}) {
    super(options, ['beta']);
    this.beta = options.beta ?? 1;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { reduction, beta } = this;
    return smoothL1Loss(x, target, { reduction, beta });
  }
}

/**
 * Squared error below delta, delta times the absolute error above.
 * @shape any, the same -> []
 * @source torch.nn.HuberLoss
 */
export class HuberLoss extends Loss {
  readonly delta: number;

  constructor(options: HuberOptions = {}) {
    super(options, ['delta']);
    this.delta = options.delta ?? 1;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { reduction, delta } = this;
    return huberLoss(x, target, { reduction, delta });
  }
}

/** A loss with a weight per class or element, which is part of its state. */
export abstract class WeightedLoss extends Loss {
  weight: Tensor | null = null;

  constructor(options: LossOptions & { weight?: Tensor | null | undefined }, further: readonly string[] = []) {
    super(options, ['weight', ...further]);
    this.registerBuffer('weight', options.weight ?? null);
  }
}

/**
 * Minus the log-probability of the right class.
 * @shape [N, C, …], labels [N, …] -> []
 * @source torch.nn.NLLLoss
 */
export class NLLLoss extends WeightedLoss {
  readonly ignoreIndex: number;

  constructor(options: NLLOptions = {}) {
    super(options, ['ignoreIndex']);
    this.ignoreIndex = options.ignoreIndex ?? -100;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(x, target, { weight, ignoreIndex, reduction });
  }
}

/** NLLLoss, which takes images too, under PyTorch's older name. @source torch.nn.NLLLoss2d */
export class NLLLoss2d extends NLLLoss {}

/**
 * Cross-entropy between softmax of the input and class labels, or probabilities of the input's shape.
 * @shape scores [N, C, …] or [C], labels [N, …] or [], or probabilities like the scores -> []
 * @throws IndexError when a label is not a class
 * @source torch.nn.CrossEntropyLoss
 */
export class CrossEntropyLoss extends WeightedLoss {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions = {}) {
    super(options, ['ignoreIndex', 'labelSmoothing']);
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.labelSmoothing = options.labelSmoothing ?? 0;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(x, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

/** Binary cross-entropy of probabilities. @shape any, the same -> [] @source torch.nn.BCELoss */
export class BCELoss extends WeightedLoss {
  constructor(options: BinaryOptions = {}) {
    super(options);
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return binaryCrossEntropy(x, target, { weight, reduction });
  }
}

/**
 * Binary cross-entropy of sigmoid(x), which does not overflow.
 * @shape any, the same -> []
 * @source torch.nn.BCEWithLogitsLoss
 */
export class BCEWithLogitsLoss extends WeightedLoss {
  posWeight: Tensor | null = null;

  constructor(options: BinaryLogitsOptions = {}) {
    super(options, ['posWeight']);
    this.registerBuffer('posWeight', options.posWeight ?? null, { key: 'pos_weight' });
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return binaryCrossEntropyWithLogits(x, target, { weight, posWeight, reduction });
  }
}
