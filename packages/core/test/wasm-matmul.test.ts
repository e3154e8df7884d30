import { describe, expect, it } from '@jest/globals';
import type { DType } from '../src/dtype.ts';
import type { Strided } from '../src/backend/types.ts';
import { matmul } from '../src/backend/wasm/matmul.ts';
import { broadcast, difference, fill, gapsAreUntouched, generator, type Layout, layouts } from './strided.ts';
import { pick, random, run, strided, values } from './strided.ts';

/** The product by the schoolbook, in double precision. */
function product(a: Strided, b: Strided): number[] {
  const rank = a.shape.length;
  const [m, k, n] = [a.shape[rank - 2]!, a.shape[rank - 1]!, b.shape[rank - 1]!];
  const batch = a.shape.slice(0, -2).reduce((x, y) => x * y, 1);
  const [x, y] = [values(a), values(b)];
  return Array.from({ length: batch * m * n }, (_, at) => {
    const [j, i, s] = [at % n, Math.floor(at / n) % m, Math.floor(at / (m * n))];
    let sum = 0;
    for (let p = 0; p < k; p++) sum += x[(s * m + i) * k + p]! * y[(s * k + p) * n + j]!;
    return sum;
  });
}

function check(a: Strided, b: Strided, layout: Layout, tolerance: number): string | null {
  const shape = [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]!];
  const out = strided(shape, a.dtype, layout);
  run(() => matmul(out, a, b));
  return (
    difference(values(out), product(a, b), tolerance) ?? (gapsAreUntouched(out) ? null : 'gaps were written')
  );
}

const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 33];
const tolerances = { float32: 2e-6, float64: 1e-13, int32: 0 } as const;

describe('matmul', () => {
  it('multiplies matrices of all small sizes and layouts', () => {
    const next = generator(1);
    for (const dtype of ['float32', 'float64', 'int32'] as const) {
      for (let trial = 0; trial < 700; trial++) {
        const [m, k, n] = [pick(sizes, next), pick(sizes, next), pick(sizes, next)];
        const [p, q, r] = [pick(layouts, next), pick(layouts, next), pick(layouts, next)];
        const a = random([m, k], next, dtype, p);
        const b = random([k, n], next, dtype, q);
        expect([check(a, b, r, tolerances[dtype]), dtype, m, k, n, p, q, r][0]).toBeNull();
      }
    }
  });

  it('multiplies matrices larger than a block in every direction', () => {
    const next = generator(2);
    for (const dtype of ['float32', 'float64'] as const) {
      for (const [m, k, n] of [
        [131, 300, 41],
        [7, 600, 1030],
        [250, 70, 33],
        [1, 700, 90],
        [90, 700, 1],
        [3, 513, 40],
      ]) {
        for (const p of ['dense', 'transposed', 'stepped'] as const) {
          const a = random([m!, k!], next, dtype, p);
          const b = random([k!, n!], next, dtype, p === 'dense' ? 'transposed' : 'dense');
          expect(check(a, b, 'dense', dtype === 'float32' ? 5e-5 : 1e-12)).toBeNull();
        }
      }
    }
  });

  it('multiplies batches, broadcast ones too', () => {
    const next = generator(3);
    for (const layout of layouts) {
      const a = random([2, 3, 5, 9], next, 'float32', layout);
      const b = random([2, 3, 9, 11], next, 'float32', layout);
      expect(check(a, b, layout, 2e-6)).toBeNull();
      const x = random([4, 6, 9], next, 'float32', layout);
      const w = random([9, 17], next, 'float32', layout);
      expect(check(x, broadcast(w, 4), 'dense', 2e-6)).toBeNull();
      expect(
        check(broadcast(random([6, 9], next), 4), random([4, 9, 5], next, 'float32', layout), layout, 2e-6),
      ).toBeNull();
    }
  });

  it('writes to and reads from parts of larger batches', () => {
    const next = generator(8);
    const part = (rows: number, columns: number): Strided => ({
      ...random([4, 8, columns], next),
      shape: [4, rows, columns],
    });
    const [x, w, out] = [part(6, 9), random([9, 17], next), part(6, 17)];
    for (const a of [x, random([4, 6, 9], next)]) {
      for (const to of [out, strided([4, 6, 17])]) {
        run(() => matmul(to, a, broadcast(w, 4)));
        expect(difference(values(to), product(a, broadcast(w, 4)), 2e-6)).toBeNull();
      }
    }
  });

  it('gives zeros for an empty sum and nothing for empty outputs', () => {
    expect(check(strided([3, 0]), strided([0, 4]), 'stepped', 0)).toBeNull();
    expect(check(strided([0, 3]), strided([3, 4]), 'dense', 0)).toBeNull();
    expect(check(strided([2, 0, 3]), strided([2, 3, 0]), 'dense', 0)).toBeNull();
  });

  it('multiplies zero by infinity and NaN', () => {
    for (const [m, k, n] of [
      [1, 3, 1],
      [1, 9, 40],
      [6, 40, 8],
      [70, 300, 70],
    ] as const) {
      for (const special of [Infinity, NaN]) {
        const a = fill(strided([m, k]), () => 0);
        const b = fill(strided([k, n]), (at) => (at === n * (k - 1) ? special : 1));
        const out = strided([m, n]);
        run(() => matmul(out, a, b));
        expect(
          difference(
            values(out),
            Array.from({ length: m * n }, (_, at) => (at % n === 0 ? NaN : 0)),
          ),
        ).toBeNull();
      }
    }
  });

  it('gives a row the same bits whatever other rows there are', () => {
    const next = generator(4);
    const dtypes: readonly DType[] = ['float32', 'float64'];
    for (const dtype of dtypes) {
      const a = random([200, 300], next, dtype);
      const b = random([300, 50], next, dtype);
      const all = strided([200, 50], dtype);
      run(() => matmul(all, a, b));
      for (const [from, count] of [
        [0, 5],
        [17, 60],
        [199, 1],
      ] as const) {
        const part = strided([count, 50], dtype);
        run(() => matmul(part, { ...a, offset: from * 300, shape: [count, 300] }, b));
        expect(values(part)).toEqual(values(all).slice(from * 50, (from + count) * 50));
      }
    }
  });

  it('wraps integer sums around', () => {
    const a = fill(strided([1, 2], 'int32'), () => 2 ** 30);
    const b = fill(strided([2, 1], 'int32'), () => 3);
    const out = strided([1, 1], 'int32');
    run(() => matmul(out, a, b));
    expect(values(out)).toEqual([(6 * 2 ** 30) | 0]);
  });
});
