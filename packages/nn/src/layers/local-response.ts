import { requireOptions, type Tensor } from '@tapegrad/core';
import {
  crossMapResponseNorm,
  localResponseNorm,
  type LocalResponseOptions,
} from '../functional/local-response.ts';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

/**
 * Divides by what neighbouring channels have in common.
 * @shape [N, C, …] -> the same
 * @source torch.nn.LocalResponseNorm
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: LocalResponseOptions = {}) {
    super();
    requireOptions(this.constructor.name, options, ['alpha', 'beta', 'k']);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  forward(x: Tensor): Tensor {
    const { alpha, beta, k } = this;
    return localResponseNorm(x, this.size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${this.size}, ${listed({ alpha: this.alpha, beta: this.beta, k: this.k })}`;
  }
}

/**
 * As LocalResponseNorm, with equally many channels on both sides.
 * @shape [N, C, H, W] -> the same
 * @derivative that of the formula; PyTorch's class takes the neighbours of another channel there
 * @source torch.nn.CrossMapLRN2d
 */
export class CrossMapLRN2d extends LocalResponseNorm {
  override forward(x: Tensor): Tensor {
    const { alpha, beta, k } = this;
    return crossMapResponseNorm(x, this.size, { alpha, beta, k });
  }
}
