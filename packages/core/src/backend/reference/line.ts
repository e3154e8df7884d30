import { withEntry, type Shape } from '../../shape.ts';
import type { Strided } from '../types.ts';
import { eachIndex, viewOf, type View } from './ndarray.ts';

/** Kernels that work along a dimension take a scalar for a line of one element. */
export function withLine(x: Strided): Strided {
  if (x.shape.length > 0) return x;
  return { storage: x.storage, offset: x.offset, shape: [1], strides: [1], dtype: x.dtype };
}

/** The view in which `eachLine`, `readLine` and `writeLine` work. */
export function lineView(x: Strided): View {
  return viewOf(withLine(x));
}

/** Calls `visit` once per line along `dim` with the index where the line starts. */
export function eachLine(shape: Shape, dim: number, visit: (start: number[]) => void): void {
  eachIndex(
    withEntry(shape, dim, 1),
    visit,
  );
}

/** The elements along `dim` from `start` on. */
export function readLine(view: View, start: readonly number[], dim: number): number[] {
  const index = [...start];
  return Array.from({ length: view.shape[dim]! }, (_, i) => {
    index[dim] = i;
    return view.get(...index);
  });
}

/** Writes values along `dim` from `start` on. */
export function writeLine(
  view: View,
  start: readonly number[],
  dim: number,
  values: readonly number[],
): void {
  const index = [...start];
  values.forEach((value, i) => {
    index[dim] = i;
    view.set(...index, value);
  });
}
