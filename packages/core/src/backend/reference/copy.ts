import type { Kernels } from '../types.ts';
import { store, viewOf } from './ndarray.ts';

/** Element by element; the arrays convert. */
export const copy: Kernels['copy'] = (out, x) => store(out, viewOf(x));
