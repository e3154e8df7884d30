import type { Backend } from '../types.ts';
import { convolution, convolutionInput, convolutionWeight } from './convolution.ts';
import { copy } from './copy.ts';
import { dense, elementwise, update } from './elementwise.ts';
import { extremum, reduce, scan } from './fold.ts';
import { gather, scatter } from './indexing.ts';
import { matmul } from './matmul.ts';
import { averagePool, averagePoolTranspose, maxPool } from './pooling.ts';
import { sort } from './row.ts';
import { rows } from './rows.ts';

export { copyToNdarray, viewOf } from './ndarray.ts';

/**
 * The obviously right backend: ndarray views, ndarray-ops and loops in float64. It is slow and the measure
 * of all others. Its packages generate code at run time, so a page that forbids that cannot load it.
 */
export const reference: Backend = {
  name: 'reference',
  kernels: {
    elementwise,
    dense,
    copy,
    reduce,
    extremum,
    matmul,
    convolution,
    convolutionInput,
    convolutionWeight,
    maxPool,
    averagePool,
    averagePoolTranspose,
    gather,
    scatter,
    scan,
    sort,
    rows,
    update,
  },
};
