import { checkIndex, checkIndexShape, checkSameDType } from '../define/bounds.ts';
import { gathered, line } from '../define/gathering.ts';
import { writable, type Writable } from '../define/in-place.ts';
import { custom } from '../define/rules.ts';
import { broadcastView, empty, kernels } from '../dispatch.ts';
import type { Strided } from '../backend/types.ts';
import { DTypeError, IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, refuseOptions, type NoOptions, type OptionNames } from '../option-names.ts';
import { broadcastShapes, contiguousStrides, normalizeDim, numel, sameShape, shapeString, withEntry, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * Elements picked along a dimension: for two dimensions and dim 0, out[i, j] = x[index[i, j], j].
 * @shape x of any rank, index of the same rank -> the shape of index
 * @derivative added up where the elements came from
 * @throws IndexError when an index is out of range
 * @source torch.gather
 */
export function gather(x: Tensor, dim: number, index: Tensor, options?: NoOptions): Tensor {
  refuseOptions('gather', options);
  const d = normalizeDim('gather', dim, x.ndim);
  checkIndexShape('gather', index, x, d, 'the tensor');
  return gathered([x, checkIndex('gather', index, x.shape[d] ?? 1, d)], d)[0]!;
}

interface Scattered {
  readonly dim: number;
  readonly accumulate: boolean;
}

function writeScattered(x: Tensor, index: Strided, src: Strided, { dim, accumulate }: Scattered): Tensor {
  const out = x.detach().clone();
  kernels().scatter(line(out), line(index), line(src), dim, accumulate);
  return out;
}

const scattered = custom<Scattered>('scatter', {
  forward: ([x, index, src], attrs) => [writeScattered(x!, index!, src!, attrs)],
  savesInputs: [1],
  vjp(node, [g], { dim, accumulate }) {
    const index = node.input(1);
    const rest = node.needs(0) ? (accumulate ? g! : g!.scatter(dim, index, 0)) : null;
    return [rest, null, node.needs(2) ? g!.gather(dim, index) : null];
  },
});

function scatterBy(op: string, x: Tensor, dim: number, index: Tensor, src: Tensor | number, accumulate: boolean): Tensor {
  const d = normalizeDim(op, dim, x.ndim);
  checkIndexShape(op, index, x, d, 'the tensor');
  if (src instanceof Tensor) {
    checkSameDType(op, x, src);
    checkIndexShape(op, index, src, -1, 'the source');
  }
  const checked = checkIndex(op, index, x.shape[d] ?? 1, d);
  if (index.numel() === 0) return x.clone();
  let source = src instanceof Tensor ? src : x.detach().newFull([], src).expand(index.shape);
  index.shape.forEach((n, k) => {
    if (source.shape[k] !== n) source = source.narrow(k, 0, n);
  });
  return scattered([x, checked, source], { dim: d, accumulate })[0]!;
}

/** How `scatter` combines what it writes with what is there. */
export interface ScatterOptions {
  /** 'add' adds up; without it the written value replaces the old one. */
  reduce?: 'add' | undefined;
}

const scatterNames: OptionNames<ScatterOptions> = { reduce: 1 };

/**
 * x with values written along a dimension: for two dimensions and dim 0, out[index[i, j], j] = src[i, j]. Where a place
 * is named twice, the last write stays.
 * @derivative 0 for what was overwritten; picked at the index for the source
 * @throws IndexError when an index is out of range
 * @source torch.scatter
 */
export const scatter: Writable<
  (x: Tensor, dim: number, index: Tensor, src: Tensor | number, options?: ScatterOptions) => Tensor
> = writable((x, dim, index, src, options = none) => {
  checkOptions('scatter', options, scatterNames);
  if (options.reduce !== undefined && options.reduce !== 'add') {
    throw new ValueError(`scatter: reduce must be 'add', got '${String(options.reduce)}'`, { op: 'scatter', argument: 'reduce' });
  }
  return scatterBy('scatter', x, dim, index, src, options.reduce === 'add');
});

/** x with values added along a dimension; those for the same place add up. @source torch.scatter_add */
export const scatterAdd: Writable<
  (x: Tensor, dim: number, index: Tensor, src: Tensor) => Tensor
> = writable((x, dim, index, src) => {
  return scatterBy('scatterAdd', x, dim, index, src, true);
});

/** An index of one dimension, laid along `dim` of a shape. */
function laidAlong(index: Tensor, shape: Shape, dim: number): Strided {
  const own = shape.map((_, d) => (d === dim ? index.shape[0]! : 1));
  const { storage, offset, dtype } = index;
  const strides = own.map((_, d) => (d === dim ? index.strides[0]! : 0));
  return broadcastView({ storage, offset, shape: own, strides, dtype }, withEntry(shape, dim, index.shape[0]!));
}

function checkVector(op: string, index: Tensor): Tensor {
  if (index.ndim > 1) {
    throw new IndexError(`${op}: the index must have one dimension, got ${shapeString(index.shape)}`, {
      op,
      argument: 'index',
      shapes: [index.shape],
    });
  }
  return index.ndim === 0 ? index.reshape([1]) : index;
}

const selected = custom<number>('index_select', {
  forward: ([x, index], dim) => {
    const laid = laidAlong(index!, x!.shape, dim);
    const out = empty(laid.shape, x!.dtype);
    kernels().gather(out, x!, laid, dim);
    return [out];
  },
  savesInputs: [1],
  vjp: (node, [g], dim, [meta]) => [g!.newZeros(meta!.shape).indexAdd(dim, node.input(1), g!), null],
});

/**
 * The slices of a dimension that an index of one dimension names, in its order.
 * @derivative added up where the slices came from
 * @throws IndexError when an index is out of range
 * @source torch.index_select
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor, options?: NoOptions): Tensor {
  refuseOptions('indexSelect', options);
  const d = normalizeDim('indexSelect', dim, x.ndim);
  const checked = checkIndex('indexSelect', checkVector('indexSelect', index), x.shape[d] ?? 1, d);
  if (x.ndim > 0) return selected([x, checked], d)[0]!;
  return selected([x.reshape([1]), checked], 0)[0]!.reshape(checked.numel() === 1 ? [] : checked.shape);
}

const written = custom<Scattered>('index_copy', {
  forward: ([x, index, source], attrs) => [writeScattered(x!, laidAlong(index!, x!.shape, attrs.dim), source!, attrs)],
  savesInputs: [1],
  vjp(node, [g], { dim, accumulate }) {
    const index = node.input(1);
    const rest = node.needs(0) ? (accumulate ? g! : g!.indexFill(dim, index, 0)) : null;
    return [rest, null, node.needs(2) ? g!.indexSelect(dim, index) : null];
  },
});

function writeSlices(op: string, x: Tensor, dim: number, index: Tensor, source: Tensor, accumulate: boolean): Tensor {
  const d = normalizeDim(op, dim, x.ndim);
  const vector = checkVector(op, index);
  checkSameDType(op, x, source);
  if (x.ndim === 0) return writeSlices(op, x.reshape([1]), 0, vector, source.reshape([1]), accumulate).reshape([]);
  const wanted = withEntry(x.shape, d, vector.shape[0]!);
  if (!sameShape(source.shape, wanted)) {
    throw new ShapeError(
      `${op}: the source is ${shapeString(source.shape)}, but an index of ${vector.shape[0]} along dim ${d} of ` +
        `${shapeString(x.shape)} asks for ${shapeString(wanted)}`,
      { op, argument: 'source', shapes: [x.shape, source.shape] },
    );
  }
  return written([x, checkIndex(op, vector, x.shape[d]!, d), source], { dim: d, accumulate })[0]!;
}

/** x with slices added along a dimension, `alpha` times; those for the same place add up. @source torch.index_add */
export const indexAdd: Writable<
  (x: Tensor, dim: number, index: Tensor, source: Tensor, options?: { alpha?: number }) => Tensor
> = writable((x, dim, index, source, options = none) => {
  checkOptions('indexAdd', options, { alpha: 1 });
  const { alpha = 1 } = options;
  return writeSlices('indexAdd', x, dim, index, alpha === 1 ? source : source.mul(alpha), true);
});

/** x with slices replaced along a dimension. @source torch.index_copy */
export const indexCopy: Writable<
  (x: Tensor, dim: number, index: Tensor, source: Tensor) => Tensor
> = writable((x, dim, index, source) => {
  return writeSlices('indexCopy', x, dim, index, source, false);
});

/** x with one value in the named slices of a dimension. @derivative for the value, its sum over these @source torch.index_fill */
export const indexFill: Writable<
  (x: Tensor, dim: number, index: Tensor, value: number | Tensor) => Tensor
> = writable((x, dim, index, value) => {
  const d = normalizeDim('indexFill', dim, x.ndim);
  const size = x.shape[d] ?? 1;
  const checked = checkIndex('indexFill', checkVector('indexFill', index), size, d);
  const mask = x.detach().newFrom(new Uint8Array(size), 'bool', [size]);
  const all = checked.newFrom(Uint8Array.of(1), 'bool', [1]).expand(checked.shape);
  kernels().scatter(mask, checked, all, 0, false);
  return x.maskedFill(mask.reshape(x.shape.map((_, k) => (k === d ? size : 1))), value);
});

/**
 * Elements picked along a dimension, where x and the index broadcast in the others; without a dimension both are flat.
 * @throws IndexError when an index is out of range
 * @source torch.take_along_dim
 */
export function takeAlongDim(x: Tensor, index: Tensor, dim?: number | null): Tensor {
  if (dim === undefined || dim === null) return x.reshape([-1]).gather(0, index.reshape([-1]));
  const d = normalizeDim('takeAlongDim', dim, x.ndim);
  if (x.ndim !== index.ndim) {
    throw new ShapeError(
      `takeAlongDim: the tensor ${shapeString(x.shape)} and the index ${shapeString(index.shape)} must have equal rank`,
      { op: 'takeAlongDim', argument: 'index', shapes: [x.shape, index.shape] },
    );
  }
  const alike = (shape: Shape): number[] => withEntry(shape, d, 1);
  const common = broadcastShapes('takeAlongDim', alike(x.shape), alike(index.shape));
  const wide = (t: Tensor): Tensor => t.expand(withEntry(common, d, t.shape[d]!));
  return wide(x).gather(d, wide(index));
}

/** The positions of all elements that are not zero, one row each. @shape any -> [count, rank], int32 @source torch.nonzero */
export function nonzero(x: Tensor, options?: NoOptions): Tensor {
  refuseOptions('nonzero', options);
  const values = x.toTypedArray();
  const strides = contiguousStrides(x.shape);
  const rows: number[] = [];
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    count++;
    for (let d = 0; d < strides.length; d++) rows.push(Math.floor(i / strides[d]!) % x.shape[d]!);
  }
  return x.detach().newFrom(Int32Array.from(rows), 'int32', [count, x.ndim]);
}

/** The elements where a mask is true, in one dimension; x and the mask broadcast. @source torch.masked_select */
export function maskedSelect(x: Tensor, mask: Tensor, options?: NoOptions): Tensor {
  refuseOptions('maskedSelect', options);
  if (mask.dtype !== 'bool') {
    throw new DTypeError(`maskedSelect: the mask must be bool, got ${mask.dtype}; use mask.to('bool')`, {
      op: 'maskedSelect',
      argument: 'mask',
      dtypes: [mask.dtype],
    });
  }
  const shape = broadcastShapes('maskedSelect', x.shape, mask.shape);
  const places = mask.expand(shape).reshape([numel(shape)]).nonzero().reshape([-1]);
  return x.expand(shape).reshape([numel(shape)]).indexSelect(0, places);
}
