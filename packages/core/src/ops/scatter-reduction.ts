import { checkIndex, checkIndexShape, checkSameDType } from '../define/bounds.ts';
import { extended } from '../define/framing.ts';
import { writable, type Writable } from '../define/in-place.ts';
import { custom, type CustomOperation } from '../define/rules.ts';
import { dtypeInfo, isFloating, type DType } from '../dtype.ts';
import { IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { contiguousStrides, normalizeDim, numel, sameShape, shapeString, withEntry, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** How values that go to the same place are combined. */
export type ScatterFold = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/** What a fold starts from, and how it combines the elements of a vector with values for places in it. */
interface Fold {
  identity(dtype: DType): number;
  /** `own` is 1 where the elements of `base` count themselves, else 0. */
  combine(base: Tensor, places: Tensor, src: Tensor, own: number): Tensor;
}

/** The largest or smallest value for each place. Equal extremes share the gradient evenly. */
function extremeByPlace(name: string, isBeyond: (value: number, other: number) => boolean): CustomOperation<null> {
  return custom<null>(name, {
    forward: ([base, places, src]) => {
      const out = base!.toTypedArray();
      const [at, values] = [places!.toTypedArray(), src!.toTypedArray()];
      for (let i = 0; i < at.length; i++) {
        const value = values[i]!;
        if (isBeyond(value, out[at[i]!]!) || Number.isNaN(value)) out[at[i]!] = value;
      }
      return [base!.detach().newFrom(out, base!.dtype, base!.shape)];
    },
    savesInputs: [0, 1, 2],
    savesOutputs: [0],
    vjp(node, [g]) {
      const [base, places, src] = [node.input(0).detach(), node.input(1), node.input(2).detach()];
      const out = node.output(0).detach();
      const isOwn = base.eq(out).to(out.dtype);
      const isSource = src.eq(out.indexSelect(0, places)).to(out.dtype);
      const share = g!.div(isOwn.indexAdd(0, places, isSource));
      return [share.mul(isOwn), null, share.indexSelect(0, places).mul(isSource)];
    },
  });
}

const largest = extremeByPlace('scatter_amax', (value, other) => value > other);
const smallest = extremeByPlace('scatter_amin', (value, other) => value < other);

/** Positions in order of place, those of one place as they come: sorted by counting. */
function sortedByPlace(places: Int32Array, count: number): Int32Array {
  const next = new Int32Array(count + 1);
  for (const place of places) next[place + 1]!++;
  for (let place = 0; place < count; place++) next[place + 1]! += next[place]!;
  const order = new Int32Array(places.length);
  places.forEach((place, i) => (order[next[place]!++] = i));
  return order;
}

/**
 * The elements of `base` times the values for their places. In order of place, runs of values are multiplied with the
 * run after them, twice as long each time, as long as that belongs to the same place; no division, so zeros do no harm.
 */
function productsByPlace(base: Tensor, places: Tensor, src: Tensor): Tensor {
  const where = Int32Array.from(places.toTypedArray());
  const constant = (values: Int32Array | Uint8Array, dtype: DType): Tensor => src.detach().newFrom(values, dtype, [values.length]);
  const order = sortedByPlace(where, base.numel());
  const sorted = order.map((i) => where[i]!);
  const count = sorted.length;
  let products = src.indexSelect(0, constant(order, 'int32'));
  for (let step = 1; step < count; step *= 2) {
    const goesOn = Uint8Array.from(sorted, (place, i) => (sorted[i + step] === place ? 1 : 0));
    if (!goesOn.includes(1)) break;
    const later = extended(products.narrow(0, step, count - step), 0, [0, step], 1);
    products = products.mul(later.maskedFill(constant(goesOn, 'bool').logicalNot(), 1));
  }
  const firsts = Int32Array.from(sorted.keys()).filter((i) => sorted[i - 1] !== sorted[i]);
  const hit = constant(firsts.map((i) => sorted[i]!), 'int32');
  return base.indexCopy(0, hit, base.indexSelect(0, hit).mul(products.indexSelect(0, constant(firsts, 'int32'))));
}

const bound = (dtype: DType, sign: 1 | -1): number => {
  if (isFloating(dtype)) return sign * Infinity;
  return sign > 0 ? dtypeInfo[dtype].max : dtypeInfo[dtype].min;
};

const folds: Readonly<Record<ScatterFold, Fold>> = {
  sum: { identity: () => 0, combine: (base, places, src) => base.indexAdd(0, places, src) },
  prod: { identity: () => 1, combine: productsByPlace },
  mean: {
    identity: () => 0,
    combine: (base, places, src, own) => {
      const sums = base.indexAdd(0, places, src);
      const counts = base.detach().fullLike(own).indexAdd(0, places, src.detach().onesLike()).clamp(1);
      return isFloating(base.dtype) ? sums.div(counts) : sums.div(counts, { roundingMode: 'floor' });
    },
  },
  amax: { identity: (dtype) => bound(dtype, -1), combine: (base, places, src) => largest([base, places, src], null)[0]! },
  amin: { identity: (dtype) => bound(dtype, 1), combine: (base, places, src) => smallest([base, places, src], null)[0]! },
};

function foldNamed(op: string, reduce: string, among: readonly string[]): Fold {
  if (among.includes(reduce)) return folds[reduce as ScatterFold];
  throw new ValueError(`${op}: reduce must be one of ${among.join(', ')}, got '${reduce}'`, { op, argument: 'reduce' });
}

/** Whether the elements that are there take part in the fold. */
export interface IncludeSelfOption {
  /** Default true; else the places that are written to start from nothing. */
  includeSelf?: boolean | undefined;
}

const includeSelfName: OptionNames<IncludeSelfOption> = { includeSelf: 1 };

/** Folds `src` into the elements of x at flat positions. */
function foldInto(x: Tensor, places: Int32Array, src: Tensor, fold: Fold, { includeSelf = true }: IncludeSelfOption): Tensor {
  const index = x.detach().newFrom(places, 'int32', [places.length]);
  const flat = x.flatten();
  const base = includeSelf ? flat : flat.indexFill(0, index, fold.identity(x.dtype));
  return fold.combine(base, index, src.flatten(), includeSelf ? 1 : 0).reshape(x.shape);
}

/** The flat position in `shape` of each element of an index along `dim`. */
function placesAlong(shape: Shape, dim: number, indexShape: Shape, index: ArrayLike<number>): Int32Array {
  const [steps, own] = [contiguousStrides(shape), contiguousStrides(indexShape)];
  return Int32Array.from({ length: numel(indexShape) }, (_, i) => {
    let place = 0;
    for (let d = 0; d < indexShape.length; d++) {
      place += (d === dim ? index[i]! : Math.floor(i / own[d]!) % indexShape[d]!) * steps[d]!;
    }
    return indexShape.length === 0 ? index[0]! : place;
  });
}

const ALL: readonly ScatterFold[] = ['sum', 'prod', 'mean', 'amax', 'amin'];

/**
 * x with values folded in along a dimension: for two dimensions and dim 0, src[i, j] goes to [index[i, j], j]. Values
 * for the same place are combined with each other and, unless told otherwise, with what is there.
 * @derivative of amax and amin shared evenly among equals; of prod right where values are 0, at every order
 * @throws IndexError when an index is out of range; ValueError for a fold of another name
 * @example
 * const index = tg.tensor([0, 0, 1], { dtype: 'int32' });
 * const largest = tg.zeros(2).scatterReduce(0, index, tg.tensor([3, 5, 2]), 'amax');
 * console.log(largest.toArray()); // → [ 5, 2 ]
 * @source torch.scatter_reduce
 */
export const scatterReduce: Writable<
  (x: Tensor, dim: number, index: Tensor, src: Tensor, reduce: ScatterFold, options?: IncludeSelfOption) => Tensor
> = writable((x, dim, index, src, reduce, options = none) => {
  const op = 'scatterReduce';
  checkOptions(op, options, includeSelfName);
  const fold = foldNamed(op, reduce, ALL);
  const d = normalizeDim(op, dim, x.ndim);
  checkIndexShape(op, index, x, d, 'the tensor');
  checkIndexShape(op, index, src, -1, 'the source');
  checkSameDType(op, x, src);
  const checked = checkIndex(op, index, x.shape[d] ?? 1, d);
  if (index.numel() === 0) return x.clone();
  const used = index.shape.reduce((part, n, k) => part.narrow(k, 0, n), src);
  return foldInto(x, placesAlong(x.shape, d, index.shape, checked.toTypedArray()), used, fold, options);
});

/** The folds of `indexReduce`. */
export type IndexFold = Exclude<ScatterFold, 'sum'>;

/**
 * x with slices folded in along a dimension, where an index of one dimension says; as `scatterReduce` does.
 * @param reduce 'prod', 'mean', 'amax' or 'amin'; `indexAdd` adds
 * @throws IndexError when an index is out of range; ShapeError when the source does not fit
 * @source torch.index_reduce
 */
export const indexReduce: Writable<
  (x: Tensor, dim: number, index: Tensor, source: Tensor, reduce: IndexFold, options?: IncludeSelfOption) => Tensor
> = writable((x, dim, index, source, reduce, options = none) => {
  const op = 'indexReduce';
  checkOptions(op, options, includeSelfName);
  const fold = foldNamed(op, reduce, ALL.slice(1));
  const d = normalizeDim(op, dim, x.ndim);
  if (index.ndim > 1) {
    throw new IndexError(`${op}: the index must have one dimension, got ${shapeString(index.shape)}`, { op, argument: 'index' });
  }
  checkSameDType(op, x, source);
  const [target, src] = x.ndim === 0 ? [x.reshape([1]), source.reshape([source.numel()])] : [x, source];
  const wanted = withEntry(target.shape, d, index.numel());
  if (!sameShape(src.shape, wanted)) {
    throw new ShapeError(
      `${op}: the source is ${shapeString(source.shape)}, but an index of ${index.numel()} along dim ${d} of ` +
        `${shapeString(x.shape)} asks for ${shapeString(wanted)}`,
      { op, argument: 'source', shapes: [x.shape, source.shape] },
    );
  }
  const along = wanted.map((_, k) => (k === d ? -1 : 1));
  const laid = checkIndex(op, index, target.shape[d]!, d).reshape(along).expand(wanted);
  return foldInto(target, placesAlong(target.shape, d, wanted, laid.toTypedArray()), src, fold, options).reshape(x.shape);
});
