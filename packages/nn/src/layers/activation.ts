import { full, requireOptions, ValueError, type DTypeName, type Tensor } from '@tapegrad/core';
import {
  celu,
  glu,
  hardshrink,
  prelu,
  rrelu,
  softshrink,
  softsign,
  tanhshrink,
} from '../functional/activation.ts';
import { Module } from '../module.ts';
import { requireOneOf, together, valueOf, type Named } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options } from '../repr.ts';

/** max(x, 0). @source torch.nn.ReLU */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** x limited to [0, 6]. @source torch.nn.ReLU6 */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return x.relu6();
  }
}

/** 1 / (1 + e^−x). @source torch.nn.Sigmoid */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** The hyperbolic tangent. @source torch.nn.Tanh */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x · sigmoid(x), also called swish. @source torch.nn.SiLU */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** x · tanh(softplus(x)). @source torch.nn.Mish */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return x.mish();
  }
}

/** x · Φ(x); 'tanh' takes a cheaper approximation. @source torch.nn.GELU */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(given: { approximate?: 'none' | 'tanh' } = {}) {
    super();
    requireOptions('GELU', given, ['approximate']);
    const { approximate = 'none' } = given;
    requireOneOf('GELU', 'approximate', approximate, ['none', 'tanh']);
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return x.gelu({ approximate: this.approximate });
  }

  override extraRepr(): string {
    return options({ approximate: this.approximate });
  }
}

/** x where it is positive, slope · x elsewhere. @source torch.nn.LeakyReLU */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope: Named<'negativeSlope', number> = 0.01) {
    super();
    this.negativeSlope = valueOf('LeakyReLU', 'negativeSlope', negativeSlope) ?? 0.01;
  }

  forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }

  override extraRepr(): string {
    return options({ negativeSlope: this.negativeSlope });
  }
}

/** Options of PReLU. */
export interface PReLUOptions {
  /** 1 (default) or the number of channels; or given by position. */
  numParameters?: number;
  /** Slope at first; default 0.25. */
  init?: number;
  /** dtype of the slopes; default float32. */
  dtype?: DTypeName;
}

/**
 * As LeakyReLU with slopes that are learned: one for all channels, or one for each.
 * @shape [N, C, …] -> the same
 * @source torch.nn.PReLU
 */
export class PReLU extends Module {
  readonly numParameters: number;
  weight: Parameter;

  constructor(numParameters: number | PReLUOptions = 1, options: PReLUOptions = {}) {
    super();
    const given = together<PReLUOptions>('PReLU', numParameters, { numParameters }, ['numParameters', 'init', 'dtype'], options);
    this.numParameters = given.numParameters ?? 1;
    this.weight = new Parameter(full([this.numParameters], given.init ?? 0.25, { dtype: given.dtype }));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return options({ numParameters: this.numParameters });
  }
}

/** x where it is positive, alpha · (e^x − 1) elsewhere. @source torch.nn.ELU */
export class ELU extends Module {
  readonly alpha: number;

  constructor(alpha: Named<'alpha', number> = 1) {
    super();
    this.alpha = valueOf('ELU', 'alpha', alpha) ?? 1;
  }

  forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }

  override extraRepr(): string {
    return options({ alpha: this.alpha });
  }
}

/** As ELU with a smooth derivative for every alpha. @source torch.nn.CELU */
export class CELU extends Module {
  readonly alpha: number;

  constructor(alpha: Named<'alpha', number> = 1) {
    super();
    this.alpha = valueOf('CELU', 'alpha', alpha) ?? 1;
  }

  forward(x: Tensor): Tensor {
    return celu(x, this.alpha);
  }

  override extraRepr(): string {
    return options({ alpha: this.alpha });
  }
}

/** The self-normalising form of ELU. @source torch.nn.SELU */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return x.selu();
  }
}

/** log(1 + e^(beta·x)) / beta, the identity above the threshold. @source torch.nn.Softplus */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(beta: number | { beta?: number; threshold?: number } = 1, threshold = 20) {
    super();
    const given = together<{ beta?: number; threshold?: number }>('Softplus', beta, { beta, threshold }, ['beta', 'threshold']);
    this.beta = given.beta ?? 1;
    this.threshold = given.threshold ?? 20;
  }

  forward(x: Tensor): Tensor {
    return x.softplus(this.beta, this.threshold);
  }

  override extraRepr(): string {
    return options({ beta: this.beta, threshold: this.threshold });
  }
}

/** x / (1 + |x|). @source torch.nn.Softsign */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** x moved towards 0 by lambda, and 0 if that is further than it goes. @source torch.nn.Softshrink */
export class Softshrink extends Module {
  readonly lambda: number;

  constructor(lambda: Named<'lambda', number> = 0.5) {
    super();
    this.lambda = valueOf('Softshrink', 'lambda', lambda) ?? 0.5;
  }

  forward(x: Tensor): Tensor {
    return softshrink(x, this.lambda);
  }

  override extraRepr(): string {
    return options({ lambda: this.lambda });
  }
}

/** x, and 0 where |x| is at most lambda. @source torch.nn.Hardshrink */
export class Hardshrink extends Module {
  readonly lambda: number;

  constructor(lambda: Named<'lambda', number> = 0.5) {
    super();
    this.lambda = valueOf('Hardshrink', 'lambda', lambda) ?? 0.5;
  }

  forward(x: Tensor): Tensor {
    return hardshrink(x, this.lambda);
  }

  override extraRepr(): string {
    return options({ lambda: this.lambda });
  }
}

/** x − tanh(x). @source torch.nn.Tanhshrink */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/** x limited to [minVal, maxVal]. @source torch.nn.Hardtanh */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;

  constructor(minVal: number | { minVal?: number; maxVal?: number } = -1, maxVal = 1) {
    super();
    const given = together<{ minVal?: number; maxVal?: number }>('Hardtanh', minVal, { minVal, maxVal }, ['minVal', 'maxVal']);
    this.minVal = given.minVal ?? -1;
    this.maxVal = given.maxVal ?? 1;
  }

  forward(x: Tensor): Tensor {
    return x.hardtanh(this.minVal, this.maxVal);
  }

  override extraRepr(): string {
    return options({ minVal: this.minVal, maxVal: this.maxVal });
  }
}

/** (x + 3)/6 limited to [0, 1]. @source torch.nn.Hardsigmoid */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.hardsigmoid();
  }
}

/** x · hardsigmoid(x). @source torch.nn.Hardswish */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return x.hardswish();
  }
}

/** x where it exceeds the threshold, `value` elsewhere. @source torch.nn.Threshold */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }

  forward(x: Tensor): Tensor {
    return x.threshold(this.threshold, this.value);
  }

  override extraRepr(): string {
    return options({ threshold: this.threshold, value: this.value });
  }
}

/** The first half along a dimension, times the sigmoid of the second. @source torch.nn.GLU */
export class GLU extends Module {
  readonly dimension: number;

  constructor(dim: Named<'dim', number> = -1) {
    super();
    this.dimension = valueOf('GLU', 'dim', dim) ?? -1;
  }

  forward(x: Tensor): Tensor {
    return glu(x, this.dimension);
  }

  override extraRepr(): string {
    return options({ dim: this.dimension });
  }
}

/** log(sigmoid(x)). @source torch.nn.LogSigmoid */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.logsigmoid();
  }
}

function requireDim(owner: string, given: Named<'dim', number>): number {
  const dim = valueOf(owner, 'dim', given);
  if (Number.isInteger(dim)) return dim!;
  throw new ValueError(`${owner}: dim must be a whole number, got ${String(dim)}`, { argument: 'dim' });
}

/** Exponentials as shares of their sum along a dimension. @source torch.nn.Softmax */
export class Softmax extends Module {
  readonly dimension: number;

  constructor(dim: Named<'dim', number>) {
    super();
    this.dimension = requireDim('Softmax', dim);
  }

  forward(x: Tensor): Tensor {
    return x.softmax(this.dimension);
  }

  override extraRepr(): string {
    return options({ dim: this.dimension });
  }
}

/** softmax(−x). @source torch.nn.Softmin */
export class Softmin extends Module {
  readonly dimension: number;

  constructor(dim: Named<'dim', number>) {
    super();
    this.dimension = requireDim('Softmin', dim);
  }

  forward(x: Tensor): Tensor {
    return x.softmin(this.dimension);
  }

  override extraRepr(): string {
    return options({ dim: this.dimension });
  }
}

/** The logarithm of softmax. @source torch.nn.LogSoftmax */
export class LogSoftmax extends Module {
  readonly dimension: number;

  constructor(dim: Named<'dim', number>) {
    super();
    this.dimension = requireDim('LogSoftmax', dim);
  }

  forward(x: Tensor): Tensor {
    return x.logSoftmax(this.dimension);
  }

  override extraRepr(): string {
    return options({ dim: this.dimension });
  }
}

/**
 * Softmax over the channels of images.
 * @shape [N, C, H, W] or [C, H, W] -> the same
 * @source torch.nn.Softmax2d
 */
export class Softmax2d extends Module {
  forward(x: Tensor): Tensor {
    return x.softmax(-3);
  }
}

/**
 * As LeakyReLU with random slopes in training, and their mean otherwise.
 * @source torch.nn.RReLU (Xu et al. 2015)
 */
export class RReLU extends Module {
  readonly lower: number;
  readonly upper: number;

  constructor(lower: number | { lower?: number; upper?: number } = 1 / 8, upper: number = 1 / 3) {
    super();
    const given = together<{ lower?: number; upper?: number }>('RReLU', lower, { lower, upper }, ['lower', 'upper']);
    this.lower = given.lower ?? 1 / 8;
    this.upper = given.upper ?? 1 / 3;
  }

  forward(x: Tensor): Tensor {
    return rrelu(x, this.lower, this.upper, this.training);
  }

  override get dependsOnMode(): boolean {
    return true;
  }

  override extraRepr(): string {
    return options({ lower: this.lower, upper: this.upper });
  }
}
