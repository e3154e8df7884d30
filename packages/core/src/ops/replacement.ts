import { ShapeError } from '../errors.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A copy of x in which the elements that a view of it shows are those of src. */
function replaced(op: string, x: Tensor, src: Tensor, viewed: (copy: Tensor) => Tensor): Tensor {
  const out = x.clone();
  const view = viewed(out);
  if (!sameShape(view.shape, src.shape)) {
    throw new ShapeError(
      `${op}: the source must have the shape of what it replaces, ${shapeString(view.shape)}, got ${shapeString(src.shape)}`,
      { op, argument: 'src', shapes: [view.shape, src.shape] },
    );
  }
  view.copy_(src);
  return out;
}

/**
 * A copy of x with one slice replaced.
 * @derivative 0 for what was replaced; the source gets the gradient of its place
 * @throws IndexError when the index is out of range; ShapeError when the source does not fit
 * @source torch.select_scatter
 */
export function selectScatter(x: Tensor, src: Tensor, dim: number, index: number): Tensor {
  return replaced('selectScatter', x, src, (copy) => copy.select(dim, index));
}

/** A copy of x with the elements from `start` to `end`, every `step`-th, replaced. @source torch.slice_scatter */
export function sliceScatter(x: Tensor, src: Tensor, dim = 0, start?: number | null, end?: number | null, step = 1): Tensor {
  return replaced('sliceScatter', x, src, (copy) => copy.slice(dim, start, end, step));
}

/** A copy of x with a diagonal replaced. @source torch.diagonal_scatter */
export function diagonalScatter(x: Tensor, src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  return replaced('diagonalScatter', x, src, (copy) => copy.diagonal(offset, dim1, dim2));
}

/**
 * A copy of `length` elements of a dimension from `start` on.
 * @throws IndexError when they are not all there
 * @source torch.narrow_copy
 */
export function narrowCopy(x: Tensor, dim: number, start: number, length: number): Tensor {
  return x.narrow(dim, start, length).clone();
}
