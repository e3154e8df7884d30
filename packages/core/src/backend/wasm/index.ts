import type { Backend } from '../types.ts';
import { convolution, convolutionInput, convolutionWeight } from './convolution.ts';
import { copy } from './copy.ts';
import { dense, elementwise } from './elementwise.ts';
import { extremum } from './extremum.ts';
import { gather, scatter } from './indexing.ts';
import { matmul } from './matmul.ts';
import { averagePool, averagePoolTranspose, maxPool } from './pooling.ts';
import { reduce } from './reduce.ts';
import { rows } from './rows.ts';
import { scan } from './scan.ts';
import { sort } from './sort.ts';
import { update } from './update.ts';

/**
 * The backend for every CPU: SIMD kernels whose WebAssembly is written when it is first needed. It runs where
 * WebAssembly has 128-bit SIMD, on pages too whose Content Security Policy allows `wasm-unsafe-eval` only.
 */
export const wasmBackend: Backend = {
  name: 'wasm',
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
