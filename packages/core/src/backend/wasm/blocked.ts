import { Assembler, i32 } from './assembler.ts';
import { type FloatDType, type FloatType, perFloatType } from './floats.ts';
import { definePacking } from './panel.ts';
import { defineStrip } from './strip.ts';
import { tileColumns, tileRows } from './tile.ts';

/** Kernels for products so large that packing both operands pays; steps and strides in bytes. */
export interface BlockedKernels {
  /** Packs rows of the left operand. */
  packRows(to: number, from: number, kStep: number, lineStep: number, k: number, lines: number): void;
  /** Packs columns of the right operand. */
  packColumns(to: number, from: number, kStep: number, lineStep: number, k: number, lines: number): void;
  /** c (+)= a b for packed operands of one block. */
  block(
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    c: number,
    cRow: number,
    add: number,
    spare: number,
  ): void;
}

/** Rows of the left operand packed at a time: a multiple of both heights of a tile. */
export const M_BLOCK = 120;

function build(float: FloatType): BlockedKernels {
  const assembler = new Assembler();
  definePacking(assembler, float, tileRows(), 'packRows');
  definePacking(assembler, float, tileColumns(float), 'packColumns');
  const strip = defineStrip(assembler, float, 'packed');
  const panelBytes = tileColumns(float) * float.bytes;
  const sizes = { m: 'i32', n: 'i32', k: 'i32' } as const;
  const operands = { a: 'i32', b: 'i32', c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;
  assembler.function('block', { ...sizes, ...operands }, null, (f, p) => {
    const step = i32.const(panelBytes);
    f.while(
      () => i32.gt(p.n, 0),
      () => {
        f.call(strip, p.m, p.n, p.k, p.a, step, step, p.b, step, p.c, p.cRow, p.add, p.spare);
        f.increment(p.b, i32.mul(p.k, panelBytes));
        f.increment(p.c, panelBytes);
        f.increment(p.n, -tileColumns(float));
      },
    );
  });
  return assembler.compile<BlockedKernels>();
}

/** The kernels for large products of a floating-point type. */
export const blockedKernels: (dtype: FloatDType) => BlockedKernels = perFloatType(build);
