import { col2im, im2col, interpolate, requireOptions } from '@tapegrad/core';
import type {
  InterpolateOptions,
  InterpolationMode,
  PatchOptions,
  PerDimension,
  Tensor,
} from '@tapegrad/core';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../functional/pixel-shuffle.ts';
import { Module } from '../module.ts';
import { options as listed } from '../repr.ts';

const upsampleOptions = ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor'] as const;

/**
 * A tensor of other spatial sizes. One of size and scaleFactor is needed.
 * @shape [N, C, L], [N, C, H, W] or [N, C, D, H, W] -> the same rank
 * @source torch.nn.Upsample
 */
export class Upsample extends Module {
  readonly size: PerDimension | null;
  readonly scaleFactor: PerDimension | null;
  readonly mode: InterpolationMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(options: InterpolateOptions) {
    super();
    requireOptions(this.constructor.name, options, upsampleOptions);
    const {
      size = null,
      scaleFactor = null,
      mode = 'nearest',
      alignCorners = null,
      recomputeScaleFactor = null,
    } = options;
    this.size = size;
    this.scaleFactor = scaleFactor;
    this.mode = mode;
    this.alignCorners = alignCorners;
    this.recomputeScaleFactor = recomputeScaleFactor;
  }

  forward(x: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return interpolate(x, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode } = this;
    return listed({ size: size ?? undefined, scaleFactor: scaleFactor ?? undefined, mode });
  }
}

type TargetSize = Pick<InterpolateOptions, 'size' | 'scaleFactor'>;

/** The options of a layer that goes with a mode of its own. */
function withMode(owner: string, given: TargetSize, mode: InterpolateOptions): InterpolateOptions {
  requireOptions(owner, given, ['size', 'scaleFactor']);
  return { ...given, ...mode };
}

/**
 * Images, each pixel from the nearest one.
 * @shape [N, C, H, W] -> [N, C, H', W']
 * @source torch.nn.UpsamplingNearest2d
 */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: TargetSize) {
    super(withMode(new.target.name, options, { mode: 'nearest' }));
  }
}

/**
 * Images, bilinearly, with the corners where they are.
 * @shape [N, C, H, W] -> [N, C, H', W']
 * @source torch.nn.UpsamplingBilinear2d
 */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: TargetSize) {
    super(withMode(new.target.name, options, { mode: 'bilinear', alignCorners: true }));
  }
}

/**
 * Channels laid out as pixels.
 * @shape [..., C · r², H, W] -> [..., C, H · r, W · r]
 * @source torch.nn.PixelShuffle
 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return listed({ upscaleFactor: this.upscaleFactor });
  }
}

/**
 * Pixels laid out as channels.
 * @shape [..., C, H · r, W · r] -> [..., C · r², H, W]
 * @source torch.nn.PixelUnshuffle
 */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return listed({ downscaleFactor: this.downscaleFactor });
  }
}

/**
 * Channels in another order, dealt out over groups.
 * @shape [N, C, …] -> the same
 * @source torch.nn.ChannelShuffle
 */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number) {
    super();
    this.groups = groups;
  }

  forward(x: Tensor): Tensor {
    return channelShuffle(x, this.groups);
  }

  override extraRepr(): string {
    return listed({ groups: this.groups });
  }
}

/**
 * The windows of images, each as a column.
 * @shape [N, C, H, W] or [C, H, W] -> [N, C · kH · kW, L]
 * @source torch.nn.Unfold
 */
export class Unfold extends Module {
  readonly kernelSize: PerDimension;
  readonly dilation: PerDimension;
  readonly padding: PerDimension;
  readonly stride: PerDimension;

  constructor(kernelSize: PerDimension, options: PatchOptions = {}) {
    super();
    requireOptions('Unfold', options, ['dilation', 'padding', 'stride']);
    const { dilation = 1, padding = 0, stride = 1 } = options;
    this.kernelSize = kernelSize;
    this.dilation = dilation;
    this.padding = padding;
    this.stride = stride;
  }

  forward(x: Tensor): Tensor {
    const { dilation, padding, stride } = this;
    return im2col(x, this.kernelSize, { dilation, padding, stride });
  }

  override extraRepr(): string {
    const { kernelSize, dilation, padding, stride } = this;
    return listed({ kernelSize, dilation, padding, stride });
  }
}

/**
 * Images from windows given as columns, overlaps added up.
 * @shape [N, C · kH · kW, L] -> [N, C, H, W]
 * @source torch.nn.Fold
 */
export class Fold extends Module {
  readonly outputSize: PerDimension;
  readonly kernelSize: PerDimension;
  readonly dilation: PerDimension;
  readonly padding: PerDimension;
  readonly stride: PerDimension;

  constructor(
    outputSize: PerDimension,
    kernelSize: PerDimension,
    options: PatchOptions = {},
  ) {
    super();
    requireOptions('Fold', options, ['dilation', 'padding', 'stride']);
    const { dilation = 1, padding = 0, stride = 1 } = options;
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.dilation = dilation;
    this.padding = padding;
    this.stride = stride;
  }

  forward(x: Tensor): Tensor {
    const { dilation, padding, stride } = this;
    return col2im(x, this.outputSize, this.kernelSize, { dilation, padding, stride });
  }

  override extraRepr(): string {
    const { outputSize, kernelSize, dilation, padding, stride } = this;
    return listed({ outputSize, kernelSize, dilation, padding, stride });
  }
}
