import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { isFloating } from '../dtype.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { numel, sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { PerDimension } from './convolution.ts';

/** Options of max unpooling. */
export interface UnpoolOptions {
  /** Padding that the pooling had; default 0. */
  padding?: PerDimension | undefined;
  /** Size that the pooling's input had, with or without batch and channels, where several would give the same. */
  outputSize?: readonly number[] | null | undefined;
}

const unpoolNames: OptionNames<UnpoolOptions> = { padding: 1, outputSize: 1 };

function spread(op: string, name: string, value: PerDimension, rank: number): number[] {
  const given = [value].flat();
  const list = given.length === 1 ? new Array<number>(rank).fill(given[0]!) : given;
  if (list.length === rank && list.every((n) => Number.isInteger(n) && n >= 0)) return list;
  throw new ValueError(`${op}: ${name} must be a whole number, or ${rank} of them, got ${shapeString(given)}`, { op, argument: name });
}

function outputSizes(op: string, pooled: readonly number[], window: number[], step: number[], options: UnpoolOptions): number[] {
  const rank = pooled.length;
  const padding = spread(op, 'padding', options.padding ?? 0, rank);
  const usual = pooled.map((n, d) => (n - 1) * step[d]! - 2 * padding[d]! + window[d]!);
  if (options.outputSize === null || options.outputSize === undefined) return usual;
  const given = options.outputSize.slice(-rank);
  if (given.length !== rank || given.some((n, d) => Math.abs(n - usual[d]!) >= step[d]!)) {
    throw new ValueError(
      `${op}: outputSize ${shapeString(options.outputSize)} does not fit: each of the last ${rank} sizes must be less than ` +
        `the stride ${shapeString(step)} away from ${shapeString(usual)}`,
      { op, argument: 'outputSize' },
    );
  }
  return given;
}

function unpool(
  rank: number,
  x: Tensor,
  indices: Tensor,
  kernelSize: PerDimension,
  stride: PerDimension | null | undefined,
  options: UnpoolOptions,
): Tensor {
  const op = `maxUnpool${rank}d`;
  checkOptions(op, options, unpoolNames);
  if ((x.ndim !== rank + 1 && x.ndim !== rank + 2) || !sameShape(x.shape, indices.shape)) {
    throw new ShapeError(
      `${op}: expected ${rank + 1}D or ${rank + 2}D values and as many indices, got ${shapeString(x.shape)} and ` +
        shapeString(indices.shape),
      { op, shapes: [x.shape, indices.shape] },
    );
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the values must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  const window = spread(op, 'kernelSize', kernelSize, rank);
  const step = stride === null || stride === undefined ? window : spread(op, 'stride', stride, rank);
  const lead = x.shape.slice(0, x.ndim - rank);
  const sizes = outputSizes(op, x.shape.slice(-rank), window, step, options);
  if (sizes.some((n) => n < 1)) {
    throw new ShapeError(`${op}: the output would have the sizes ${shapeString(sizes)}`, { op, shapes: [x.shape] });
  }
  const rows = [numel(lead), numel(x.shape.slice(-rank))];
  const zeros = x.detach().newZeros([rows[0]!, numel(sizes)]);
  return zeros.scatter(1, indices.reshape(rows), x.reshape(rows)).reshape([...lead, ...sizes]);
}

/**
 * Maxima put back where `maxPool1dWithIndices` found them, zeros elsewhere. The stride is the window's size unless given.
 * @shape [N, C, L] or [C, L], indices the same -> [N, C, L'] or [C, L']
 * @throws ShapeError when indices and values differ in shape; ValueError when outputSize is not possible
 * @throws IndexError when an index is outside of the output
 * @source torch.nn.functional.max_unpool1d
 */
export function maxUnpool1d(
  x: Tensor,
  indices: Tensor,
  kernelSize: PerDimension,
  stride?: PerDimension | null,
  options: UnpoolOptions = none,
): Tensor {
  return unpool(1, x, indices, kernelSize, stride, options);
}

/** As `maxUnpool1d` for images. @shape [N, C, H, W] or [C, H, W] -> [..., H', W'] @source torch.nn.functional.max_unpool2d */
export function maxUnpool2d(
  x: Tensor,
  indices: Tensor,
  kernelSize: PerDimension,
  stride?: PerDimension | null,
  options: UnpoolOptions = none,
): Tensor {
  return unpool(2, x, indices, kernelSize, stride, options);
}

/**
 * As `maxUnpool1d` for volumes.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.functional.max_unpool3d
 */
export function maxUnpool3d(
  x: Tensor,
  indices: Tensor,
  kernelSize: PerDimension,
  stride?: PerDimension | null,
  options: UnpoolOptions = none,
): Tensor {
  return unpool(3, x, indices, kernelSize, stride, options);
}
