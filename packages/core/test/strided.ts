import { dtypeInfo, type DType } from '../src/dtype.ts';
import type { Strided } from '../src/backend/types.ts';
import { contiguousStrides, numel } from '../src/shape.ts';
import { hostArray, nextTick, Storage } from '../src/storage.ts';

/** A small repeatable generator of numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How the elements of a test operand lie. */
export type Layout = 'dense' | 'transposed' | 'offset' | 'stepped' | 'reversedDims';

export const layouts: readonly Layout[] = ['dense', 'transposed', 'offset', 'stepped', 'reversedDims'];

/** Makes an operand of the given shape and layout; the gaps between its elements hold NaN (or 99). */
export function strided(
  shape: readonly number[],
  dtype: DType = 'float32',
  layout: Layout = 'dense',
): Strided {
  const rank = shape.length;
  let order = shape.map((_, d) => d);
  if (layout === 'transposed' && rank >= 2) order = [...order.slice(0, rank - 2), rank - 1, rank - 2];
  if (layout === 'reversedDims') order.reverse();
  const step = layout === 'stepped' ? 2 : 1;
  const dense = contiguousStrides(order.map((d) => shape[d]! * step));
  const strides = new Array<number>(rank).fill(0);
  order.forEach((d, k) => (strides[d] = dense[k]! * step));
  const offset = layout === 'dense' ? 0 : 3;
  const length = offset + numel(shape.map((n) => n * step)) + 2;
  const storage = new Storage(length * dtypeInfo[dtype].bytes);
  hostArray(storage, dtype).fill(dtypeInfo[dtype].category === 2 ? NaN : 99);
  return { storage, offset, shape, strides, dtype };
}

/** Offsets of all elements in row-major order. */
export function offsets(x: Strided): number[] {
  let list = [x.offset];
  x.shape.forEach((size, d) => {
    list = list.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * x.strides[d]!));
  });
  return list;
}

/** Sets all elements in row-major order. */
export function fill(x: Strided, value: (index: number) => number): Strided {
  const array = hostArray(x.storage, x.dtype);
  offsets(x).forEach((at, k) => (array[at] = value(k)));
  return x;
}

/** All elements in row-major order. */
export function values(x: Strided): number[] {
  const array = hostArray(x.storage, x.dtype);
  return offsets(x).map((at) => array[at]!);
}

/** An operand with random elements. */
export function random(
  shape: readonly number[],
  next: () => number,
  dtype: DType = 'float32',
  layout: Layout = 'dense',
): Strided {
  const draw: Record<DType, () => number> = {
    float32: () => next() * 4 - 2,
    float64: () => next() * 4 - 2,
    int32: () => Math.floor(next() * 40) - 20,
    uint8: () => Math.floor(next() * 256),
    bool: () => Math.floor(next() * 2),
  };
  return fill(strided(shape, dtype, layout), draw[dtype]);
}

/** The same elements seen with an extra leading dimension of stride 0. */
export function broadcast(x: Strided, size: number): Strided {
  return { ...x, shape: [size, ...x.shape], strides: [0, ...x.strides] };
}

/** Picks one of a list. */
export function pick<T>(list: readonly T[], next: () => number): T {
  return list[Math.floor(next() * list.length)]!;
}

/** Runs a kernel the way the dispatcher does. */
export function run(kernel: () => void): void {
  nextTick();
  kernel();
}

/** Whether the gaps between the elements of an operand hold what `strided` put there. */
export function gapsAreUntouched(x: Strided): boolean {
  const touched = new Set(offsets(x));
  return Array.from(hostArray(x.storage, x.dtype)).every(
    (v, k) => touched.has(k) || v === 99 || Number.isNaN(v),
  );
}

/**
 * The first place where two lists differ, in words; null if they agree.
 * @param tolerance allowed |difference| / (1 + |expected|); 0 asks for the same value, signs of zero aside
 */
export function difference(
  actual: readonly number[],
  expected: readonly number[],
  tolerance = 0,
): string | null {
  if (actual.length !== expected.length) return `${actual.length} elements instead of ${expected.length}`;
  for (let k = 0; k < expected.length; k++) {
    const [a, e] = [actual[k]!, expected[k]!];
    const same =
      a === e || (Number.isNaN(a) && Number.isNaN(e)) || Math.abs(a - e) <= tolerance * (1 + Math.abs(e));
    if (!same) return `element ${k} is ${a} instead of ${e}`;
  }
  return null;
}
