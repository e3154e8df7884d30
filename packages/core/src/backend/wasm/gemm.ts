import { blockedKernels, M_BLOCK } from './blocked.ts';
import { directKernels } from './direct.ts';
import { type FloatDType, floatTypes } from './floats.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';

/** Elements of k that one pass takes at most, so that a panel stays in the first cache. */
const K_BLOCK = 256;
/** Columns of the right operand packed at a time. */
const N_BLOCK = 1024;

const panels = new Scratch();

/**
 * c = a b, or c += a b if `add` is set, for an m by k and a k by n matrix, none of which is empty. Addresses are places
 * in the heap; they and all distances are in bytes: rows of a lie `aRow` and their elements `aStep` apart, rows of b
 * `bStep` and their elements `bColumn`; rows of c are dense and lie `cRow` apart.
 */
export type MatrixProduct = (
  dtype: FloatDType,
  m: number,
  n: number,
  k: number,
  a: number,
  aRow: number,
  aStep: number,
  b: number,
  bStep: number,
  bColumn: number,
  c: number,
  cRow: number,
  add: boolean,
) => void;

/**
 * The product by our own kernels. All ways to compute it give the same bits, except that few rows times columns dense
 * in k are summed by `dots`.
 */
export function gemm(
  dtype: FloatDType,
  m: number,
  n: number,
  k: number,
  a: number,
  aRow: number,
  aStep: number,
  b: number,
  bStep: number,
  bColumn: number,
  c: number,
  cRow: number,
  add: boolean,
): void {
  const bytes = floatTypes[dtype].bytes;
  const addsFirst = add ? 1 : 0;
  if (!add && m <= 3 && bStep === bytes && aStep === bytes && (bColumn !== bytes || n === 1)) {
    for (let i = 0; i < m; i++) directKernels(dtype).dots(n, k, a + i * aRow, b, bColumn, c + i * cRow);
    return;
  }
  const kBlock = blockOf(k);
  const tileBytes = spareBytes();
  if (n <= 32 || m <= 4 || m * k <= 16384) {
    const { direct } = directKernels(dtype);
    const spare = panels.take(tileBytes + kBlock * 32);
    for (let p = 0; p < k; p += kBlock) {
      const depth = Math.min(kBlock, k - p);
      const adds = p === 0 ? addsFirst : 1;
      direct(m, n, depth, a + p * aStep, aRow, aStep, b + p * bStep, bStep, bColumn, c, cRow, adds, spare);
    }
    return;
  }
  const kernels = blockedKernels(dtype);
  const rowsBytes = kBlock * (M_BLOCK * bytes);
  const spare = panels.take(tileBytes + rowsBytes + kBlock * (Math.min(n, N_BLOCK) + 8) * bytes);
  const rows = spare + tileBytes;
  const columns = rows + rowsBytes;
  for (let j = 0; j < n; j += N_BLOCK) {
    const width = Math.min(N_BLOCK, n - j);
    for (let p = 0; p < k; p += kBlock) {
      const depth = Math.min(kBlock, k - p);
      kernels.packColumns(columns, b + p * bStep + j * bColumn, bStep, bColumn, depth, width);
      for (let i = 0; i < m; i += M_BLOCK) {
        const height = Math.min(M_BLOCK, m - i);
        kernels.packRows(rows, a + i * aRow + p * aStep, aStep, aRow, depth, height);
        const at = c + i * cRow + j * bytes;
        kernels.block(height, width, depth, rows, columns, at, cRow, p === 0 ? addsFirst : 1, spare);
      }
    }
  }
}

/** How many elements of k each pass takes: all passes nearly alike. */
export function blockOf(k: number): number {
  if (k <= K_BLOCK) return k;
  const passes = Math.ceil(k / K_BLOCK);
  return Math.ceil(k / passes / 4) * 4;
}

/** The product that matmul and convolution call; `replaceProducts` puts another in its place. */
export const product: { gemm: MatrixProduct } = { gemm };
