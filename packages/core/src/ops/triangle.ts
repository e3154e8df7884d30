import { writable, type Writable } from '../define/in-place.ts';
import { ShapeError } from '../errors.ts';
import { requireNumbers } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Whether column − row of each element of the last two dimensions lies beyond the diagonal. */
function beyond(op: string, x: Tensor, diagonal: number, side: 'above' | 'below'): Tensor {
  if (x.ndim < 2) {
    throw new ShapeError(`${op}: the input must have at least 2 dimensions, got ${shapeString(x.shape)}`, { op, shapes: [x.shape] });
  }
  requireNumbers(op, { diagonal });
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const count = (n: number, from: number): Tensor => {
    return x.detach().newFrom(Int32Array.from({ length: n }, (_, i) => i + from), 'int32', [n]);
  };
  const edge = count(rows, diagonal).unsqueeze(1);
  const column = count(columns, 0);
  return side === 'above' ? column.gt(edge) : column.lt(edge);
}

type Triangle = Writable<(x: Tensor, diagonal?: number) => Tensor>;

/** The matrix on and below a diagonal, 0 above it; diagonal 1 is the one above the main one. @source torch.tril */
export const tril: Triangle = writable((x, diagonal = 0) => x.maskedFill(beyond('tril', x, diagonal, 'above'), 0));

/** The matrix on and above a diagonal, 0 below it; diagonal 1 is the one above the main one. @source torch.triu */
export const triu: Triangle = writable((x, diagonal = 0) => x.maskedFill(beyond('triu', x, diagonal, 'below'), 0));
