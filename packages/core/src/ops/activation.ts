import { elementwise, type Elementwise, type Unary } from '../define/elementwise.ts';
import { ValueError } from '../errors.ts';
import { constant, type Expr } from '../expr/index.ts';
import { checkOptions, type OptionNames } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';

const SQRT_HALF = Math.SQRT1_2;
const INV_SQRT_TWO_PI = 0.3989422804014327;
const SQRT_TWO_OVER_PI = 0.7978845608028654;
const GELU_CUBIC = 0.044715;

/** max(x, 0); NaN stays NaN. @derivative 1 where the result is positive, 0 at 0 @source torch.relu */
export const relu: Unary = elementwise('relu', (x) => x.le(0).where(0, x), {
  partials: (_, y) => [y.gt(0).where(1, 0)],
  points: [{ at: [0], value: 0, partials: [0] }],
});

/** 1 / (1 + e^−x), without overflow. @derivative y(1 − y) @source torch.sigmoid */
export const sigmoid: Unary = elementwise('sigmoid', (x) => x.sigmoid(), {
  result: 'float',
  partials: (_, y) => [y.mul(y.neg().add(1))],
});

/** x · sigmoid(x), also called swish. @source torch.nn.functional.silu */
export const silu: Unary = elementwise('silu', (x) => x.mul(x.sigmoid()), {
  result: 'float',
  partials: ([x]) => {
    const s = x!.sigmoid();
    return [s.mul(x!.mul(s.neg().add(1)).add(1))];
  },
});

/** Chooses the form of `gelu`. */
export interface GeluOptions {
  /** 'none' uses the error function, 'tanh' the cheaper approximation of it. */
  approximate?: 'none' | 'tanh';
}

const geluNames: OptionNames<GeluOptions> = { approximate: 1 };

const exactGelu: Unary = elementwise('gelu', (x) => x.mul(x.mul(SQRT_HALF).erf().add(1).mul(0.5)), {
  partials: ([x]) => {
    const density = x!.mul(x!).mul(-0.5).exp().mul(INV_SQRT_TWO_PI);
    return [x!.mul(SQRT_HALF).erf().add(1).mul(0.5).add(x!.mul(density))];
  },
});

// x (1 + tanh u) / 2 is x sigmoid(2u), which takes fewer steps and has no difference of near numbers.
const tanhGelu: Unary = elementwise('gelu', (x) => x.mul(tanhGeluArgument(x).sigmoid()), {
  partials: ([x]) => {
    const s = tanhGeluArgument(x!).sigmoid();
    const slope = x!.mul(x!).mul(6 * SQRT_TWO_OVER_PI * GELU_CUBIC).add(2 * SQRT_TWO_OVER_PI);
    return [s.mul(constant(1).sub(s).mul(x!.mul(slope)).add(1))];
  },
});

function tanhGeluArgument(x: Expr): Expr {
  return x.mul(x.mul(x).mul(2 * SQRT_TWO_OVER_PI * GELU_CUBIC).add(2 * SQRT_TWO_OVER_PI));
}

function formOfGelu(options: GeluOptions | undefined): Unary {
  if (options !== undefined) checkOptions('gelu', options, geluNames);
  const approximate = options?.approximate ?? 'none';
  if (approximate === 'none') return exactGelu;
  if (approximate === 'tanh') return tanhGelu;
  throw new ValueError(`gelu: approximate must be 'none' or 'tanh', got '${String(approximate)}'`, {
    op: 'gelu',
    argument: 'approximate',
  });
}

/** x · Φ(x), with Φ the normal distribution function. @source torch.nn.functional.gelu */
export const gelu: Elementwise<(x: Tensor, options?: GeluOptions) => Tensor> = Object.assign(
  (x: Tensor, options?: GeluOptions) => formOfGelu(options)(x),
  { op: exactGelu.op, inPlace: (x: Tensor, options?: GeluOptions) => formOfGelu(options).inPlace(x) },
);

/** x where it is positive, slope · x elsewhere. @derivative the slope at 0 @source torch.nn.functional.leaky_relu */
export const leakyRelu: Elementwise<(x: Tensor, negativeSlope?: number) => Tensor> = elementwise(
  'leaky_relu',
  (x, slope) => x.gt(0).where(x, x.mul(slope)),
  { points: [{ at: [0, 0.01], value: 0, partials: [0.01, null] }] },
  (x: Tensor, negativeSlope = 0.01) => [x, negativeSlope],
);

function eluOf(x: Expr, alpha: Expr, scale: Expr): Expr {
  return x.gt(0).where(x.mul(scale), x.expm1().mul(alpha).mul(scale));
}

/** x where it is positive, alpha · (e^x − 1) elsewhere. @source torch.nn.functional.elu */
export const elu: Elementwise<(x: Tensor, alpha?: number) => Tensor> = elementwise(
  'elu',
  (x, alpha) => eluOf(x, alpha, constant(1)),
  { points: [{ at: [0, 1], value: 0, partials: [1, null] }] },
  (x: Tensor, alpha = 1) => [x, alpha],
);

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** The self-normalising form of elu, with its two fixed constants. @source torch.nn.functional.selu */
export const selu: Unary = elementwise('selu', (x) => eluOf(x, constant(SELU_ALPHA), constant(SELU_SCALE)), {
  points: [{ at: [0], value: 0, partials: [SELU_ALPHA * SELU_SCALE] }],
});

/** log(1 + e^(beta·x)) / beta; the identity where beta·x exceeds the threshold. @source torch.nn.functional.softplus */
export const softplus: Elementwise<(x: Tensor, beta?: number, threshold?: number) => Tensor> = elementwise(
  'softplus',
  (x, beta, threshold) => {
    const scaled = x.mul(beta);
    return scaled.gt(threshold).where(x, scaled.exp().log1p().div(beta));
  },
  { partials: ([x, beta, threshold]) => [x!.mul(beta!).gt(threshold!).where(1, x!.mul(beta!).sigmoid()), null, null] },
  (x: Tensor, beta = 1, threshold = 20) => [x, beta, threshold],
);

/** log(sigmoid(x)), stable for all x. @source torch.nn.functional.logsigmoid */
export const logsigmoid: Unary = elementwise('log_sigmoid', (x) => x.min(0).sub(x.abs().neg().exp().log1p()), {
  partials: ([x]) => [x!.neg().sigmoid()],
});

/** x · tanh(softplus(x)). @source torch.nn.functional.mish */
export const mish: Unary = elementwise('mish', (x) => x.mul(x.gt(20).where(x, x.exp().log1p()).tanh()), {
  partials: ([x]) => {
    const t = x!.gt(20).where(x!, x!.exp().log1p()).tanh();
    return [t.add(x!.mul(x!.sigmoid()).mul(t.mul(t).neg().add(1)))];
  },
});

/** x limited to [low, high]. @derivative 1 strictly inside, 0 at the bounds @source torch.nn.functional.hardtanh */
export const hardtanh: Elementwise<(x: Tensor, low?: number, high?: number) => Tensor> = elementwise(
  'hardtanh',
  (x, low, high) => {
    const raised = x.le(low).where(low, x);
    return raised.ge(high).where(high, raised);
  },
  { points: [{ at: [1, -1, 1], value: 1, partials: [0, null, null] }, { at: [-1, -1, 1], value: -1, partials: [0, null, null] }] },
  (x: Tensor, low = -1, high = 1) => [x, low, high],
);

/** x limited to [0, 6]. @derivative 0 at 0 and 6 @source torch.nn.functional.relu6 */
export const relu6: Unary = elementwise('relu6', (x) => x.le(0).where(0, x.ge(6).where(6, x)), {
  points: [{ at: [0], value: 0, partials: [0] }, { at: [6], value: 6, partials: [0] }],
});

/** (x + 3)/6 limited to [0, 1]. @derivative 0 at ±3 @source torch.nn.functional.hardsigmoid */
export const hardsigmoid: Unary = elementwise(
  'hardsigmoid',
  (x) => x.le(-3).where(0, x.ge(3).where(1, x.div(6).add(0.5))),
  { points: [{ at: [3], value: 1, partials: [0] }, { at: [-3], value: 0, partials: [0] }] },
);

/** x · hardsigmoid(x). @derivative −0.5 at −3, 1.5 at 3 @source torch.nn.functional.hardswish */
export const hardswish: Unary = elementwise('hardswish', (x) => x.mul(x.add(3).max(0).min(6)).div(6), {
  partials: ([x]) => [x!.lt(-3).where(0, x!.le(3).where(x!.div(3).add(0.5), 1))],
  points: [{ at: [3], value: 3, partials: [1.5] }, { at: [-3], value: 0, partials: [-0.5] }],
});

/** x where it exceeds the threshold, `value` elsewhere. @derivative 0 at the threshold @source torch.nn.functional.threshold */
export const threshold: Elementwise<(x: Tensor, threshold: number, value: number) => Tensor> = elementwise(
  'threshold',
  (x, limit, value) => x.le(limit).where(value, x),
  { points: [{ at: [0, 0, 5], value: 5, partials: [0, null, null] }] },
);
