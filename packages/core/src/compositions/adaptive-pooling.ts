import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { contiguousStrides, numel, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from '../ops/extrema.ts';
import { avgPool1d, avgPool2d, avgPool3d, maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices } from '../ops/pooling.ts';

/** Sizes that an adaptive pooling is to have: one for all dimensions or one each, null keeps a size. */
export type OutputSize = number | null | readonly (number | null)[];

/** The windows along one dimension: window i covers ⌊i · size / count⌋ to ⌈(i + 1) · size / count⌉. */
function bounds(size: number, count: number): [start: number, end: number][] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)]);
}

/** Means along one dimension over windows that may differ in length by one: pick, blank out, add up, divide. */
function meanAlong(x: Tensor, dim: number, count: number): Tensor {
  const size = x.shape[dim]!;
  if (size === count) return x;
  const windows = bounds(size, count);
  const longest = Math.max(...windows.map(([start, end]) => end - start));
  const taken = windows.flatMap(([start, end]) => Array.from({ length: longest }, (_, i) => Math.min(start + i, end - 1)));
  const blank = windows.flatMap(([start, end]) => Array.from({ length: longest }, (_, i) => Number(start + i >= end)));
  const lengths = windows.map(([start, end]) => end - start);
  const rest = x.shape.slice(dim + 1).map(() => 1);
  const base = x.detach();
  const picked = x.indexSelect(dim, base.newFrom(Int32Array.from(taken), 'int32', [taken.length]));
  const mask = base.newFrom(Uint8Array.from(blank), 'bool', [count, longest, ...rest]);
  const divisor = base.newFrom(Float64Array.from(lengths), 'float64', [count, ...rest]).to(x.dtype);
  const lines = picked.reshape([...x.shape.slice(0, dim), count, longest, ...x.shape.slice(dim + 1)]);
  return lines.maskedFill(mask, 0).sum(dim + 1).div(divisor);
}

/** The sizes of the result, checked. */
function sizesOf(op: string, rank: number, x: Tensor, outputSize: OutputSize): number[] {
  if (x.ndim !== rank + 1 && x.ndim !== rank + 2) {
    throw new ShapeError(`${op}: expected ${rank + 1}D or ${rank + 2}D input, but got input of size ${shapeString(x.shape)}`, {
      op,
      argument: 'x',
      shapes: [x.shape],
    });
  }
  const spatial = x.shape.slice(-rank);
  const given = typeof outputSize === 'number' || outputSize === null ? [outputSize] : outputSize;
  const sizes = spatial.map((size, d) => (given.length === 1 ? given[0]! : given[d]) ?? size);
  if ((given.length !== 1 && given.length !== rank) || sizes.some((n) => !(Number.isInteger(n) && n >= 0))) {
    throw new ValueError(`${op}: outputSize must be a whole number, or ${rank} of them, got [${given.join(', ')}]`, {
      op,
      argument: 'outputSize',
    });
  }
  if (spatial.includes(0)) throw new ShapeError(`${op}: the input ${shapeString(x.shape)} has no elements to pool`, { op, shapes: [x.shape] });
  return sizes;
}

/** The size of the windows, where they are all equal and side by side. */
function evenWindow(spatial: readonly number[], sizes: readonly number[]): number[] | null {
  const window = spatial.map((n, d) => n / sizes[d]!);
  return window.every((n) => Number.isInteger(n)) ? window : null;
}

function adaptiveMean(rank: number, x: Tensor, outputSize: OutputSize): Tensor {
  const sizes = sizesOf(`adaptiveAvgPool${rank}d`, rank, x, outputSize);
  const window = evenWindow(x.shape.slice(-rank), sizes);
  if (window !== null) return [avgPool1d, avgPool2d, avgPool3d][rank - 1]!(x, window);
  return sizes.reduce((out, count, d) => meanAlong(out, x.ndim - rank + d, count), x);
}

/**
 * The flat positions of the elements of each window. Shorter windows name their last element several times, which changes
 * no maximum and not where it is found first.
 */
function positionsOf(spatial: readonly number[], sizes: readonly number[]): number[][] {
  const steps = contiguousStrides(spatial);
  const lines = sizes.map((count, d) => {
    const windows = bounds(spatial[d]!, count);
    const longest = Math.max(...windows.map(([start, end]) => end - start));
    return windows.map(([start, end]) => Array.from({ length: longest }, (_, i) => Math.min(start + i, end - 1) * steps[d]!));
  });
  return lines.reduce((windows, line) =>
    windows.flatMap((window) => line.map((along) => window.flatMap((base) => along.map((step) => base + step)))),
  );
}

/**
 * The largest element among those at given positions of each plane, and its position.
 * @param positions of the elements of each window in a plane, the same for all planes or a list per plane, [windows, elements]
 * or [planes, windows, elements]
 * @shape x [planes, elements] -> [planes, windows]
 * @internal
 */
export function maximaAt(x: Tensor, positions: Tensor): ValuesAndIndices {
  const [windows, elements] = positions.shape.slice(-2) as [number, number];
  const planes = x.shape[0]!;
  const isShared = positions.ndim === 2;
  const flat = positions.reshape([...positions.shape.slice(0, -2), windows * elements]);
  const picked = (isShared ? x.indexSelect(1, flat) : x.gather(1, flat)).reshape([planes, windows, elements]);
  const { values, indices } = picked.max(2);
  const everywhere = isShared ? positions.expand([planes, windows, elements]) : positions;
  return { values, indices: everywhere.gather(2, indices.unsqueeze(2)).squeeze(2) };
}

function adaptiveMaximum(rank: number, x: Tensor, outputSize: OutputSize): ValuesAndIndices {
  const op = `adaptiveMaxPool${rank}d`;
  const sizes = sizesOf(op, rank, x, outputSize);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  const spatial = x.shape.slice(-rank);
  const lead = x.shape.slice(0, -rank);
  const window = evenWindow(spatial, sizes);
  if (window !== null) return [maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices][rank - 1]!(x, window);
  const positions = positionsOf(spatial, sizes);
  const table = x.detach().newFrom(Int32Array.from(positions.flat()), 'int32', [positions.length, positions[0]?.length ?? 0]);
  const { values, indices } = maximaAt(x.reshape([numel(lead), numel(spatial)]), table);
  return { values: values.reshape([...lead, ...sizes]), indices: indices.reshape([...lead, ...sizes]) };
}

/**
 * The means of so many windows that cover the sequence.
 * @shape [N, C, L] or [C, L] -> [..., outputSize]
 * @source torch.nn.functional.adaptive_avg_pool1d
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(1, x, outputSize);
}

/**
 * The means of so many windows that cover the image.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.functional.adaptive_avg_pool2d
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(2, x, outputSize);
}

/** As `adaptiveAvgPool2d` over volumes. @source torch.nn.functional.adaptive_avg_pool3d */
export function adaptiveAvgPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(3, x, outputSize);
}

type WithIndices = (x: Tensor, outputSize: OutputSize) => ValuesAndIndices;

/** As `adaptiveMaxPool1d`, with the position of each value. @source torch.nn.functional.adaptive_max_pool1d_with_indices */
export const adaptiveMaxPool1dWithIndices: WithIndices = (x, outputSize) => adaptiveMaximum(1, x, outputSize);

/** As `adaptiveMaxPool2d`, with the flat position of each value. @source torch.nn.functional.adaptive_max_pool2d_with_indices */
export const adaptiveMaxPool2dWithIndices: WithIndices = (x, outputSize) => adaptiveMaximum(2, x, outputSize);

/** As `adaptiveMaxPool3d`, with the flat position of each value. @source torch.nn.functional.adaptive_max_pool3d_with_indices */
export const adaptiveMaxPool3dWithIndices: WithIndices = (x, outputSize) => adaptiveMaximum(3, x, outputSize);

/**
 * The largest elements of so many windows that cover the sequence.
 * @shape [N, C, L] or [C, L] -> [..., outputSize]
 * @derivative to the first of the largest in each window
 * @throws ShapeError for another rank or an empty input; ValueError for sizes that make no sense
 * @source torch.nn.functional.adaptive_max_pool1d
 */
export function adaptiveMaxPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMaximum(1, x, outputSize).values;
}

/**
 * As `adaptiveMaxPool1d` for images.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.functional.adaptive_max_pool2d
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMaximum(2, x, outputSize).values;
}

/** As `adaptiveMaxPool1d` for volumes. @source torch.nn.functional.adaptive_max_pool3d */
export function adaptiveMaxPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMaximum(3, x, outputSize).values;
}
