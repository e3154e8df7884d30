import {
  adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d, adaptiveMaxPool1d, adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d, adaptiveMaxPool2dWithIndices, adaptiveMaxPool3d, adaptiveMaxPool3dWithIndices,
  avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool1dWithIndices, maxPool2d, maxPool2dWithIndices,
  maxPool3d, maxPool3dWithIndices,
  requireOptions,
} from '@tapegrad/core';
import type { OutputSize, PerDimension, Tensor, ValuesAndIndices } from '@tapegrad/core';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

/** Options of max pooling layers. */
export interface MaxPoolLayerOptions {
  /** Step of the window, if it is not given by position; default its size. */
  stride?: PerDimension | null | undefined;
  /** Padding on both sides, at most half the window; default 0. */
  padding?: PerDimension | undefined;
  /** Distance between the window's elements; default 1. */
  dilation?: PerDimension | undefined;
  /** Also take windows that overhang the end; default false. */
  ceilMode?: boolean | undefined;
}

/** Options of average pooling layers. */
export interface AvgPoolLayerOptions {
  /** Step of the window, if it is not given by position; default its size. */
  stride?: PerDimension | null | undefined;
  /** Padding on both sides, at most half the window; default 0. */
  padding?: PerDimension | undefined;
  /** Also take windows that overhang the end; default false. */
  ceilMode?: boolean | undefined;
  /** Whether padding counts in the divisor; default true. */
  countIncludePad?: boolean | undefined;
  /** A divisor of your own. */
  divisorOverride?: number | null | undefined;
}

/** Options with the step that was given by position, if any. */
function withStep<Options extends { stride?: PerDimension | null | undefined }>(
  step: PerDimension | null | Options,
  options: Options,
): Options {
  if (step === null) return options;
  if (typeof step === 'object' && !Array.isArray(step)) return step as Options;
  return typeof options === 'object' ? { ...options, stride: step as PerDimension } : options;
}

/** What the max pooling layers share. */
export abstract class MaxPool extends Module {
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly padding: PerDimension;
  readonly dilation: PerDimension;
  readonly ceilMode: boolean;

  constructor(
    kernelSize: PerDimension,
    stride: PerDimension | null | MaxPoolLayerOptions = null,
    options: MaxPoolLayerOptions = {},
  ) {
    super();
    const given = withStep(stride, options);
    requireOptions(this.constructor.name, given, ['stride', 'padding', 'dilation', 'ceilMode']);
    const { padding = 0, dilation = 1, ceilMode = false } = given;
    this.kernelSize = kernelSize;
    this.stride = given.stride ?? kernelSize;
    this.padding = padding;
    this.dilation = dilation;
    this.ceilMode = ceilMode;
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return listed({ kernelSize, stride, padding, dilation, ceilMode });
  }
}

/**
 * The largest element of each window over sequences.
 * @shape [N, C, L] or [C, L] -> [N, C, L'] or [C, L']
 * @source torch.nn.MaxPool1d
 */
export class MaxPool1d extends MaxPool {
  forward(x: Tensor): Tensor {
    const { padding, dilation, ceilMode } = this;
    return maxPool1d(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }

  /** As `forward`, with the position of each value in the sequence. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    const { padding, dilation, ceilMode } = this;
    return maxPool1dWithIndices(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }
}

/**
 * The largest element of each window over images. The stride is the window's size unless given.
 * @shape [N, C, H, W] or [C, H, W] -> [N, C, H', W'] or [C, H', W']
 * @derivative to the first of the largest
 * @source torch.nn.MaxPool2d
 */
export class MaxPool2d extends MaxPool {
  forward(x: Tensor): Tensor {
    const { padding, dilation, ceilMode } = this;
    return maxPool2d(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }

  /** As `forward`, with the flat position of each value in the image. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    const { padding, dilation, ceilMode } = this;
    return maxPool2dWithIndices(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }
}

/**
 * The largest element of each window over volumes.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.MaxPool3d
 */
export class MaxPool3d extends MaxPool {
  forward(x: Tensor): Tensor {
    const { padding, dilation, ceilMode } = this;
    return maxPool3d(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }

  /** As `forward`, with the flat position of each value in the volume. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    const { padding, dilation, ceilMode } = this;
    return maxPool3dWithIndices(x, this.kernelSize, this.stride, { padding, dilation, ceilMode });
  }
}

/** What the average pooling layers share. */
export abstract class AvgPool extends Module {
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly padding: PerDimension;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(
    kernelSize: PerDimension,
    stride: PerDimension | null | AvgPoolLayerOptions = null,
    options: AvgPoolLayerOptions = {},
  ) {
    super();
    const given = withStep(stride, options);
    requireOptions(this.constructor.name, given, ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride']);
    const { padding = 0, ceilMode = false, countIncludePad = true, divisorOverride = null } = given;
    this.kernelSize = kernelSize;
    this.stride = given.stride ?? kernelSize;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    this.divisorOverride = divisorOverride;
  }

  override extraRepr(): string {
    return listed({ kernelSize: this.kernelSize, stride: this.stride, padding: this.padding });
  }
}

/**
 * The mean of each window over sequences.
 * @shape [N, C, L] or [C, L] -> [N, C, L'] or [C, L']
 * @source torch.nn.AvgPool1d
 */
export class AvgPool1d extends AvgPool {
  forward(x: Tensor): Tensor {
    const { padding, ceilMode, countIncludePad } = this;
    return avgPool1d(x, this.kernelSize, this.stride, { padding, ceilMode, countIncludePad });
  }
}

/**
 * The mean of each window over images.
 * @shape [N, C, H, W] or [C, H, W] -> [N, C, H', W'] or [C, H', W']
 * @source torch.nn.AvgPool2d
 */
export class AvgPool2d extends AvgPool {
  forward(x: Tensor): Tensor {
    const { padding, ceilMode, countIncludePad, divisorOverride } = this;
    return avgPool2d(x, this.kernelSize, this.stride, { padding, ceilMode, countIncludePad, divisorOverride });
  }
}

/**
 * The mean of each window over volumes.
 * @shape [N, C, D, H, W] -> [N, C, D', H', W']
 * @source torch.nn.AvgPool3d
 */
export class AvgPool3d extends AvgPool {
  forward(x: Tensor): Tensor {
    const { padding, ceilMode, countIncludePad, divisorOverride } = this;
    return avgPool3d(x, this.kernelSize, this.stride, { padding, ceilMode, countIncludePad, divisorOverride });
  }
}

/** What the adaptive pooling layers share: a size of the output, whatever that of the input. */
export abstract class AdaptivePool extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize | { outputSize: OutputSize }) {
    super();
    if (typeof outputSize !== 'object' || outputSize === null || Array.isArray(outputSize)) {
      this.outputSize = outputSize as OutputSize;
      return;
    }
    const given = outputSize as { outputSize: OutputSize };
    requireOptions(this.constructor.name, given, ['outputSize']);
    this.outputSize = given.outputSize;
  }

  override extraRepr(): string {
    const { outputSize } = this;
    const sizes = Array.isArray(outputSize) ? `[${outputSize.map(String).join(', ')}]` : String(outputSize);
    return `outputSize=${sizes}`;
  }
}

/**
 * Means of as many windows as the output is long.
 * @shape [N, C, L] -> [N, C, outputSize]
 * @source torch.nn.AdaptiveAvgPool1d
 */
export class AdaptiveAvgPool1d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * Means of as many windows as the output has pixels; null keeps a size.
 * @shape [N, C, H, W] -> [N, C, ...outputSize]
 * @source torch.nn.AdaptiveAvgPool2d
 */
export class AdaptiveAvgPool2d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/**
 * Means of as many windows as the output has voxels.
 * @shape [N, C, D, H, W] -> [N, C, ...outputSize]
 * @source torch.nn.AdaptiveAvgPool3d
 */
export class AdaptiveAvgPool3d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/**
 * The largest elements of as many windows as the output is large; null keeps a size.
 * @shape [N, C, L] -> [N, C, outputSize]
 * @source torch.nn.AdaptiveMaxPool1d
 */
export class AdaptiveMaxPool1d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }

  /** As `forward`, with the flat position of each value. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    return adaptiveMaxPool1dWithIndices(x, this.outputSize);
  }
}

/**
 * The largest elements of as many windows as the output is large; null keeps a size.
 * @shape [N, C, H, W] -> [N, C, ...outputSize]
 * @source torch.nn.AdaptiveMaxPool2d
 */
export class AdaptiveMaxPool2d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }

  /** As `forward`, with the flat position of each value. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    return adaptiveMaxPool2dWithIndices(x, this.outputSize);
  }
}

/**
 * The largest elements of as many windows as the output is large; null keeps a size.
 * @shape [N, C, D, H, W] -> [N, C, ...outputSize]
 * @source torch.nn.AdaptiveMaxPool3d
 */
export class AdaptiveMaxPool3d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool3d(x, this.outputSize);
  }

  /** As `forward`, with the flat position of each value. */
  forwardWithIndices(x: Tensor): ValuesAndIndices {
    return adaptiveMaxPool3dWithIndices(x, this.outputSize);
  }
}
