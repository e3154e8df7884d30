import { requireOptions, type Tensor } from '@tapegrad/core';
import { ctcLoss, type CTCOptions, type Lengths } from '../functional/ctc-loss.ts';
import { gaussianNllLoss, klDiv, poissonNllLoss } from '../functional/distribution-loss.ts';
import type {
  DivergenceOptions,
  DivergenceReduction,
  GaussianOptions,
  PoissonOptions,
} from '../functional/distribution-loss.ts';
import { checkReduction } from '../functional/reduction.ts';
import { Module } from '../module.ts';
import { Loss } from './loss.ts';

/**
 * The Kullback-Leibler divergence from a distribution whose logarithm is x.
 * @shape any, the same -> []
 * @source torch.nn.KLDivLoss
 */
export class KLDivLoss extends Module {
  readonly reduction: DivergenceReduction;
  readonly logTarget: boolean;

  constructor(options: DivergenceOptions = {}) {
    super();
    requireOptions('KLDivLoss', options, ['reduction', 'logTarget']);
    const { reduction = 'mean', logTarget = false } = options;
    if (reduction !== 'batchmean') checkReduction('KLDivLoss', reduction);
    this.reduction = reduction;
    this.logTarget = logTarget;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { reduction, logTarget } = this;
    return klDiv(x, target, { reduction, logTarget });
  }
}

/**
 * Minus the log-probability of counts under Poisson distributions.
 * @shape any, the same -> []
 * @source torch.nn.PoissonNLLLoss
 */
export class PoissonNLLLoss extends Loss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options: PoissonOptions = {}) {
    super(options, ['logInput', 'full', 'eps']);
    const { logInput = true, full = false, eps = 1e-8 } = options;
    this.logInput = logInput;
    this.full = full;
    this.eps = eps;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    const { logInput, full, eps, reduction } = this;
    return poissonNllLoss(x, target, { logInput, full, eps, reduction });
  }
}

/**
 * Minus the log-probability of targets under normal distributions.
 * @shape any, the same, variances -> []
 * @source torch.nn.GaussianNLLLoss
 */
export class GaussianNLLLoss extends Loss {
  readonly full: boolean;
  readonly eps: number;

  constructor(options: GaussianOptions = {}) {
    super(options, ['full', 'eps']);
    this.full = options.full ?? false;
    this.eps = options.eps ?? 1e-6;
  }

  forward(x: Tensor, target: Tensor, variance: Tensor): Tensor {
    const { full, eps, reduction } = this;
    return gaussianNllLoss(x, target, variance, { full, eps, reduction });
  }
}

/**
 * Minus the log-probability that an input spells its target.
 * @shape log-probabilities [T, N, C] or [T, C], labels [N, S], [S] or in one row -> []
 * @source torch.nn.CTCLoss (Graves et al. 2006)
 */
export class CTCLoss extends Loss {
  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options: CTCOptions = {}) {
    super(options, ['blank', 'zeroInfinity']);
    this.blank = options.blank ?? 0;
    this.zeroInfinity = options.zeroInfinity ?? false;
  }

  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, zeroInfinity, reduction } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, zeroInfinity, reduction });
  }
}
