import { extended } from '../define/framing.ts';
import { custom, linear } from '../define/rules.ts';
import { emptyReduced, kernels } from '../dispatch.ts';
import { dtypeInfo, isFloating, toDType, type DTypeName } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { checkOptions, keepdimName, none, reduceNames, refuseOptions, type NoOptions } from '../option-names.ts';
import { normalizeDims, numel, reducedShape, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A dimension, several, or none given: all. */
export type Dims = number | readonly number[] | null;

/** Whether a reduction leaves the reduced dimensions in place. */
export interface KeepdimOption {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean | undefined;
}

/** Options that reductions share. */
export interface ReduceOptions extends KeepdimOption {
  /** Cast to this dtype first. */
  dtype?: DTypeName | undefined;
}

/** What the tape keeps of a reduction. */
interface Reduced {
  readonly dims: readonly number[];
  readonly keepdim: boolean;
}

const sumOver = linear<Reduced>('sum', {
  forward: ([x], { dims, keepdim }) => {
    const { out, kept } = emptyReduced(x!.shape, dims, keepdim, x!.dtype);
    kernels().reduce('sum', kept, x!, dims);
    return out;
  },
  transpose: (g, { dims }, { shape }) => g.reshape(reducedShape(shape, dims, true)).expand(shape),
});

/** The dtype in which sums and products of x are formed: integers and bools count in int32. */
function accumulated(x: Tensor, dtype: DTypeName | undefined): Tensor {
  if (dtype !== undefined) return x.to(toDType(dtype));
  return isFloating(x.dtype) ? x : x.to('int32');
}

function summed(x: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  return dims.length === 0 ? x.clone() : sumOver([x], { dims, keepdim });
}

/**
 * The sum over dimensions, all by default. Integers and bools give int32; an empty sum is 0.
 * @source torch.sum
 */
export function sum(x: Tensor, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('sum', options, reduceNames);
  const dims = normalizeDims('sum', dim, x.ndim);
  const source = accumulated(x, options.dtype);
  return summed(source, dims, options.keepdim === true);
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
  return dims.length === 0 ? x.reshape(shape) : sumOver([x], { dims, keepdim: true }).reshape(shape);
}

/**
 * The mean over dimensions, all by default; NaN over no elements.
 * @throws DTypeError for integers: convert first
 * @source torch.mean
 */
export function mean(x: Tensor, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('mean', options, reduceNames);
  const source = options.dtype === undefined ? x : x.to(toDType(options.dtype));
  if (dtypeInfo[source.dtype].category < 2) {
    throw new DTypeError(`mean: the input must be floating-point, got ${source.dtype}; use x.to('float32').mean()`, {
      op: 'mean',
      dtypes: [source.dtype],
    });
  }
  const dims = normalizeDims('mean', dim, x.ndim);
  const count = numel(dims.map((d) => x.shape[d]!));
  return summed(source, dims, options.keepdim === true).div(count);
}

/** The sum over dimensions of what is not NaN. @source torch.nansum */
export function nansum(x: Tensor, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('nansum', options, reduceNames);
  return x.maskedFill(x.isnan(), 0).sum(dim, options);
}

/** The mean over dimensions of what is not NaN; NaN where nothing else is. @throws DTypeError for integers @source torch.nanmean */
export function nanmean(x: Tensor, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('nanmean', options, reduceNames);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`nanmean: the input must be floating-point, got ${x.dtype}; use x.to('float32').nanmean()`, {
      op: 'nanmean',
      dtypes: [x.dtype],
    });
  }
  return x.nansum(dim, options).div(x.detach().isnan().logicalNot().sum(dim, { keepdim: options.keepdim }));
}

const productOver = custom<Reduced>('prod', {
  forward: ([x], { dims, keepdim }) => {
    const { out, kept } = emptyReduced(x!.shape, dims, keepdim, x!.dtype);
    kernels().reduce('prod', kept, x!, dims);
    return [out];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g], { dims }, [meta]) {
    const x = node.input(0);
    const kept = reducedShape(meta!.shape, dims, true);
    const gradient = g!.reshape(kept);
    const hasZero = x.detach().eq(0).any().item() === 1;
    // The product of the others is the product over x, unless that divides by zero.
    return [gradient.mul(hasZero ? productOfOthers(x, dims) : node.output(0).reshape(kept).div(x))];
  },
});

/** For each element the product of all others over the dimensions: of those before it times those after it. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const rest = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const order = [...rest, ...dims];
  const moved = x.permute(order);
  const lines = moved.reshape([...rest.map((d) => x.shape[d]!), -1]);
  const last = lines.ndim - 1;
  const count = lines.shape[last]!;
  const before = extended(lines.narrow(last, 0, count - 1), last, [1, 0], 1).cumprod(last);
  const after = extended(lines.narrow(last, 1, count - 1).flip(last), last, [1, 0], 1).cumprod(last).flip(last);
  return before.mul(after).reshape(moved.shape).permute(order.map((_, d) => order.indexOf(d)));
}

/**
 * The product over dimensions, all by default. Integers and bools give int32; an empty product is 1.
 * @derivative the product of the other elements, right where some are 0 and at every order
 * @source torch.prod
 */
export function prod(x: Tensor, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('prod', options, reduceNames);
  const dims = normalizeDims('prod', dim, x.ndim);
  const source = accumulated(x, options.dtype);
  return dims.length === 0 ? source.clone() : productOver([source], { dims, keepdim: options.keepdim === true })[0]!;
}

function foldBools(kind: 'any' | 'all', x: Tensor, dim: Dims | undefined, options: KeepdimOption): Tensor {
  checkOptions(kind, options, keepdimName);
  const dims = normalizeDims(kind, dim, x.ndim);
  const source = x.detach().to('bool');
  if (dims.length === 0) return source.clone();
  const { out, kept } = emptyReduced(x.shape, dims, options.keepdim === true, 'bool');
  kernels().reduce(kind, kept, source, dims);
  return out;
}

/** Whether at least one element is not zero; false over no elements. @source torch.any */
export function any(x: Tensor, dim?: Dims, options: KeepdimOption = none): Tensor {
  return foldBools('any', x, dim, options);
}

/** Whether no element is zero; true over no elements. @source torch.all */
export function all(x: Tensor, dim?: Dims, options: KeepdimOption = none): Tensor {
  return foldBools('all', x, dim, options);
}

/** How many elements are not zero, as int32. @source torch.count_nonzero */
export function countNonzero(x: Tensor, dim?: Dims, options?: NoOptions): Tensor {
  refuseOptions('countNonzero', options);
  return x.detach().ne(0).sum(dim);
}
