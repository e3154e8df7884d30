import { outOfBounds, requireIntegers } from '../define/bounds.ts';
import { writable, type Writable } from '../define/in-place.ts';
import { DTypeError, IndexError, ShapeError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { broadcastShapes, contiguousStrides, numel, sameShape, shapeString, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The bounds of a slice, as Python's start:end:step; what is left out or null is the natural end. */
export interface Slice {
  readonly start?: number | null | undefined;
  readonly end?: number | null | undefined;
  readonly step?: number | null | undefined;
}

/** Positions as nested arrays of whole numbers, or a mask of booleans. */
export type IndexList = readonly (number | boolean | IndexList)[];

/**
 * What may stand between the brackets of `x[…]` in Python. A whole number takes that slice and drops the dimension; a
 * string like `'1:3'`, `':'` or `'::2'` (or `{ start, end, step }`) takes a slice; `'...'` stands for all dimensions
 * not named; `null` puts in a dimension of size 1; arrays or tensors of integers or booleans pick elements.
 */
export type Subscript = number | boolean | string | null | Slice | IndexList | Tensor;

/** What subscripts come down to: a view, and per dimension of it the tensor that picks there, if any. */
interface Parsed {
  readonly view: Tensor;
  readonly picks: ReadonlyMap<number, Tensor>;
}

const BOUNDS = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function parseSlice(text: string): Slice {
  const match = BOUNDS.exec(text);
  if (match === null) {
    throw new IndexError(`at: '${text}' is not a subscript; strings are '...' or slices like ':', '1:3', '::2', '-3:'`, {
      op: 'at',
    });
  }
  const [start, end, step] = match.slice(1).map((part) => (part === undefined ? null : Number(part)));
  return { start, end, step };
}

function listTensor(x: Tensor, list: IndexList): Tensor {
  const shape: number[] = [];
  for (let level: unknown = list; Array.isArray(level); level = level[0]) shape.push(level.length);
  const values = (list as unknown[]).flat(Infinity) as (number | boolean)[];
  if (values.length !== numel(shape)) throw new ShapeError('at: the arrays of an index must have equal lengths', { op: 'at' });
  const isMask = values.length > 0 && values.every((value) => typeof value === 'boolean');
  const data = isMask ? Uint8Array.from(values, Number) : Int32Array.from(values, Number);
  return x.detach().newFrom(data, isMask ? 'bool' : 'int32', shape);
}

/** How many dimensions a subscript uses up. */
function span(subscript: Exclude<Subscript, IndexList>): number {
  if (subscript === null || subscript === '...' || typeof subscript === 'boolean') return 0;
  return subscript instanceof Tensor && subscript.dtype === 'bool' ? subscript.ndim : 1;
}

function parse(x: Tensor, given: readonly Subscript[]): Parsed {
  const subscripts = given.map((s) => (Array.isArray(s) ? listTensor(x, s) : s)) as Exclude<Subscript, IndexList>[];
  const used = subscripts.reduce<number>((count, s) => count + span(s), 0);
  if (used > x.ndim) {
    throw new IndexError(`at: too many indices: ${used} for a tensor of ${x.ndim} dimensions, ${shapeString(x.shape)}`, {
      op: 'at',
      shapes: [x.shape],
    });
  }
  if (subscripts.filter((s) => s === '...').length > 1) throw new IndexError("at: '...' may stand only once", { op: 'at' });
  const picks = new Map<number, Tensor>();
  let view = x;
  let d = 0;
  for (const subscript of subscripts) {
    if (subscript === '...') d += x.ndim - used;
    else if (typeof subscript === 'number') view = view.select(d, subscript);
    else if (subscript === null) view = view.unsqueeze(d++);
    else if (typeof subscript === 'boolean') {
      view = view.unsqueeze(d);
      picks.set(d++, listTensor(x, subscript ? [0] : []));
    } else if (subscript instanceof Tensor) {
      const isNumber = subscript.ndim === 0 && subscript.dtype !== 'bool';
      if (isNumber) requireIntegers('at', subscript);
      if (isNumber) view = view.select(d, subscript.item());
      else {
        if (span(subscript) === 0) view = view.unsqueeze(d);
        picks.set(d, span(subscript) === 0 ? subscript.reshape([1]) : subscript);
        d += Math.max(span(subscript), 1);
      }
    } else {
      const { start, end, step } = typeof subscript === 'string' ? parseSlice(subscript) : subscript;
      view = view.slice(d++, start, end, step ?? 1);
    }
  }
  return { view, picks };
}

/** One dimension's positions, in the common shape of all that pick together. */
interface Positions {
  readonly dim: number;
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
}

function positionsOf(view: Tensor, dim: number, pick: Tensor): Positions[] {
  if (pick.dtype !== 'bool') {
    requireIntegers('at', pick);
    const size = view.shape[dim]!;
    const values = pick.toTypedArray();
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < -size || value >= size) {
        const place = contiguousStrides(pick.shape).map((s, d) => Math.floor(i / s) % pick.shape[d]!);
        throw outOfBounds('at', 'index', value, place, size, dim);
      }
      if (value < 0) values[i] = value + size;
    }
    return [{ dim, shape: pick.shape, values }];
  }
  const covered = view.shape.slice(dim, dim + pick.ndim);
  if (!sameShape(pick.shape, covered)) {
    throw new IndexError(
      `at: the shape of the mask ${shapeString(pick.shape)} does not match the indexed dimensions ${shapeString(covered)} of ` +
        `${shapeString(view.shape)}`,
      { op: 'at', shapes: [pick.shape, view.shape] },
    );
  }
  const places = pick.nonzero();
  const [count, rank] = places.shape as [number, number];
  return Array.from({ length: rank }, (_, k) => ({
    dim: dim + k,
    shape: [count],
    values: places.select(1, k).toTypedArray(),
  }));
}

/** Picking of elements, as picking of slices along one dimension of a tensor in which the picked dimensions are merged. */
interface Plan {
  /** Order of the dimensions in which the picked ones are neighbours. */
  readonly order: readonly number[];
  readonly before: Shape;
  readonly merged: number;
  readonly after: Shape;
  /** Shape that stands in the result for the picked dimensions. */
  readonly common: Shape;
  readonly flat: Tensor;
}

function planOf({ view, picks }: Parsed): Plan {
  const positions = [...picks].flatMap(([dim, pick]) => positionsOf(view, dim, pick));
  const common = positions.reduce<Shape>((shape, p) => broadcastShapes('at', shape, p.shape), []);
  const dims = positions.map((p) => p.dim);
  const sizes = dims.map((d) => view.shape[d]!);
  const steps = contiguousStrides(sizes);
  const flat = new Int32Array(numel(common));
  const commonSteps = contiguousStrides(common);
  positions.forEach(({ shape, values }, k) => {
    const lead = common.length - shape.length;
    const own = contiguousStrides(shape);
    for (let i = 0; i < flat.length; i++) {
      let at = 0;
      for (let d = 0; d < shape.length; d++) {
        if (shape[d] !== 1) at += (Math.floor(i / commonSteps[d + lead]!) % common[d + lead]!) * own[d]!;
      }
      flat[i]! += values[at]! * steps[k]!;
    }
  });
  const rest = view.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const areNeighbours = dims.every((d, k) => d === dims[0]! + k);
  const lead = areNeighbours ? rest.filter((d) => d < dims[0]!) : [];
  const tail = rest.filter((d) => !lead.includes(d));
  return {
    order: [...lead, ...dims, ...tail],
    before: lead.map((d) => view.shape[d]!),
    merged: numel(sizes),
    after: tail.map((d) => view.shape[d]!),
    common,
    flat: view.detach().newFrom(flat, 'int32', [flat.length]),
  };
}

function merge(view: Tensor, { order, before, merged, after }: Plan): Tensor {
  const isSorted = order.every((d, k) => d === k);
  return (isSorted ? view : view.permute(order)).reshape([...before, merged, ...after]);
}

/**
 * What `x[…]` is in Python, with the subscripts as arguments: `x.at(0)`, `x.at('1:3', null)`, `x.at('...', -1)`,
 * `x.at([0, 2])`, `x.at(mask)`. Numbers and slices give a view that shares memory; arrays and tensors give a copy.
 * Several that pick broadcast against each other; their common shape stands where they stood if they are neighbours, and
 * in front if not.
 * @derivative added up where the elements came from
 * @throws IndexError when a position is out of range, there are too many subscripts, or a mask does not fit
 * @source torch.Tensor.__getitem__
 */
export function at(x: Tensor, ...subscripts: Subscript[]): Tensor {
  const parsed = parse(x, subscripts);
  if (parsed.picks.size === 0) return parsed.view === x ? x.view(x.shape) : parsed.view;
  const plan = planOf(parsed);
  const picked = merge(parsed.view, plan).indexSelect(plan.before.length, plan.flat);
  return picked.reshape([...plan.before, ...plan.common, ...plan.after]);
}

function put(parsed: Parsed, values: Tensor | number, accumulate: boolean): Tensor {
  const { view } = parsed;
  if (values instanceof Tensor && values.dtype !== view.dtype) {
    throw new DTypeError(`indexPut: the values are ${values.dtype}, but the tensor is ${view.dtype}; use values.to('${view.dtype}')`, {
      op: 'indexPut',
      dtypes: [view.dtype, values.dtype],
    });
  }
  const plan = planOf(parsed);
  const { order, before, after, common, flat } = plan;
  const source = values instanceof Tensor ? values : view.detach().newFull([], values);
  const slices = trimmed(source, before.length + common.length + after.length)
    .expand([...before, ...common, ...after])
    .reshape([...before, flat.shape[0]!, ...after]);
  const target = merge(view, plan);
  const result = accumulate
    ? target.indexAdd(before.length, flat, slices)
    : target.indexCopy(before.length, flat, slices);
  return result.reshape(order.map((d) => view.shape[d]!)).permute(order.map((_, d) => order.indexOf(d)));
}

/** Values may have more leading dimensions than their place, if these have size 1. */
function trimmed(values: Tensor, rank: number): Tensor {
  const extra = Math.max(values.ndim - rank, 0);
  return values.shape.slice(0, extra).every((n) => n === 1) ? values.reshape(values.shape.slice(extra)) : values;
}

/**
 * Writes where subscripts point, as `x[…] = value` does in Python; several subscripts go in an array:
 * `x.setAt([0, '1:3'], 5)`, `x.setAt(mask, 0)`, `x.setAt([[0, 2]], rows)`. The value broadcasts to the place. Returns x.
 * @derivative 0 for what was overwritten; the value gets the gradient of its place
 * @throws IndexError when a position is out of range; ShapeError when the value does not fit
 * @source torch.Tensor.__setitem__
 */
export function setAt(x: Tensor, where: Subscript | readonly Subscript[], value: Tensor | number | boolean): Tensor {
  const parsed = parse(x, Array.isArray(where) ? (where as readonly Subscript[]) : [where as Subscript]);
  const { view, picks } = parsed;
  const values = value instanceof Tensor ? value.to(x.dtype) : Number(value);
  if (picks.size === 0) view.copy_(values instanceof Tensor ? trimmed(values, view.ndim) : values);
  else view.copy_(put(parsed, values, false));
  return x;
}

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Add to what is there; values for the same place add up. Default false. */
  accumulate?: boolean | undefined;
}

const indexPutNames: OptionNames<IndexPutOptions> = { accumulate: 1 };

/**
 * x with values written (or added) where tensors of positions, one per dimension, point; null takes a whole dimension.
 * @derivative 0 for what was overwritten; the values get the gradient of their places
 * @throws IndexError when a position is out of range
 * @source torch.index_put
 */
export const indexPut: Writable<
  (x: Tensor, indices: readonly (Tensor | null)[], values: Tensor | number, options?: IndexPutOptions) => Tensor
> = writable((x, indices, values, options = none) => {
  checkOptions('indexPut', options, indexPutNames);
  return put(parse(x, indices.map((index) => index ?? ':')), values, options.accumulate === true);
});
