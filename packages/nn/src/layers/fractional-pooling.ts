import {
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3d,
  fractionalMaxPool3dWithIndices,
} from '@tapegrad/core';
import type { FractionalPoolOptions, PerDimension, Tensor, ValuesAndIndices } from '@tapegrad/core';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

/** What the fractional poolings share: a window, and the size of the output or its share of the input's. */
abstract class FractionalMaxPool extends Module {
  readonly kernelSize: PerDimension;
  readonly outputSize: PerDimension | null;
  readonly outputRatio: PerDimension | null;
  readonly randomSamples: Tensor | null;

  constructor(
    kernelSize: PerDimension,
    { outputSize = null, outputRatio = null, randomSamples = null }: FractionalPoolOptions,
  ) {
    super();
    this.kernelSize = kernelSize;
    this.outputSize = outputSize;
    this.outputRatio = outputRatio;
    this.randomSamples = randomSamples;
  }

  override extraRepr(): string {
    const { kernelSize, outputSize, outputRatio } = this;
    return listed({ kernelSize, outputSize: outputSize ?? undefined, outputRatio: outputRatio ?? undefined });
  }
}

/**
 * The largest elements of windows at random distances.
 * @shape [N, C, H, W] -> [N, C, H', W']
 * @source torch.nn.FractionalMaxPool2d
 */
export class FractionalMaxPool2d extends FractionalMaxPool {
  forward(x: Tensor): Tensor {
    return fractionalMaxPool2d(x, this.kernelSize, this);
  }

  /** As `forward`, with the flat position of each value in the image. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    return fractionalMaxPool2dWithIndices(x, this.kernelSize, this);
  }
}

/**
 * As FractionalMaxPool2d over volumes.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.FractionalMaxPool3d
 */
export class FractionalMaxPool3d extends FractionalMaxPool {
  forward(x: Tensor): Tensor {
    return fractionalMaxPool3d(x, this.kernelSize, this);
  }

  /** As `forward`, with the flat position of each value in the volume. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    return fractionalMaxPool3dWithIndices(x, this.kernelSize, this);
  }
}
