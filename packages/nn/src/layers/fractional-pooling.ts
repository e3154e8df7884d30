import {
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3d,
  fractionalMaxPool3dWithIndices,
  requireOptions,
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

  constructor(kernelSize: PerDimension, options: FractionalPoolOptions) {
    super();
    requireOptions(this.constructor.name, options, ['outputSize', 'outputRatio', 'randomSamples']);
    const { outputSize = null, outputRatio = null, randomSamples = null } = options;
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
    const { outputSize, outputRatio, randomSamples } = this;
    return fractionalMaxPool2d(x, this.kernelSize, { outputSize, outputRatio, randomSamples });
  }

  /** As `forward`, with the flat position of each value in the image. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    const { outputSize, outputRatio, randomSamples } = this;
    return fractionalMaxPool2dWithIndices(x, this.kernelSize, { outputSize, outputRatio, randomSamples });
  }
}

/**
 * As FractionalMaxPool2d over volumes.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.FractionalMaxPool3d
 */
export class FractionalMaxPool3d extends FractionalMaxPool {
  forward(x: Tensor): Tensor {
    const { outputSize, outputRatio, randomSamples } = this;
    return fractionalMaxPool3d(x, this.kernelSize, { outputSize, outputRatio, randomSamples });
  }

  /** As `forward`, with the flat position of each value in the volume. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    const { outputSize, outputRatio, randomSamples } = this;
    return fractionalMaxPool3dWithIndices(x, this.kernelSize, { outputSize, outputRatio, randomSamples });
  }
}
