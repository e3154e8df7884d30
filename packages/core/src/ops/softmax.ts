import { elementwise, type Ternary } from '../define/elementwise.ts';
import { custom } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { isFloating, type DTypeName } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { normalizeDim } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Options of softmax and its logarithm. */
export interface SoftmaxOptions {
  /** Cast to this dtype first. */
  dtype?: DTypeName | undefined;
}

function forward(x: Tensor, dim: number, log: boolean): Tensor {
  const out = empty(x.shape, x.dtype);
  kernels().softmax(out, x, dim, log);
  return out;
}

const shareStep: Ternary = elementwise('softmax_backward', (g, y, total) => y.mul(g.sub(total)));
const logShareStep: Ternary = elementwise('log_softmax_backward', (g, y, total) => g.sub(y.exp().mul(total)));

const shares = custom<number>('softmax', {
  forward: ([x], dim) => [forward(x!, dim, false)],
  savesOutputs: [0],
  vjp(node, [g], dim) {
    const y = node.output(0);
    return [shareStep(g!, y, g!.mul(y).sum(dim, { keepdim: true }))];
  },
});

const logShares = custom<number>('log_softmax', {
  forward: ([x], dim) => [forward(x!, dim, true)],
  savesOutputs: [0],
  vjp: (node, [g], dim) => [logShareStep(g!, node.output(0), g!.sum(dim, { keepdim: true }))],
});

function normalized(
  op: string,
  run: (inputs: readonly Tensor[], dim: number) => Tensor[],
  x: Tensor,
  dim: number,
  options: SoftmaxOptions,
): Tensor {
  const d = normalizeDim(op, dim, x.ndim);
  const source = options.dtype === undefined ? x : x.to(options.dtype);
  if (!isFloating(source.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${source.dtype}; use x.to('float32').${op}(dim)`, {
      op,
      dtypes: [source.dtype],
    });
  }
  if (x.ndim > 0) return run([source], d)[0]!;
  return run([source.reshape([1])], 0)[0]!.reshape([]);
}

/**
 * Exponentials as shares of their sum along a dimension.
 * @derivative y (g − Σ g y)
 * @numerics the largest element is taken off first; NaN where all elements are −∞
 * @throws DTypeError for integers
 * @source torch.softmax
 */
export function softmax(x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor {
  return normalized('softmax', shares, x, dim, options);
}

/**
 * The logarithm of softmax, computed without forming it.
 * @derivative g − softmax(x) Σ g
 * @throws DTypeError for integers
 * @source torch.log_softmax
 */
export function logSoftmax(x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor {
  return normalized('logSoftmax', logShares, x, dim, options);
}

/** softmax(−x). @source torch.nn.functional.softmin */
export function softmin(x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor {
  return x.neg().softmax(dim, options);
}
