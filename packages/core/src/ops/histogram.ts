import { dtypeInfo, isFloating, type DType, type TypedArray } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { numel, sameShape, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Options of `bincount`. */
export interface BincountOptions {
  /** How much each element counts, instead of 1. */
  weights?: Tensor | null | undefined;
  /** The least number of bins; default 0. */
  minlength?: number | undefined;
}

const bincountNames: OptionNames<BincountOptions> = { weights: 1, minlength: 1 };

/**
 * How often each of the numbers 0, 1, 2, … occurs in a vector of whole numbers that are not negative: as int32, or with
 * weights the sum of their weights, as float32 if they are and float64 otherwise.
 * @throws DTypeError for floats
 * @throws ShapeError for more than one dimension, or weights of another shape
 * @throws ValueError for negative numbers
 * @source torch.bincount
 */
export function bincount(x: Tensor, options: BincountOptions = none): Tensor {
  checkOptions('bincount', options, bincountNames);
  const { weights = null, minlength = 0 } = options;
  const details = { op: 'bincount', shapes: [x.shape] };
  if (isFloating(x.dtype))
    throw new DTypeError(`bincount: the input must hold integers, got ${x.dtype}; use x.to('int32')`, {
      ...details,
      dtypes: [x.dtype],
    });
  if (x.ndim !== 1) throw new ShapeError(`bincount: the input must be a vector, got ${shapeString(x.shape)}`, details);
  if (weights !== null && !sameShape(weights.shape, x.shape)) {
    throw new ShapeError(
      `bincount: the weights must have the shape of the input, got ${shapeString(weights.shape)} and ${shapeString(x.shape)}`,
      details,
    );
  }
  if (!(Number.isInteger(minlength) && minlength >= 0))
    throw new ValueError(`bincount: minlength must be a whole number of at least 0, got ${minlength}`, details);
  const numbers = Array.from(x.toTypedArray());
  const lowest = numbers.reduce((least, value) => Math.min(least, value), 0);
  if (lowest < 0) throw new ValueError(`bincount: the numbers must not be negative, got ${lowest}`, details);
  const highest = numbers.reduce((most, value) => Math.max(most, value), -1);
  const counts = new Float64Array(Math.max(highest + 1, minlength));
  const shares = weights?.toTypedArray();
  numbers.forEach((value, i) => (counts[value]! += shares?.[i] ?? 1));
  return fromNumbers(x, counts, weights === null ? 'int32' : weights.dtype === 'float32' ? 'float32' : 'float64');
}

function fromNumbers(x: Tensor, values: ArrayLike<number>, dtype: DType, shape: readonly number[] = [values.length]): Tensor {
  return x.newFrom(dtypedArray(values, dtype), dtype, shape);
}

function dtypedArray(values: ArrayLike<number>, dtype: DType): TypedArray {
  const { array: TypedArrayOf, bytes } = dtypeInfo[dtype];
  const typed = new TypedArrayOf(new ArrayBuffer(values.length * bytes), 0, values.length);
  typed.set(values);
  return typed;
}

function requireFloats(op: string, x: Tensor): void {
  if (isFloating(x.dtype)) return;
  throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
}

/** The smallest and largest of the values; of none, what histograms then range over. */
function extent(op: string, values: ArrayLike<number>): readonly [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) throw new ValueError(`${op}: without a given range all elements must be finite, got ${value}`, { op });
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** A range that was given, else that of the values; an empty one is widened to both sides. */
function rangeOf(
  op: string,
  values: ArrayLike<number>,
  low: number,
  high: number,
  isGiven: boolean,
  margin: number,
): readonly [number, number] {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw new ValueError(`${op}: the range must be finite and rising, got ${low} to ${high}`, { op });
  }
  const [from, to] = isGiven ? [low, high] : extent(op, values);
  return from === to ? [from - margin, to + margin] : [from, to];
}

function checkCount(op: string, bins: number): void {
  if (!(Number.isInteger(bins) && bins > 0))
    throw new ValueError(`${op}: the number of bins must be a whole number above 0, got ${bins}`, { op, argument: 'bins' });
}

/** `bins + 1` points at equal distances, counted from the nearer end, and the one in the middle from the upper. */
function evenEdges(low: number, high: number, bins: number): Float64Array {
  const step = (high - low) / bins;
  const half = Math.floor((bins + 1) / 2);
  return Float64Array.from({ length: bins + 1 }, (_, i) => (i < half ? low + step * i : high - step * (bins - i)));
}

/** The bin of a value between rising edges, the last of which belongs to the last bin; −1 outside. */
function binOf(edges: ArrayLike<number>, value: number): number {
  const last = edges.length - 1;
  if (!(value >= edges[0]! && value <= edges[last]!)) return -1;
  // The first edge above the value.
  let first = 0;
  for (let left = last + 1; left > 0;) {
    const half = left >> 1;
    if (value < edges[first + half]!) left = half;
    else [first, left] = [first + half + 1, left - half - 1];
  }
  return Math.min(first - 1, last - 1);
}

/**
 * How many elements fall into each of `bins` bins of equal width from min to max, in the dtype of x; by default from the
 * smallest to the largest element. Elements outside, and NaN, are not counted.
 * @throws DTypeError for integers
 * @throws ValueError when there is no bin, or the range is not finite and rising
 * @source torch.histc
 */
export function histc(x: Tensor, bins = 100, min = 0, max = 0): Tensor {
  requireFloats('histc', x);
  checkCount('histc', bins);
  const values = x.toTypedArray();
  const [low, high] = rangeOf('histc', values, min, max, min !== max, 1);
  const counts = new Float64Array(bins);
  for (const value of values) {
    if (value >= low && value <= high) counts[Math.min(Math.trunc(((value - low) * bins) / (high - low)), bins - 1)]!++;
  }
  return fromNumbers(x, counts, x.dtype);
}

/** Options of histograms. */
export interface HistogramOptions {
  /**
   * The lowest and highest edge, for numbers of bins; default those of the elements. `histogramdd` takes a pair per
   * coordinate, one after the other.
   */
  range?: readonly number[] | null | undefined;
  /** How much each element counts, instead of 1. */
  weight?: Tensor | null | undefined;
  /** Whether the histogram is a density, whose integral is 1; default false. */
  density?: boolean | undefined;
}

const histogramNames: OptionNames<HistogramOptions> = { range: 1, weight: 1, density: 1 };

/** Counts in bins with their edges. */
export interface Histogram<Edges> {
  readonly hist: Tensor;
  /** One more than there are bins. */
  readonly binEdges: Edges;
}

/**
 * How many elements fall into each bin.
 * @param bins how many of equal width, or their rising edges
 * @throws DTypeError for integers, or edges or weights of another dtype
 * @throws ShapeError for weights of another shape
 * @source torch.histogram
 */
export function histogram(x: Tensor, bins: number | Tensor, options: HistogramOptions = none): Histogram<Tensor> {
  checkOptions('histogram', options, histogramNames);
  const weight = options.weight?.reshape([-1]);
  if (options.weight && !sameShape(options.weight.shape, x.shape)) throw weightShape('histogram', options.weight, x.shape);
  const { hist, binEdges } = count('histogram', x, x.reshape([-1, 1]), [bins], { ...options, weight });
  return { hist, binEdges: binEdges[0]! };
}

/**
 * How many points fall into each cell of a grid; the last dimension of x holds their coordinates.
 * @param bins per coordinate how many of equal width (one number: for all), or their rising edges
 * @source torch.histogramdd
 */
export function histogramdd(
  x: Tensor,
  bins: number | readonly number[] | readonly Tensor[],
  options: HistogramOptions = none,
): Histogram<Tensor[]> {
  checkOptions('histogramdd', options, histogramNames);
  if (x.ndim < 2) {
    throw new ShapeError(`histogramdd: the input must have at least two dimensions, got ${shapeString(x.shape)}`, {
      op: 'histogramdd',
      shapes: [x.shape],
    });
  }
  const [points, dims] = [x.shape.slice(0, -1), x.shape.at(-1)!];
  if (options.weight && !sameShape(options.weight.shape, points)) throw weightShape('histogramdd', options.weight, points);
  const each: readonly (number | Tensor)[] = typeof bins === 'number' ? new Array<number>(dims).fill(bins) : bins;
  if (each.length !== dims) {
    throw new ShapeError(`histogramdd: there must be bins for each of the ${dims} coordinates, got ${each.length}`, {
      op: 'histogramdd',
      argument: 'bins',
    });
  }
  return count('histogramdd', x, x.reshape([numel(points), dims]), each, { ...options, weight: options.weight?.reshape([-1]) });
}

function weightShape(op: string, weight: Tensor, shape: readonly number[]): ShapeError {
  return new ShapeError(`${op}: the weights must have shape ${shapeString(shape)}, got ${shapeString(weight.shape)}`, {
    op,
    shapes: [weight.shape, shape],
  });
}

function count(
  op: string,
  x: Tensor,
  points: Tensor,
  bins: readonly (number | Tensor)[],
  options: HistogramOptions,
): Histogram<Tensor[]> {
  requireFloats(op, x);
  const { weight, density = false, range } = options;
  for (const other of [weight, ...bins]) {
    if (other instanceof Tensor && other.dtype !== x.dtype) {
      throw new DTypeError(`${op}: edges and weights must have the dtype of the input, got ${other.dtype} and ${x.dtype}`, {
        op,
        dtypes: [other.dtype, x.dtype],
      });
    }
  }
  const values = points.toTypedArray();
  const dims = bins.length;
  const edges = bins.map((bin, d): ArrayLike<number> => {
    if (bin instanceof Tensor) return bin.toTypedArray();
    checkCount(op, bin);
    const column = values.filter((_: number, i: number) => i % dims === d);
    return dtypedArray(
      evenEdges(...rangeOf(op, column, range?.[2 * d] ?? 0, range?.[2 * d + 1] ?? 0, Boolean(range), 0.5), bin),
      x.dtype,
    );
  });
  const shape = edges.map(({ length }) => length - 1);
  const counts = new Float64Array(numel(shape));
  const shares = weight?.toTypedArray();
  for (let i = 0; i < points.shape[0]!; i++) {
    const cell = edges.map((edge, d) => binOf(edge, values[i * dims + d]!));
    if (!cell.includes(-1)) counts[cell.reduce((at, bin, d) => at * shape[d]! + bin, 0)]! += shares?.[i] ?? 1;
  }
  if (density) normalize(counts, edges, shape);
  return { hist: fromNumbers(x, counts, x.dtype, shape), binEdges: edges.map((edge) => fromNumbers(x, edge, x.dtype)) };
}

/** Divides by the total and by the volume of each cell. */
function normalize(counts: Float64Array, edges: readonly ArrayLike<number>[], shape: readonly number[]): void {
  const total = counts.reduce((sum, value) => sum + value, 0);
  for (let i = 0; i < counts.length; i++) {
    let volume = 1;
    for (let d = shape.length - 1, rest = i; d >= 0; rest = Math.floor(rest / shape[d]!), d--) {
      const bin = rest % shape[d]!;
      volume *= edges[d]![bin + 1]! - edges[d]![bin]!;
    }
    counts[i] = counts[i]! / total / volume;
  }
}
