import { blockedKernels, M_BLOCK } from './blocked.ts';
import { directKernels } from './direct.ts';
import { type FloatDType, floatTypes } from './floats.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';

/** Elements of k that one pass takes at most, so that a panel stays in the first cache. */
const K_BLOCK = 256;
/** Columns of the right operand packed at a time. */
const N_BLOCK = 1024;

/**
 * Elements of the left operand that are read where they lie rather than packed: once per panel of the right
 * one, which scattered rows make slow sooner.
 */
const DENSE_ROWS = 16384;
const SCATTERED_ROWS = 3072;

const panels = new Scratch();

/**
 * c = a b for an m by k and a k by n matrix, where c's rows are dense; addresses and steps in bytes. All ways
 * to compute it give the same bits, except that few rows times columns dense in k are summed by `dots`.
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
): void {
  const bytes = floatTypes[dtype].bytes;
  if (m <= 3 && bStep === bytes && aStep === bytes && (bColumn !== bytes || n === 1)) {
    for (let i = 0; i < m; i++) directKernels(dtype).dots(n, k, a + i * aRow, b, bColumn, c + i * cRow);
    return;
  }
  const kBlock = blockOf(k);
  const tileBytes = spareBytes();
  if (n <= 32 || m <= 4 || m * k <= (aStep === bytes ? DENSE_ROWS : SCATTERED_ROWS)) {
    const { direct } = directKernels(dtype);
    const spare = panels.take(tileBytes + kBlock * 32);
    for (let p = 0; p < k; p += kBlock) {
      const depth = Math.min(kBlock, k - p);
      const add = p === 0 ? 0 : 1;
      direct(m, n, depth, a + p * aStep, aRow, aStep, b + p * bStep, bStep, bColumn, c, cRow, add, spare);
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
        kernels.block(height, width, depth, rows, columns, at, cRow, p === 0 ? 0 : 1, spare);
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
