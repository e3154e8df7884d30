import { GradError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { grad } from './backward.ts';
import {
  analyticRows,
  compareGradients,
  difference,
  differentiableInputs,
  differentiableOutputs,
  errorsOf,
  tensorOutputs,
  type GradientComparison,
  type TensorFunction,
} from './finite-differences.ts';
import { Function } from './function.ts';

/** How exact a check is, and what it checks beside the values. */
export interface GradcheckOptions {
  /** Step of the central differences; default 1e-6. */
  eps?: number;
  /** An entry passes if |analytic − numeric| ≤ atol + rtol · |numeric|; default 1e-5. */
  atol?: number;
  /** Default 1e-3. */
  rtol?: number;
  /**
   * Instead of atol and rtol: the bound of |analytic − numeric| / max(|analytic|, |numeric|). Rounding alone makes the
   * numeric side wrong by about 1e-16 · |f| / eps, and the curvature of curvature by eps² / 6 · |f‴|. So `relative: 1e-7`
   * can hold for functions that are at most quadratic and whose values and derivatives have the same size, at
   * eps 1e-7 … 1e-4; for others the difference quotient is wrong, not the gradient.
   */
  relative?: number;
  /** Throw a GradcheckError (default), or return false. */
  raiseException?: boolean;
  /** How much two runs of the same backward pass may differ; default 0. */
  nondetTol?: number;
  /** Check that rules take missing gradients; default true. */
  checkUndefinedGrad?: boolean;
  /** Check that gradients have the dtypes of their inputs; default false. */
  checkGradDtypes?: boolean;
  /** Compare one random projection per input and output instead of every entry; default false. */
  fastMode?: boolean;
}

const gradcheckNames: OptionNames<GradcheckOptions> = {
  eps: 1, atol: 1, rtol: 1, relative: 1, raiseException: 1, nondetTol: 1, checkUndefinedGrad: 1, checkGradDtypes: 1, fastMode: 1,
};

/** What a failed check found. */
export class GradcheckError extends GradError {
  override readonly name: string = 'GradcheckError';
  /** The entries that differ, the worst first; empty when something else is wrong. */
  readonly mismatches: readonly GradientComparison[];
  constructor(message: string, mismatches: readonly GradientComparison[] = []) {
    super(`gradcheck: ${message}`, { op: 'gradcheck' });
    this.mismatches = mismatches;
  }
}

/**
 * Compares the gradients of `fn` with central differences, entry by entry, and checks that its backward pass is
 * deterministic, multiplied by the incoming gradient, and at ease with missing gradients.
 * @param fn a function of tensors (and other things) that gives a tensor or several
 * @param inputs its arguments; those that are tensors and require grad are checked and should be float64
 * @returns true; false for wrong gradients if `raiseException` is false
 * @throws GradcheckError naming output, input, index, analytic and numeric value of what differs
 * @throws ValueError when no input requires grad, or one has overlapping memory
 * @example
 * const x = tg.tensor([[1, 2], [3, 4]], { dtype: 'float64', requiresGrad: true });
 * console.log(tg.gradcheck((x: tg.Tensor) => x.sin().mul(x), [x])); // → true
 * @source torch.autograd.gradcheck
 */
export function gradcheck<A extends unknown[]>(
  fn: (...inputs: A) => unknown,
  inputs: readonly [...A],
  options?: GradcheckOptions,
): boolean;
export function gradcheck(fn: (x: Tensor) => unknown, input: Tensor, options?: GradcheckOptions): boolean;
export function gradcheck(fn: unknown, given: readonly unknown[] | Tensor, options: GradcheckOptions = none): boolean {
  checkOptions('gradcheck', options, gradcheckNames);
  const inputs = given instanceof Tensor ? [given] : given;
  checkInputs(inputs);
  try {
    runChecks(fn as TensorFunction, inputs, options);
    return true;
  } catch (error) {
    if (options.raiseException === false && error instanceof GradcheckError) return false;
    throw error;
  }
}

/** Options of `gradgradcheck`. */
export interface GradgradcheckOptions extends GradcheckOptions {
  /** Gradients of the outputs, which require grad; random in [−1, 1] by default. */
  gradOutputs?: readonly Tensor[];
  /** Make the random ones non-contiguous; default false. */
  nonContiguousGradOutputs?: boolean;
}

/**
 * Checks second derivatives: `gradcheck` of the gradient of `fn` as a function of its inputs and of the outputs' gradients.
 * @throws GradcheckError as `gradcheck`
 * @example
 * const x = tg.tensor([1, 2], { dtype: 'float64', requiresGrad: true });
 * console.log(tg.gradgradcheck((x: tg.Tensor) => x.pow(3), [x])); // → true
 * @source torch.autograd.gradgradcheck
 */
export function gradgradcheck<A extends unknown[]>(
  fn: (...inputs: A) => unknown,
  inputs: readonly [...A],
  options?: GradgradcheckOptions,
): boolean;
export function gradgradcheck(fn: (x: Tensor) => unknown, input: Tensor, options?: GradgradcheckOptions): boolean;
export function gradgradcheck(fn: unknown, given: readonly unknown[] | Tensor, options: GradgradcheckOptions = none): boolean {
  checkOptions('gradgradcheck', options, { ...gradcheckNames, gradOutputs: 1, nonContiguousGradOutputs: 1 });
  const { gradOutputs, nonContiguousGradOutputs = false, ...shared } = options;
  const call = fn as TensorFunction;
  const inputs = given instanceof Tensor ? [given] : given;
  checkInputs(inputs);
  const outputs = differentiableOutputs(call(...inputs));
  const seeds =
    gradOutputs ?? outputs.map(({ tensor }, i) => randomLike(tensor, i, nonContiguousGradOutputs).requiresGrad_());
  const gradient = (...all: unknown[]): Tensor[] => {
    const args = all.slice(0, inputs.length);
    const incoming = all.slice(inputs.length) as Tensor[];
    const results = differentiableOutputs(call(...args)).map(({ tensor }) => tensor);
    const wanted = differentiableInputs(args).map(({ tensor }) => tensor);
    const found = grad(results, wanted, { gradOutputs: incoming, createGraph: true, allowUnused: true });
    return found.filter((value) => value !== null);
  };
  return gradcheck(gradient, [...inputs, ...seeds], shared);
}

function checkInputs(inputs: readonly unknown[]): void {
  const checked = differentiableInputs(inputs);
  if (checked.length === 0) {
    throw new ValueError('gradcheck expects at least one input tensor to require gradient, but none of them does');
  }
  for (const { tensor, position } of checked) {
    if (tensor.shape.some((n, d) => n > 1 && tensor.strides[d] === 0)) {
      throw new ValueError(
        `gradcheck: input ${position} has a dimension with stride 0; its elements share memory, so that they cannot be ` +
          'moved one by one. Call contiguous() on it first',
      );
    }
    if (tensor.dtype !== 'float64') {
      console.warn(
        `tapegrad: gradcheck input ${position} is ${tensor.dtype}; differences need double precision, so this check will ` +
          "likely fail. Create it with { dtype: 'float64' }.",
      );
    }
  }
}

function runChecks(fn: TensorFunction, inputs: readonly unknown[], options: GradcheckOptions): void {
  const { eps = 1e-6, fastMode = false, checkUndefinedGrad = true } = options;
  const outputs = differentiableOutputs(fn(...inputs));
  checkReentrant(outputs.map(({ tensor }) => tensor), inputs, options);
  if (!fastMode || outputs.length === 0 || !projectionsAgree(fn, inputs, options)) {
    checkEntries(compareGradients(fn, inputs, eps), options, outputs.length === 0);
  }
  if (outputs.length === 0) return;
  if (checkUndefinedGrad) checkMissingGradients(fn, inputs);
  checkZeroGradient(fn, inputs, options);
}

type Tolerances = Pick<GradcheckOptions, 'atol' | 'rtol' | 'relative'>;
type Errors = ReturnType<typeof errorsOf>;

/** Whether two values of one derivative are close; never if one is NaN and the other not. */
function isClose({ analytic, numeric, absoluteError, relativeError }: Errors, options: Tolerances, scale = 1): boolean {
  const { atol = 1e-5, rtol = 1e-3, relative } = options;
  if (analytic === numeric) return true;
  return relative === undefined ? absoluteError <= atol * scale + rtol * Math.abs(numeric) : relativeError < relative;
}

function checkEntries(entries: readonly GradientComparison[], options: GradcheckOptions, constant: boolean): void {
  const wrong = entries.filter((entry) => !isClose(entry, options)).sort((a, b) => b.absoluteError - a.absoluteError);
  const worst = wrong[0];
  if (worst === undefined) return;
  const { atol = 1e-5, rtol = 1e-3, relative } = options;
  const bound = relative === undefined ? `atol ${atol} + rtol ${rtol} · |numeric|` : `a relative error of ${relative}`;
  const cause = constant ? ' No output requires grad, so the function should be constant.' : '';
  throw new GradcheckError(
    `Jacobian mismatch for output ${worst.output} with respect to input ${worst.input}.${cause} ${wrong.length} of ` +
      `${entries.length} entries differ by more than ${bound}${wrong.length > ROWS ? `; the worst ${ROWS}` : ''}:\n` +
      wrong.slice(0, ROWS).map(entryLine).join('\n'),
    wrong,
  );
}

const ROWS = 10;

function entryLine(entry: GradientComparison): string {
  const { output, outputIndex, input, inputIndex, analytic, numeric, absoluteError, relativeError } = entry;
  return (
    `  output ${output} at ${shapeString(outputIndex)}, input ${input} at ${shapeString(inputIndex)}: analytic ${analytic}, ` +
    `numeric ${numeric} (absolute error ${absoluteError.toExponential(2)}, relative ${relativeError.toExponential(2)})`
  );
}

/** Runs each backward pass twice. */
function checkReentrant(outputs: readonly Tensor[], inputs: readonly unknown[], { nondetTol = 0, checkGradDtypes }: GradcheckOptions): void {
  const sources = differentiableInputs(inputs);
  outputs.forEach((output, o) => {
    const [first, second] = [analyticRows(output, sources), analyticRows(output, sources)];
    first.forEach((row, k) => {
      row.forEach((gradient, i) => {
        const { tensor, position } = sources[i]!;
        if (gradient !== null) checkForm(gradient, tensor, position, checkGradDtypes === true);
        const [a, b] = [gradient?.toTypedArray() ?? [], second[k]![i]?.toTypedArray() ?? []];
        const differs = a.length !== b.length || a.some((value, n) => Math.abs(value - b[n]!) > nondetTol);
        if (differs) {
          throw new GradcheckError(
            `Backward is not reentrant: running it twice with the same input and gradient gave different values for input ` +
              `${position} from output ${o}. The tolerance for nondeterminism was ${nondetTol}`,
          );
        }
      });
    });
  });
}

function checkForm(gradient: Tensor, input: Tensor, position: number, dtypes: boolean): void {
  if (!sameShape(gradient.shape, input.shape)) {
    throw new GradcheckError(
      `the gradient of input ${position} has shape ${shapeString(gradient.shape)}, but the input ${shapeString(input.shape)}`,
    );
  }
  if (dtypes && gradient.dtype !== input.dtype) {
    throw new GradcheckError(`the gradient of input ${position} is ${gradient.dtype}, but the input ${input.dtype}`);
  }
}

/** Compares vᵀ J u for one pair of vectors per output and input. */
function projectionsAgree(fn: TensorFunction, inputs: readonly unknown[], options: GradcheckOptions): boolean {
  const { eps = 1e-6 } = options;
  const outputs = tensorOutputs(fn(...inputs));
  const sources = differentiableInputs(inputs);
  return sources.every(({ tensor: x }, i) => {
    const u = unitVector(x.numel(), i);
    const slopes = difference(fn, inputs, x, new Map(u.map((value, k) => [k, eps * value])), eps);
    return outputs.every(({ tensor: y }, o) => {
      if (!y.requiresGrad) return true;
      const v = unitVector(y.numel(), 100 + o);
      const seed = y.detach().newFrom(Float64Array.from(v), 'float64', y.shape).to(y.dtype);
      const [gradient] = grad(y, x, { gradOutputs: seed, retainGraph: true, allowUnused: true });
      const analytic = dot(gradient?.toTypedArray() ?? [], u);
      return isClose(errorsOf(analytic, dot(slopes[o]!, v)), options, total(u) * total(v));
    });
  });
}

function dot(a: ArrayLike<number>, b: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Numbers in (0, 1) that look random and are always the same. */
function scattered(n: number, seed: number): number[] {
  return Array.from({ length: n }, (_, k) => ((k + 1 + 37 * seed) * 0.6180339887498949) % 1);
}

function unitVector(n: number, seed: number): number[] {
  const values = scattered(n, seed);
  const norm = Math.sqrt(dot(values, values)) || 1;
  return values.map((value) => value / norm);
}

function randomLike(x: Tensor, seed: number, strided: boolean): Tensor {
  const step = strided ? 2 : 1;
  const values = Float64Array.from(scattered(x.numel() * step, seed), (value) => 2 * value - 1);
  return x.detach().newFrom(values, 'float64', [...x.shape, step]).to(x.dtype).select(-1, 0);
}

/** Passes its input on and no gradient back. */
class NoGradient extends Function {
  static forward(_: unknown, x: Tensor): Tensor {
    return x.clone();
  }
  static backward(): null {
    return null;
  }
}

/** All outputs without a gradient, then each of several alone. */
function checkMissingGradients(fn: TensorFunction, inputs: readonly unknown[]): void {
  const count = differentiableOutputs(fn(...inputs)).length;
  for (let missing = count > 1 ? 0 : count; missing <= count; missing++) {
    const outputs = differentiableOutputs(fn(...inputs)).map(({ tensor }, i) => {
      return missing === count || i === missing ? NoGradient.apply(tensor) : tensor;
    });
    let found: readonly (Tensor | null)[];
    try {
      found = zeroSeeded(outputs, inputs);
    } catch (error) {
      throw new GradcheckError(`backward cannot take a missing gradient of an output: ${(error as Error).message}`);
    }
    found.forEach((gradient, i) => {
      if (!isZero(gradient)) throw new GradcheckError(`input ${i} got a gradient although no output had one`);
    });
  }
}

function checkZeroGradient(fn: TensorFunction, inputs: readonly unknown[], options: GradcheckOptions): void {
  const sources = differentiableInputs(inputs);
  zeroSeeded(differentiableOutputs(fn(...inputs)).map(({ tensor }) => tensor), inputs).forEach((gradient, i) => {
    const { tensor, position } = sources[i]!;
    if (gradient !== null) checkForm(gradient, tensor, position, options.checkGradDtypes === true);
    if (!isZero(gradient)) {
      throw new GradcheckError(`backward not multiplied by grad_output: zeros came in, but input ${position} got another gradient`);
    }
  });
}

function zeroSeeded(outputs: readonly Tensor[], inputs: readonly unknown[]): readonly (Tensor | null)[] {
  const gradOutputs = outputs.map((output) => output.detach().zerosLike());
  return grad(outputs, differentiableInputs(inputs).map(({ tensor }) => tensor), { gradOutputs, allowUnused: true });
}

function isZero(gradient: Tensor | null): boolean {
  return gradient === null || gradient.toTypedArray().every((value) => value === 0);
}
