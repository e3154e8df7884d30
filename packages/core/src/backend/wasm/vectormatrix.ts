import { type Assembler, type Callable, i32 } from './assembler.ts';
import type { FloatType } from './floats.ts';
import { multiplyAdd } from './multiply-add.ts';

/** Vectors of columns that a single row is multiplied with at a time: two cache lines. */
export const WIDE_VECTORS = 8;

/** Defines c (+)= a b for one row a and `WIDE_VECTORS` vectors of dense columns. */
export function defineWideRow(assembler: Assembler, float: FloatType): Callable<null> {
  const left = { k: 'i32', a: 'i32', aStep: 'i32' } as const;
  const right = { b: 'i32', bStep: 'i32', c: 'i32', add: 'i32' } as const;
  return assembler.function(null, { ...left, ...right }, null, (f, p) => {
    const { lanes } = float;
    const sums = Array.from({ length: WIDE_VECTORS }, () => f.local('v128'));
    const a = f.local('v128');
    f.countdown(p.k, (fence) => {
      f.set(a, lanes.loadSplat(p.a));
      sums.forEach((sum, k) => {
        f.set(sum, multiplyAdd(float, a, lanes.load(p.b, k * 16), sum));
        if (k % 4 === 3) fence();
      });
      f.increment(p.a, p.aStep);
      f.increment(p.b, p.bStep);
    });
    f.if(p.add, () => sums.forEach((sum, k) => f.set(sum, lanes.add(lanes.load(p.c, k * 16), sum))));
    sums.forEach((sum, k) => f.store(p.c, sum, k * 16));
  });
}

/** Defines `dots`: c (+)= a b for one row a and n columns, dense in k, each with four vectors of sums. */
export function defineDots(assembler: Assembler, float: FloatType): void {
  const { lanes, scalar, bytes, type } = float;
  const sizes = { n: 'i32', k: 'i32' } as const;
  const operands = { a: 'i32', b: 'i32', bColumn: 'i32', c: 'i32', add: 'i32' } as const;
  assembler.function('dots', { ...sizes, ...operands }, null, (f, p) => {
    const [x, y, left] = [f.i32(), f.i32(), f.i32()];
    const sums = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')] as const;
    const total = f.local(type);
    const advance = (vectors: number): void => {
      for (let k = 0; k < vectors; k++) {
        f.set(sums[k]!, multiplyAdd(float, lanes.load(x, k * 16), lanes.load(y, k * 16), sums[k]!));
      }
      f.increment(x, vectors * 16);
      f.increment(y, vectors * 16);
      f.increment(left, -vectors * lanes.count);
    };
    f.repeat(p.n, () => {
      f.set(x, p.a);
      f.set(y, p.b);
      f.set(left, p.k);
      for (const sum of sums) f.set(sum, lanes.const(0));
      f.while(
        () => i32.ge(left, 4 * lanes.count),
        () => advance(4),
      );
      f.while(
        () => i32.ge(left, lanes.count),
        () => advance(1),
      );
      const pairs = [lanes.add(sums[0], sums[1]), lanes.add(sums[2], sums[3])] as const;
      f.set(sums[0], lanes.add(...pairs));
      f.set(total, lanes.extract(sums[0], 0));
      for (let k = 1; k < lanes.count; k++) f.set(total, scalar.add(total, lanes.extract(sums[0], k)));
      f.repeat(left, () => {
        f.set(total, scalar.add(total, scalar.mul(scalar.load(x), scalar.load(y))));
        f.increment(x, bytes);
        f.increment(y, bytes);
      });
      f.if(p.add, () => f.set(total, scalar.add(scalar.load(p.c), total)));
      f.store(p.c, total);
      f.increment(p.b, p.bColumn);
      f.increment(p.c, bytes);
    });
  });
}
