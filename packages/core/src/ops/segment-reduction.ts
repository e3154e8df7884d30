import { requireIntegers } from '../define/bounds.ts';
import { extended } from '../define/framing.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { normalizeDim, numel, sameShape, shapeString, withEntry, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Where the segments of `segmentReduce` lie, and what they start from. */
export interface SegmentOptions {
  /** How long each segment is; shape: the dimensions before `axis`, then the segments. */
  lengths?: Tensor | null | undefined;
  /** Where each segment starts, and where the last one ends; instead of lengths. */
  offsets?: Tensor | null | undefined;
  /** The dimension that is divided into segments; default 0. */
  axis?: number | undefined;
  /** Whether the segments may leave elements out at the ends; default false. */
  unsafe?: boolean | undefined;
  /** What each fold starts with. Without it empty segments give 0, 1 for products, NaN for means and ±∞ for extremes. */
  initial?: number | null | undefined;
}

const segmentNames: OptionNames<SegmentOptions> = { lengths: 1, offsets: 1, axis: 1, unsafe: 1, initial: 1 };

/** How the elements of a segment are combined. */
export type SegmentFold = 'sum' | 'prod' | 'mean' | 'max' | 'min';

/** What an empty segment gives, and how slices are folded into those of `base` that own them. */
interface Fold {
  readonly empty: number;
  combine(base: Tensor, owners: Tensor, slices: Tensor): Tensor;
}

const sums: Fold = { empty: 0, combine: (base, owners, slices) => base.indexAdd(0, owners, slices) };

const folds: Readonly<Record<SegmentFold, Fold>> = {
  sum: sums,
  mean: sums,
  prod: { empty: 1, combine: (base, owners, slices) => base.indexReduce(0, owners, slices, 'prod') },
  max: { empty: -Infinity, combine: (base, owners, slices) => base.indexReduce(0, owners, slices, 'amax') },
  min: { empty: Infinity, combine: (base, owners, slices) => base.indexReduce(0, owners, slices, 'amin') },
};

/** Where each segment starts and ends, checked. */
interface Segments {
  readonly starts: Tensor;
  readonly ends: Tensor;
}

function segmentsOf(x: Tensor, axis: number, { lengths, offsets, unsafe }: SegmentOptions): Segments {
  const op = 'segmentReduce';
  const given = lengths ?? offsets;
  if (!given || (lengths && offsets)) throw new ValueError(`${op}: give either lengths or offsets`, { op });
  const name = lengths ? 'lengths' : 'offsets';
  requireIntegers(op, given, name);
  const lead = x.shape.slice(0, axis);
  if (!sameShape(given.shape.slice(0, -1), lead) || given.ndim !== axis + 1 || (offsets && given.shape[axis] === 0)) {
    throw new ShapeError(
      `${op}: for axis ${axis} of ${shapeString(x.shape)} the ${name} must have the shape ` +
        `[${[...lead, 'segments'].join(', ')}], got ${shapeString(given.shape)}`,
      { op, argument: name, shapes: [x.shape, given.shape] },
    );
  }
  const bounds = lengths ? extended(given.cumsum(axis), axis, [1, 0]) : given;
  const [count, size] = [bounds.shape[axis]! - 1, x.shape[axis]!];
  const [starts, ends] = [bounds.narrow(axis, 0, count), bounds.narrow(axis, 1, count)];
  const holds = (condition: Tensor): boolean => condition.all().item() === 1;
  const [first, last] = [bounds.select(axis, 0), bounds.select(axis, count)];
  const rises = holds(starts.le(ends)) && holds(first.ge(0)) && holds(last.le(size));
  if (rises && (unsafe === true || (holds(first.eq(0)) && holds(last.eq(size))))) return { starts, ends };
  throw new ValueError(
    `${op}: the segments must cover axis ${axis} of ${shapeString(x.shape)}: lengths of at least 0 that add up to ${size}, or ` +
      `offsets that rise from 0 to ${size}; with { unsafe: true } they may leave elements out`,
    { op, argument: name, shapes: [x.shape, given.shape] },
  );
}

/** The elements that belong to segments, by their place among all lines of the axis, and the segment that owns each. */
function membersOf({ starts, ends }: Segments, axis: number, size: number): { members: Tensor; owners: Tensor } {
  const [from, to] = [starts.toTypedArray(), ends.toTypedArray()];
  const count = starts.shape[axis]!;
  const [members, owners]: [number[], number[]] = [[], []];
  from.forEach((start, k) => {
    for (let i = start; i < to[k]!; i++) {
      members.push(Math.floor(k / count) * size + i);
      owners.push(k);
    }
  });
  const index = (list: number[]): Tensor => starts.newFrom(Int32Array.from(list), 'int32', [list.length]);
  return { members: index(members), owners: index(owners) };
}

/**
 * Folds over pieces of a dimension that follow each other.
 * @shape [lead..., n, rest...] -> [lead..., segments, rest...]
 * @derivative of max and min shared evenly among equals, 0 where `initial` wins
 * @throws ValueError when the segments do not cover the axis; DTypeError for integers
 * @example
 * const lengths = tg.tensor([1, 2], { dtype: 'int32' });
 * console.log(tg.segmentReduce(tg.tensor([1, 2, 3]), 'sum', { lengths }).toArray()); // → [ 1, 5 ]
 * @source torch.segment_reduce
 */
export function segmentReduce(x: Tensor, reduce: SegmentFold, options: SegmentOptions = none): Tensor {
  const op = 'segmentReduce';
  checkOptions(op, options, segmentNames);
  if (!(reduce in folds)) {
    throw new ValueError(
      `${op}: reduce must be one of ${Object.keys(folds).join(', ')}, got '${reduce}'`,
      { op, argument: 'reduce' },
    );
  }
  if (x.ndim === 0) throw new ShapeError(`${op}: a scalar has no segments`, { op });
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}`, { op, dtypes: [x.dtype] });
  const axis = normalizeDim(op, options.axis ?? 0, x.ndim);
  const segments = segmentsOf(x, axis, options);
  const { members, owners } = membersOf(segments, axis, x.shape[axis]!);
  const initial = options.initial ?? null;
  const { empty, combine } = folds[reduce];
  const isExtreme = !Number.isFinite(empty);
  const shape = withEntry(x.shape, axis, segments.starts.shape[axis]!);
  const asLines = (sizes: Shape): number[] => [numel(sizes.slice(0, axis + 1)), numel(sizes.slice(axis + 1))];
  const base = x.detach().newFull(asLines(shape), isExtreme ? empty : (initial ?? empty));
  const folded = combine(base, owners, x.reshape(asLines(x.shape)).indexSelect(0, members)).reshape(shape);
  if (reduce === 'mean') {
    const { starts, ends } = segments;
    const lengths = ends.sub(starts).reshape([...starts.shape, ...x.shape.slice(axis + 1).map(() => 1)]);
    const means = folded.div(lengths.clamp(1).to(x.dtype));
    return initial === null ? means.maskedFill(lengths.eq(0), NaN) : means;
  }
  if (!isExtreme || initial === null) return folded;
  return folded.maskedFill(reduce === 'max' ? folded.detach().lt(initial) : folded.detach().gt(initial), initial);
}
