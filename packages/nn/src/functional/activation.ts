import {
  elementwise,
  rand,
  requireOptions,
  ShapeError,
  tensor,
  ValueError,
  type Binary,
  type Elementwise,
  type Tensor,
  type Unary,
} from '@tapegrad/core';
import { valueOf, type Named } from '../named.ts';

export {
  elu,
  gelu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  tanh,
  threshold,
} from '@tapegrad/core';

/** x where it is positive, alpha · (e^(x/alpha) − 1) elsewhere. @source torch.nn.functional.celu */
export const celu: Elementwise<(x: Tensor, alpha?: number) => Tensor> = elementwise(
  'celu',
  (x, alpha) => x.gt(0).where(x, x.div(alpha).expm1().mul(alpha)),
  { points: [{ at: [0, 1], value: 0, partials: [1, null] }] },
  (x: Tensor, alpha = 1) => {
    if (alpha === 0) throw new ValueError('celu: alpha must not be 0', { op: 'celu', argument: 'alpha' });
    return [x, alpha];
  },
);

/** x / (1 + |x|). @source torch.nn.functional.softsign */
export const softsign: Unary = elementwise('softsign', (x) => x.div(x.abs().add(1)), {
  result: 'float',
  partials: ([x]) => {
    const size = x!.abs().add(1);
    return [size.mul(size).reciprocal()];
  },
});

/**
 * x moved towards 0 by lambda, and 0 if that is further than it goes.
 * @derivative 0 at ±lambda
 * @source torch.nn.functional.softshrink
 */
export const softshrink: Elementwise<(x: Tensor, lambda?: number) => Tensor> = elementwise(
  'softshrink',
  (x, lambda) =>
    x.gt(lambda).where(x.sub(lambda), x.lt(lambda.neg()).where(x.add(lambda), x.isnan().where(x, 0))),
  { points: [{ at: [0.5, 0.5], value: 0, partials: [0, null] }] },
  (x: Tensor, lambda = 0.5) => {
    if (lambda < 0)
      throw new ValueError(`softshrink: lambda must not be negative, got ${lambda}`, { op: 'softshrink' });
    return [x, lambda];
  },
);

/** x, and 0 where |x| is at most lambda. @derivative 0 at ±lambda @source torch.nn.functional.hardshrink */
export const hardshrink: Elementwise<(x: Tensor, lambda?: number) => Tensor> = elementwise(
  'hardshrink',
  (x, lambda) => x.abs().le(lambda).where(0, x),
  { points: [{ at: [0.5, 0.5], value: 0, partials: [0, null] }] },
  (x: Tensor, lambda = 0.5) => [x, lambda],
);

/** x − tanh(x). @source torch.nn.functional.tanhshrink */
export const tanhshrink: Unary = elementwise('tanhshrink', (x) => x.sub(x.tanh()), { result: 'float' });

const sloped: Binary = elementwise('prelu', (x, slope) => x.gt(0).where(x, x.mul(slope)));

/**
 * x where it is positive, and times a slope elsewhere: one for all elements or one per channel, dimension 1.
 * @throws ShapeError when there are neither one nor as many slopes as channels
 * @source torch.nn.functional.prelu
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  if (weight.ndim > 1) {
    throw new ShapeError(`prelu: the weight must be a number or a vector, got [${weight.shape.join(', ')}]`, {
      op: 'prelu',
      shapes: [weight.shape],
    });
  }
  const slopes = weight.numel();
  if (slopes === 1) return sloped(x, weight.reshape([]));
  const channels = x.ndim < 2 ? 1 : x.shape[1]!;
  if (slopes !== channels) {
    throw new ShapeError(
      `prelu: there are ${slopes} slopes for the ${channels} channels of [${x.shape.join(', ')}]`,
      {
        op: 'prelu',
        shapes: [x.shape, weight.shape],
      },
    );
  }
  return sloped(x, weight.reshape(x.shape.map((_, d) => (d === 1 ? -1 : 1))));
}

/**
 * The first half along a dimension, times the sigmoid of the second.
 * @throws ShapeError when the dimension has an odd size
 * @source torch.nn.functional.glu
 */
export function glu(x: Tensor, dim = -1): Tensor {
  const size = x.ndim === 0 ? 1 : x.size(dim);
  if (size % 2 !== 0) {
    throw new ShapeError(`glu: the size of dim ${dim} must be even, the input is [${x.shape.join(', ')}]`, {
      op: 'glu',
      shapes: [x.shape],
    });
  }
  const [values, gates] = x.chunk(2, dim) as [Tensor, Tensor];
  return values.mul(gates.sigmoid());
}

/**
 * x where it is positive, and times a slope elsewhere: in training a random one per element, uniform in
 * [lower, upper),
 * otherwise the mean of both.
 * @throws ValueError when lower exceeds upper
 * @source torch.nn.functional.rrelu (Xu et al. 2015)
 */
export function rrelu(x: Tensor, lower: number = 1 / 8, upper: number = 1 / 3, training: Named<'training', boolean> = false): Tensor {
  if (!(lower <= upper)) {
    throw new ValueError(`rrelu: the lower bound must not exceed the upper one, got ${lower} and ${upper}`, {
      op: 'rrelu',
    });
  }
  if (!valueOf('rrelu', 'training', training)) return x.leakyRelu((lower + upper) / 2);
  // As in PyTorch, only elements that are not positive take numbers from the random stream.
  const values = x.detach().toTypedArray();
  const drawn = rand(values.filter((value) => value <= 0).length, { dtype: 'float64' }).toTypedArray();
  let next = 0;
  const slopes = Float64Array.from(values, (value) =>
    value <= 0 ? drawn[next++]! * (upper - lower) + lower : 1,
  );
  return x.mul(tensor(slopes, { dtype: x.dtype }).reshape(x.shape));
}

/** Options of `gumbelSoftmax`. */
export interface GumbelOptions {
  /** Temperature; default 1. The lower, the nearer to one-hot. */
  tau?: number | undefined;
  /** Give one-hot vectors, whose gradients are those of the soft ones; default false. */
  hard?: boolean | undefined;
  /** Along which dimension; default the last. */
  dim?: number | undefined;
}

/**
 * Samples from the Gumbel-softmax distribution of unnormalised log-probabilities.
 * @shape any -> the same
 * @source torch.nn.functional.gumbel_softmax (Jang et al. 2017)
 */
export function gumbelSoftmax(x: Tensor, options: GumbelOptions = {}): Tensor {
  requireOptions('gumbelSoftmax', options, ['tau', 'hard', 'dim']);
  const { tau = 1, hard = false, dim = -1 } = options;
  const gumbels = x.detach().newZeros(x.shape).exponential_().log().neg();
  const soft = x.add(gumbels).div(tau).softmax(dim);
  if (!hard) return soft;
  const index = soft.detach().max(dim, { keepdim: true }).indices;
  const oneHot = soft.detach().newZeros(x.shape).scatter(dim, index, 1);
  return oneHot.sub(soft.detach()).add(soft);
}
