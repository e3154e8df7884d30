import { maxUnpool1d, maxUnpool2d, maxUnpool3d, requireOptions } from '@tapegrad/core';
import type { PerDimension, Tensor, UnpoolOptions } from '@tapegrad/core';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

/** What the unpooling layers share: the window that the pooling had. */
abstract class MaxUnpool extends Module {
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly padding: PerDimension;

  constructor(
    kernelSize: PerDimension,
    stride: PerDimension | null = null,
    options: Pick<UnpoolOptions, 'padding'> = {},
  ) {
    super();
    requireOptions(this.constructor.name, options, ['padding']);
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = options.padding ?? 0;
  }

  override extraRepr(): string {
    return listed({ kernelSize: this.kernelSize, stride: this.stride, padding: this.padding });
  }
}

/**
 * Maxima put back where MaxPool1d found them, zeros elsewhere.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @source torch.nn.MaxUnpool1d
 */
export class MaxUnpool1d extends MaxUnpool {
  forward(x: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return maxUnpool1d(x, indices, this.kernelSize, this.stride, { padding: this.padding, outputSize });
  }
}

/**
 * Maxima put back where MaxPool2d found them, zeros elsewhere.
 * @shape [N, C, H, W] -> [N, C, H', W']
 * @source torch.nn.MaxUnpool2d
 */
export class MaxUnpool2d extends MaxUnpool {
  forward(x: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return maxUnpool2d(x, indices, this.kernelSize, this.stride, { padding: this.padding, outputSize });
  }
}

/**
 * Maxima put back where MaxPool3d found them, zeros elsewhere.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.MaxUnpool3d
 */
export class MaxUnpool3d extends MaxUnpool {
  forward(x: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return maxUnpool3d(x, indices, this.kernelSize, this.stride, { padding: this.padding, outputSize });
  }
}
