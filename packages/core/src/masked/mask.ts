import { dtypeInfo, isFloating } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import type { OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Dims, ReduceOptions } from '../ops/reduction.ts';

/** A mask, as every function of this namespace takes it. */
export interface MaskOption {
  /** True where an element counts; broadcasts to the input. Default: everywhere. */
  mask?: Tensor | null | undefined;
}

/** Options of masked reductions. */
export interface MaskedReduceOptions extends ReduceOptions, MaskOption {}

/** The mask in the shape of the input. @throws ShapeError when it does not broadcast to it */
export function fullMask(op: string, x: Tensor, mask: Tensor): Tensor {
  const lead = x.ndim - mask.ndim;
  if (lead < 0 || mask.shape.some((n, d) => n !== 1 && n !== x.shape[lead + d])) {
    throw new ShapeError(`masked.${op}: the mask ${shapeString(mask.shape)} does not broadcast to the input ${shapeString(x.shape)}`, {
      op: `masked.${op}`,
      argument: 'mask',
      shapes: [mask.shape, x.shape],
    });
  }
  return mask.to('bool').broadcastTo(x.shape);
}

/** Their names. */
export const maskedReduceNames: OptionNames<MaskedReduceOptions> = { keepdim: 1, dtype: 1, mask: 1 };

/** The input with what is masked out replaced. */
export function filled(op: string, x: Tensor, mask: Tensor | null | undefined, value: number): Tensor {
  return mask === undefined || mask === null ? x : x.maskedFill(fullMask(op, x, mask).logicalNot(), value);
}

/** The lowest value of the dtype of x: −∞ for floats. */
export function lowestOf(x: Tensor): number {
  return isFloating(x.dtype) ? -Infinity : dtypeInfo[x.dtype].min;
}

/** The highest value of the dtype of x: ∞ for floats. */
export function highestOf(x: Tensor): number {
  return isFloating(x.dtype) ? Infinity : dtypeInfo[x.dtype].max;
}

/** How many elements count, over dimensions. */
export function countOf(op: string, x: Tensor, mask: Tensor | null | undefined, dim: Dims | undefined, keepdim: boolean): Tensor {
  const counting = mask === undefined || mask === null ? x.newFull([], 1).to('bool').expand(x.shape) : fullMask(op, x, mask);
  return counting.sum(dim, { keepdim });
}
