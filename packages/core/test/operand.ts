import type { Strided } from '../src/backend/types.ts';
import type { DType } from '../src/dtype.ts';
import type { Shape } from '../src/shape.ts';
import { fill, strided, values as valuesOf, type Layout } from './strided.ts';

/** A tensor with these elements, as kernels see it. */
export function operand(
  values: ArrayLike<number>,
  shape: Shape,
  dtype: DType = 'float64',
  layout: Layout = 'dense',
): Strided {
  return fill(strided(shape, dtype, layout), (i) => values[i]!);
}

/** An output, filled with a number that no kernel leaves there by chance. */
export function blank(shape: Shape, dtype: DType = 'float64', layout: Layout = 'dense'): Strided {
  return fill(strided(shape, dtype, layout), () => (dtype === 'bool' ? 1 : 99));
}

/** Numbers without pattern, the same at each run. */
export function scatterOf(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 * seed) * 4);
}

/** The elements of an output of this shape after a kernel wrote it. */
export function run(shape: Shape, dtype: DType, kernel: (out: Strided) => void): number[] {
  const out = blank(shape, dtype);
  kernel(out);
  return valuesOf(out);
}
