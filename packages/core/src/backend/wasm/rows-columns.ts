import { type Assembler, type Callable, f32x4, f64x2, type FunctionBuilder, i32, type Local, v128, type Value } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';
import { type FloatDType, type FloatType, floatTypes } from './floats.ts';

/** Rows whose sums stay in single precision before they are added to the totals. */
const BLOCK = 32;

/** Columns are summed in whole vectors. */
const paddedColumns = (columns: number): number => Math.ceil(columns / 4) * 4;

/** Bytes that the sums of so many columns take: for float32 partial sums, and totals in double precision behind them. */
export function columnBytes(columns: number, dtype: FloatDType): number {
  return paddedColumns(columns) * (dtype === 'float32' ? 12 : 8);
}

/** Code for sums over the rows, per column, in memory that has `columnBytes`. */
export class ColumnSums {
  private readonly float: FloatType;
  private readonly spill: Callable<null> | null = null;
  private readonly finished: Callable<null> | null = null;

  constructor(assembler: Assembler, dtype: FloatDType) {
    this.float = floatTypes[dtype];
    if (dtype !== 'float32') return;
    const params = { sums: 'i32', totals: 'i32', vectors: 'i32' } as const;
    this.spill = assembler.function(null, params, null, (f, { sums, totals, vectors }) => {
      f.repeat(vectors, () => {
        halvesOf(v128.load(sums)).forEach((half, k) => {
          f.store(totals, f64x2.add(f64x2.load(totals, k * 16), half), k * 16);
        });
        f.store(sums, f32x4.const(0));
        f.increment(sums, 16);
        f.increment(totals, 32);
      });
    });
    this.finished = assembler.function(null, params, null, (f, { sums, totals, vectors }) => {
      f.repeat(vectors, () => {
        const [low, high] = [0, 16].map((k) => f32x4.demoteF64x2(f64x2.load(totals, k))) as [Vector, Vector];
        f.store(sums, f32x4.shuffle(low, high, [0, 1, 4, 5]));
        f.increment(sums, 16);
        f.increment(totals, 32);
      });
    });
  }

  private vectors(columns: Local<'i32'>): Value<'i32'> {
    return i32.shrU(i32.add(columns, 3), 2);
  }

  private totals(sums: Local<'i32'>, columns: Local<'i32'>): Value<'i32'> {
    return i32.add(sums, i32.shl(this.vectors(columns), 4));
  }

  /** Sets all sums to 0. */
  start(f: FunctionBuilder, sums: Local<'i32'>, columns: Local<'i32'>): void {
    const bytes = this.float.dtype === 'float32' ? 48 : 32;
    f.fillMemory(sums, 0, i32.mul(this.vectors(columns), bytes));
  }

  /** Adds a vector, or the lanes of it that the mask names. */
  add(f: FunctionBuilder, at: Local<'i32'>, offset: number, value: Vector, mask: Vector | null): void {
    const addend = mask === null ? value : v128.and(value, mask);
    f.store(at, this.float.lanes.add(v128.load(at, offset), addend), offset);
  }

  /** Adds the sums to the totals every so many rows. */
  afterRow(f: FunctionBuilder, sums: readonly Local<'i32'>[], columns: Local<'i32'>): void {
    if (this.spill === null || sums.length === 0) return;
    const taken = f.i32();
    f.increment(taken, 1);
    f.if(i32.eq(taken, BLOCK), () => {
      for (const sum of sums) this.callOn(f, this.spill!, sum, columns);
      f.set(taken, i32.const(0));
    });
  }

  private callOn(f: FunctionBuilder, callee: Callable<null>, sums: Local<'i32'>, columns: Local<'i32'>): void {
    f.call(callee, sums, this.totals(sums, columns), this.vectors(columns));
  }

  /** Leaves the sums in the dtype of the result. */
  finish(f: FunctionBuilder, sums: Local<'i32'>, columns: Local<'i32'>): void {
    if (this.spill === null) return;
    this.callOn(f, this.spill, sums, columns);
    this.callOn(f, this.finished!, sums, columns);
  }
}

function halvesOf(sums: Vector): Vector[] {
  return [f64x2.promoteF32x4(sums), f64x2.promoteF32x4(f32x4.shuffle(sums, sums, [2, 3, 2, 3]))];
}
