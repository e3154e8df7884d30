import { addressOf, Storage } from '../../storage.ts';
import { blockedKernels, M_BLOCK } from './blocked.ts';
import { directKernels } from './direct.ts';
import { type FloatDType, floatTypes } from './floats.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns } from './tile.ts';
import { eachPiece, type Work, workOf } from './work.ts';

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
const spares = new Scratch();

/** Rows of the left operand that are packed before threads go on to multiply, in blocks. */
const SHARED_BLOCKS = 16;
/** Columns of a task at least. */
const LEAST_COLUMNS = 64;
/** What a multiplication and an addition take one thread, per byte of an element. */
const NANOSECONDS_PER_BYTE = 0.011;

/** About what a product takes one thread. */
export function productNanoseconds(dtype: FloatDType, m: number, n: number, k: number): number {
  return m * n * k * floatTypes[dtype].bytes * NANOSECONDS_PER_BYTE;
}

/** The columns of a right operand, packed as products want them. */
export interface PackedColumns {
  readonly storage: Storage;
  /** Whether a product has packed them. */
  isFilled: boolean;
}

/** Room for the packed columns of a k by n matrix. */
export function roomForColumns(dtype: FloatDType, n: number, k: number): PackedColumns {
  const storage = new Storage(k * wholePanels(dtype, n) * floatTypes[dtype].bytes);
  const columns = { storage, isFilled: false };
  storage.owner = new WeakRef(columns);
  return columns;
}

function wholePanels(dtype: FloatDType, n: number): number {
  const panel = tileColumns(floatTypes[dtype]);
  return Math.ceil(n / panel) * panel;
}

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
 * @param within the work that this product is a part of; its operands may lie in memory that only a task sees
 * @param packed the columns of b, for this product and others
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
  within: Work | null = null,
  packed: PackedColumns | null = null,
): void {
  const work = within ?? workOf(productNanoseconds(dtype, m, n, k));
  const bytes = floatTypes[dtype].bytes;
  if (packed === null && m <= 3 && bStep === bytes && aStep === bytes && (bColumn !== bytes || n === 1)) {
    if (work.width === 1) dots(dtype, m, n, k, a, aRow, b, bColumn, c, cRow, add, work);
    else {
      eachPiece(work.width, n, 1, 1, (j, width) => {
        work.task();
        dots(dtype, m, width, k, a, aRow, b + j * bColumn, bColumn, c + j * bytes, cRow, add, work);
      });
      work.run();
    }
  } else if (packed === null && (n <= 32 || m <= 4 || m * k <= (aStep === bytes ? DENSE_ROWS : SCATTERED_ROWS))) {
    if (work.width === 1) direct(dtype, m, n, k, a, aRow, aStep, b, bStep, bColumn, c, cRow, add, work);
    else {
      const [height, width] = m > n ? [Math.ceil(m / work.width / 30) * 30, n] : [m, Math.ceil(n / work.width / 32) * 32];
      eachBlock(m, n, height, width, (i, rows, j, columns) => {
        work.task();
        const [from, right, to] = [a + i * aRow, b + j * bColumn, c + i * cRow + j * bytes];
        direct(dtype, rows, columns, k, from, aRow, aStep, right, bStep, bColumn, to, cRow, add, work.inside());
      });
      work.run();
    }
  } else blocked(dtype, m, n, k, a, aRow, aStep, b, bStep, bColumn, c, cRow, add, work, packed);
}

/** c (+)= a b for a few rows and columns dense in k. */
function dots(
  dtype: FloatDType,
  m: number,
  n: number,
  k: number,
  a: number,
  aRow: number,
  b: number,
  bColumn: number,
  c: number,
  cRow: number,
  add: boolean,
  work: Work,
): void {
  const kernels = work.kernels(directKernels(dtype));
  for (let i = 0; i < m; i++) kernels.dots(n, k, a + i * aRow, b, bColumn, c + i * cRow, add ? 1 : 0);
}

/** c = a b by reading a where it lies. */
function direct(
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
  work: Work,
): void {
  const kernels = work.kernels(directKernels(dtype));
  const kBlock = blockOf(k);
  const spare = work.take(panels, spareBytes() + kBlock * 32);
  for (let p = 0; p < k; p += kBlock) {
    const depth = Math.min(kBlock, k - p);
    const adds = add || p > 0 ? 1 : 0;
    kernels.direct(m, n, depth, a + p * aStep, aRow, aStep, b + p * bStep, bStep, bColumn, c, cRow, adds, spare);
  }
}

/**
 * c = a b by packing both operands. Several threads share what is packed: all of them pack, then all multiply.
 */
function blocked(
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
  work: Work,
  packed: PackedColumns | null,
): void {
  const { packColumns, packRows, block } = work.kernels(blockedKernels(dtype));
  const bytes = floatTypes[dtype].bytes;
  const panel = tileColumns(floatTypes[dtype]);
  const [group, height] = work.width === 1 ? [M_BLOCK, M_BLOCK] : [M_BLOCK * SHARED_BLOCKS, M_BLOCK / 2];
  const kBlock = blockOf(k);
  const rowsBytes = kBlock * Math.min(group, Math.ceil(m / M_BLOCK) * M_BLOCK) * bytes;
  const columnsBytes = packed === null ? kBlock * (Math.min(n, N_BLOCK) + panel) * bytes : 0;
  const rows = work.take(panels, rowsBytes + columnsBytes);
  let columns = packed === null ? rows + rowsBytes : addressOf(packed.storage);
  for (let j = 0; j < n; j += N_BLOCK) {
    const width = Math.min(N_BLOCK, n - j);
    for (let p = 0; p < k; p += kBlock) {
      const depth = Math.min(kBlock, k - p);
      const from = b + p * bStep + j * bColumn;
      const to = columns;
      if (packed?.isFilled !== true) {
        eachPiece(work.width, width, panel, LEAST_COLUMNS, (x, size) => {
          work.task();
          packColumns(to + x * depth * bytes, from + x * bColumn, bStep, bColumn, depth, size);
        });
      }
      for (let i = 0; i < m; i += group) {
        const end = Math.min(m, i + group);
        for (let y = i; y < end; y += M_BLOCK) {
          work.task();
          packRows(rows + (y - i) * depth * bytes, a + y * aRow + p * aStep, aStep, aRow, depth, Math.min(M_BLOCK, end - y));
        }
        work.run();
        const across = Math.max(1, Math.min(Math.ceil((work.width * height) / (end - i)), Math.floor(width / LEAST_COLUMNS)));
        eachBlock(end - i, width, height, Math.ceil(width / across / panel) * panel, (y, taken, x, size) => {
          work.task();
          const spare = work.inside().take(spares, spareBytes());
          const [left, right] = [rows + y * depth * bytes, to + x * depth * bytes];
          block(taken, size, depth, left, right, c + (i + y) * cRow + (j + x) * bytes, cRow, add || p > 0 ? 1 : 0, spare);
        });
        work.run();
      }
      if (packed !== null) columns += depth * wholePanels(dtype, width) * bytes;
    }
  }
  if (packed !== null) packed.isFilled = true;
}

/** Visits a matrix in blocks. */
function eachBlock(
  m: number,
  n: number,
  height: number,
  width: number,
  body: (i: number, rows: number, j: number, columns: number) => void,
): void {
  for (let i = 0; i < m; i += height) {
    for (let j = 0; j < n; j += width) body(i, Math.min(height, m - i), j, Math.min(width, n - j));
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
