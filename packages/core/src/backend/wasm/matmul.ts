import { dtypeInfo, type TypedArray } from '../../dtype.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, hostArray, Storage } from '../../storage.ts';
import type { FormSlot, Strided } from '../types.ts';
import { changed } from './changed.ts';
import { copy } from './copy.ts';
import { type FloatDType, isFloatDType } from './floats.ts';
import { gemm, type PackedColumns, product, productNanoseconds, roomForColumns } from './gemm.ts';
import { alone, workOf } from './work.ts';

/** out[..., m, n] = a[..., m, k] b[..., k, n], or += if `add` is set. */
export function matmul(out: Strided, a: Strided, b: Strided, add = false): void {
  const rank = out.shape.length;
  const m = out.shape[rank - 2]!;
  const n = out.shape[rank - 1]!;
  const k = a.shape[rank - 1]!;
  if (!isFloatDType(out.dtype)) integerMatmul(out, a, b);
  else if (k === 0) {
    if (!add) copy(out, zeros(out));
  } else if (m !== 0 && n !== 0) {
    const rowsAreDense = out.strides[rank - 1] === 1 || n === 1;
    const columnsAreDense = out.strides[rank - 2] === 1 || m === 1;
    // A single column is a single row of the transposed product.
    if (columnsAreDense && (n === 1 || !rowsAreDense)) products(out.dtype, 1, out, b, a, n, m, k, add);
    else if (rowsAreDense) products(out.dtype, 0, out, a, b, m, n, k, add);
    else throughCopy(out, a, b, add);
  }
}

/**
 * All products of a batch.
 * @param swap 1 if the product is computed transposed: the two last dims of all operands change places
 */
function products(
  dtype: FloatDType,
  swap: 0 | 1,
  out: Strided,
  a: Strided,
  b: Strided,
  m: number,
  n: number,
  k: number,
  add: boolean,
): void {
  const { bytes } = dtypeInfo[dtype];
  const rank = out.shape.length;
  const row = rank - 2 + swap;
  const column = rank - 1 - swap;
  const aRow = a.strides[row]! * bytes;
  const aStep = a.strides[column]! * bytes;
  const bStep = b.strides[row]! * bytes;
  const bColumn = b.strides[column]! * bytes;
  const cRow = out.strides[row]! * bytes;
  const aStart = addressOf(a.storage) + a.offset * bytes;
  const bStart = addressOf(b.storage) + b.offset * bytes;
  const cStart = addressOf(out.storage) + out.offset * bytes;
  let batchRank = rank - 2;
  let rows = m;
  // Batches that share b and follow each other in a and out are rows of one product.
  while (batchRank > 0 && rows > 1 && isMoreRows(batchRank - 1, row, rows, out, a, b)) {
    batchRank--;
    rows *= out.shape[batchRank]!;
  }
  const slot = swap === 0 && product.gemm === gemm ? b.formSlot : null;
  if (batchRank === 0 && slot) {
    const packed = packedIn(slot, dtype, n, k);
    gemm(dtype, rows, n, k, aStart, aRow, aStep, bStart, bStep, bColumn, cStart, cRow, add, null, packed);
  } else if (batchRank === 0) product.gemm(dtype, rows, n, k, aStart, aRow, aStep, bStart, bStep, bColumn, cStart, cRow, add);
  else {
    // A product by others can't be put on a list.
    const count = numel(out.shape.slice(0, batchRank));
    const work = count < FEW || product.gemm !== gemm ? alone : workOf(count * productNanoseconds(dtype, rows, n, k));
    const inside = work.inside();
    const one: Product = (x, y, z) => {
      work.task();
      // Few products are divided each by itself.
      if (work === alone) product.gemm(dtype, rows, n, k, x, aRow, aStep, y, bStep, bColumn, z, cRow, add);
      else gemm(dtype, rows, n, k, x, aRow, aStep, y, bStep, bColumn, z, cRow, add, inside);
    };
    eachBatch(0, batchRank, out, a, b, bytes, aStart, bStart, cStart, one);
    work.run();
  }
}

function packedIn(slot: FormSlot, dtype: FloatDType, n: number, k: number): PackedColumns {
  return (slot.form ??= roomForColumns(dtype, n, k)) as PackedColumns;
}

/** So many products of a batch are not enough for several threads. */
const FEW = 8;

type Product = (aAddress: number, bAddress: number, cAddress: number) => void;

function eachBatch(
  dim: number,
  batchRank: number,
  out: Strided,
  a: Strided,
  b: Strided,
  bytes: number,
  aAt: number,
  bAt: number,
  cAt: number,
  product: Product,
): void {
  if (dim === batchRank) {
    product(aAt, bAt, cAt);
    return;
  }
  const aBatch = a.strides[dim]! * bytes;
  const bBatch = b.strides[dim]! * bytes;
  const cBatch = out.strides[dim]! * bytes;
  for (let i = 0; i < out.shape[dim]!; i++) {
    const [x, y, z] = [aAt + i * aBatch, bAt + i * bBatch, cAt + i * cBatch];
    eachBatch(dim + 1, batchRank, out, a, b, bytes, x, y, z, product);
  }
}

function isMoreRows(dim: number, row: number, rows: number, out: Strided, a: Strided, b: Strided): boolean {
  return (
    b.strides[dim] === 0 &&
    a.strides[dim] === rows * a.strides[row]! &&
    out.strides[dim] === rows * out.strides[row]!
  );
}

/** Neither rows nor columns of out are dense: compute aside. */
function throughCopy(out: Strided, a: Strided, b: Strided, add: boolean): void {
  const storage = new Storage(numel(out.shape) * dtypeInfo[out.dtype].bytes);
  const dense = changed(out, { storage, offset: 0, strides: contiguousStrides(out.shape) });
  if (add) copy(dense, out);
  matmul(dense, a, b, add);
  copy(out, dense);
  freeStorage(storage);
}

/** Zeros of out's shape. */
function zeros(out: Strided): Strided {
  const storage = new Storage(dtypeInfo[out.dtype].bytes);
  hostArray(storage, out.dtype).fill(0);
  return changed(out, { storage, offset: 0, strides: out.shape.map(() => 0) });
}

/** Sums wrap around like those of the integer type. */
function integerMatmul(out: Strided, a: Strided, b: Strided): void {
  const rank = out.shape.length;
  const [x, y, z] = [a, b, out].map((t) => hostArray(t.storage, t.dtype)) as [
    TypedArray,
    TypedArray,
    TypedArray,
  ];
  const depth = a.shape[rank - 1]!;
  const aStep = a.strides[rank - 1]!;
  const bStep = b.strides[rank - 2]!;
  const visit = (dim: number, aAt: number, bAt: number, outAt: number): void => {
    if (dim === rank) {
      let sum = 0;
      for (let p = 0; p < depth; p++) sum = (sum + Math.imul(x[aAt + p * aStep]!, y[bAt + p * bStep]!)) | 0;
      z[outAt] = sum;
      return;
    }
    const aDim = dim === rank - 1 ? 0 : a.strides[dim]!;
    const bDim = dim === rank - 2 ? 0 : b.strides[dim]!;
    for (let i = 0; i < out.shape[dim]!; i++) {
      visit(dim + 1, aAt + i * aDim, bAt + i * bDim, outAt + i * out.strides[dim]!);
    }
  };
  visit(0, a.offset, b.offset, out.offset);
}
