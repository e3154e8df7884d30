import { checkWritable, commitWrite, empty as emptyTensor, kernels } from './dispatch.ts';
import {
  fillBernoulli,
  fillDropoutMask,
  fillExponential,
  fillIntegers,
  fillMultinomial,
  fillPermutation,
  fillUniform,
} from './distributions.ts';
import { dtypeInfo, getDefaultDType, isFloating, toDType, type DType, type TypedArray } from './dtype.ts';
import { DTypeError, ShapeError, ValueError } from './errors.ts';
import { Generator } from './generator.ts';
import { denseLayout } from './layout.ts';
import { fillNormal } from './normal-distribution.ts';
import { checkOptions, described, none, requireNumbers, type OptionNames } from './option-names.ts';
import { numel, shapeString, sizesOneByOne, type Shape } from './shape.ts';
import { storageOf } from './storage.ts';
import type { Size, TensorOptions } from './create.ts';
import { Tensor } from './tensor.ts';

/** The stream that random functions draw from unless they are given one of their own. */
export const defaultGenerator: Generator = new Generator();

/** Restarts the default random stream; the same seed gives the same numbers as PyTorch's CPU. @source torch.manual_seed */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.manualSeed(seed);
}

/** The state of the default random stream, for `setRngState`. @source torch.get_rng_state */
export function getRngState(): Uint8Array {
  return defaultGenerator.getState();
}

/** Puts the default random stream into a state from `getRngState`. @source torch.set_rng_state */
export function setRngState(state: Uint8Array): void {
  defaultGenerator.setState(state);
}

/** What random factories take. */
export interface RandomOptions extends TensorOptions {
  /** The stream to draw from; default the one that `manualSeed` restarts. */
  generator?: Generator | undefined;
}

const randomNames: OptionNames<RandomOptions> = { dtype: 1, requiresGrad: 1, generator: 1 };

type Floats = Float32Array | Float64Array;
type Fill<T> = (generator: Generator, out: T) => void;

/** A dense tensor whose elements `fill` draws. */
function drawn<T extends TypedArray>(shape: Shape, dtype: DType, options: RandomOptions, fill: Fill<T>): Tensor {
  const { bytes, array: TypedArrayOf } = dtypeInfo[dtype];
  const count = numel(shape);
  const values = new TypedArrayOf(new ArrayBuffer(count * bytes), 0, count);
  fill(options.generator ?? defaultGenerator, values as T);
  const x = new Tensor(storageOf(new Uint8Array(values.buffer), dtype), 0, denseLayout(shape, dtype));
  if (options.requiresGrad === true) x.requiresGrad_();
  return x;
}

function shapeOf(size: Size): number[] {
  return typeof size === 'number' ? [size] : [...size];
}

/** Checks options, and says the floating-point dtype that they ask for. */
function floatDType(op: string, options: RandomOptions): DType {
  if (typeof options === 'number') throw sizesOneByOne(op, options);
  checkOptions(op, options, randomNames);
  const dtype = options.dtype === undefined ? getDefaultDType() : toDType(options.dtype);
  if (!isFloating(dtype)) throw new DTypeError(`${op}: the dtype must be floating-point, got ${dtype}`, { op, dtypes: [dtype] });
  return dtype;
}

/** Numbers uniform in [0, 1). @source torch.rand */
export function rand(size: Size, options: RandomOptions = none): Tensor {
  return drawn<Floats>(shapeOf(size), floatDType('rand', options), options, fillUniform);
}

/** Numbers from the normal distribution of mean 0 and variance 1. @source torch.randn */
export function randn(size: Size, options: RandomOptions = none): Tensor {
  return drawn<Floats>(shapeOf(size), floatDType('randn', options), options, fillNormal);
}

/**
 * Numbers from a normal distribution, of this size; where the mean or the standard deviation is a tensor, one number for each
 * of their elements, which broadcast.
 * @derivative none
 * @throws ValueError when a standard deviation is negative
 * @source torch.normal
 */
export function normal(mean: number, std: number, size: Size, options?: RandomOptions): Tensor;
export function normal(mean: Tensor, std?: Tensor | number, options?: RandomOptions): Tensor;
export function normal(mean: number, std: Tensor, options?: RandomOptions): Tensor;
export function normal(
  mean: number | Tensor,
  std: number | Tensor = 1,
  size?: Size | RandomOptions,
  options: RandomOptions = none,
): Tensor {
  if (typeof mean === 'number' && typeof std === 'number') {
    const shape = shapeOf(size as Size);
    return drawn<Floats>(shape, floatDType('normal', options), options, (g, out) => fillNormal(g, out, mean, std));
  }
  const chosen = size === undefined ? {} : (size as RandomOptions);
  checkOptions('normal', chosen, randomNames);
  const { generator, requiresGrad } = chosen;
  const [centre, width] = [mean, std].map((x) => (x instanceof Tensor ? x.detach() : x)) as [number | Tensor, number | Tensor];
  const isNegative = width instanceof Tensor ? width.lt(0).any().item() === 1 : !(width >= 0);
  if (isNegative) throw new ValueError('normal: the standard deviation must not be negative', { op: 'normal', argument: 'std' });
  const like = width instanceof Tensor ? width.add(centre) : (centre as Tensor);
  const x = drawn<Floats>(like.shape, floatDType('normal', { dtype: like.dtype }), { generator }, fillNormal).mul(width).add(centre);
  return requiresGrad === true ? x.requiresGrad_() : x;
}

/** Numbers uniform in [0, 1) in the shape and dtype of x. @throws DTypeError for integers @source torch.rand_like */
export function randLike(x: Tensor, options: RandomOptions = none): Tensor {
  checkOptions('randLike', options, randomNames);
  return rand(x.shape, { ...options, dtype: options.dtype ?? x.dtype });
}

/** Standard normal numbers in the shape and dtype of x. @throws DTypeError for integers @source torch.randn_like */
export function randnLike(x: Tensor, options: RandomOptions = none): Tensor {
  checkOptions('randnLike', options, randomNames);
  return randn(x.shape, { ...options, dtype: options.dtype ?? x.dtype });
}

/** Whole numbers uniform in [low, high) in the shape and dtype of x. @source torch.randint_like */
export function randintLike(x: Tensor, low: number, high: number, options: RandomOptions = none): Tensor {
  checkOptions('randintLike', options, randomNames);
  requireNumbers('randintLike', { low, high });
  return randint(low, high, x.shape, { ...options, dtype: options.dtype ?? x.dtype });
}

/** Options of `multinomial`. */
export interface MultinomialOptions {
  /** Whether an index may be drawn again; default false. */
  replacement?: boolean | undefined;
  /** The stream to draw from; default the one that `manualSeed` restarts. */
  generator?: Generator | undefined;
}

/**
 * Indices drawn with probabilities proportional to the weights in each row, as int32.
 * @shape [*, n] with at most one leading dimension -> [*, count]
 * @param count how many per row
 * @numerics without replacement, the largest of weights over exponentially distributed numbers
 * @throws ShapeError for other shapes; DTypeError for integers
 * @throws ValueError when the weights are negative, not finite or all 0, or `count` is not from 1 to what can be drawn
 * @source torch.multinomial
 */
export function multinomial(weights: Tensor, count: number, options: MultinomialOptions = none): Tensor {
  checkOptions('multinomial', options, { replacement: 1, generator: 1 });
  const { replacement = false, generator = defaultGenerator } = options;
  const details = { op: 'multinomial', shapes: [weights.shape] };
  if (weights.ndim < 1 || weights.ndim > 2) {
    throw new ShapeError(`multinomial: the weights must have 1 or 2 dimensions, got ${shapeString(weights.shape)}`, details);
  }
  if (!isFloating(weights.dtype)) throw new DTypeError(`multinomial: the weights must be floating-point, got ${weights.dtype}`, details);
  const categories = weights.shape.at(-1)!;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new ValueError(`multinomial: count must be a whole number of at least 1, got ${count}`, details);
  }
  if (!replacement && count > categories) {
    throw new ValueError(`multinomial: ${count} different indices cannot be drawn from ${categories}; use { replacement: true }`, details);
  }
  const rows = weights.detach().reshape([-1, categories]);
  if (rows.lt(0).logicalOr(rows.isfinite().logicalNot()).any().item() === 1) {
    throw new ValueError('multinomial: the weights must be finite and not negative', details);
  }
  if (rows.sum(1).eq(0).any().item() === 1) throw new ValueError('multinomial: at least one weight of each row must be positive', details);
  const shape = [...weights.shape.slice(0, -1), count];
  if (!replacement) {
    const waits = drawn<Floats>(rows.shape, weights.dtype, { generator }, fillExponential);
    return rows.div(waits).topk(count, 1).indices.reshape(shape);
  }
  const values = rows.toTypedArray() as Floats;
  return drawn<Int32Array>(shape, 'int32', {}, (_, out) => {
    for (let row = 0; row < rows.shape[0]!; row++) {
      const chosen = out.subarray(row * count, (row + 1) * count);
      fillMultinomial(generator, chosen, values.subarray(row * categories, (row + 1) * categories));
    }
  });
}

/** Whole numbers uniform in [low, high), as int32. @source torch.randint */
export function randint(low: number, high: number, size: Size, options: RandomOptions = none): Tensor {
  requireNumbers('randint', { low, high });
  if (size === undefined) throw new ValueError(`randint: the size is missing; write randint(low, high, size)`, { op: 'randint', argument: 'size' });
  checkOptions('randint', options, randomNames);
  const dtype = options.dtype === undefined ? 'int32' : toDType(options.dtype);
  return drawn(shapeOf(size), dtype, options, (g, out) => fillIntegers(g, out, low, high));
}

/** The numbers 0 to n − 1 in random order, as int32. @source torch.randperm */
export function randperm(n: number, options: RandomOptions = none): Tensor {
  requireNumbers('randperm', { n });
  checkOptions('randperm', options, randomNames);
  const dtype = options.dtype === undefined ? 'int32' : toDType(options.dtype);
  return drawn([n], dtype, options, fillPermutation);
}

/** 1 with the probability that each element of x says, else 0. @source torch.bernoulli */
export function bernoulli(x: Tensor, options: { generator?: Generator | undefined } = none): Tensor {
  checkOptions('bernoulli', options, { generator: 1 });
  const probabilities = x.toTypedArray() as Floats;
  return drawn<Floats>(x.shape, x.dtype, options, (g, out) => fillBernoulli(g, out, probabilities));
}

/** Factors for dropout in the shape and dtype of x: 0 with probability p, else 1 / (1 − p). @internal */
export function dropoutMask(x: Tensor, p: number, generator: Generator = defaultGenerator): Tensor {
  return drawn<Floats>(x.shape, x.dtype, { generator }, (g, out) => fillDropoutMask(g, out, p));
}

/**
 * Each element set to 0 with probability p, the others scaled by 1 / (1 − p) so that the expectation stays; outside of
 * training, or for p = 0, x itself.
 * @throws ValueError when p is not in [0, 1]
 * @source torch.nn.functional.dropout
 */
export function dropout(x: Tensor, p = 0.5, training = true, generator?: Generator): Tensor {
  if (!(p >= 0 && p <= 1)) {
    throw new ValueError(`dropout: the probability must be between 0 and 1, got ${p}`, { op: 'dropout', argument: 'p' });
  }
  if (typeof training !== 'boolean') {
    throw new ValueError(`dropout: training must be true or false, given by position; got ${described(training)}`, {
      op: 'dropout',
      argument: 'training',
    });
  }
  if (!training || p === 0) return x;
  // Not a product with 0: whatever x holds, NaN too, is gone.
  if (p === 1) return x.maskedFill(emptyTensor(x.shape, 'bool').fill_(1), 0);
  return x.mul(dropoutMask(x, p, generator));
}

/** Overwrites x with numbers that `fill` draws. */
function redraw<T extends TypedArray>(op: string, x: Tensor, generator: Generator | undefined, fill: Fill<T>): Tensor {
  checkWritable(op, x, false);
  if (generator !== undefined && !(generator instanceof Generator)) {
    throw new ValueError(`${op}: the last argument must be a Generator, given by position`, { op, argument: 'generator' });
  }
  const values = drawn<T>(x.shape, x.dtype, { generator }, fill);
  kernels().copy(x, values);
  commitWrite(x, null);
  return x;
}

/** Overwrites x with numbers uniform in [from, to). @source torch.Tensor.uniform_ */
export function uniform_(x: Tensor, from = 0, to = 1, generator?: Generator): Tensor {
  requireNumbers('uniform_', { from, to });
  return redraw<Floats>('uniform_', x, generator, (g, out) => fillUniform(g, out, from, to));
}

/** Overwrites x with normally distributed numbers. @source torch.Tensor.normal_ */
export function normal_(x: Tensor, mean = 0, std = 1, generator?: Generator): Tensor {
  requireNumbers('normal_', { mean, std });
  return redraw<Floats>('normal_', x, generator, (g, out) => fillNormal(g, out, mean, std));
}

/** Overwrites x with 1 with probability p, else 0. @source torch.Tensor.bernoulli_ */
export function bernoulli_(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  requireNumbers('bernoulli_', { p });
  return redraw('bernoulli_', x, generator, (g, out: TypedArray) => fillBernoulli(g, out, p));
}

/** Overwrites x with exponentially distributed numbers. @source torch.Tensor.exponential_ */
export function exponential_(x: Tensor, rate = 1, generator?: Generator): Tensor {
  requireNumbers('exponential_', { rate });
  return redraw<Floats>('exponential_', x, generator, (g, out) => fillExponential(g, out, rate));
}

/** Overwrites x with whole numbers uniform in [low, high). @source torch.Tensor.random_ */
export function random_(x: Tensor, low: number, high: number, generator?: Generator): Tensor {
  requireNumbers('random_', { low, high });
  return redraw('random_', x, generator, (g, out: TypedArray) => fillIntegers(g, out, low, high));
}
