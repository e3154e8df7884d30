import { keep, requireOptions, Tensor } from '@tapegrad/core';

/** A tensor that a module learns. Every tensor has the methods; being a parameter is a mark on it. */
export interface Parameter extends Tensor {}

/**
 * Which tensors are parameters. A mark beside the tensor keeps all tensors of one hidden class, and
 * operations fast.
 */
const marked = new WeakSet<object>();

/** Options of a parameter. */
export interface ParameterOptions {
  /** Whether it learns; default true. */
  requiresGrad?: boolean;
}

/**
 * Marks a tensor as a parameter: held in a field of a module it is found by `parameters()` and `stateDict()`.
 * The parameter is a leaf that shares the memory of the tensor.
 * @throws DTypeError for integers, unless `requiresGrad` is false
 * @example
 * class Scale extends nn.Module {
 *   factor = new nn.Parameter(tg.ones([1]));
 *   forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 * console.log(new Scale().namedParameters().map(([name]) => name)); // → [ 'factor' ]
 * @source torch.nn.Parameter
 */
export class Parameter {
  constructor(data: Tensor, options: ParameterOptions = {}) {
    requireOptions('Parameter', options, ['requiresGrad']);
    const parameter = keep(data.detach()).requiresGrad_(options.requiresGrad ?? true);
    marked.add(parameter);
    return parameter as Parameter;
  }

  /** Makes `x instanceof nn.Parameter` true for marked tensors. @internal */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && marked.has(value);
  }
}
