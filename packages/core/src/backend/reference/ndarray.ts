import ndarray, { type NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { dtypeInfo, isFloating, type TypedArray } from '../../dtype.ts';
import { contiguousStrides, numel, type Shape } from '../../shape.ts';
import { hostArray } from '../../storage.ts';
import type { Strided } from '../types.ts';

/** A strided view whose elements are numbers. */
export type View = NdArray<TypedArray>;

/** An ndarray over the tensor's own elements, which may lie in the heap: use it at once and never keep it. */
export function viewOf(x: Strided): View {
  return ndarray(hostArray(x.storage, x.dtype), [...x.shape], [...x.strides], x.offset);
}

/** An ndarray with a copy of the elements in memory of its own, row-major; bool becomes bytes of 0 and 1. */
export function copyToNdarray(x: Strided): View {
  const view = viewOf(x);
  const copy = dense(
    new (view.data.constructor as new (length: number) => TypedArray)(numel(x.shape)),
    x.shape,
  );
  ops.assign(copy, view);
  return copy;
}

/** Row-major view of an array. */
export function dense<T extends TypedArray>(data: T, shape: Shape): NdArray<T> {
  return ndarray(data, [...shape], contiguousStrides(shape), 0);
}

/** Zeros in float64, where kernels accumulate. */
export function temporary(shape: Shape): NdArray<Float64Array> {
  return dense(new Float64Array(numel(shape)), shape);
}

/** Writes results to a tensor, each rounded once; what is no int32 becomes the nearest one, and NaN 0. */
export function store(out: Strided, values: View): void {
  if (out.dtype === 'bool') {
    ops.neqs(viewOf(out), values, 0);
  } else if (isFloating(out.dtype)) {
    ops.assign(viewOf(out), values);
  } else {
    const integers = temporary(out.shape);
    ops.assign(integers, values);
    saturate(integers);
    ops.assign(viewOf(out), integers);
  }
}

/** Turns numbers into 32-bit integers: cut towards 0, the nearest one if they are out of range, 0 for NaN. */
export function saturate(values: NdArray<Float64Array>): void {
  ops.minseq(values, dtypeInfo.int32.max);
  ops.maxseq(values, dtypeInfo.int32.min);
  ops.borseq(values, 0);
}

/** Calls `visit` with every index of a shape in row-major order; the array changes, so do not keep it. */
export function eachIndex(shape: Shape, visit: (index: number[]) => void): void {
  if (numel(shape) === 0) return;
  const index = new Array<number>(shape.length).fill(0);
  for (;;) {
    visit(index);
    let d = shape.length - 1;
    while (d >= 0 && ++index[d]! === shape[d]) index[d--] = 0;
    if (d < 0) return;
  }
}
