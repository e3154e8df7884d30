import { grad as gradOf } from './autodiff/backward.ts';
import { GradError } from './errors.ts';
import { enableGrad } from './modes.ts';
import { stack } from './ops/joining.ts';
import { checkOptions, none, type OptionNames } from './option-names.ts';
import { shapeString } from './shape.ts';
import { Tensor } from './tensor.ts';

/** How `jacobian` and `hessian` treat graphs and outputs that do not depend on an input. */
export interface JacobianOptions {
  /** Record the computation, so that the result can be differentiated; default false. */
  createGraph?: boolean;
  /** Refuse outputs that do not depend on an input, instead of giving zeros; default false. */
  strict?: boolean;
}

const jacobianNames: OptionNames<JacobianOptions> = { createGraph: 1, strict: 1 };

/**
 * The derivatives of every element of the outputs by every element of the inputs, one backward pass per element.
 * Inputs are not changed, and graphs that they belong to are not walked unless `createGraph` is set.
 * @shape out.shape followed by in.shape; an array of them for several inputs or outputs, outputs first
 * @throws GradError with `strict` when an output does not depend on an input
 * @example
 * const J = tg.jacobian((x: tg.Tensor) => x.mul(x), tg.tensor([1, 2]));
 * console.log(J.toArray()); // → [ [ 2, 0 ], [ 0, 4 ] ]
 * @source torch.autograd.functional.jacobian
 */
export function jacobian(fn: (x: Tensor) => Tensor, input: Tensor, options?: JacobianOptions): Tensor;
export function jacobian(fn: (...x: Tensor[]) => Tensor, inputs: readonly Tensor[], options?: JacobianOptions): Tensor[];
export function jacobian(fn: (x: Tensor) => readonly Tensor[], input: Tensor, options?: JacobianOptions): Tensor[];
export function jacobian(
  fn: (...x: Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  options?: JacobianOptions,
): Tensor[][];
export function jacobian(
  fn: (...x: Tensor[]) => Tensor | readonly Tensor[],
  given: Tensor | readonly Tensor[],
  options: JacobianOptions = none,
): Tensor | Tensor[] | Tensor[][] {
  checkOptions('jacobian', options, jacobianNames);
  const { createGraph = false, strict = false } = options;
  return enableGrad(() => {
    const inputs = variables(given, createGraph);
    const result = fn(...inputs);
    const blocks = (result instanceof Tensor ? [result] : result).map((output, o) => {
      if (!(output instanceof Tensor)) throw new GradError(`jacobian: output ${o} is not a Tensor`);
      return blocksOf(output, inputs, o, createGraph, strict);
    });
    const unwrapped = given instanceof Tensor ? blocks.map((row) => row[0]!) : blocks;
    return result instanceof Tensor ? unwrapped[0]! : (unwrapped as Tensor[] | Tensor[][]);
  });
}

/** Stand-ins for tensors, so that a gradient can be asked for by them alone; `connected` ones continue their graphs. */
export function variables(given: Tensor | readonly Tensor[], connected: boolean): Tensor[] {
  return (given instanceof Tensor ? [given] : given).map((x) => {
    return connected && x.requiresGrad ? x.view(x.shape) : x.detach().requiresGrad_();
  });
}

/** The derivatives of one output by each input. */
function blocksOf(output: Tensor, inputs: readonly Tensor[], o: number, createGraph: boolean, strict: boolean): Tensor[] {
  const flat = output.reshape(-1);
  const rows = Array.from({ length: output.numel() }, (_, k) => {
    return output.requiresGrad
      ? gradOf(flat.select(0, k), inputs, { retainGraph: true, createGraph, allowUnused: true })
      : inputs.map(() => null);
  });
  return inputs.map((input, i) => {
    const parts = rows.map((row) => {
      if (strict && (row[i] === null || (createGraph && !row[i]!.requiresGrad))) {
        throw new GradError(`jacobian: output ${o} of shape ${shapeString(output.shape)} is independent of input ${i}`);
      }
      return row[i] ?? input.detach().zerosLike();
    });
    const shape = [...output.shape, ...input.shape];
    return parts.length === 0 ? input.detach().newZeros(shape) : stack(parts).reshape(shape);
  });
}

/**
 * The second derivatives of a function that gives one number.
 * @shape in.shape twice; for several inputs an array of arrays, one block for each pair
 * @throws GradError when the function gives more than one number
 * @example
 * const H = tg.hessian((x: tg.Tensor) => x.pow(3).sum(), tg.tensor([1, 2]));
 * console.log(H.toArray()); // → [ [ 6, 0 ], [ 0, 12 ] ]
 * @source torch.autograd.functional.hessian
 */
export function hessian(fn: (x: Tensor) => Tensor, input: Tensor, options?: JacobianOptions): Tensor;
export function hessian(fn: (...x: Tensor[]) => Tensor, inputs: readonly Tensor[], options?: JacobianOptions): Tensor[][];
export function hessian(
  fn: (...x: Tensor[]) => Tensor,
  given: Tensor | readonly Tensor[],
  options: JacobianOptions = none,
): Tensor | Tensor[][] {
  checkOptions('hessian', options, jacobianNames);
  const gradient = (...inputs: Tensor[]): readonly Tensor[] => {
    const value = fn(...inputs);
    if (!(value instanceof Tensor) || value.numel() !== 1) {
      const got = value instanceof Tensor ? `a tensor of shape ${shapeString(value.shape)}` : typeof value;
      throw new GradError(`hessian: the function must give one number, got ${got}`);
    }
    return blocksOf(value.reshape([]), inputs, 0, true, options.strict === true);
  };
  const blocks = jacobian(gradient, given instanceof Tensor ? [given] : given, options);
  return given instanceof Tensor ? blocks[0]![0]! : blocks;
}
