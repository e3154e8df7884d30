import { empty, type DTypeName, type Tensor, requireOptions } from '@tapegrad/core';
import { bilinear } from '../functional/bilinear.ts';
import { kaimingUniform_, uniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';

/** Options of Linear and Bilinear. */
export interface LinearOptions {
  /** Whether a bias is added; default true. */
  bias?: boolean;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName;
}

/** Gives its argument back. @source torch.nn.Identity */
export class Identity extends Module {
  /** @param _given anything, as what this stands in for may take it */
  constructor(..._given: readonly unknown[]) {
    super();
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * A fully connected layer, x wᵀ + b. Both parameters start uniform in ±1/√inFeatures.
 * @shape [..., inFeatures] -> [..., outFeatures]
 * @throws ShapeError when the last dimension of the input is not inFeatures
 * @example
 * const layer = new nn.Linear(2, 3);
 * console.log(`${layer}`); // → Linear(inFeatures=2, outFeatures=3, bias=true)
 * console.log(layer(tg.ones([4, 2])).shape); // → [ 4, 3 ]
 * @source torch.nn.Linear
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** @shape [outFeatures, inFeatures] */
  weight: Parameter;
  /** @shape [outFeatures] */
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    requireSizes('Linear', { inFeatures, outFeatures });
    requireOptions('Linear', options, ['bias', 'dtype']);
    const { bias = true, dtype } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, inFeatures], { dtype }));
    this.bias = bias ? new Parameter(empty([outFeatures], { dtype })) : null;
    this.resetParameters();
  }

  /** Draws the initial values again. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    resetBias(this.bias, this.inFeatures);
  }

  forward(x: Tensor): Tensor {
    return x.linear(this.weight, this.bias);
  }

  override extraRepr(): string {
    const { inFeatures, outFeatures, bias } = this;
    return listed({ inFeatures, outFeatures, bias: bias !== null });
  }

  override label(): string {
    return `${this.constructor.name} ${this.inFeatures} → ${this.outFeatures}`;
  }
}

/** Draws a bias, if there is one, from ±1/√fanIn. */
export function resetBias(bias: Tensor | null, fanIn: number): void {
  if (bias === null) return;
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  uniform_(bias, -bound, bound);
}

/**
 * A form in two inputs, y_k = x1ᵀ W_k x2 + b_k.
 * @shape [..., in1Features], [..., in2Features] -> [..., outFeatures]
 * @source torch.nn.Bilinear
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  /** @shape [outFeatures, in1Features, in2Features] */
  weight: Parameter;
  /** @shape [outFeatures] */
  bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    requireOptions('Bilinear', options, ['bias', 'dtype']);
    const { bias = true, dtype } = options;
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, in1Features, in2Features], { dtype }));
    this.bias = bias ? new Parameter(empty([outFeatures], { dtype })) : null;
    this.resetParameters();
  }

  /** Draws the initial values again. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    resetBias(this.bias, this.in1Features);
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight, this.bias);
  }

  override extraRepr(): string {
    const { in1Features, in2Features, outFeatures, bias } = this;
    return listed({ in1Features, in2Features, outFeatures, bias: bias !== null });
  }
}
