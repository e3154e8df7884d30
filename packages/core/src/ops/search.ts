import { isFloating } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { normalizeDim, sameShape, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Where `searchsorted` and `bucketize` put a value that is equal to others. */
export interface SearchOptions {
  /** After them instead of before; default false. */
  right?: boolean | undefined;
  /** Results are int32 in any case; the option exists for PyTorch's sake. */
  outInt32?: boolean | undefined;
}

const searchNames: OptionNames<SearchOptions> = { right: 1, outInt32: 1 };

/** Options of `searchsorted`. */
export interface SearchSortedOptions extends SearchOptions {
  /** The same as `right` in words. */
  side?: 'left' | 'right' | null | undefined;
  /** Integers that sort the sequence, where it is not sorted itself; of its shape. */
  sorter?: Tensor | null | undefined;
}

const searchSortedNames: OptionNames<SearchSortedOptions> = { right: 1, outInt32: 1, side: 1, sorter: 1 };

/** How many numbers of a rising line come before a value. NaN comes last. */
function rankIn(line: (i: number) => number, size: number, value: number, right: boolean): number {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >> 1;
    const isBefore = right ? !(line(middle) > value) : !(line(middle) >= value);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Where values would have to be put into rising sequences, so that these stay rising.
 * @shape sorted [*, n], values [*, m] -> int32 [*, m]; a single sequence serves values of any shape
 * @throws ShapeError when all dimensions but the last differ, or the sorter has another shape
 * @throws ValueError when `side` is 'left' and `right` is true
 * @source torch.searchsorted
 */
export function searchsorted(sorted: Tensor, values: Tensor | number, options: SearchSortedOptions = none): Tensor {
  checkOptions('searchsorted', options, searchSortedNames);
  const { right = false, side, sorter = null } = options;
  const details = { op: 'searchsorted', shapes: [sorted.shape] };
  if (side !== undefined && side !== null && side !== 'left' && side !== 'right') {
    throw new ValueError(`searchsorted: side must be 'left' or 'right', got ${String(side)}`, details);
  }
  if (side === 'left' && right) throw new ValueError("searchsorted: side is 'left', but right is true; give one of them", details);
  if (sorter !== null && (isFloating(sorter.dtype) || !sameShape(sorter.shape, sorted.shape))) {
    throw new ShapeError(
      `searchsorted: the sorter must hold integers in the shape ${shapeString(sorted.shape)}, got ${shapeString(sorter.shape)}`,
      details,
    );
  }
  const wanted = values instanceof Tensor ? values : sorted.newFull([], values);
  const isOne = sorted.ndim === 1;
  if (!isOne && !(wanted.ndim === sorted.ndim && sameShape(wanted.shape.slice(0, -1), sorted.shape.slice(0, -1)))) {
    throw new ShapeError(
      `searchsorted: the sequences must be one vector, or agree with the values in all dimensions but the last, got ` +
        `${shapeString(sorted.shape)} and ${shapeString(wanted.shape)}`,
      { ...details, shapes: [sorted.shape, wanted.shape] },
    );
  }
  const [sequence, order, sought] = [sorted.toTypedArray(), sorter?.toTypedArray(), wanted.toTypedArray()];
  const size = sorted.shape.at(-1)!;
  const perLine = isOne ? sought.length : wanted.shape.at(-1)!;
  const ranks = Int32Array.from(sought, (value: number, i: number) => {
    const start = Math.floor(i / perLine) * size;
    const line = order === undefined ? (k: number) => sequence[start + k]! : (k: number) => sequence[start + order[start + k]!]!;
    return rankIn(line, size, value, right || side === 'right');
  });
  return sorted.newFrom(ranks, 'int32', wanted.shape);
}

/**
 * The number of the bucket into which each element falls, between rising boundaries.
 * @throws ShapeError when the boundaries are not a vector
 * @source torch.bucketize
 */
export function bucketize(x: Tensor | number, boundaries: Tensor, options: SearchOptions = none): Tensor {
  checkOptions('bucketize', options, searchNames);
  if (boundaries.ndim !== 1) {
    throw new ShapeError(`bucketize: the boundaries must be a vector, got ${shapeString(boundaries.shape)}`, {
      op: 'bucketize',
      shapes: [boundaries.shape],
    });
  }
  return searchsorted(boundaries, x, options);
}

/** Options of `isin`. */
export interface IsinOptions {
  /** Whether elements are asked not to be in the set; default false. */
  invert?: boolean | undefined;
}

const isinNames: OptionNames<IsinOptions> = { invert: 1 };

/** Whether each element is one of the given ones. NaN never is. @source torch.isin */
export function isin(elements: Tensor, among: Tensor | number, options: IsinOptions = none): Tensor {
  checkOptions('isin', options, isinNames);
  const known = new Set<number>(among instanceof Tensor ? among.toTypedArray() : [among]);
  known.delete(NaN);
  const invert = options.invert === true;
  const found = Uint8Array.from(elements.toTypedArray(), (value: number) => Number(known.has(value) !== invert));
  return elements.newFrom(found, 'bool', elements.shape);
}

/** Options of `unique`. */
export interface UniqueOptions {
  /** Along this dimension slices are compared; default: single elements. */
  dim?: number | null | undefined;
}

const uniqueNames: OptionNames<UniqueOptions> = { dim: 1 };

/** Different values, and what became of the elements. */
export interface Unique {
  readonly values: Tensor;
  /** Where each element is found in `values`, as int32. */
  readonly inverse: Tensor;
  /** How many elements each of `values` stands for, as int32. */
  readonly counts: Tensor;
}

/** Rising, NaN last. */
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** The first of every group of equal slices; `sort` brings equal ones together. */
function grouped(op: string, x: Tensor, dim: number | null | undefined, sort: boolean): Unique {
  const isFlat = dim === undefined || dim === null;
  const lines = isFlat ? x.reshape([-1]) : x.ndim === 0 ? x.reshape([1]) : x;
  const d = isFlat ? 0 : normalizeDim(op, dim, x.ndim);
  const count = lines.shape[d]!;
  const values = lines.detach().transpose(d, 0).toTypedArray();
  const width = count === 0 ? 0 : values.length / count;
  const compare = (a: number, b: number): number => {
    for (let k = 0; k < width; k++) {
      const order = compareNumbers(values[a * width + k]!, values[b * width + k]!);
      if (order !== 0) return order;
    }
    return 0;
  };
  const isSame = (a: number, b: number): boolean => {
    for (let k = 0; k < width; k++) if (values[a * width + k] !== values[b * width + k]) return false;
    return true;
  };
  let order = Int32Array.from({ length: count }, (_, i) => i);
  if (sort && width === 1) order = Int32Array.from(lines.detach().sort(d).indices.toTypedArray());
  else if (sort) order.sort(compare);
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(count);
  order.forEach((place, i) => {
    if (i === 0 || !isSame(order[i - 1]!, place)) {
      firsts.push(place);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[place] = firsts.length - 1;
  });
  const integers = (list: readonly number[] | Int32Array, shape: readonly number[] = [list.length]): Tensor =>
    x.newFrom(Int32Array.from(list), 'int32', shape);
  return {
    values: lines.indexSelect(d, integers(firsts)),
    inverse: integers(inverse, isFlat ? x.shape : [count]),
    counts: integers(counts),
  };
}

/**
 * The different values of x in rising order, or along a dimension the different slices; each NaN is a value of its own.
 * @derivative to the first of the equal elements
 * @source torch.unique
 */
export function unique(x: Tensor, options: UniqueOptions = none): Unique {
  checkOptions('unique', options, uniqueNames);
  return grouped('unique', x, options.dim, true);
}

/** The values of x, or the slices along a dimension, without those that repeat the one before. @source torch.unique_consecutive */
export function uniqueConsecutive(x: Tensor, options: UniqueOptions = none): Unique {
  checkOptions('uniqueConsecutive', options, uniqueNames);
  return grouped('uniqueConsecutive', x, options.dim, false);
}
