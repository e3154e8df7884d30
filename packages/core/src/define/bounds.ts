import { dtypeInfo } from '../dtype.ts';
import { DTypeError, IndexError, ShapeError } from '../errors.ts';
import { contiguousStrides, shapeString } from '../shape.ts';
import { hostArray } from '../storage.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The index as int32, if it holds whole numbers that lie in 0 … size − 1.
 * @throws DTypeError when it does not hold integers
 * @throws IndexError naming the first wrong value, its position, the dimension and its size
 */
export function checkIndex(op: string, index: Tensor, size: number, dim: number, name = 'index'): Tensor {
  requireIntegers(op, index, name);
  const values = index.isContiguous()
    ? hostArray(index.storage, index.dtype).subarray(index.offset, index.offset + index.numel())
    : index.toTypedArray();
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0 || value >= size) {
      const position = contiguousStrides(index.shape).map((s, d) => Math.floor(i / s) % index.shape[d]!);
      throw outOfBounds(op, name, value, position, size, dim);
    }
  }
  return index.dtype === 'int32' ? index : index.to('int32');
}

/** Refuses an index that is not of an integer dtype. */
export function requireIntegers(op: string, index: Tensor, name = 'index'): void {
  if (dtypeInfo[index.dtype].category === 1) return;
  throw new DTypeError(`${op}: the ${name} must hold integers (int32), got ${index.dtype}; use ${name}.to('int32')`, {
    op,
    argument: name,
    dtypes: [index.dtype],
  });
}

/** The error for one wrong value of an index. */
export function outOfBounds(
  op: string,
  name: string,
  value: number,
  position: readonly number[],
  size: number,
  dim: number,
): IndexError {
  const at = position.length === 0 ? '' : ` at position ${shapeString(position)}`;
  return new IndexError(`${op}: ${name} ${value}${at} is out of bounds for dimension ${dim} with size ${size}`, {
    op,
    argument: name,
  });
}

/** Refuses an index whose rank or sizes do not fit, as gather and scatter ask. */
export function checkIndexShape(op: string, index: Tensor, x: Tensor, dim: number, name: string): void {
  const rank = Math.max(x.ndim, 1);
  const bad = index.shape.findIndex((n, d) => d !== dim && n > (x.shape[d] ?? 1));
  if (index.numel() === 0 || (Math.max(index.ndim, 1) === rank && bad < 0)) return;
  throw new ShapeError(
    `${op}: the index ${shapeString(index.shape)} must have as many dimensions as ${name} ${shapeString(x.shape)}, and be ` +
      `no larger in any dimension${dim >= 0 ? ` but dim ${dim}` : ''}`,
    { op, argument: 'index', shapes: [x.shape, index.shape] },
  );
}

/** Refuses a source of another dtype than the tensor that it goes into. */
export function checkSameDType(op: string, x: Tensor, src: Tensor): void {
  if (x.dtype === src.dtype) return;
  throw new DTypeError(`${op}: the source is ${src.dtype}, but the tensor is ${x.dtype}; use src.to('${x.dtype}')`, {
    op,
    argument: 'src',
    dtypes: [x.dtype, src.dtype],
  });
}
