import { Assembler, type Callable, type FunctionBuilder, i32, type Local } from './assembler.ts';
import { type FloatDType, type FloatType, floatTypes, perFloatType } from './floats.ts';
import { definePacking } from './panel.ts';
import { Scratch } from './scratch.ts';
import { defineTile, type LeftAccess, tileColumns, tileRows } from './tile.ts';
import { defineDots, defineWideRow, WIDE_VECTORS } from './vectormatrix.ts';

/** The module behind matrix products; all steps and strides in bytes. */
export interface GemmKernels {
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
  /** c (+)= a b; nothing is packed but panels of b whose columns are not dense, one at a time. */
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
  /** c = a b for one row a, both dense in k. */
  dots(n: number, k: number, a: number, b: number, bColumn: number, c: number): void;
}

/** Elements of k that one pass takes at most, so that a panel stays in the first cache. */
const K_BLOCK = 256;
/** Rows of the left operand packed at a time: a multiple of both heights of a tile. */
export const M_BLOCK = 120;
/** Columns of the right operand packed at a time. */
const N_BLOCK = 1024;

function build(float: FloatType): GemmKernels {
  const assembler = new Assembler();
  definePacking(assembler, float, tileRows(), 'packRows');
  const packColumns = definePacking(assembler, float, tileColumns(float), 'packColumns');
  const spill = defineSpill(assembler, float);
  const packed = defineStrip(assembler, float, 'packed', spill);
  const direct = defineStrip(assembler, float, 'direct', spill);
  const wideRow = defineWideRow(assembler, float);
  defineDots(assembler, float);
  const panelBytes = tileColumns(float) * float.bytes;

  const sizes = { m: 'i32', n: 'i32', k: 'i32' } as const;
  const blockParams = { a: 'i32', b: 'i32', c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;
  assembler.function('block', { ...sizes, ...blockParams }, null, (f, p) => {
    const step = f.i32(panelBytes);
    f.while(
      () => i32.gt(p.n, 0),
      () => {
        f.call(packed, p.m, p.n, p.k, p.a, step, step, p.b, step, p.c, p.cRow, p.add, p.spare);
        f.increment(p.b, i32.mul(p.k, panelBytes));
        f.increment(p.c, panelBytes);
        f.increment(p.n, -tileColumns(float));
      },
    );
  });

  const left = { a: 'i32', aRow: 'i32', aStep: 'i32' } as const;
  const right = { b: 'i32', bStep: 'i32', bColumn: 'i32' } as const;
  const result = { c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;
  assembler.function('direct', { ...sizes, ...left, ...right, ...result }, null, (f, p) => {
    const isDense = f.i32(i32.eq(p.bColumn, float.bytes));
    const panel = f.i32(i32.add(p.spare, tileRows() * panelBytes));
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
        f.if(
          i32.and(isDense, i32.ge(p.n, tileColumns(float))),
          () =>
            f.call(direct, p.m, p.n, p.k, p.a, p.aRow, p.aStep, p.b, p.bStep, p.c, p.cRow, p.add, p.spare),
          () => {
            f.call(packColumns, panel, p.b, p.bStep, p.bColumn, p.k, p.n);
            const step = i32.const(panelBytes);
            f.call(direct, p.m, p.n, p.k, p.a, p.aRow, p.aStep, panel, step, p.c, p.cRow, p.add, p.spare);
          },
        );
        f.increment(p.b, i32.mul(p.bColumn, tileColumns(float)));
        f.increment(p.c, panelBytes);
        f.increment(p.n, -tileColumns(float));
      },
    );
  });
  return assembler.compile<GemmKernels>();
}

/** Defines c (+)= the first columns of a tile that was computed aside. */
function defineSpill(assembler: Assembler, { scalar, bytes, lanes }: FloatType): Callable<null> {
  const rowBytes = 2 * lanes.count * bytes;
  const params = { rows: 'i32', columns: 'i32', tile: 'i32', c: 'i32', cRow: 'i32', add: 'i32' } as const;
  return assembler.function(null, params, null, (f, p) => {
    const [from, to] = [f.i32(), f.i32()];
    f.repeat(p.rows, () => {
      f.set(from, p.tile);
      f.set(to, p.c);
      f.repeat(p.columns, () => {
        f.if(
          p.add,
          () => f.store(to, scalar.add(scalar.load(to), scalar.load(from))),
          () => f.store(to, scalar.load(from)),
        );
        f.increment(from, bytes);
        f.increment(to, bytes);
      });
      f.increment(p.tile, rowBytes);
      f.increment(p.c, p.cRow);
    });
  });
}

/** Defines the product of m rows and one panel of b; only the first n columns of the panel count. */
function defineStrip(
  assembler: Assembler,
  float: FloatType,
  access: LeftAccess,
  spill: Callable<null>,
): Callable<null> {
  const most = tileRows();
  const tiles = Array.from({ length: most }, (_, k) => defineTile(assembler, float, k + 1, access));
  const tileBytes = tileColumns(float) * float.bytes;
  const left = { m: 'i32', n: 'i32', k: 'i32', a: 'i32', aRow: 'i32', aStep: 'i32' } as const;
  const right = { b: 'i32', bStep: 'i32', c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;
  return assembler.function(null, { ...left, ...right }, null, (f, p) => {
    const target = f.i32(p.c);
    const targetRow = f.i32(p.cRow);
    const targetAdd = f.i32(p.add);
    const isPartial = f.i32(i32.lt(p.n, tileColumns(float)));
    f.if(isPartial, () => {
      f.set(target, p.spare);
      f.set(targetRow, i32.const(tileBytes));
      f.set(targetAdd, i32.const(0));
    });
    const tile = (rows: number): void => {
      const { k, a, aRow, aStep, b, bStep } = p;
      f.call(tiles[rows - 1]!, k, a, aRow, aStep, b, bStep, target, targetRow, targetAdd);
      f.if(isPartial, () => f.call(spill, i32.const(rows), p.n, p.spare, p.c, p.cRow, p.add));
    };
    const panel = f.i32(access === 'packed' ? i32.mul(p.k, most * float.bytes) : i32.mul(p.aRow, most));
    f.while(
      () => i32.ge(p.m, most),
      () => {
        tile(most);
        f.increment(p.a, panel);
        f.increment(p.c, i32.mul(p.cRow, most));
        f.if(i32.eqz(isPartial), () => f.set(target, p.c));
        f.increment(p.m, -most);
      },
    );
    remainingRows(f, p.m, most, tile);
  });
}

function remainingRows(
  f: FunctionBuilder,
  m: Local<'i32'>,
  most: number,
  tile: (rows: number) => void,
): void {
  for (let rows = 1; rows < most; rows++) f.if(i32.eq(m, rows), () => tile(rows));
}

/** The kernels behind matrix products of a floating-point type. */
export const gemmKernels: (dtype: FloatDType) => GemmKernels = perFloatType(build);

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
  const kernels = gemmKernels(dtype);
  const bytes = floatTypes[dtype].bytes;
  if (m <= 3 && bStep === bytes && aStep === bytes && (bColumn !== bytes || n === 1)) {
    for (let i = 0; i < m; i++) kernels.dots(n, k, a + i * aRow, b, bColumn, c + i * cRow);
    return;
  }
  const kBlock = blockOf(k);
  const tileBytes = spareBytes();
  if (n <= 32 || m <= 4 || m * k <= 16384) {
    const spare = panels.take(tileBytes + kBlock * 32);
    for (let p = 0; p < k; p += kBlock) {
      const depth = Math.min(kBlock, k - p);
      const add = p === 0 ? 0 : 1;
      kernels.direct(
        m,
        n,
        depth,
        a + p * aStep,
        aRow,
        aStep,
        b + p * bStep,
        bStep,
        bColumn,
        c,
        cRow,
        add,
        spare,
      );
    }
    return;
  }
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

/** Bytes that `block` needs aside: those of a tile. */
export function spareBytes(): number {
  return tileRows() * 2 * 16;
}

/** How many elements of k each pass takes: all passes nearly alike. */
export function blockOf(k: number): number {
  if (k <= K_BLOCK) return k;
  const passes = Math.ceil(k / K_BLOCK);
  return Math.ceil(k / passes / 4) * 4;
}
