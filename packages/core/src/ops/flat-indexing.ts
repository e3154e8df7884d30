import { outOfBounds, requireIntegers } from '../define/bounds.ts';
import { writable, type Writable } from '../define/in-place.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { refuseOptions, type NoOptions } from '../option-names.ts';
import { broadcastShapes, contiguousStrides, numel, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Positions among `count` elements as a vector in 0 … count − 1; negative ones count from the end. */
function positions(op: string, index: Tensor, count: number): Tensor {
  requireIntegers(op, index);
  const values = Int32Array.from(index.toTypedArray());
  const strides = contiguousStrides(index.shape);
  for (const [i, value] of values.entries()) {
    if (value < -count || value >= count) {
      throw outOfBounds(op, 'index', value, index.shape.map((n, d) => Math.floor(i / strides[d]!) % n), count, 0);
    }
    if (value < 0) values[i] = value + count;
  }
  return index.detach().newFrom(values, 'int32', [values.length]);
}

/**
 * Elements by their position in row-major order, in the shape of the index.
 * @derivative added up where the elements came from
 * @throws IndexError when a position is out of range
 * @source torch.take
 */
export function take(x: Tensor, index: Tensor, options?: NoOptions): Tensor {
  refuseOptions('take', options);
  return x.flatten().indexSelect(0, positions('take', index, x.numel())).reshape(index.shape);
}

/**
 * x with values written (or added) at positions in row-major order.
 * @param accumulate add to what is there; values for the same place add up. Default false.
 * @derivative 0 for what was overwritten; the source gets the gradient of its places
 * @throws IndexError when a position is out of range; ShapeError when there are not as many values as positions
 * @source torch.put
 */
export const put: Writable<
  (x: Tensor, index: Tensor, source: Tensor, accumulate?: boolean) => Tensor
> = writable((x, index, source, accumulate = false) => {
  const flat = positions('put', index, x.numel());
  if (source.numel() !== flat.numel()) {
    throw new ShapeError(
      `put: the index ${shapeString(index.shape)} and the source ${shapeString(source.shape)} must have equally many elements`,
      { op: 'put', argument: 'source', shapes: [index.shape, source.shape] },
    );
  }
  const [target, values] = [x.flatten(), source.flatten()];
  return (accumulate ? target.indexAdd(0, flat, values) : target.indexCopy(0, flat, values)).reshape(x.shape);
});

/**
 * x with the elements of a source, in row-major order, where a mask is true; x and the mask broadcast.
 * @derivative 0 for what was overwritten; the source gets the gradient of its places
 * @throws ShapeError when the source has fewer elements than the mask has places
 * @source torch.masked_scatter
 */
export const maskedScatter: Writable<
  (x: Tensor, mask: Tensor, source: Tensor) => Tensor
> = writable((x, mask, source) => {
  if (mask.dtype !== 'bool') {
    throw new DTypeError(`maskedScatter: the mask must be bool, got ${mask.dtype}; use mask.to('bool')`, {
      op: 'maskedScatter',
      argument: 'mask',
      dtypes: [mask.dtype],
    });
  }
  const shape = broadcastShapes('maskedScatter', x.shape, mask.shape);
  const places = mask.expand(shape).reshape([numel(shape)]).nonzero().reshape([-1]);
  const count = places.numel();
  if (source.numel() < count) {
    throw new ShapeError(`maskedScatter: the mask has ${count} places, but the source has only ${source.numel()} elements`, {
      op: 'maskedScatter',
      argument: 'source',
      shapes: [mask.shape, source.shape],
    });
  }
  return x.expand(shape).flatten().indexCopy(0, places, source.flatten().narrow(0, 0, count)).reshape(shape);
});

/** The positions of all elements that are not zero, one row each. @shape any -> [count, rank], int32 @source torch.argwhere */
export function argwhere(x: Tensor): Tensor {
  return x.nonzero();
}
