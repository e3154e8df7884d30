import { linear } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { dtypeInfo, isFloating, toDType, type DTypeName } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { normalizeDims, numel, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A dimension, several, or none given: all. */
export type Dims = number | readonly number[] | null;

/** Options that reductions share. */
export interface ReduceOptions {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
  /** Cast to this dtype first. */
  dtype?: DTypeName;
}

/** A shape after reducing some dimensions to size 1, or without them. */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  return keepdim
    ? shape.map((n, d) => (dims.includes(d) ? 1 : n))
    : shape.filter((_, d) => !dims.includes(d));
}

const sumOver = linear<readonly number[]>('sum', {
  forward: ([x], dims) => {
    const out = empty(reducedShape(x!.shape, dims, true), x!.dtype);
    kernels().reduce('sum', out, x!, dims);
    return out;
  },
  transpose: (g, _, { shape }) => g.expand(shape),
});

/**
 * The sum over dimensions, all by default. Integers and bools give int32; an empty sum is 0.
 * @source torch.sum
 */
export function sum(x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor {
  const dims = normalizeDims('sum', dim, x.ndim);
  const source = options.dtype !== undefined ? x.to(options.dtype) : isFloating(x.dtype) ? x : x.to('int32');
  const kept = dims.length === 0 ? source.clone() : sumOver([source], dims);
  return options.keepdim === true ? kept : kept.reshape(reducedShape(x.shape, dims, false));
}

/**
 * Summed to a shape that broadcasts to this one: what broadcasting does to gradients.
 * @source torch.Tensor.sum_to_size
 */
export function sumToSize(x: Tensor, shape: Shape): Tensor {
  const lead = x.ndim - shape.length;
  const dims = x.shape.map((n, d) => (d < lead || (shape[d - lead] === 1 && n !== 1) ? d : -1)).filter((d) => d >= 0);
  if (lead < 0 || x.shape.some((n, d) => d >= lead && shape[d - lead] !== n && shape[d - lead] !== 1)) {
    throw new ShapeError(`sumToSize: ${shapeString(x.shape)} is not the broadcast of ${shapeString(shape)}`, {
      op: 'sumToSize',
      shapes: [x.shape, shape],
    });
  }
  return dims.length === 0 ? x.reshape(shape) : sumOver([x], dims).reshape(shape);
}

/**
 * The mean over dimensions, all by default; NaN over no elements.
 * @throws DTypeError for integers: convert first
 * @source torch.mean
 */
export function mean(x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor {
  const source = options.dtype === undefined ? x : x.to(toDType(options.dtype));
  if (dtypeInfo[source.dtype].category < 2) {
    throw new DTypeError(`mean: the input must be floating-point, got ${source.dtype}; use x.to('float32').mean()`, {
      op: 'mean',
      dtypes: [source.dtype],
    });
  }
  const dims = normalizeDims('mean', dim, x.ndim);
  const count = numel(dims.map((d) => x.shape[d]!));
  return source.sum(dims.length === 0 && x.ndim > 0 ? null : dims, { keepdim: options.keepdim ?? false }).div(count);
}
