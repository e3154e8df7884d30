import { ShapeError, ValueError } from '../errors.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

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

function adaptiveMean(rank: number, x: Tensor, outputSize: OutputSize): Tensor {
  const op = `adaptiveAvgPool${rank}d`;
  if (x.ndim !== rank + 1 && x.ndim !== rank + 2) {
    throw new ShapeError(`${op}: expected ${rank + 1}D or ${rank + 2}D input, but got input of size ${shapeString(x.shape)}`, {
      op,
      argument: 'x',
      shapes: [x.shape],
    });
  }
  const first = x.ndim - rank;
  const given = typeof outputSize === 'number' || outputSize === null ? [outputSize] : outputSize;
  const sizes = Array.from({ length: rank }, (_, d) => (given.length === 1 ? given[0]! : given[d]) ?? x.shape[first + d]!);
  if ((given.length !== 1 && given.length !== rank) || sizes.some((n) => !(Number.isInteger(n) && n >= 0))) {
    throw new ValueError(`${op}: outputSize must be a whole number, or ${rank} of them, got [${given.join(', ')}]`, {
      op,
      argument: 'outputSize',
    });
  }
  const spatial = x.shape.slice(first);
  if (spatial.includes(0)) throw new ShapeError(`${op}: the input ${shapeString(x.shape)} has no elements to average`, { op, shapes: [x.shape] });
  const window = spatial.map((n, d) => n / sizes[d]!);
  if (window.every((n) => Number.isInteger(n))) {
    return [x.avgPool1d, x.avgPool2d, x.avgPool3d][rank - 1]!.call(x, window);
  }
  return sizes.reduce((out, count, d) => meanAlong(out, first + d, count), x);
}

/** The means of so many windows that cover the sequence. @shape [N, C, L] or [C, L] -> [..., outputSize] @source torch.nn.functional.adaptive_avg_pool1d */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(1, x, outputSize);
}

/** The means of so many windows that cover the image. @shape [N, C, H, W] or [C, H, W] -> [..., H', W'] @source torch.nn.functional.adaptive_avg_pool2d */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(2, x, outputSize);
}

/** As `adaptiveAvgPool2d` over volumes. @source torch.nn.functional.adaptive_avg_pool3d */
export function adaptiveAvgPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMean(3, x, outputSize);
}
