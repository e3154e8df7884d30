import * as core from '@tapegrad/core';
import { noGrad, requireOptions, ShapeError, tensor, ValueError, type Generator, type Tensor } from '@tapegrad/core';
import { requireOneOf, together } from './named.ts';

/** Options of initialisers that draw random numbers. */
export interface InitOptions {
  /** The stream to draw from; default the one that `manualSeed` restarts. */
  generator?: Generator | undefined;
}

/** Activations for which a gain is known. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

/**
 * Which fan keeps its variance: 'fan_in' that of activations going forward, 'fan_out' that of gradients going
 * back.
 */
export type FanMode = 'fan_in' | 'fan_out';

/** Options of the Kaiming initialisers. */
export interface KaimingOptions extends InitOptions {
  /** Slope of the leaky ReLU that follows; default 0. */
  a?: number;
  /** Default 'fan_in'. */
  mode?: FanMode;
  /** Default 'leaky_relu'. */
  nonlinearity?: Nonlinearity;
}

/** Options of `uniform_`. */
export interface UniformOptions extends InitOptions {
  /** Smallest value, default 0; or given by position. */
  a?: number | undefined;
  /** End of the values, default 1; or given by position. */
  b?: number | undefined;
}

/** Options of initialisers with a gain. */
export interface GainOptions extends InitOptions {
  /** Factor, default 1; or given by position. */
  gain?: number | undefined;
}

/** Options of `normal_`. */
export interface NormalOptions extends InitOptions {
  /** Default 0; or given by position. */
  mean?: number | undefined;
  /** Standard deviation, default 1; or given by position. */
  std?: number | undefined;
}

/** Options of `truncNormal_`. */
export interface TruncNormalOptions extends NormalOptions {
  /** Smallest value; default −2. */
  a?: number;
  /** Largest value; default 2. */
  b?: number;
}

const gains: Readonly<Record<Nonlinearity, (param?: number) => number>> = {
  linear: () => 1,
  conv1d: () => 1,
  conv2d: () => 1,
  conv3d: () => 1,
  conv_transpose1d: () => 1,
  conv_transpose2d: () => 1,
  conv_transpose3d: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.sqrt(2),
  leaky_relu: (slope = 0.01) => Math.sqrt(2 / (1 + slope ** 2)),
  selu: () => 3 / 4,
};

/**
 * By how much an activation shrinks the spread of its input, as a factor to make up for it.
 * @param param slope of a leaky ReLU, default 0.01
 * @throws ValueError for an unknown activation
 * @source torch.nn.init.calculate_gain
 */
export function calculateGain(nonlinearity: Nonlinearity, param?: number): number {
  const gain = Object.hasOwn(gains, nonlinearity) ? gains[nonlinearity] : undefined;
  if (gain === undefined) {
    throw new ValueError(
      `calculateGain: unknown nonlinearity '${nonlinearity}'; known are ${Object.keys(gains).join(', ')}`,
    );
  }
  return gain(param);
}

/**
 * How many inputs and outputs one unit of a weight has: sizes 1 and 0, times the window of a convolution.
 * @throws ShapeError with fewer than 2 dimensions
 */
export function fans({ shape }: Tensor): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    throw new ShapeError(
      `init: fan-in and fan-out need a tensor of at least 2 dimensions, got [${shape.join(', ')}]`,
      {
        shapes: [shape],
      },
    );
  }
  const window = shape.slice(2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[1]! * window, fanOut: shape[0]! * window };
}

/** Uniform numbers from [a, b). @source torch.nn.init.uniform_ */
export function uniform_(x: Tensor, a: number | UniformOptions = 0, b = 1, options: InitOptions = {}): Tensor {
  const given = together<UniformOptions>('uniform_', a, { a, b }, ['a', 'b', 'generator'], options);
  return noGrad(() => core.uniform_(x, given.a, given.b, given.generator));
}

/** Normally distributed numbers. @source torch.nn.init.normal_ */
export function normal_(x: Tensor, mean: number | NormalOptions = 0, std = 1, options: InitOptions = {}): Tensor {
  const given = together<NormalOptions>('normal_', mean, { mean, std }, ['mean', 'std', 'generator'], options);
  return noGrad(() => core.normal_(x, given.mean, given.std, given.generator));
}

/**
 * Normally distributed numbers, cut off at [a, b], by the inverse of the distribution function.
 * @source torch.nn.init.trunc_normal_
 */
export function truncNormal_(
  x: Tensor,
  mean: number | TruncNormalOptions = 0,
  std = 1,
  options: TruncNormalOptions = {},
): Tensor {
  const known = ['mean', 'std', 'a', 'b', 'generator'] as const;
  const given = together<TruncNormalOptions>('truncNormal_', mean, { mean, std }, known, options);
  const { mean: centre = 0, std: width = 1, a = -2, b = 2, generator } = given;
  if (centre < a - 2 * width || centre > b + 2 * width) {
    core.warnOnce(
      'truncNormal_ far from the mean',
      'truncNormal_: the mean is more than 2 std outside of [a, b]; the result is far from normal',
    );
  }
  const cdf = (z: number): number =>
    (1 +
      tensor(z / Math.sqrt(2), { dtype: 'float64' })
        .erf()
        .item()) /
    2;
  const low = cdf((a - centre) / width);
  const high = cdf((b - centre) / width);
  return noGrad(() => {
    core.uniform_(x, 2 * low - 1, 2 * high - 1, generator);
    return x
      .erfinv_()
      .mul_(width * Math.sqrt(2))
      .add_(centre)
      .clamp_(a, b);
  });
}

/** One value everywhere. @source torch.nn.init.constant_ */
export function constant_(x: Tensor, value: number): Tensor {
  return noGrad(() => x.fill_(value));
}

/** Ones. @source torch.nn.init.ones_ */
export function ones_(x: Tensor): Tensor {
  return constant_(x, 1);
}

/** Zeros. @source torch.nn.init.zeros_ */
export function zeros_(x: Tensor): Tensor {
  return constant_(x, 0);
}

/**
 * Ones on the diagonal of a matrix, zeros elsewhere.
 * @throws ShapeError unless it has 2 dimensions
 * @source torch.nn.init.eye_
 */
export function eye_(x: Tensor): Tensor {
  requireRank('eye_', x, 2, 2);
  const [rows, columns] = x.shape;
  return noGrad(() => x.copy_(core.eye(rows!, columns!, { dtype: x.dtype })));
}

/**
 * A convolution's weight that passes as many channels on unchanged as it can, per group.
 * @throws ShapeError unless it has 3 to 5 dimensions and the output channels are divisible by the groups
 * @source torch.nn.init.dirac_
 */
export function dirac_(x: Tensor, groups = 1): Tensor {
  requireRank('dirac_', x, 3, 5);
  const [outputs, inputs, ...window] = x.shape as [number, number, ...number[]];
  if (outputs % groups !== 0) {
    throw new ShapeError(`dirac_: ${outputs} output channels are not divisible by ${groups} groups`, {
      shapes: [x.shape],
    });
  }
  const perGroup = outputs / groups;
  return noGrad(() => {
    x.zero_();
    for (let group = 0; group < groups; group++) {
      for (let channel = 0; channel < Math.min(perGroup, inputs); channel++) {
        const kernel = x.select(0, group * perGroup + channel).select(0, channel);
        window.reduce((part, size) => part.select(0, Math.floor(size / 2)), kernel).fill_(1);
      }
    }
    return x;
  });
}

/**
 * Uniform numbers whose spread keeps the variance both forward and backward.
 * @source torch.nn.init.xavier_uniform_ (Glorot & Bengio 2010)
 */
export function xavierUniform_(x: Tensor, gain: number | GainOptions = 1, options: InitOptions = {}): Tensor {
  const [factor, generator] = gainOf('xavierUniform_', gain, options);
  const bound = Math.sqrt(3) * glorotStd(x, factor);
  return uniform_(x, -bound, bound, { generator });
}

/**
 * Normal numbers whose spread keeps the variance both forward and backward.
 * @source torch.nn.init.xavier_normal_ (Glorot & Bengio 2010)
 */
export function xavierNormal_(x: Tensor, gain: number | GainOptions = 1, options: InitOptions = {}): Tensor {
  const [factor, generator] = gainOf('xavierNormal_', gain, options);
  return normal_(x, 0, glorotStd(x, factor), { generator });
}

function gainOf(owner: string, gain: number | GainOptions, options: InitOptions): [number, Generator | undefined] {
  const given = together<GainOptions>(owner, gain, { gain }, ['gain', 'generator'], options);
  return [given.gain ?? 1, given.generator];
}

function glorotStd(x: Tensor, gain: number): number {
  const { fanIn, fanOut } = fans(x);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * Uniform numbers whose spread keeps the variance through ReLUs.
 * @source torch.nn.init.kaiming_uniform_ (He et al. 2015)
 */
export function kaimingUniform_(x: Tensor, options: KaimingOptions = {}): Tensor {
  checkKaiming('kaimingUniform_', options);
  if (x.numel() === 0) return x;
  const bound = Math.sqrt(3) * kaimingStd(x, options);
  return uniform_(x, -bound, bound, { generator: options.generator });
}

/**
 * Normal numbers whose spread keeps the variance through ReLUs.
 * @source torch.nn.init.kaiming_normal_ (He et al. 2015)
 */
export function kaimingNormal_(x: Tensor, options: KaimingOptions = {}): Tensor {
  checkKaiming('kaimingNormal_', options);
  if (x.numel() === 0) return x;
  return normal_(x, 0, kaimingStd(x, options), { generator: options.generator });
}

function checkKaiming(owner: string, options: KaimingOptions): void {
  requireOptions(owner, options, ['a', 'mode', 'nonlinearity', 'generator']);
  requireOneOf(owner, 'mode', options.mode ?? 'fan_in', ['fan_in', 'fan_out']);
}

function kaimingStd(x: Tensor, options: KaimingOptions): number {
  const { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' } = options;
  const { fanIn, fanOut } = fans(x);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === 'fan_in' ? fanIn : fanOut);
}

/**
 * A matrix whose rows, or columns if there are fewer of them, are orthogonal and of length `gain`; further
 * dimensions
 * count as columns.
 * @throws ShapeError with fewer than 2 dimensions
 * @source torch.nn.init.orthogonal_ (Saxe et al. 2013)
 */
export function orthogonal_(x: Tensor, gain: number | GainOptions = 1, options: InitOptions = {}): Tensor {
  const [factor, generator] = gainOf('orthogonal_', gain, options);
  if (x.ndim < 2) {
    throw new ShapeError(
      `orthogonal_: the tensor must have at least 2 dimensions, got [${x.shape.join(', ')}]`,
      {
        shapes: [x.shape],
      },
    );
  }
  if (x.numel() === 0) return x;
  return noGrad(() => {
    const rows = x.shape[0]!;
    const drawn = core.randn([rows, x.numel() / rows], {
      dtype: x.dtype as 'float32',
      generator,
    });
    const isWide = drawn.shape[1]! > rows;
    const columns = (isWide ? drawn : drawn.t()).to('float64').unbind(0);
    const found: Tensor[] = [];
    for (const column of columns) {
      // Twice, because once leaves what rounding made of nearly parallel columns.
      const once = withoutParts(column, found);
      const rest = withoutParts(once, found);
      found.push(rest.div(rest.norm()));
    }
    const vectors = core.stack(found);
    return x.copy_((isWide ? vectors : vectors.t()).mul(factor).reshape(x.shape));
  });
}

/** What is left of a vector without its parts along others, which are of length 1. */
function withoutParts(x: Tensor, others: readonly Tensor[]): Tensor {
  return others.reduce((rest, unit) => rest.sub(unit.mul(unit.dot(rest))), x);
}

/**
 * Normal numbers of which a share is zero in every column.
 * @param sparsity the share of zeros, 0 to 1
 * @throws ShapeError unless it has 2 dimensions; ValueError when sparsity is no share
 * @source torch.nn.init.sparse_
 */
export function sparse_(x: Tensor, sparsity: number, std = 0.01, options: InitOptions = {}): Tensor {
  requireRank('sparse_', x, 2, 2);
  requireOptions('sparse_', options, ['generator']);
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw new ValueError(`sparse_: the sparsity must be between 0 and 1, got ${String(sparsity)}`, { op: 'sparse_', argument: 'sparsity' });
  }
  const [rows, columns] = x.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  normal_(x, 0, std, options);
  return noGrad(() => {
    for (let column = 0; column < columns; column++) {
      const order = core.randperm(rows, { generator: options.generator }).toTypedArray();
      for (let k = 0; k < zeros; k++) x.select(0, order[k]!).select(0, column).fill_(0);
    }
    return x;
  });
}

function requireRank(op: string, { shape }: Tensor, least: number, most: number): void {
  if (shape.length >= least && shape.length <= most) return;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  throw new ShapeError(`${op}: the tensor must have ${wanted} dimensions, got [${shape.join(', ')}]`, {
    op,
    shapes: [shape],
  });
}
