import type { AverageWindow, Window } from '../backend/types.ts';
import { gatherTranspose } from '../define/gathering.ts';
import { custom, linear } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { isFloating } from '../dtype.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { numel, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { PerDimension } from './convolution.ts';
import type { ValuesAndIndices } from './extrema.ts';

/** Options that the poolings share. */
interface PoolOptions {
  /** Padding on both sides, at most half the window; default 0. */
  padding?: PerDimension | undefined;
  /** Also take windows that overhang the end; default false. */
  ceilMode?: boolean | undefined;
}

/** Options of max pooling. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the window's elements; default 1. */
  dilation?: PerDimension | undefined;
}

const maxPoolNames: OptionNames<MaxPoolOptions> = { padding: 1, ceilMode: 1, dilation: 1 };

/** Options of average pooling. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the divisor; default true. */
  countIncludePad?: boolean | undefined;
  /** A divisor of your own. */
  divisorOverride?: number | null | undefined;
}

const avgPoolNames: OptionNames<AvgPoolOptions> = { padding: 1, ceilMode: 1, countIncludePad: 1, divisorOverride: 1 };

function spread(op: string, name: string, value: PerDimension, rank: number, least: number): number[] {
  const given = [value].flat();
  const list = given.length === 1 ? new Array<number>(rank).fill(given[0]!) : given;
  if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ValueError(
      `${op}: ${name} must be a whole number of at least ${least}, or ${rank} of them, got ${shapeString(given)}`,
      { op, argument: name },
    );
  }
  return list;
}

/** The input with batch and channel in front, and how to shape the result as the input was. */
function batched(op: string, x: Tensor, rank: number): { input: Tensor; restore: (out: Tensor) => Tensor } {
  if (x.ndim !== rank + 1 && x.ndim !== rank + 2) {
    throw new ShapeError(
      `${op}: expected ${rank + 1}D (unbatched) or ${rank + 2}D (batched) input, but got input of size ${shapeString(x.shape)}`,
      { op, argument: 'x', shapes: [x.shape] },
    );
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  const isBatched = x.ndim === rank + 2;
  return { input: isBatched ? x : x.unsqueeze(0), restore: (out) => (isBatched ? out : out.squeeze(0)) };
}

interface Geometry {
  readonly window: Window;
  readonly shape: Shape;
}

function geometryOf(
  op: string,
  x: Tensor,
  kernelSize: PerDimension,
  stride: PerDimension | null | undefined,
  options: MaxPoolOptions,
): Geometry {
  const rank = x.ndim - 2;
  const kernel = spread(op, 'kernelSize', kernelSize, rank, 1);
  const isDefault = stride === null || stride === undefined || (typeof stride !== 'number' && stride.length === 0);
  const step = isDefault ? kernel : spread(op, 'stride', stride, rank, 1);
  const padding = spread(op, 'padding', options.padding ?? 0, rank, 0);
  const dilation = spread(op, 'dilation', options.dilation ?? 1, rank, 1);
  const sizes = kernel.map((k, d) => {
    const [s, p] = [step[d]!, padding[d]!];
    if (2 * p > k) {
      throw new ValueError(`${op}: padding ${p} should be at most half of the kernel size ${k} in dim ${d + 2}`, {
        op,
        argument: 'padding',
      });
    }
    const size = x.shape[d + 2]!;
    const room = size + 2 * p - dilation[d]! * (k - 1) - 1;
    let count = Math.floor((options.ceilMode === true ? Math.ceil(room / s) : Math.floor(room / s)) + 1);
    // A window that would begin in the padding at the end is left out.
    if (options.ceilMode === true && (count - 1) * s >= size + p) count--;
    if (size === 0 || count < 1) {
      throw new ShapeError(
        `${op}: input ${shapeString(x.shape)} is too small in dim ${d + 2} for kernel ${shapeString(kernel)} with padding ` +
          `${shapeString(padding)} and dilation ${shapeString(dilation)}: the output size would be ${Math.max(count, 0)}`,
        { op, shapes: [x.shape] },
      );
    }
    return count;
  });
  if (x.shape[1] === 0) throw new ShapeError(`${op}: the input ${shapeString(x.shape)} has no channels`, { op, shapes: [x.shape] });
  return { window: { kernel, stride: step, padding, dilation }, shape: [...x.shape.slice(0, 2), ...sizes] };
}

const largest = custom<Geometry>('max_pool', {
  results: 2,
  forward: ([x], { window, shape }) => {
    const values = empty(shape, x!.dtype);
    const indices = empty(shape, 'int32');
    kernels().maxPool(values, indices, x!, window);
    return [values, indices];
  },
  savesOutputs: [1],
  vjp(node, [g], { shape }, [meta]) {
    const [batch, channels, ...spatial] = meta!.shape as [number, number, ...number[]];
    const places = [batch, channels, numel(shape.slice(2))];
    const index = node.output(1).reshape(places);
    return [gatherTranspose(g!.reshape(places), index, 2, [batch, channels, numel(spatial)]).reshape(meta!.shape)];
  },
});

function maxPool(
  rank: number,
  x: Tensor,
  kernelSize: PerDimension,
  stride: PerDimension | null | undefined,
  options: MaxPoolOptions,
): ValuesAndIndices {
  const op = `maxPool${rank}d`;
  checkOptions(op, options, maxPoolNames);
  const { input, restore } = batched(op, x, rank);
  const [values, indices] = largest([input], geometryOf(op, input, kernelSize, stride, options));
  return { values: restore(values!), indices: restore(indices!) };
}

/**
 * The largest element of each window over a sequence; the stride is the window's size unless given.
 * @shape [N, C, L] or [C, L] -> [N, C, L'] or [C, L']
 * @derivative to the first of the largest in each window; NaN wins
 * @throws ShapeError when the input is too small; ValueError when the padding exceeds half the window
 * @source torch.nn.functional.max_pool1d
 */
export function maxPool1d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: MaxPoolOptions = none): Tensor {
  return maxPool(1, x, kernelSize, stride, options).values;
}

/**
 * The largest element of each window over an image; the stride is the window's size unless given.
 * @shape [N, C, H, W] or [C, H, W] -> [N, C, H', W'] or [C, H', W']
 * @derivative to the first of the largest in each window; NaN wins
 * @throws ShapeError when the input is too small; ValueError when the padding exceeds half the window
 * @source torch.nn.functional.max_pool2d
 */
export function maxPool2d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: MaxPoolOptions = none): Tensor {
  return maxPool(2, x, kernelSize, stride, options).values;
}

/** As `maxPool2d` over volumes. @shape [N, C, D, H, W] -> [N, C, D', H', W'] @source torch.nn.functional.max_pool3d */
export function maxPool3d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: MaxPoolOptions = none): Tensor {
  return maxPool(3, x, kernelSize, stride, options).values;
}

type WithIndices = (x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options?: MaxPoolOptions) => ValuesAndIndices;

/** As `maxPool1d`, with the position of each value in the sequence. @source torch.nn.functional.max_pool1d_with_indices */
export const maxPool1dWithIndices: WithIndices = (x, kernelSize, stride, options = none) => maxPool(1, x, kernelSize, stride, options);

/** As `maxPool2d`, with the flat position of each value in the image. @source torch.nn.functional.max_pool2d_with_indices */
export const maxPool2dWithIndices: WithIndices = (x, kernelSize, stride, options = none) => maxPool(2, x, kernelSize, stride, options);

/** As `maxPool3d`, with the flat position of each value in the volume. @source torch.nn.functional.max_pool3d_with_indices */
export const maxPool3dWithIndices: WithIndices = (x, kernelSize, stride, options = none) => maxPool(3, x, kernelSize, stride, options);

interface AverageGeometry {
  readonly window: AverageWindow;
  readonly shape: Shape;
}

const means = linear<AverageGeometry>('avg_pool', {
  forward: ([x], { window, shape }) => {
    const out = empty(shape, x!.dtype);
    kernels().averagePool(out, x!, window);
    return out;
  },
  transpose: (g, { window }, { shape }) => avgPoolTranspose(g, shape, window),
});

const meansTransposed = linear<AverageGeometry>('avg_pool_backward', {
  forward: ([g], { window, shape }) => {
    const out = empty(shape, g!.dtype);
    kernels().averagePoolTranspose(out, g!, window);
    return out;
  },
  transpose: (g, { window }, { shape }) => avgPoolBy(g, shape, window),
});

/** Window means with everything given, and their transpose. @internal */
export function avgPoolBy(x: Tensor, shape: Shape, window: AverageWindow): Tensor {
  return means([x], { window, shape });
}

/** Each element handed back to what it was the mean of. @internal */
export function avgPoolTranspose(g: Tensor, shape: Shape, window: AverageWindow): Tensor {
  return meansTransposed([g], { window, shape });
}

function avgPool(rank: number, x: Tensor, kernelSize: PerDimension, stride: PerDimension | null | undefined, options: AvgPoolOptions): Tensor {
  const op = `avgPool${rank}d`;
  checkOptions(op, options, avgPoolNames);
  const { input, restore } = batched(op, x, rank);
  const { countIncludePad = true, divisorOverride = null, padding, ceilMode } = options;
  if (divisorOverride === 0) throw new ValueError(`${op}: divisorOverride must not be 0`, { op, argument: 'divisorOverride' });
  const { window, shape } = geometryOf(op, input, kernelSize, stride, { padding, ceilMode });
  const average = { ...window, countIncludePad, paddingAfter: window.padding, divisor: divisorOverride };
  return restore(avgPoolBy(input, shape, average));
}

/** The mean of each window over a sequence. @shape [N, C, L] or [C, L] -> [N, C, L'] or [C, L'] @source torch.nn.functional.avg_pool1d */
export function avgPool1d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: AvgPoolOptions = none): Tensor {
  return avgPool(1, x, kernelSize, stride, options);
}

/** The mean of each window over an image. @shape [N, C, H, W] or [C, H, W] -> [N, C, H', W'] or [C, H', W'] @source torch.nn.functional.avg_pool2d */
export function avgPool2d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: AvgPoolOptions = none): Tensor {
  return avgPool(2, x, kernelSize, stride, options);
}

/** As `avgPool2d` over volumes. @shape [N, C, D, H, W] -> [N, C, D', H', W'] @source torch.nn.functional.avg_pool3d */
export function avgPool3d(x: Tensor, kernelSize: PerDimension, stride?: PerDimension | null, options: AvgPoolOptions = none): Tensor {
  return avgPool(3, x, kernelSize, stride, options);
}
