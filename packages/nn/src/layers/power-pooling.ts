import { requireOptions, type PerDimension, type Tensor } from '@tapegrad/core';
import { lpPool1d, lpPool2d, lpPool3d, type LPPoolOptions } from '../functional/power-pooling.ts';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

/** What the power-average poolings share. */
abstract class LPPool extends Module {
  readonly normType: number;
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly ceilMode: boolean;

  constructor(
    normType: number,
    kernelSize: PerDimension,
    stride: PerDimension | null = null,
    options: LPPoolOptions = {},
  ) {
    super();
    requireOptions(this.constructor.name, options, ['ceilMode']);
    this.normType = normType;
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.ceilMode = options.ceilMode ?? false;
  }

  override extraRepr(): string {
    const { normType, kernelSize, stride, ceilMode } = this;
    return listed({ normType, kernelSize, stride, ceilMode });
  }
}

/**
 * The p-norm of each window over sequences.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @source torch.nn.LPPool1d
 */
export class LPPool1d extends LPPool {
  forward(x: Tensor): Tensor {
    return lpPool1d(x, this.normType, this.kernelSize, this.stride, { ceilMode: this.ceilMode });
  }
}

/**
 * The p-norm of each window over images.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.LPPool2d
 */
export class LPPool2d extends LPPool {
  forward(x: Tensor): Tensor {
    return lpPool2d(x, this.normType, this.kernelSize, this.stride, { ceilMode: this.ceilMode });
  }
}

/**
 * The p-norm of each window over volumes.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.LPPool3d
 */
export class LPPool3d extends LPPool {
  forward(x: Tensor): Tensor {
    return lpPool3d(x, this.normType, this.kernelSize, this.stride, { ceilMode: this.ceilMode });
  }
}
