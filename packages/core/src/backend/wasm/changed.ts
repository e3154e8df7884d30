import type { Strided } from '../types.ts';

/** Another geometry of the same elements, or other elements. Copies what a tensor has as accessors, which `...` would lose. */
export function changed(x: Strided, changes: Partial<Pick<Strided, 'storage' | 'offset' | 'shape' | 'strides'>>): Strided {
  const { storage, offset, shape, strides, dtype, owner = null } = x;
  return { storage, offset, shape, strides, dtype, owner, ...changes };
}
