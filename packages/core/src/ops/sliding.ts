import { linear } from '../define/rules.ts';
import { viewOf } from '../dispatch.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { normalizeDim, shapeString, withEntry, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Windows of `size` elements along a dimension, one every `step`. */
interface Sliding {
  readonly dim: number;
  readonly size: number;
  readonly step: number;
}

const windowsOf = linear<Sliding>('unfold', {
  forward: ([x], { dim, size, step }) => {
    const { shape, strides, offset } = x!;
    const count = Math.floor((shape[dim]! - size) / step) + 1;
    const sizes = withEntry(shape, dim, count);
    return viewOf(x!, [...sizes, size], [...withEntry(strides, dim, strides[dim]! * step), strides[dim]!], offset);
  },
  transpose: (g, attrs, { shape }) => windowsAdded(g, shape, attrs),
});

/** Zeros of a shape to which windows are added where they came from: the transpose of `unfold`. */
function windowsAdded(g: Tensor, shape: Shape, attrs: Sliding): Tensor {
  return sumOfWindows([g], { shape, attrs });
}

const sumOfWindows = linear<{ shape: Shape; attrs: Sliding }>('unfold_backward', {
  forward: ([g], { shape, attrs: { dim, size, step } }) => {
    const windows = g!.detach();
    const out = windows.newZeros(shape);
    const span = (windows.shape[dim]! - 1) * step + 1;
    for (let k = 0; k < size; k++) out.slice(dim, k, k + span, step).add_(windows.select(-1, k));
    return out;
  },
  transpose: (g, { attrs: { dim, size, step } }) => g.unfold(dim, size, step),
});

/**
 * All windows of `size` elements along a dimension, one every `step`, as a view; they stand in a new last dimension.
 * @shape [..., n, ...] -> [..., (n − size) / step + 1, ..., size]
 * @derivative summed where windows overlap
 * @throws ShapeError when no window fits; ValueError when the step is not positive
 * @example
 * console.log(tg.tensor([1, 2, 3, 4]).unfold(0, 2, 1).toArray()); // → [ [ 1, 2 ], [ 2, 3 ], [ 3, 4 ] ]
 * @source torch.Tensor.unfold
 */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  const d = normalizeDim('unfold', dim, x.ndim);
  const length = x.shape[d] ?? 1;
  if (!Number.isInteger(size) || size < 0 || size > length) {
    throw new ShapeError(`unfold: windows of ${size} elements do not fit into dim ${dim} of ${shapeString(x.shape)}`, {
      op: 'unfold',
      argument: 'size',
      shapes: [x.shape],
    });
  }
  if (!Number.isInteger(step) || step < 1) {
    throw new ValueError(`unfold: the step must be a whole number of at least 1, got ${step}`, { op: 'unfold', argument: 'step' });
  }
  if (x.ndim === 0) return x.reshape([1]).narrow(0, 0, size);
  return windowsOf([x], { dim: d, size, step });
}
