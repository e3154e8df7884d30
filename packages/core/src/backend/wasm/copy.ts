import { type DType, dtypeInfo } from '../../dtype.ts';
import { isContiguous, numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import {
  Assembler,
  f32,
  f32x4,
  f64,
  f64x2,
  type FunctionBuilder,
  i32,
  i8x16,
  type Local,
  v128,
  type Value,
} from './assembler.ts';
import { defineTranspose } from './transpose.ts';
import { forOuter, walk } from './walk.ts';
import { alone, eachPiece, type Work, workOf } from './work.ts';

/** Copies of one pair of dtypes; strides in bytes. */
interface CopyKernels {
  /** Three nested loops. */
  loops(
    ...args: [
      out: number,
      x: number,
      n0: number,
      n1: number,
      n2: number,
      ...outStrides: Triple,
      ...xStrides: Triple,
    ]
  ): void;
  /** `count` elements that lie densely on both sides. */
  dense(out: number, x: number, count: number): void;
  /** out[i, j] = x[j, i]: rows of out, and columns of x, are dense. */
  transpose(out: number, x: number, rows: number, columns: number, outStride: number, xStride: number): void;
}
type Triple = [number, number, number];

type ScalarType = 'f32' | 'f64' | 'i32';

/** How elements of each dtype are read and written. */
const access: Readonly<
  Record<DType, { type: ScalarType; load: (p: Value<'i32'>, offset?: number) => Value }>
> = {
  float32: { type: 'f32', load: f32.load },
  float64: { type: 'f64', load: f64.load },
  int32: { type: 'i32', load: i32.load },
  uint8: { type: 'i32', load: i32.load8U },
  bool: { type: 'i32', load: i32.load8U },
};

const identity = (x: Value): Value => x;
type Conversion = (x: Value<never>) => Value;
/** Conversions of scalars, from and to. */
const conversions: Readonly<Record<ScalarType, Readonly<Record<ScalarType, Conversion>>>> = {
  f32: { f32: identity, f64: f64.fromF32, i32: i32.truncF32 },
  f64: { f32: f32.fromF64, f64: identity, i32: i32.truncF64 },
  i32: { f32: f32.fromI32, f64: f64.fromI32, i32: identity },
};
const isNonZero: Readonly<Record<ScalarType, Conversion>> = {
  f32: (x) => f32.ne(x, 0),
  f64: (x) => f64.ne(x, 0),
  i32: (x) => i32.ne(x, 0),
};

function convert(x: Value, from: DType, to: DType): Value {
  const type = access[from].type;
  const conversion = to === 'bool' && from !== 'bool' ? isNonZero[type] : conversions[type][access[to].type];
  return conversion(x as Value<never>);
}

function storeElement(f: FunctionBuilder, dtype: DType, address: Value<'i32'>, value: Value): void {
  if (dtypeInfo[dtype].bytes === 1) f.store8(address, value as Value<'i32'>);
  else f.store(address, value);
}

/** Rows of so many bytes are copied by vectors: the instruction for memory has a cost per call. */
const SHORT_ROW = 512;

/** Whether copying bytes copies elements. */
function sameBytes(from: DType, to: DType): boolean {
  return from === to || (from === 'bool' && to === 'uint8');
}

function build(from: DType, to: DType): CopyKernels {
  const assembler = new Assembler();
  const outBytes = dtypeInfo[to].bytes;
  const xBytes = dtypeInfo[from].bytes;
  const element = (f: FunctionBuilder, out: Value<'i32'>, x: Value<'i32'>): void =>
    storeElement(f, to, out, convert(access[from].load(x), from, to));

  const dense = assembler.function(
    'dense',
    { out: 'i32', x: 'i32', count: 'i32' },
    null,
    (f, { out, x, count }) => {
      if (sameBytes(from, to)) f.copyMemory(out, x, i32.mul(count, outBytes));
      else {
        f.repeat(count, () => {
          element(f, out, x);
          f.increment(out, outBytes);
          f.increment(x, xBytes);
        });
      }
    },
  );

  const shape = { out: 'i32', x: 'i32', n0: 'i32', n1: 'i32', n2: 'i32' } as const;
  const strides = { out0: 'i32', out1: 'i32', out2: 'i32', x0: 'i32', x1: 'i32', x2: 'i32' } as const;
  assembler.function('loops', { ...shape, ...strides }, null, (f, p) => {
    const outRow = f.i32();
    const xRow = f.i32();
    const outAt = f.i32();
    const xAt = f.i32();
    const isDense = f.i32(i32.and(i32.eq(p.out2, outBytes), i32.eq(p.x2, xBytes)));
    const isLong = f.i32(from === to ? i32.gt(p.n2, SHORT_ROW / outBytes) : i32.const(1));
    const isFill = f.i32(i32.and(i32.eq(p.out2, outBytes), i32.eqz(p.x2)));
    f.repeat(p.n0, () => {
      f.set(outRow, p.out);
      f.set(xRow, p.x);
      f.repeat(p.n1, () => {
        f.if(
          i32.and(isDense, isLong),
          () => f.call(dense, outRow, xRow, p.n2),
          () => {
            f.set(outAt, outRow);
            f.set(xAt, xRow);
            const left = f.i32(p.n2);
            if (from === to) {
              f.if(isFill, () => fill(f, to, outAt, xAt, left));
              f.if(isDense, () => copyVectors(f, outBytes, outAt, xAt, left));
            }
            f.repeat(left, () => {
              element(f, outAt, xAt);
              f.increment(outAt, p.out2);
              f.increment(xAt, p.x2);
            });
          },
        );
        f.increment(outRow, p.out1);
        f.increment(xRow, p.x1);
      });
      f.increment(p.out, p.out0);
      f.increment(p.x, p.x0);
    });
  });
  if (from === to && outBytes > 1) defineTranspose(assembler, outBytes as 4 | 8, element);
  return assembler.compile<CopyKernels>();
}

/** Copies whole vectors, and moves the pointers and `left` to what remains. */
function copyVectors(
  f: FunctionBuilder,
  bytes: number,
  out: Local<'i32'>,
  x: Local<'i32'>,
  left: Local<'i32'>,
): void {
  f.while(
    () => i32.ge(left, 16 / bytes),
    () => {
      f.store(out, v128.load(x));
      f.increment(out, 16);
      f.increment(x, 16);
      f.increment(left, -16 / bytes);
    },
  );
}

/** Repeats one element in whole vectors, and moves `out` and `left` to what remains. */
function fill(
  f: FunctionBuilder,
  dtype: DType,
  out: Local<'i32'>,
  x: Value<'i32'>,
  left: Local<'i32'>,
): void {
  const { bytes } = dtypeInfo[dtype];
  const splat = { 1: i8x16, 4: f32x4, 8: f64x2 }[bytes].loadSplat(x);
  const vector = f.local('v128', splat);
  f.while(
    () => i32.ge(left, 16 / bytes),
    () => {
      f.store(out, vector);
      f.increment(out, 16);
      f.increment(left, -16 / bytes);
    },
  );
}

const built = new Map<number, CopyKernels>();

function kernelsFor(from: DType, to: DType): CopyKernels {
  const key = dtypeInfo[from].code * 8 + dtypeInfo[to].code;
  let kernels = built.get(key);
  if (kernels === undefined) built.set(key, (kernels = build(from, to)));
  return kernels;
}

/** What it takes one thread to copy a byte of dense memory, and an element anywhere. */
const BYTE_NANOSECONDS = 0.05;
const ELEMENT_NANOSECONDS = 0.5;
/** Elements of a task at least, and what numbers of dense elements and of rows that are turned are multiples of. */
const LEAST_PIECE = 4096;
const DENSE_UNIT = 64;
const ROWS_UNIT = 16;

/** out = x in out's dtype. */
export function copy(out: Strided, x: Strided): void {
  const count = numel(out.shape);
  if (count === 0) return;
  const outBytes = dtypeInfo[out.dtype].bytes;
  const xBytes = dtypeInfo[x.dtype].bytes;
  const outAddress = addressOf(out.storage) + out.offset * outBytes;
  const xAddress = addressOf(x.storage) + x.offset * xBytes;
  const table = kernelsFor(x.dtype, out.dtype);
  if (isContiguous(out.shape, out.strides) && isContiguous(x.shape, x.strides)) {
    const work = workOf(count * (outBytes + xBytes) * BYTE_NANOSECONDS);
    if (work === alone) table.dense(outAddress, xAddress, count);
    else shareDense(work, table, outAddress, outBytes, xAddress, xBytes, count);
    return;
  }
  const work = workOf(count * ELEMENT_NANOSECONDS);
  if (work === alone && out.shape.length === 2 && out.strides[1] === 1) {
    const [rows, columns] = out.shape as [number, number];
    const o1 = out.strides[0]! * outBytes;
    const x1 = x.strides[0]! * xBytes;
    const x2 = x.strides[1]! * xBytes;
    if (x.dtype !== out.dtype || outBytes === 1 || x1 !== xBytes) {
      table.loops(outAddress, xAddress, 1, rows, columns, 0, o1, outBytes, 0, x1, x2);
    } else table.transpose(outAddress, xAddress, rows, columns, o1, x2);
    return;
  }
  const loops = walk(out.shape, [out.strides, x.strides], 3);
  const depth = loops.sizes.length;
  const sizes = tripleAt(loops.sizes, depth - 3, 1);
  const outStrides = tripleAt(loops.strides[0]!, depth - 3, outBytes);
  const xStrides = tripleAt(loops.strides[1]!, depth - 3, xBytes);
  const [n0, n1, n2] = sizes;
  const [o0, o1, o2] = outStrides;
  const [x0, x1, x2] = xStrides;
  const isTransposed = x.dtype === out.dtype && outBytes > 1 && o2 === outBytes && x1 === xBytes && n1 > 1;
  if (work === alone && depth === 3 && !isTransposed) {
    table.loops(outAddress, xAddress, n0, n1, n2, o0, o1, o2, x0, x1, x2);
    return;
  }
  const isShared = work !== alone && (isTransposed ? n1 * n2 : n0 * n1 * n2) >= LEAST_PIECE;
  forOuter(loops, depth - 3, ([outOffset = 0, xOffset = 0]) => {
    const o = outAddress + outOffset * outBytes;
    const p = xAddress + xOffset * xBytes;
    if (isTransposed) {
      for (let i = 0; i < n0; i++) {
        const [to, from] = [o + i * o0, p + i * x0];
        if (!isShared) table.transpose(to, from, n1, n2, o1, x2);
        else shareTranspose(work, table, to, from, n1, n2, o1, x2, xBytes);
      }
    } else if (!isShared) table.loops(o, p, n0, n1, n2, o0, o1, o2, x0, x1, x2);
    else shareLoops(work, table, o, p, sizes, outStrides, xStrides);
  });
  work.run();
}

/** Three entries of a list, times a factor. */
function tripleAt(list: readonly number[], at: number, factor: number): Triple {
  return [list[at]! * factor, list[at + 1]! * factor, list[at + 2]! * factor];
}

function shareDense(
  work: Work,
  table: CopyKernels,
  out: number,
  outBytes: number,
  x: number,
  xBytes: number,
  count: number,
): void {
  const { dense } = work.kernels(table);
  eachPiece(work.width, count, DENSE_UNIT, LEAST_PIECE, (first, size) => {
    work.task();
    dense(out + first * outBytes, x + first * xBytes, size);
  });
  work.run();
}

function shareTranspose(
  work: Work,
  table: CopyKernels,
  out: number,
  x: number,
  rows: number,
  columns: number,
  outStride: number,
  xStride: number,
  bytes: number,
): void {
  const { transpose } = work.kernels(table);
  eachPiece(work.width, rows, ROWS_UNIT, Math.ceil(LEAST_PIECE / columns), (first, size) => {
    work.task();
    transpose(out + first * outStride, x + first * bytes, size, columns, outStride, xStride);
  });
}

/** Divides the longest of three loops. */
function shareLoops(
  work: Work,
  table: CopyKernels,
  out: number,
  x: number,
  sizes: Triple,
  outStrides: Triple,
  xStrides: Triple,
): void {
  const { loops } = work.kernels(table);
  const longest = Math.max(...sizes);
  const along = sizes.indexOf(longest);
  const others = (sizes[0] * sizes[1] * sizes[2]) / longest;
  eachPiece(work.width, longest, 1, Math.ceil(LEAST_PIECE / others), (first, size) => {
    work.task();
    const part = sizes.with(along, size) as Triple;
    loops(out + first * outStrides[along]!, x + first * xStrides[along]!, ...part, ...outStrides, ...xStrides);
  });
}
