import { Assembler, i32 } from './assembler.ts';
import { type FloatDType, type FloatType, perFloatType } from './floats.ts';
import { definePacking } from './panel.ts';
import { defineStrip } from './strip.ts';
import { tileColumns, tileRows } from './tile.ts';
import { defineDots, defineWideRow, WIDE_VECTORS } from './vectormatrix.ts';

/** Kernels for products that read the left operand where it lies; steps and strides in bytes. */
export interface DirectKernels {
  /** c (+)= a b; nothing is packed but panels of b, one at a time, where it pays or columns are not dense. */
  direct(
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
    add: number,
    spare: number,
  ): void;
  /** c (+)= a b for packed columns. */
  directPanels(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    c: number,
    cRow: number,
    add: number,
    spare: number,
  ): void;
  /** c (+)= a b for one row a, both dense in k. */
  dots(n: number, k: number, a: number, b: number, bColumn: number, c: number, add: number): void;
}

/** With so many rows and so deep, dense columns of b are packed too: tiles read them often, and cache lines far apart collide. */
const PACK_FROM = 48;

const sizes = { m: 'i32', n: 'i32', k: 'i32' } as const;
const left = { a: 'i32', aRow: 'i32', aStep: 'i32' } as const;
const result = { c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;

function build(float: FloatType): DirectKernels {
  const assembler = new Assembler();
  const packColumns = definePacking(assembler, float, tileColumns(float), null);
  const strip = defineStrip(assembler, float, 'direct');
  const wideRow = defineWideRow(assembler, float);
  defineDots(assembler, float);
  const panelBytes = tileColumns(float) * float.bytes;
  const panelStep = i32.const(panelBytes);

  const right = { b: 'i32', bStep: 'i32', bColumn: 'i32' } as const;
  assembler.function('direct', { ...sizes, ...left, ...right, ...result }, null, (f, p) => {
    const isDense = f.i32(i32.eq(p.bColumn, float.bytes));
    const isFlat = i32.or(i32.lt(p.m, PACK_FROM), i32.lt(p.k, PACK_FROM));
    const isReadInPlace = f.i32(i32.and(isDense, isFlat));
    const panel = f.i32(i32.add(p.spare, tileRows() * panelBytes));
    const [b, bStep, columns] = [f.i32(), f.i32(), f.i32()];
    const wideColumns = WIDE_VECTORS * float.lanes.count;
    f.if(i32.and(isDense, i32.eq(p.m, 1)), () => {
      f.while(
        () => i32.ge(p.n, wideColumns),
        () => {
          f.call(wideRow, p.k, p.a, p.aStep, p.b, p.bStep, p.c, p.add);
          f.increment(p.b, WIDE_VECTORS * 16);
          f.increment(p.c, WIDE_VECTORS * 16);
          f.increment(p.n, -wideColumns);
        },
      );
    });
    f.while(
      () => i32.gt(p.n, 0),
      () => {
        f.set(b, p.b);
        f.set(bStep, p.bStep);
        f.if(i32.eqz(i32.and(isReadInPlace, i32.ge(p.n, tileColumns(float)))), () => {
          // Only one panel's columns: there is room for no more.
          f.set(columns, i32.const(tileColumns(float)));
          f.if(i32.lt(p.n, tileColumns(float)), () => f.set(columns, p.n));
          f.call(packColumns, panel, p.b, p.bStep, p.bColumn, p.k, columns);
          f.set(b, panel);
          f.set(bStep, panelStep);
        });
        f.call(strip, p.m, p.n, p.k, p.a, p.aRow, p.aStep, b, bStep, p.c, p.cRow, p.add, p.spare);
        f.increment(p.b, i32.mul(p.bColumn, tileColumns(float)));
        f.increment(p.c, panelBytes);
        f.increment(p.n, -tileColumns(float));
      },
    );
  });

  assembler.function('directPanels', { ...sizes, ...left, b: 'i32', ...result }, null, (f, p) => {
    f.while(
      () => i32.gt(p.n, 0),
      () => {
        f.call(strip, p.m, p.n, p.k, p.a, p.aRow, p.aStep, p.b, panelStep, p.c, p.cRow, p.add, p.spare);
        f.increment(p.b, i32.mul(p.k, panelBytes));
        f.increment(p.c, panelBytes);
        f.increment(p.n, -tileColumns(float));
      },
    );
  });
  return assembler.compile<DirectKernels>();
}

/** The kernels for small products of a floating-point type. */
export const directKernels: (dtype: FloatDType) => DirectKernels = perFloatType(build);
