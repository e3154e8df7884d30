import {
  conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d, empty, pad, ShapeError,
  ValueError,
  requireOptions,
} from '@tapegrad/core';
import type { ConvolutionOptions, DTypeName, PerDimension, Tensor } from '@tapegrad/core';
import { fans, kaimingUniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed, type Printable } from '../repr.ts';
import { resetBias } from './linear.ts';

/**
 * What is put around the input of a convolution: zeros, or the input mirrored, at its edge, or from its other
 * end.
 */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** Options of convolution layers. */
export interface ConvOptions {
  /** Step of the window; default 1. */
  stride?: PerDimension | undefined;
  /** How much is put around the input; 'same' keeps the size (for stride 1), 'valid' is 0. Default 0. */
  padding?: PerDimension | 'same' | 'valid' | undefined;
  /** Distance between the window's elements; default 1. */
  dilation?: PerDimension | undefined;
  /** Number of groups of channels that do not see each other; default 1. */
  groups?: number | undefined;
  /** Whether a bias is added; default true. */
  bias?: boolean | undefined;
  /** What is put around the input; default 'zeros'. */
  paddingMode?: PaddingMode | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/** Options of transposed convolution layers. */
export interface ConvTransposeLayerOptions extends Omit<ConvOptions, 'padding' | 'paddingMode'> {
  /** What is cut off around the output; default 0. */
  padding?: PerDimension | undefined;
  /** What is added at the end of the output; default 0. */
  outputPadding?: PerDimension | undefined;
}

const sharedOptions = ['stride', 'padding', 'dilation', 'groups', 'bias', 'dtype'] as const;

/** What all convolution layers share. */
export abstract class ConvBase extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /**
   * @shape [outChannels, inChannels / groups, ...kernelSize], for transposed ones with both channels swapped
   */
  weight: Parameter;
  /** @shape [outChannels] */
  bias: Parameter | null;

  constructor(
    rank: number,
    ends: readonly [number, number],
    kernelSize: PerDimension,
    options: ConvOptions & Pick<ConvTransposeLayerOptions, 'outputPadding'>,
    swapped: boolean,
  ) {
    super();
    requireOptions(this.constructor.name, options, [...sharedOptions, swapped ? 'outputPadding' : 'paddingMode']);
    const { stride = 1, dilation = 1, groups = 1, bias = true, dtype } = options;
    const [inChannels, outChannels] = ends;
    requireSizes(this.constructor.name, { inChannels, outChannels });
    for (const [name, channels] of [
      ['inChannels', inChannels],
      ['outChannels', outChannels],
    ] as const) {
      if (channels % groups === 0) continue;
      throw new ValueError(
        `${this.constructor.name}: ${name} is ${channels}, which ${groups} groups do not divide`,
        {
          argument: name,
        },
      );
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = spread(this, 'kernelSize', kernelSize, rank);
    this.stride = spread(this, 'stride', stride, rank);
    this.dilation = spread(this, 'dilation', dilation, rank);
    this.groups = groups;
    const channels = swapped ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter(empty([...channels, ...this.kernelSize], { dtype }));
    this.bias = bias ? new Parameter(empty([outChannels], { dtype })) : null;
    this.resetParameters();
  }

  /** Draws the initial values again. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    resetBias(this.bias, fans(this.weight).fanIn);
  }

  /** Options that are printed only where they are not the defaults. @internal */
  protected rest(): Record<string, Printable | undefined> {
    return {};
  }

  override extraRepr(): string {
    const { inChannels, outChannels, kernelSize, stride, dilation, groups, bias } = this;
    const unless = (value: readonly number[], usual: number): Printable | undefined =>
      value.every((n) => n === usual) ? undefined : value;
    return `${inChannels}, ${outChannels}, ${listed({
      kernelSize,
      stride,
      ...this.rest(),
      dilation: unless(dilation, 1),
      groups: groups === 1 ? undefined : groups,
      bias: bias === null ? false : undefined,
    })}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.inChannels} → ${this.outChannels}`;
  }
}

function spread(layer: Module, name: string, value: PerDimension, rank: number): number[] {
  const given = [value].flat();
  if (given.length === 1) return new Array<number>(rank).fill(given[0]!);
  if (given.length === rank) return given;
  throw new ValueError(
    `${layer.constructor.name}: ${name} must be a number or ${rank} of them, got [${given.join(', ')}]`,
    {
      argument: name,
    },
  );
}

/** What Conv1d, Conv2d and Conv3d share. */
abstract class Convolution extends ConvBase {
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly paddingMode: PaddingMode;
  /** Margins for `pad`, last dimension first; null where the convolution itself puts zeros around. */
  readonly #margins: readonly number[] | null;

  constructor(rank: number, ends: readonly [number, number], kernelSize: PerDimension, options: ConvOptions) {
    super(rank, ends, kernelSize, options, false);
    const { padding = 0, paddingMode = 'zeros' } = options;
    if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid') {
      throw new ValueError(
        `${this.constructor.name}: padding must be numbers, 'same' or 'valid', got '${String(padding)}'`,
      );
    }
    if (padding === 'same' && this.stride.some((s) => s !== 1)) {
      throw new ValueError(
        `${this.constructor.name}: padding 'same' is not defined for strided convolutions`,
      );
    }
    if (!['zeros', 'reflect', 'replicate', 'circular'].includes(paddingMode)) {
      throw new ValueError(`${this.constructor.name}: unknown paddingMode '${String(paddingMode)}'`);
    }
    this.padding = typeof padding === 'string' ? padding : spread(this, 'padding', padding, rank);
    this.paddingMode = paddingMode;
    this.#margins = paddingMode === 'zeros' || padding === 'valid' ? null : this.#marginsOf(this.padding);
  }

  #marginsOf(padding: readonly number[] | string): number[] {
    const total = this.kernelSize.map((k, d) =>
      typeof padding === 'string' ? this.dilation[d]! * (k - 1) : 2 * padding[d]!,
    );
    return total.reverse().flatMap((n) => [Math.floor(n / 2), Math.ceil(n / 2)]);
  }

  /** Input with its margins, and the options of the operation. @internal */
  protected prepared(x: Tensor): [Tensor, ConvolutionOptions] {
    if (this.#margins === null) return [x, this];
    const { stride, dilation, groups, paddingMode } = this;
    const mode = paddingMode as Exclude<PaddingMode, 'zeros'>;
    return [pad(x, this.#margins, { mode }), { stride, dilation, groups }];
  }

  protected override rest(): Record<string, Printable | undefined> {
    const { padding, paddingMode } = this;
    const none = typeof padding !== 'string' && padding.every((n) => n === 0);
    return {
      padding: none ? undefined : padding,
      paddingMode: paddingMode === 'zeros' ? undefined : paddingMode,
    };
  }
}

/**
 * A window of weights moved over sequences. Parameters start uniform in ±1/√(inChannels/groups · window).
 * @shape [N, inChannels, L] or [inChannels, L] -> [N, outChannels, L'] or [outChannels, L']
 * @throws ValueError when the groups do not divide the channels
 * @source torch.nn.Conv1d
 */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(1, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const [input, options] = this.prepared(x);
    return conv1d(input, this.weight, this.bias, options);
  }
}

/**
 * A window of weights moved over images. Parameters start uniform in ±1/√(inChannels/groups · window).
 * @shape [N, inChannels, H, W] or [inChannels, H, W] -> [N, outChannels, H', W'] or [outChannels, H', W']
 * @throws ValueError when the groups do not divide the channels
 * @example
 * const conv = new nn.Conv2d(3, 8, 5, { padding: 2 });
 * console.log(conv(tg.ones([1, 3, 28, 28])).shape); // → [ 1, 8, 28, 28 ]
 * console.log(`${conv}`); // → Conv2d(3, 8, kernelSize=[5, 5], stride=[1, 1], padding=[2, 2])
 * @source torch.nn.Conv2d
 */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(2, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const [input, options] = this.prepared(x);
    return conv2d(input, this.weight, this.bias, options);
  }
}

/**
 * A window of weights moved over volumes.
 * @shape [N, inChannels, D, H, W] or [inChannels, D, H, W] -> [N, outChannels, D', H', W'] or without N
 * @throws ValueError when the groups do not divide the channels
 * @source torch.nn.Conv3d
 */
export class Conv3d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(3, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const [input, options] = this.prepared(x);
    return conv3d(input, this.weight, this.bias, options);
  }
}

/** What ConvTranspose1d, 2d and 3d share. */
export abstract class TransposedConvolution extends ConvBase {
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];

  constructor(
    rank: number,
    ends: readonly [number, number],
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions,
  ) {
    super(rank, ends, kernelSize, options, true);
    this.padding = spread(this, 'padding', options.padding ?? 0, rank);
    this.outputPadding = spread(this, 'outputPadding', options.outputPadding ?? 0, rank);
  }

  /** The output padding with which the output has the wanted sizes. @internal */
  protected outputPaddingFor(x: Tensor, outputSize: readonly number[] | undefined): readonly number[] {
    if (outputSize === undefined) return this.outputPadding;
    const rank = this.kernelSize.length;
    const sizes = outputSize.slice(-rank);
    return this.kernelSize.map((k, d) => {
      const input = x.shape.at(d - rank)!;
      const least = (input - 1) * this.stride[d]! - 2 * this.padding[d]! + this.dilation[d]! * (k - 1) + 1;
      const most = least + this.stride[d]! - 1;
      const size = sizes[d];
      if (size === undefined || size < least || size > most) {
        throw new ShapeError(
          `${this.constructor.name}: outputSize [${outputSize.join(', ')}] cannot be had for the input ` +
            `[${x.shape.join(', ')}]: spatial dimension ${d} must be ${least} to ${most}`,
          { argument: 'outputSize', shapes: [x.shape] },
        );
      }
      return size - least;
    });
  }

  protected override rest(): Record<string, Printable | undefined> {
    const { padding, outputPadding } = this;
    const unless = (value: readonly number[]): Printable | undefined =>
      value.every((n) => n === 0) ? undefined : value;
    return { padding: unless(padding), outputPadding: unless(outputPadding) };
  }
}

/**
 * The transpose of Conv1d.
 * @shape [N, inChannels, L] -> [N, outChannels, L']
 * @source torch.nn.ConvTranspose1d
 */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(1, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const outputPadding = this.outputPaddingFor(x, outputSize);
    const { stride, padding, dilation, groups } = this;
    return convTranspose1d(x, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups });
  }
}

/**
 * The transpose of Conv2d.
 * @shape [N, inChannels, H, W] -> [N, outChannels, H', W']
 * @source torch.nn.ConvTranspose2d
 */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(2, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const outputPadding = this.outputPaddingFor(x, outputSize);
    const { stride, padding, dilation, groups } = this;
    return convTranspose2d(x, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups });
  }
}

/**
 * The transpose of Conv3d.
 * @shape [N, inChannels, D, H, W] -> [N, outChannels, D', H', W']
 * @source torch.nn.ConvTranspose3d
 */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(3, [inChannels, outChannels], kernelSize, options);
  }

  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const outputPadding = this.outputPaddingFor(x, outputSize);
    const { stride, padding, dilation, groups } = this;
    return convTranspose3d(x, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups });
  }
}
