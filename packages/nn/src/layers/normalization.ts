import {
  type DTypeName, groupNorm, layerNorm, noGrad, ones, type Tensor, ValueError, zeros,
  requireOptions,
} from '@tapegrad/core';
import { rmsNorm } from '../functional/normalization.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';

/** Options of LayerNorm. */
export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number | undefined;
  /** Whether a scale per element is learned; default true. */
  elementwiseAffine?: boolean | undefined;
  /** Whether a shift per element is learned too; default true. */
  bias?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

function sizes(shape: number | readonly number[]): readonly number[] {
  return typeof shape === 'number' ? [shape] : [...shape];
}

/**
 * Normalises each sample over its last dimensions, then scales and shifts element by element.
 * @shape [..., ...normalizedShape] -> the same
 * @throws ShapeError when the input does not end in normalizedShape
 * @source torch.nn.LayerNorm (Ba et al. 2016)
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  /** @shape normalizedShape */
  weight: Parameter | null;
  /** @shape normalizedShape */
  bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    requireOptions('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias', 'dtype']);
    const { eps = 1e-5, elementwiseAffine = true, bias = true, dtype } = options;
    this.normalizedShape = sizes(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape, { dtype })) : null;
  }

  /** Puts the initial values back. */
  resetParameters(): void {
    resetAffine(this);
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    const { normalizedShape, eps, elementwiseAffine } = this;
    return `[${normalizedShape.join(', ')}], ${listed({ eps, elementwiseAffine })}`;
  }
}

function resetAffine({ weight, bias }: { weight: Parameter | null; bias: Parameter | null }): void {
  noGrad(() => {
    weight?.fill_(1);
    bias?.zero_();
  });
}

/** Options of GroupNorm. */
export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number | undefined;
  /** Whether a scale and a shift per channel are learned; default true. */
  affine?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/**
 * Normalises groups of channels of each sample, then scales and shifts per channel.
 * @shape [N, C, …] -> the same
 * @throws ValueError when the groups do not divide the channels
 * @source torch.nn.GroupNorm (Wu & He 2018)
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  /** @shape [numChannels] */
  weight: Parameter | null;
  /** @shape [numChannels] */
  bias: Parameter | null;

  constructor(
    numGroups: number,
    numChannels: number,
    options: GroupNormOptions = {},
  ) {
    super();
    requireOptions('GroupNorm', options, ['eps', 'affine', 'dtype']);
    const { eps = 1e-5, affine = true, dtype } = options;
    if (numChannels % numGroups !== 0) {
      throw new ValueError(`GroupNorm: ${numChannels} channels are not divisible by ${numGroups} groups`);
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? new Parameter(ones([numChannels], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numChannels], { dtype })) : null;
  }

  /** Puts the initial values back. */
  resetParameters(): void {
    resetAffine(this);
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, ${listed({ eps: this.eps, affine: this.affine })}`;
  }
}

/** Options of RMSNorm. */
export interface RMSNormOptions {
  /** Added to the mean square; default null, the smallest step of the input's dtype at 1. */
  eps?: number | null | undefined;
  /** Whether a scale per element is learned; default true. */
  elementwiseAffine?: boolean | undefined;
  /** dtype of the parameter; default float32. */
  dtype?: DTypeName | undefined;
}

/**
 * Divides each sample by the root of its mean square over the last dimensions, then scales element by
 * element.
 * @shape [..., ...normalizedShape] -> the same
 * @source torch.nn.RMSNorm (Zhang & Sennrich 2019)
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  /** @shape normalizedShape */
  weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    super();
    requireOptions('RMSNorm', options, ['eps', 'elementwiseAffine', 'dtype']);
    const { eps = null, elementwiseAffine = true, dtype } = options;
    this.normalizedShape = sizes(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps });
  }

  override extraRepr(): string {
    const { normalizedShape, eps, elementwiseAffine } = this;
    return `[${normalizedShape.join(', ')}], ${listed({ eps, elementwiseAffine })}`;
  }
}
