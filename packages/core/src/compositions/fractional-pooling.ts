import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, type OptionNames } from '../option-names.ts';
import { contiguousStrides, numel, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { PerDimension } from '../ops/convolution.ts';
import { maximaAt } from './adaptive-pooling.ts';
import type { ValuesAndIndices } from '../ops/extrema.ts';

/** Options of fractional max pooling; one of outputSize and outputRatio is needed. */
export interface FractionalPoolOptions {
  outputSize?: PerDimension | null | undefined;
  /** Sizes of the result as shares of the input's, between 0 and 1. */
  outputRatio?: PerDimension | null | undefined;
  /** Numbers from [0, 1) that place the windows; default freshly drawn. @shape [N, C, 2] or [N, C, 3] */
  randomSamples?: Tensor | null | undefined;
}

const fractionalNames: OptionNames<FractionalPoolOptions> = { outputSize: 1, outputRatio: 1, randomSamples: 1 };

function spread(op: string, name: string, value: PerDimension, rank: number): number[] {
  const given = [value].flat();
  const list = given.length === 1 ? new Array<number>(rank).fill(given[0]!) : given;
  if (list.length === rank && list.every((n) => n > 0)) return list;
  throw new ValueError(`${op}: ${name} must be a positive number, or ${rank} of them, got ${shapeString(given)}`, { op, argument: name });
}

/** Where windows begin along a dimension: steps whose mean is not whole, the last window at the end. */
function starts(size: number, count: number, window: number, sample: number): number[] {
  const step = (size - window) / (count - 1);
  const first = Math.floor(sample * step);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? size - window : Math.floor((i + sample) * step) - first));
}

function sizesOf(op: string, spatial: readonly number[], options: FractionalPoolOptions): number[] {
  const { outputSize, outputRatio } = options;
  if ((outputSize == null) === (outputRatio == null)) {
    throw new ValueError(`${op}: give either outputSize or outputRatio`, { op });
  }
  if (outputSize != null) return spread(op, 'outputSize', outputSize, spatial.length);
  const ratios = spread(op, 'outputRatio', outputRatio!, spatial.length);
  if (ratios.some((ratio) => ratio >= 1)) {
    throw new ValueError(`${op}: outputRatio must be between 0 and 1, got ${shapeString(ratios)}`, { op, argument: 'outputRatio' });
  }
  return spatial.map((size, d) => Math.floor(size * ratios[d]!));
}

function fractional(rank: number, x: Tensor, kernelSize: PerDimension, options: FractionalPoolOptions): ValuesAndIndices {
  const op = `fractionalMaxPool${rank}d`;
  checkOptions(op, options, fractionalNames);
  if ((x.ndim !== rank + 1 && x.ndim !== rank + 2) || x.shape.slice(-rank - 1).includes(0)) {
    throw new ShapeError(`${op}: expected ${rank + 1}D or ${rank + 2}D input with elements, got ${shapeString(x.shape)}`, { op, shapes: [x.shape] });
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  const spatial = x.shape.slice(-rank);
  const window = spread(op, 'kernelSize', kernelSize, rank);
  const sizes = sizesOf(op, spatial, options);
  if (spatial.some((size, d) => sizes[d]! < 1 || sizes[d]! + window[d]! - 1 > size)) {
    throw new ShapeError(
      `${op}: input ${shapeString(x.shape)} has no room for ${shapeString(sizes)} windows of ${shapeString(window)}`,
      { op, shapes: [x.shape] },
    );
  }
  const lead = x.shape.slice(0, -rank);
  const planes = numel(lead);
  const [batch, channels] = lead.length === 2 ? (lead as [number, number]) : [1, lead[0]!];
  const samples = options.randomSamples ?? x.detach().newZeros([batch, channels, rank]).uniform_();
  if (samples.numel() !== planes * rank) {
    throw new ShapeError(`${op}: randomSamples must be [${batch}, ${channels}, ${rank}], got ${shapeString(samples.shape)}`, {
      op,
      argument: 'randomSamples',
      shapes: [samples.shape],
    });
  }
  const table = positions(spatial, sizes, window, samples.toTypedArray());
  const places = x.detach().newFrom(table, 'int32', [planes, numel(sizes), numel(window)]);
  const { values, indices } = maximaAt(x.reshape([planes, numel(spatial)]), places);
  return { values: values.reshape([...lead, ...sizes]), indices: indices.reshape([...lead, ...sizes]) };
}

/** The flat positions of the elements of each window of each plane. */
function positions(spatial: readonly number[], sizes: readonly number[], window: readonly number[], samples: ArrayLike<number>): Int32Array {
  const rank = spatial.length;
  const steps = contiguousStrides(spatial);
  const inWindow = outer(window.map((n, d) => Array.from({ length: n }, (_, i) => i * steps[d]!)));
  const found: number[] = [];
  for (let plane = 0; plane < samples.length / rank; plane++) {
    const lines = spatial.map((size, d) => {
      // Of two samples the first is for the width; of three the last is.
      const sample = samples[plane * rank + (rank === 2 ? 1 - d : d)]!;
      return starts(size, sizes[d]!, window[d]!, sample).map((start) => start * steps[d]!);
    });
    for (const start of outer(lines)) for (const step of inWindow) found.push(start + step);
  }
  return Int32Array.from(found);
}

/** Sums of one number from each list, in row-major order. */
function outer(lists: readonly number[][]): number[] {
  return lists.reduce((sums, list) => sums.flatMap((sum) => list.map((n) => sum + n)));
}

type WithIndices = (x: Tensor, kernelSize: PerDimension, options: FractionalPoolOptions) => ValuesAndIndices;

/**
 * As `fractionalMaxPool2d`, with the flat position of each value.
 * @source torch.nn.functional.fractional_max_pool2d_with_indices
 */
export const fractionalMaxPool2dWithIndices: WithIndices = (x, kernelSize, options) => fractional(2, x, kernelSize, options);

/**
 * As `fractionalMaxPool3d`, with the flat position of each value.
 * @source torch.nn.functional.fractional_max_pool3d_with_indices
 */
export const fractionalMaxPool3dWithIndices: WithIndices = (x, kernelSize, options) => fractional(3, x, kernelSize, options);

/**
 * The largest elements of windows that lie at random distances, so that the result may have any size.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @throws ShapeError when the windows do not fit; ValueError unless there is one of outputSize and outputRatio
 * @source torch.nn.functional.fractional_max_pool2d (Graham 2014)
 */
export function fractionalMaxPool2d(x: Tensor, kernelSize: PerDimension, options: FractionalPoolOptions): Tensor {
  return fractional(2, x, kernelSize, options).values;
}

/** As `fractionalMaxPool2d` for volumes. @source torch.nn.functional.fractional_max_pool3d */
export function fractionalMaxPool3d(x: Tensor, kernelSize: PerDimension, options: FractionalPoolOptions): Tensor {
  return fractional(3, x, kernelSize, options).values;
}
