import { numel, type Shape } from '../shape.ts';
import { hostArray } from '../storage.ts';
import { Tensor } from '../tensor.ts';
import { grad } from './backward.ts';

/** A function of tensors and other things that gives tensors and other things. */
export type TensorFunction = (...inputs: unknown[]) => unknown;

/** One entry of a Jacobian, as the tape gives it and as a difference quotient gives it. */
export interface GradientComparison {
  /** Which output, counted among all results. */
  readonly output: number;
  /** Which element of it. */
  readonly outputIndex: readonly number[];
  /** Which input, counted among all arguments. */
  readonly input: number;
  /** Which element of it. */
  readonly inputIndex: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic − numeric| */
  readonly absoluteError: number;
  /** |analytic − numeric| / max(|analytic|, |numeric|); 0 where both are 0. */
  readonly relativeError: number;
}

/** A tensor among other arguments or results, with its position there. */
export interface Placed {
  readonly position: number;
  readonly tensor: Tensor;
}

/** The inputs that require grad. */
export function differentiableInputs(inputs: readonly unknown[]): Placed[] {
  return placed(inputs).filter(({ tensor }) => tensor.requiresGrad);
}

/** The results that require grad. */
export function differentiableOutputs(result: unknown): Placed[] {
  return tensorOutputs(result).filter(({ tensor }) => tensor.requiresGrad);
}

/** The results that are tensors: one, those of a list, or those of named parts like { values, indices }. */
export function tensorOutputs(result: unknown): Placed[] {
  if (Array.isArray(result)) return placed(result);
  const hasParts = typeof result === 'object' && result !== null && !(result instanceof Tensor);
  return placed(hasParts ? Object.values(result) : [result]);
}

function placed(values: readonly unknown[]): Placed[] {
  return values.flatMap((tensor, position) => (tensor instanceof Tensor ? [{ position, tensor }] : []));
}

/** Adds `steps[k]` to element k in the tensor's own memory, runs `body`, and puts the old values back. */
export function displaced<T>(x: Tensor, steps: ReadonlyMap<number, number>, body: () => T): T {
  const old = new Map<number, number>();
  // No version changes: nothing that was recorded with the old values is run in between.
  for (const [k, step] of steps) {
    const elements = hostArray(x.storage, x.dtype);
    const place = placeOf(x, k);
    old.set(place, elements[place]!);
    elements[place] = elements[place]! + step;
  }
  try {
    return body();
  } finally {
    for (const [place, value] of old) hostArray(x.storage, x.dtype)[place] = value;
  }
}

function placeOf({ shape, strides, offset }: Tensor, k: number): number {
  return indexOf(shape, k).reduce((place, i, d) => place + i * strides[d]!, offset);
}

/** The index of the k-th element in row-major order. */
export function indexOf(shape: Shape, k: number): number[] {
  const index = new Array<number>(shape.length);
  for (let d = shape.length - 1, rest = k; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}

/** Difference quotients (f(x + step) − f(x − step)) / 2eps of every result's elements. */
export function difference(
  fn: TensorFunction,
  inputs: readonly unknown[],
  x: Tensor,
  steps: ReadonlyMap<number, number>,
  eps: number,
): Float64Array[] {
  const backwards = new Map([...steps].map(([k, step]) => [k, -step]));
  const run = (): Float64Array[] => tensorOutputs(fn(...inputs)).map(({ tensor }) => Float64Array.from(tensor.toTypedArray()));
  const above = displaced(x, steps, run);
  const below = displaced(x, backwards, run);
  return above.map((values, o) => values.map((value, k) => (value - below[o]![k]!) / (2 * eps)));
}

/** Entry by entry, for every input that requires grad: numeric[input][element][result] is a column of the Jacobian. */
export function numericColumns(fn: TensorFunction, inputs: readonly unknown[], eps: number): Float64Array[][][] {
  return differentiableInputs(inputs).map(({ tensor }) => {
    return Array.from({ length: tensor.numel() }, (_, k) => difference(fn, inputs, tensor, new Map([[k, eps]]), eps));
  });
}

/** The Jacobian of one result, row by row, one backward pass each: rows[element][input]; null where there is none. */
export function analyticRows(output: Tensor, inputs: readonly Placed[]): (Tensor | null)[][] {
  const wanted = inputs.map(({ tensor }) => tensor);
  return Array.from({ length: output.numel() }, (_, k) => {
    const seed = oneHot(output, k);
    return grad(output, wanted, { gradOutputs: seed, retainGraph: true, allowUnused: true });
  });
}

function oneHot(x: Tensor, k: number): Tensor {
  const seed = x.detach().zerosLike();
  hostArray(seed.storage, seed.dtype)[k] = 1;
  return seed;
}

/**
 * Every entry of the Jacobian of a function, from the tape and from central differences.
 * @param inputs the arguments of `fn`; those that are tensors and require grad are differentiated
 * @param eps the step of the differences, default 1e-6
 * @example
 * const x = tg.tensor([1, 2], { dtype: 'float64', requiresGrad: true });
 * const [first] = tg.compareGradients((x: tg.Tensor) => x.mul(x).sum(), [x]);
 * console.log(first.analytic, first.numeric.toFixed(6)); // → 2 2.000000
 */
export function compareGradients<A extends unknown[]>(
  fn: (...inputs: A) => unknown,
  inputs: readonly [...A],
  eps = 1e-6,
): GradientComparison[] {
  const call = fn as TensorFunction;
  const numeric = numericColumns(call, inputs, eps);
  const sources = differentiableInputs(inputs);
  return tensorOutputs(call(...inputs)).flatMap(({ tensor: output, position }, o) => {
    const rows = output.requiresGrad ? analyticRows(output, sources) : null;
    return sources.flatMap((source, i) => {
      const flat = rows?.map((row) => row[i]?.toTypedArray() ?? null) ?? [];
      return Array.from({ length: numel(output.shape) * source.tensor.numel() }, (_, n) => {
        const row = Math.floor(n / source.tensor.numel());
        const column = n % source.tensor.numel();
        return {
          output: position,
          outputIndex: indexOf(output.shape, row),
          input: source.position,
          inputIndex: indexOf(source.tensor.shape, column),
          ...errorsOf(flat[row]?.[column] ?? 0, numeric[i]![column]![o]![row]!),
        };
      });
    });
  });
}

/** Two values of one derivative and how far they are apart. */
export function errorsOf(
  analytic: number,
  numeric: number,
): Pick<GradientComparison, 'analytic' | 'numeric' | 'absoluteError' | 'relativeError'> {
  const absoluteError = Math.abs(analytic - numeric);
  const scale = Math.max(Math.abs(analytic), Math.abs(numeric));
  return { analytic, numeric, absoluteError, relativeError: absoluteError === 0 ? 0 : absoluteError / scale };
}
