import type { Heap, MatrixProduct } from '@tapegrad/core';

/** `cblas_sgemm` or `cblas_dgemm`, with addresses of the process as numbers. */
export type Gemm = (
  order: number,
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  aLine: number,
  b: number,
  bLine: number,
  beta: number,
  c: number,
  cLine: number,
) => void;

/** The product of matrices of each floating-point type. */
export interface Gemms {
  readonly float32: Gemm;
  readonly float64: Gemm;
}

/** Values of CBLAS's enumerations. */
const ROW_MAJOR = 101;
const AS_IT_LIES = 111;
const TRANSPOSED = 112;

const BYTES = { float32: 4, float64: 8 } as const;

/** Below so many multiplications a call costs more than it saves. */
const FEWEST_PRODUCTS = 6000;

/**
 * The product of matrices in the heap by a BLAS. Our own kernels compute what is small, and what BLAS can't read: it
 * wants rows or columns that are dense, and at least as far apart as they are long.
 *
 * @param addressOf where an array lies in the process
 * @param prepare called before each product by the BLAS
 */
export function blasProduct(
  gemms: Gemms,
  own: MatrixProduct,
  heap: Heap,
  addressOf: (array: Uint8Array) => number,
  prepare: () => void = () => undefined,
): MatrixProduct {
  let seen: Uint8Array | null = null;
  let base = 0;
  return (dtype, m, n, k, a, aRow, aStep, b, bStep, bColumn, c, cRow, add) => {
    const bytes = BYTES[dtype];
    const aLine = lineOf(m, k, aRow / bytes, aStep / bytes);
    const bLine = lineOf(k, n, bStep / bytes, bColumn / bytes);
    if (m * n * k < FEWEST_PRODUCTS || aLine === 0 || bLine === 0) {
      own(dtype, m, n, k, a, aRow, aStep, b, bStep, bColumn, c, cRow, add);
      return;
    }
    prepare();
    if (heap.u8 !== seen) {
      seen = heap.u8;
      base = addressOf(seen);
    }
    const cLine = m === 1 ? n : cRow / bytes;
    const aLies = aLine > 0 ? AS_IT_LIES : TRANSPOSED;
    const bLies = bLine > 0 ? AS_IT_LIES : TRANSPOSED;
    const beta = add ? 1 : 0;
    const left = Math.abs(aLine);
    const right = Math.abs(bLine);
    gemms[dtype](ROW_MAJOR, aLies, bLies, m, n, k, 1, base + a, left, base + b, right, beta, base + c, cLine);
  };
}

/**
 * How far the dense lines of a matrix lie apart, in elements: its rows if positive, its columns if negative; 0 if
 * neither are dense, or lines overlap. What lies apart is up to us where there is only one of it.
 */
function lineOf(rows: number, columns: number, row: number, step: number): number {
  if (step === 1 || columns === 1) {
    if (rows === 1) return columns;
    if (row >= columns) return row;
  }
  if (row === 1 || rows === 1) {
    if (columns === 1) return -rows;
    if (step >= rows) return -step;
  }
  return 0;
}

/**
 * Multiplies two small matrices, one of them transposed, whose product is known: a library whose interface is another
 * than we think would do something else.
 */
export function isRight(gemms: Gemms, addressOf: (array: Float32Array | Float64Array) => number): boolean {
  return [gemms.float32, gemms.float64].every((gemm, i) => {
    const from = (values: number[]): Float32Array | Float64Array => (i === 0 ? Float32Array : Float64Array).from(values);
    const [a, b, c] = [from([1, 2, 3, 4, 5, 6]), from([1, 0, 2, 0, 1, 3]), from([9, 9, 9, 9, 9, 9])];
    gemm(ROW_MAJOR, AS_IT_LIES, TRANSPOSED, 2, 2, 3, 1, addressOf(a), 3, addressOf(b), 3, 0, addressOf(c), 3);
    return [7, 11, 9, 16, 23, 9].every((value, k) => c[k] === value);
  });
}
