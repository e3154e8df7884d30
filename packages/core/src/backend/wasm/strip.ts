import { Assembler, type Callable, type FunctionBuilder, i32, type Local } from './assembler.ts';
import type { FloatType } from './floats.ts';
import { defineTile, type LeftAccess, tileColumns, tileRows } from './tile.ts';

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

/**
 * Defines the product of m rows and one panel of b; only the first n columns of the panel count. Steps of
 * `packed` rows are not looked at.
 */
export function defineStrip(assembler: Assembler, float: FloatType, access: LeftAccess): Callable<null> {
  const most = tileRows();
  const spill = defineSpill(assembler, float);
  const tiles = Array.from({ length: most }, (_, k) => defineTile(assembler, float, k + 1, access));
  const tileBytes = tileColumns(float) * float.bytes;
  const left = { m: 'i32', n: 'i32', k: 'i32', a: 'i32', aRow: 'i32', aStep: 'i32' } as const;
  const right = { b: 'i32', bStep: 'i32', c: 'i32', cRow: 'i32', add: 'i32', spare: 'i32' } as const;
  return assembler.function(null, { ...left, ...right }, null, (f, p) => {
    const rows = f.i32();
    const isPartial = f.i32(i32.lt(p.n, tileColumns(float)));
    const rowBytes = f.i32(access === 'packed' ? i32.mul(p.k, float.bytes) : p.aRow);
    f.while(
      () => i32.gt(p.m, 0),
      () => {
        takeRows(f, p.m, rows, most, access);
        f.if(
          isPartial,
          () => {
            dispatch(f, rows, most, (count) => {
              const { k, a, aRow, aStep, b, bStep, spare } = p;
              f.call(
                tiles[count - 1]!,
                k,
                a,
                aRow,
                aStep,
                b,
                bStep,
                spare,
                i32.const(tileBytes),
                i32.const(0),
              );
            });
            f.call(spill, rows, p.n, p.spare, p.c, p.cRow, p.add);
          },
          () => {
            dispatch(f, rows, most, (count) => {
              const { k, a, aRow, aStep, b, bStep, c, cRow, add } = p;
              f.call(tiles[count - 1]!, k, a, aRow, aStep, b, bStep, c, cRow, add);
            });
          },
        );
        f.increment(p.a, i32.mul(rowBytes, rows));
        f.increment(p.c, i32.mul(p.cRow, rows));
        f.set(p.m, i32.sub(p.m, rows));
      },
    );
  });
}

/** How many rows the next tile takes. Where rows are not packed, the last two tiles share them evenly. */
function takeRows(
  f: FunctionBuilder,
  m: Local<'i32'>,
  rows: Local<'i32'>,
  most: number,
  access: LeftAccess,
): void {
  f.set(rows, m);
  f.if(i32.gt(m, most), () => {
    f.set(rows, i32.const(most));
    if (access === 'direct') f.if(i32.lt(m, 2 * most), () => f.set(rows, i32.shr(i32.add(m, 1), 1)));
  });
}

/** Does what is meant for the number of rows, the largest first. */
function dispatch(f: FunctionBuilder, rows: Local<'i32'>, most: number, body: (count: number) => void): void {
  if (most === 1) body(1);
  else {
    f.if(
      i32.eq(rows, most),
      () => body(most),
      () => dispatch(f, rows, most - 1, body),
    );
  }
}

/** Bytes that a strip needs aside: those of a tile. */
export function spareBytes(): number {
  return tileRows() * 2 * 16;
}
