import { custom } from '../define/rules.ts';
import { shareOfTies } from '../define/ties.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, keepdimName, none, type OptionNames } from '../option-names.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extrema.ts';
import type { KeepdimOption } from './reduction.ts';

/** A dimension with at least one element; scalars count as lines of one. */
function lineAlong(op: string, x: Tensor, dim: number): { line: Tensor; dim: number } {
  const d = normalizeDim(op, dim, x.ndim);
  if (x.shape[d] === 0) {
    throw new IndexError(`${op}: dim ${d} of ${shapeString(x.shape)} has no elements to choose from`, { op, shapes: [x.shape] });
  }
  return { line: x.ndim === 0 ? x.reshape([1]) : x, dim: d };
}

/** The elements of sorted lines at one place each; `place` has size 1 along the dimension. */
function elementsAt(sorted: ValuesAndIndices, place: Tensor, dim: number, keepdim: boolean): ValuesAndIndices {
  const pick = (x: Tensor): Tensor => (keepdim ? x.gather(dim, place) : x.gather(dim, place).squeeze(dim));
  return { values: pick(sorted.values), indices: pick(sorted.indices) };
}

/**
 * The k-th smallest element along a dimension (k counts from 1), and where it stands.
 * @derivative to the chosen element
 * @throws ValueError when there are fewer than k
 * @source torch.kthvalue
 */
export function kthvalue(x: Tensor, k: number, dim = -1, options: KeepdimOption = none): ValuesAndIndices {
  checkOptions('kthvalue', options, keepdimName);
  const { line, dim: d } = lineAlong('kthvalue', x, dim);
  const size = line.shape[d]!;
  if (!(Number.isInteger(k) && k >= 1 && k <= size)) {
    throw new ValueError(`kthvalue: k must be from 1 to ${size}, the size of dim ${d}, got ${k}`, {
      op: 'kthvalue',
      argument: 'k',
      shapes: [x.shape],
    });
  }
  const { values, indices } = line.sort(d);
  const pick = (y: Tensor): Tensor => (options.keepdim === true && x.ndim > 0 ? y.narrow(d, k - 1, 1) : y.select(d, k - 1));
  return { values: pick(values), indices: pick(indices) };
}

/** `median` and `nanmedian` as methods: of all elements, or along a dimension. */
export interface MedianMethod {
  (): Tensor;
  (dim: number, options?: KeepdimOption): ValuesAndIndices;
}

/** Where medians stand in sorted lines of `size` elements, the last `missing` of which are NaN. */
type MedianPlace = (size: number, missing: Tensor) => Tensor;

/** The first NaN if there is one, else the lower of the middle elements. */
const firstMissingOrMiddle: MedianPlace = (size, missing) =>
  missing
    .neg()
    .add(size)
    .maskedFill(missing.eq(0), (size - 1) >> 1);

/** The lower of the middle elements that are not NaN. */
const middleOfPresent: MedianPlace = (size, missing) =>
  missing
    .neg()
    .add(size - 1)
    .clamp(0)
    .floorDivide(2);

function medianAlong(op: string, x: Tensor, dim: number, options: KeepdimOption, place: MedianPlace): ValuesAndIndices {
  const { line, dim: d } = lineAlong(op, x, dim);
  const missing = line.detach().isnan().sum(d, { keepdim: true });
  return elementsAt(line.sort(d), place(line.shape[d]!, missing), d, options.keepdim === true && x.ndim > 0);
}

function medianOfAll(op: string, place: MedianPlace): (inputs: readonly Tensor[], attrs: null) => Tensor[] {
  return custom<null>(op, {
    forward: ([x]) => [medianAlong(op, x!.detach().reshape([-1]), 0, {}, place).values],
    savesInputs: [0],
    savesOutputs: [0],
    vjp: (node, [g]) => [
      g!.mul(
        shareOfTies(
          node.input(0),
          node.output(0),
          node.input(0).shape.map((_, d) => d),
        ),
      ),
    ],
  });
}

const medians = {
  median: { place: firstMissingOrMiddle, all: medianOfAll('median', firstMissingOrMiddle) },
  nanmedian: { place: middleOfPresent, all: medianOfAll('nanmedian', middleOfPresent) },
} as const;

function medianOf(op: 'median' | 'nanmedian', x: Tensor, dim: number | undefined, options: KeepdimOption): Tensor | ValuesAndIndices {
  checkOptions(op, options, keepdimName);
  const { place, all } = medians[op];
  if (dim !== undefined) return medianAlong(op, x, dim, options, place);
  if (options.keepdim === true) {
    throw new ValueError(`${op}: keepdim goes with a dim, as in ${op}(0, { keepdim: true })`, { op, argument: 'keepdim' });
  }
  return x.numel() === 0 ? x.newFull([], NaN) : all([x], null)[0]!;
}

/**
 * The median of all elements, or along a dimension with its position; the lower one of two, and NaN where there is a NaN.
 * @derivative over all elements, shared evenly among those equal to it; along a dimension, to the chosen element
 * @throws IndexError along a dimension of size 0
 * @source torch.median
 */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, dim: number, options?: KeepdimOption): ValuesAndIndices;
export function median(x: Tensor, dim?: number, options: KeepdimOption = none): Tensor | ValuesAndIndices {
  return medianOf('median', x, dim, options);
}

/** The median of what is not NaN, of all elements or along a dimension. @source torch.nanmedian */
export function nanmedian(x: Tensor): Tensor;
export function nanmedian(x: Tensor, dim: number, options?: KeepdimOption): ValuesAndIndices;
export function nanmedian(x: Tensor, dim?: number, options: KeepdimOption = none): Tensor | ValuesAndIndices {
  return medianOf('nanmedian', x, dim, options);
}

/** Where the last element of the longest run of equal ones stands, the first run of several. */
function endOfLongestRun(values: ArrayLike<number>): number {
  let [end, longest] = [0, 0];
  for (let k = 0, length = 0; k < values.length; k++) {
    length = k > 0 && values[k] === values[k - 1] ? length + 1 : 1;
    if (length > longest) [end, longest] = [k, length];
  }
  return end;
}

/**
 * The most frequent value along a dimension, the smallest of several, and the last place where it stands.
 * @derivative to that place
 * @throws IndexError along a dimension of size 0
 * @source torch.mode
 */
export function mode(x: Tensor, dim = -1, options: KeepdimOption = none): ValuesAndIndices {
  checkOptions('mode', options, keepdimName);
  const { line, dim: d } = lineAlong('mode', x, dim);
  const size = line.shape[d]!;
  const sorted = line.sort(d);
  const rows = sorted.values.detach().transpose(d, -1);
  const values = rows.toTypedArray();
  const ends = Int32Array.from({ length: values.length / size }, (_, i) => endOfLongestRun(values.subarray(i * size, (i + 1) * size)));
  const place = x.newFrom(ends, 'int32', [...rows.shape.slice(0, -1), 1]).transpose(d, -1);
  return elementsAt(sorted, place, d, options.keepdim === true && x.ndim > 0);
}

/** How a quantile between two elements is found. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

/** Options of quantiles. */
export interface QuantileOptions extends KeepdimOption {
  /** Between two elements; default 'linear'. */
  interpolation?: Interpolation | undefined;
}

const quantileNames: OptionNames<QuantileOptions> = { keepdim: 1, interpolation: 1 };

/** For each interpolation, how a rank becomes a place, and the weight of the element after it, where it has one. */
const interpolations: Readonly<Record<Interpolation, { place: (rank: Tensor) => Tensor; weight?: (rank: Tensor) => Tensor }>> = {
  linear: { place: (rank) => rank.floor(), weight: (rank) => rank.sub(rank.detach().floor()) },
  midpoint: { place: (rank) => rank.floor(), weight: (rank) => rank.detach().mul(0).add(0.5) },
  lower: { place: (rank) => rank.floor() },
  higher: { place: (rank) => rank.ceil() },
  nearest: { place: (rank) => rank.round() },
};

function fractions(op: string, x: Tensor, q: number | Tensor): Tensor {
  const wanted = q instanceof Tensor ? q : x.newFull([], q);
  if (wanted.ndim > 1) {
    throw new ShapeError(`${op}: q must be a number or a vector, got shape ${shapeString(wanted.shape)}`, {
      op,
      argument: 'q',
      shapes: [wanted.shape],
    });
  }
  if (wanted.dtype !== x.dtype) {
    throw new DTypeError(`${op}: q must have the dtype of the input, got ${wanted.dtype} and ${x.dtype}; use q.typeAs(x)`, {
      op,
      dtypes: [wanted.dtype, x.dtype],
    });
  }
  if (!wanted.toTypedArray().every((value: number) => value >= 0 && value <= 1)) {
    throw new ValueError(`${op}: the values of q must lie in [0, 1]`, { op, argument: 'q' });
  }
  return wanted;
}

/** The ranks of the fractions q in sorted lines with so many elements that are not NaN, as floats from 0. */
type Ranks = (q: Tensor, size: number, missing: Tensor) => Tensor;

/** Among all elements; where one is NaN, that one. */
const amongAll: Ranks = (q, size, missing) =>
  missing
    .detach()
    .mul(0)
    .add(q.mul(size - 1))
    .maskedFill(missing.ne(0), size - 1);

/** Among those that are not NaN. */
const amongPresent: Ranks = (q, size, missing) => q.mul(missing.neg().add(size - 1)).clamp(0);

function quantileOf(
  op: string,
  x: Tensor,
  q: number | Tensor,
  dim: number | null | undefined,
  options: QuantileOptions,
  ranksOf: Ranks,
): Tensor {
  checkOptions(op, options, quantileNames);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  if (x.numel() === 0) throw new IndexError(`${op}: the input has no elements`, { op, shapes: [x.shape] });
  const wanted = fractions(op, x, q);
  const { interpolation = 'linear', keepdim = false } = options;
  const scheme = interpolations[interpolation];
  if (scheme === undefined) {
    throw new ValueError(`${op}: interpolation must be one of ${Object.keys(interpolations).join(', ')}, got ${interpolation}`, { op });
  }
  const isFlat = dim === undefined || dim === null;
  const { line, dim: d } = lineAlong(op, isFlat ? x.reshape([-1]) : x, isFlat ? 0 : dim);
  const lines = line.movedim(d, -1);
  const sorted = lines.sort(-1).values;
  const missing = lines.detach().isnan().sum(-1, { keepdim: true }).to(x.dtype);
  const rank = ranksOf(wanted.reshape([-1]), lines.shape.at(-1)!, missing);
  const at = (place: Tensor): Tensor => sorted.gather(-1, place.detach().to('int32'));
  const below = at(scheme.place(rank));
  const found = scheme.weight === undefined ? below : below.lerp(at(rank.ceil()), scheme.weight(rank));
  const shape = keepdim ? x.shape.map((n, k) => (isFlat || k === d ? 1 : n)) : lines.shape.slice(0, -1);
  return found.movedim(-1, 0).reshape([...wanted.shape, ...shape]);
}

/**
 * The value below which a fraction q of the elements lies, of all elements or along a dimension. Where there is a NaN it is
 * NaN. A vector of fractions gives a first dimension.
 * @param q from 0 to 1
 * @derivative to the one or two elements between which it lies, and to q where they are interpolated linearly
 * @throws ValueError for q outside of [0, 1]
 * @throws DTypeError for integers, or when q has another dtype
 * @source torch.quantile
 */
export function quantile(x: Tensor, q: number | Tensor, dim?: number | null, options: QuantileOptions = none): Tensor {
  return quantileOf('quantile', x, q, dim, options, amongAll);
}

/** The quantile of what is not NaN. @source torch.nanquantile */
export function nanquantile(x: Tensor, q: number | Tensor, dim?: number | null, options: QuantileOptions = none): Tensor {
  return quantileOf('nanquantile', x, q, dim, options, amongPresent);
}
