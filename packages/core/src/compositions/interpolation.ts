import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, type OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptive-pooling.ts';
import type { PerDimension } from '../ops/convolution.ts';

/** Ways to find the elements of a tensor of another size. */
export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

/** Options of `interpolate`; one of size and scaleFactor is needed. */
export interface InterpolateOptions {
  /** Sizes of the result, one for all dimensions or one each. */
  size?: PerDimension | null | undefined;
  /** Factors from the old sizes to the new. */
  scaleFactor?: PerDimension | null | undefined;
  /** Default 'nearest'. */
  mode?: InterpolationMode | undefined;
  /** Whether the centres of the corner elements stay where they are, rather than the outer edges; default false. */
  alignCorners?: boolean | null | undefined;
  /** Find positions from the sizes even where factors are given; default false. */
  recomputeScaleFactor?: boolean | null | undefined;
}

const interpolateNames: OptionNames<InterpolateOptions> = { size: 1, scaleFactor: 1, mode: 1, alignCorners: 1, recomputeScaleFactor: 1 };

/** An element of the source that takes part in each element of the result, and how much. */
interface Tap {
  readonly positions: Int32Array;
  /** Null: 1. */
  readonly weights: Float64Array | null;
}

/** One dimension's old and new size, and the step between neighbours in the source. */
interface Line {
  readonly size: number;
  readonly count: number;
  readonly scale: number;
  readonly alignCorners: boolean;
}

const clip = (position: number, size: number): number => Math.min(Math.max(position, 0), size - 1);

/** Positions are rounded to float32 in every dtype, as PyTorch rounds them: it decides which of two elements is nearest. */
function nearestTaps({ size, count, scale }: Line, shift: number): Tap[] {
  const place = (i: number): number => clip(Math.floor(Math.fround((i + shift) * scale)), size);
  return [{ positions: Int32Array.from({ length: count }, (_, i) => place(i)), weights: null }];
}

/** The middle of element i in the source's coordinates. */
function sourceOf(i: number, { scale, alignCorners }: Line): number {
  return alignCorners ? i * scale : (i + 0.5) * scale - 0.5;
}

function linearTaps(line: Line): Tap[] {
  const sources = Array.from({ length: line.count }, (_, i) => Math.max(sourceOf(i, line), 0));
  return [0, 1].map((side) => ({
    positions: Int32Array.from(sources, (s) => clip(Math.floor(s) + side, line.size)),
    weights: Float64Array.from(sources, (s) => (side === 1 ? s - Math.floor(s) : 1 - (s - Math.floor(s)))),
  }));
}

/** Keys' kernel with a = −0.75, at the distances of the four neighbours. */
function cubicWeight(distance: number): number {
  const [a, d] = [-0.75, Math.abs(distance)];
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

function cubicTaps(line: Line): Tap[] {
  const sources = Array.from({ length: line.count }, (_, i) => sourceOf(i, line));
  return [-1, 0, 1, 2].map((offset) => ({
    positions: Int32Array.from(sources, (s) => clip(Math.floor(s) + offset, line.size)),
    weights: Float64Array.from(sources, (s) => cubicWeight(s - Math.floor(s) - offset)),
  }));
}

/** Per mode, how many spatial dimensions it is for (null: any of 1 to 3), and the taps along each. */
const modes: Readonly<Record<Exclude<InterpolationMode, 'area'>, { rank: number | null; taps: (line: Line) => Tap[] }>> = {
  nearest: { rank: null, taps: (line) => nearestTaps(line, 0) },
  'nearest-exact': { rank: null, taps: (line) => nearestTaps(line, 0.5) },
  linear: { rank: 1, taps: linearTaps },
  bilinear: { rank: 2, taps: linearTaps },
  trilinear: { rank: 3, taps: linearTaps },
  bicubic: { rank: 2, taps: cubicTaps },
};

function resampled(x: Tensor, dim: number, taps: readonly Tap[]): Tensor {
  const base = x.detach();
  const rest = x.shape.slice(dim + 1).map(() => 1);
  const parts = taps.map(({ positions, weights }) => {
    const picked = x.indexSelect(dim, base.newFrom(positions, 'int32', [positions.length]));
    if (weights === null) return picked;
    return picked.mul(base.newFrom(weights, 'float64', [weights.length, ...rest]).to(x.dtype));
  });
  return parts.reduce((sum, part) => sum.add(part));
}

const OP = 'interpolate';

function perDimension(name: string, given: PerDimension, rank: number): number[] {
  const list = [given].flat();
  const numbers = list.length === 1 ? new Array<number>(rank).fill(list[0]!) : list;
  if (numbers.length === rank && numbers.every((n) => n > 0)) return numbers;
  throw new ValueError(`${OP}: ${name} must be a positive number, or ${rank} of them, got ${shapeString(list)}`, { op: OP, argument: name });
}

/** New sizes, and the factors if they are to be used. */
function targetOf(spatial: readonly number[], { size, scaleFactor, recomputeScaleFactor }: InterpolateOptions) {
  if ((size == null) === (scaleFactor == null)) {
    throw new ValueError(`${OP}: give either size or scaleFactor`, { op: OP });
  }
  const rank = spatial.length;
  if (size != null) {
    const sizes = perDimension('size', size, rank);
    if (sizes.some((n) => !Number.isInteger(n))) {
      throw new ValueError(`${OP}: size must be whole numbers, got ${shapeString(sizes)}`, { op: OP, argument: 'size' });
    }
    return { sizes, factors: null };
  }
  const factors = perDimension('scaleFactor', scaleFactor!, rank);
  return { sizes: spatial.map((n, d) => Math.floor(n * factors[d]!)), factors: recomputeScaleFactor === true ? null : factors };
}

/**
 * A tensor of other spatial sizes: each element of the result is found from those nearest to its place in x.
 * @shape [N, C, L], [N, C, H, W] or [N, C, D, H, W] -> the same rank
 * @param options.mode 'linear' for sequences, 'bilinear' and 'bicubic' for images, 'trilinear' for volumes, the others for all
 * @throws ShapeError when the rank does not fit the mode; ValueError for sizes that make no sense
 * @source torch.nn.functional.interpolate
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  checkOptions(OP, options, interpolateNames);
  const { mode = 'nearest', alignCorners = null } = options;
  const rank = x.ndim - 2;
  const spatial = x.shape.slice(2);
  if (rank < 1 || rank > 3 || x.shape.slice(1).includes(0)) {
    throw new ShapeError(`${OP}: expected 3D to 5D input with elements, got ${shapeString(x.shape)}`, { op: OP, shapes: [x.shape] });
  }
  if (mode !== 'area' && !Object.hasOwn(modes, mode)) {
    throw new ValueError(`${OP}: unknown mode '${String(mode)}'; known are ${Object.keys(modes).join(', ')} and area`, { op: OP, argument: 'mode' });
  }
  const { rank: needed, taps } = mode === 'area' ? { rank: null, taps: nearestTaps } : modes[mode];
  if (needed !== null && needed !== rank) {
    throw new ShapeError(`${OP}: mode '${mode}' is for ${needed + 2}D input, got ${shapeString(x.shape)}`, { op: OP, shapes: [x.shape] });
  }
  if (needed === null && alignCorners !== null) {
    throw new ValueError(`${OP}: alignCorners is for the linear and cubic modes, not for '${mode}'`, { op: OP, argument: 'alignCorners' });
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${OP}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op: OP, dtypes: [x.dtype] });
  }
  const { sizes, factors } = targetOf(spatial, options);
  if (sizes.some((n) => n < 1)) {
    throw new ShapeError(`${OP}: input ${shapeString(x.shape)} would get the sizes ${shapeString(sizes)}`, { op: OP, shapes: [x.shape] });
  }
  if (mode === 'area') return [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][rank - 1]!(x, sizes);
  return sizes.reduce((out, count, d) => {
    const size = spatial[d]!;
    const along = alignCorners === true ? (count > 1 ? (size - 1) / (count - 1) : 0) : factors === null ? size / count : 1 / factors[d]!;
    const scale = x.dtype === 'float32' ? Math.fround(along) : along;
    const line: Line = { size, count, scale, alignCorners: alignCorners === true };
    return resampled(out, 2 + d, (taps as (line: Line) => Tap[])(line));
  }, x);
}
