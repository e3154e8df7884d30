import { extended } from '../define/framing.ts';
import { linear } from '../define/rules.ts';
import { isRecording, kernels, record, viewOf } from '../dispatch.ts';
import { GradError, ShapeError } from '../errors.ts';
import { contiguousStrides, isContiguous, numel, sameShape, shapeString, type Shape, type Strides } from '../shape.ts';
import { hostArray } from '../storage.ts';
import type { Tensor } from '../tensor.ts';
import { asStridedRule, geometryOf, type ViewGeometry } from '../view.ts';

/**
 * Elements of the storage of x in any geometry; offset counts from the start of the storage.
 * @throws ShapeError when the geometry reaches outside of it
 * @source torch.as_strided
 */
export function asStrided(x: Tensor, shape: Shape, strides: Strides, offset?: number): Tensor {
  const start = offset ?? x.offset;
  const last = shape.reduce((sum, n, d) => sum + Math.max(n - 1, 0) * strides[d]!, start);
  const available = hostArray(x.storage, x.dtype).length;
  if (shape.length !== strides.length || strides.some((s) => s < 0) || start < 0 || (numel(shape) > 0 && last >= available)) {
    throw new ShapeError(
      `asStrided: shape ${shapeString(shape)}, strides ${shapeString(strides)} and offset ${start} reach outside a storage ` +
        `of ${available} elements`,
      { op: 'asStrided', shapes: [shape, strides] },
    );
  }
  const out = viewOf(x, shape, strides, start);
  if (isRecording([x])) record(asStridedRule, { base: geometryOf(x), geometry: geometryOf(out) }, [x], [out], []);
  return out;
}

/**
 * A copy of x, dense, with the elements that a geometry shows replaced; where it shows one twice, the later one in
 * row-major order stays.
 * @derivative 0 for what was replaced; the source gets the gradient of its places
 * @throws ShapeError when the geometry reaches outside of x, or the source does not have its shape
 * @source torch.as_strided_scatter
 */
export function asStridedScatter(x: Tensor, src: Tensor, shape: Shape, strides: Strides, offset = 0): Tensor {
  const flat = x.flatten();
  const geometry: ViewGeometry = { shape, strides, offset };
  const isGeometry = strides.length === shape.length && strides.every((s) => s >= 0) && offset >= 0;
  const isInside = isGeometry && extentOf(geometry) <= flat.numel();
  if (!isInside || !sameShape(src.shape, shape)) {
    throw new ShapeError(
      `asStridedScatter: shape ${shapeString(shape)}, strides ${shapeString(strides)} and offset ${offset} must lie within the ` +
        `${flat.numel()} elements of x, and the source must have that shape, got ${shapeString(src.shape)}`,
      { op: 'asStridedScatter', shapes: [x.shape, src.shape] },
    );
  }
  const positions = positionsOf(geometry);
  return flat.indexCopy(0, x.detach().newFrom(positions, 'int32', [positions.length]), src.flatten()).reshape(x.shape);
}

/**
 * Gives x another shape in place: as many elements of its memory as the shape has, in the order in which they lie there.
 * Where there are not enough, x moves to new memory, and zeros follow its elements.
 * @throws ShapeError for sizes that are not whole numbers of at least 0; GradError for a tensor that requires grad
 * @source torch.Tensor.resize_
 */
export function resize_(x: Tensor, ...sizes: number[] | [sizes: readonly number[]]): Tensor {
  const shape = sizes.flat();
  if (shape.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError(`resize_: sizes must be whole numbers of at least 0, got ${shapeString(shape)}`, { op: 'resize_' });
  }
  if (x.requiresGrad) {
    throw new GradError('resize_: a tensor that requires grad cannot be resized in place; use reshape, or resize x.detach()', {
      op: 'resize_',
    });
  }
  if (sameShape(shape, x.shape)) return x;
  const missing = numel(shape) - (hostArray(x.storage, x.dtype).length - x.offset);
  const strides = contiguousStrides(shape);
  if (missing <= 0) x.setData(x.asStrided(shape, strides));
  else x.setData(extended(x.asStrided([numel(shape) - missing], [1]), 0, [0, missing]).asStrided(shape, strides));
  return x;
}

/** Gives x the shape of other in place, as `resize_` does. @source torch.Tensor.resize_as_ */
export function resizeAs_(x: Tensor, other: Tensor): Tensor {
  return x.resize_(other.shape);
}

/** Zeros of the base's shape, to which the elements of `g` are added where the geometry points: asStrided's transpose. @internal */
export function stridedScatter(g: Tensor, base: ViewGeometry, geometry: ViewGeometry): Tensor {
  return scatterStrided([g], { base, geometry });
}

const scatterStrided = linear<{ base: ViewGeometry; geometry: ViewGeometry }>('as_strided_backward', {
  forward: ([g], { base, geometry }) => {
    const extent = Math.max(extentOf(base), extentOf(geometry));
    const flat = g!.newZeros([extent]);
    const positions = positionsOf(geometry);
    const index = g!.detach().newFrom(positions, 'int32', [positions.length]);
    kernels().scatter(flat, index, g!.detach().reshape([positions.length]), 0, true);
    if (isContiguous(base.shape, base.strides)) return flat.narrow(0, base.offset, numel(base.shape)).clone().view(base.shape);
    return flat.asStrided(base.shape, base.strides, base.offset).clone();
  },
  transpose: (g, { base, geometry }) => {
    const flat = g.stridedScatter({ shape: [extentOf(base)], strides: [1], offset: 0 }, base);
    return flat.asStrided(geometry.shape, geometry.strides, geometry.offset);
  },
});

function extentOf({ shape, strides, offset }: ViewGeometry): number {
  return numel(shape) === 0 ? offset : shape.reduce((sum, n, d) => sum + (n - 1) * strides[d]!, offset) + 1;
}

/** The place of each element in row-major order. */
function positionsOf({ shape, strides, offset }: ViewGeometry): Int32Array {
  let positions = [offset];
  shape.forEach((n, d) => {
    positions = positions.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * strides[d]!));
  });
  return Int32Array.from(positions);
}
