import { noGrad, requireOptions, tensor, ValueError, cat, type Tensor } from '@tapegrad/core';

/** One parameter or several. */
export type ParameterList = Tensor | Iterable<Tensor>;

/** Options of `clipGradNorm_`. */
export interface ClipNormOptions {
  /** Which norm; default 2, and Infinity is the largest magnitude. */
  normType?: number;
  /** Throw when the norm is NaN or infinite; default false. */
  errorIfNonfinite?: boolean;
}

function listOf(parameters: ParameterList): Tensor[] {
  return Symbol.iterator in parameters ? [...parameters] : [parameters];
}

function requireNumber(op: string, argument: string, given: unknown): void {
  if (typeof given === 'number') return;
  throw new ValueError(`${op}: ${argument} is a number, given by position; got ${String(given)}`, { op, argument });
}

function gradientsOf(parameters: ParameterList): Tensor[] {
  return listOf(parameters).flatMap(({ grad }) => (grad === null ? [] : [grad.detach()]));
}

/**
 * The norm of several tensors as of one long vector; 0 of none.
 * @throws ValueError when it is not finite and `errorIfNonfinite` is set
 * @source torch.nn.utils.get_total_norm
 */
export function getTotalNorm(tensors: ParameterList, options: ClipNormOptions = {}): Tensor {
  return totalNorm('getTotalNorm', listOf(tensors), options);
}

function totalNorm(op: string, tensors: readonly Tensor[], options: ClipNormOptions): Tensor {
  requireOptions(op, options, ['normType', 'errorIfNonfinite']);
  const { normType = 2, errorIfNonfinite = false } = options;
  if (tensors.length === 0) return tensor(0);
  return noGrad(() => {
    const norms = tensors.map((x) => x.detach().vectorNorm(normType).reshape([1]));
    const { dtype } = norms[0]!;
    const total = cat(norms.map((norm) => norm.to(dtype))).vectorNorm(normType);
    if (errorIfNonfinite && !Number.isFinite(total.item())) {
      throw new ValueError(
        `${op}: the norm of order ${normType} of the gradients is ${total.item()}, so they cannot be ` +
          'clipped. To scale them all the same, set errorIfNonfinite to false',
        { op },
      );
    }
    return total;
  });
}

/**
 * Scales the gradients of all parameters so that a norm that was found before becomes at most `maxNorm`.
 * @source torch.nn.utils.clip_grads_with_norm_
 */
export function clipGradsWithNorm_(parameters: ParameterList, maxNorm: number, total: Tensor): void {
  noGrad(() => {
    const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1);
    for (const gradient of gradientsOf(parameters)) gradient.mul_(factor.to(gradient.dtype));
  });
}

/**
 * Scales the gradients of all parameters together so that their norm, as of one long vector, is at most
 * `maxNorm`.
 * @returns the norm before
 * @throws ValueError when the norm is not finite and `errorIfNonfinite` is set; then nothing is changed
 * @source torch.nn.utils.clip_grad_norm_
 */
export function clipGradNorm_(
  parameters: ParameterList,
  maxNorm: number,
  options: ClipNormOptions = {},
): Tensor {
  requireNumber('clipGradNorm_', 'maxNorm', maxNorm);
  const list = listOf(parameters);
  const total = totalNorm('clipGradNorm_', gradientsOf(list), options);
  clipGradsWithNorm_(list, maxNorm, total);
  return total;
}

/**
 * Limits every element of the gradients to ±`clipValue`.
 * @throws ValueError unless it is a number
 * @source torch.nn.utils.clip_grad_value_
 */
export function clipGradValue_(parameters: ParameterList, clipValue: number): void {
  requireNumber('clipGradValue_', 'clipValue', clipValue);
  noGrad(() => gradientsOf(parameters).forEach((gradient) => gradient.clamp_(-clipValue, clipValue)));
}

/** The elements of all parameters, one after the other. @source torch.nn.utils.parameters_to_vector */
export function parametersToVector(parameters: ParameterList): Tensor {
  return cat(listOf(parameters).map((parameter) => parameter.reshape([-1])));
}

/**
 * Overwrites the parameters with the elements of a vector, in their order.
 * @throws ValueError unless the vector has as many elements as all parameters together
 * @source torch.nn.utils.vector_to_parameters
 */
export function vectorToParameters(vector: Tensor, parameters: ParameterList): void {
  const list = listOf(parameters);
  const count = list.reduce((sum, parameter) => sum + parameter.numel(), 0);
  if (vector.ndim !== 1 || vector.shape[0] !== count) {
    throw new ValueError(
      `vectorToParameters: the parameters have ${count} elements together, the vector is ` +
        `[${vector.shape.join(', ')}]`,
      { op: 'vectorToParameters', shapes: [vector.shape] },
    );
  }
  let start = 0;
  noGrad(() => {
    for (const parameter of list) {
      parameter.copy_(vector.narrow(0, start, parameter.numel()).reshape(parameter.shape));
      start += parameter.numel();
    }
  });
}
