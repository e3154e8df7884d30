import { Assembler, type Callable, type FunctionBuilder, i32, type Local, type Value } from './assembler.ts';
import type { FloatType } from './floats.ts';
import { hasRelaxedMadd, multiplyAdd } from './multiply-add.ts';

/** Vectors per row of a tile. */
const VECTORS = 2;

/** Columns of a tile: two vectors. */
export function tileColumns(float: FloatType): number {
  return VECTORS * float.lanes.count;
}

/**
 * Rows of a full tile. Without a fused instruction a product needs a register before it is added, so that 5
 * by 2 accumulators are all that the 15 registers of x86-64 hold; with it, 6 by 2.
 */
export function tileRows(): number {
  return hasRelaxedMadd() ? 6 : 5;
}

/** How a tile reads its rows of the left operand. */
export type LeftAccess = 'packed' | 'direct';

/** Parameters of a tile: sizes and steps in bytes. A `packed` left operand needs no steps. */
const params = {
  k: 'i32',
  a: 'i32',
  aRow: 'i32',
  aStep: 'i32',
  b: 'i32',
  bStep: 'i32',
  c: 'i32',
  cRow: 'i32',
  add: 'i32',
} as const;
type TileLocals = { readonly [name in keyof typeof params]: Local<'i32'> };

/**
 * Defines the function that computes `rows` by `tileColumns` elements of c = a b, or c += a b unless `add` is
 * 0; k is at least 1. The loop must not be unrolled: engines would move all loads up and run out of registers,
 * which halves the speed. Its first turn stands before it, so that V8 computes what addresses have in common
 * once, and knows that the pointers of the loop, being sums, need no extension to 64 bits.
 */
export function defineTile(
  assembler: Assembler,
  float: FloatType,
  rows: number,
  access: LeftAccess,
): Callable<null> {
  return assembler.function(null, params, null, (f, p) => {
    const rowPointers = access === 'direct' ? rowsFrom(f, p, rows) : [];
    const sums = Array.from({ length: rows }, () => [f.local('v128'), f.local('v128')] as const);
    const a = f.local('v128');
    const b0 = f.local('v128');
    const b1 = f.local('v128');
    const { lanes, bytes } = float;
    const turn = (isFirst: boolean): void => {
      f.set(b0, lanes.load(p.b));
      f.set(b1, lanes.load(p.b, 16));
      sums.forEach(([left, right], row) => {
        f.set(
          a,
          access === 'packed' ? lanes.loadSplat(p.a, row * bytes) : lanes.loadSplat(rowPointers[row]!),
        );
        f.set(left, multiplyAdd(float, a, b0, isFirst ? lanes.const(0) : left));
        f.set(right, multiplyAdd(float, a, b1, isFirst ? lanes.const(0) : right));
      });
      if (access === 'packed') f.increment(p.a, tileRows() * bytes);
      for (const pointer of rowPointers) f.increment(pointer, p.aStep);
      f.increment(p.b, p.bStep);
      f.increment(p.k, -1);
    };
    turn(true);
    f.while(
      () => p.k,
      () => turn(false),
    );
    f.if(p.add, () => {
      storeRows(f, p, sums, (sum, offset) => lanes.add(lanes.load(p.c, offset), sum));
      f.return();
    });
    storeRows(f, p, sums, (sum) => sum);
  });
}

function rowsFrom(f: FunctionBuilder, p: TileLocals, rows: number): Local<'i32'>[] {
  const pointers = [p.a];
  for (let row = 1; row < rows; row++) pointers.push(f.i32(i32.add(pointers[row - 1]!, p.aRow)));
  return pointers;
}

function storeRows(
  f: FunctionBuilder,
  p: TileLocals,
  sums: readonly (readonly [Local<'v128'>, Local<'v128'>])[],
  value: (sum: Value<'v128'>, offset: number) => Value<'v128'>,
): void {
  sums.forEach((row, k) => {
    if (k > 0) f.increment(p.c, p.cRow);
    row.forEach((sum, half) => f.store(p.c, value(sum, half * 16), half * 16));
  });
}
