import { describe, expect, it } from '@jest/globals';
import type { DType } from '../src/dtype.ts';
import type { Reduction, Strided } from '../src/backend/types.ts';
import { reduce } from '../src/backend/wasm/reduce.ts';
import { broadcast, difference, fill, gapsAreUntouched, generator, type Layout, layouts } from './strided.ts';
import { pick, random, run, strided, values } from './strided.ts';

const folds: Record<Reduction, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  any: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  all: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
};
const starts: Record<Reduction, number> = { sum: 0, prod: 1, max: -Infinity, min: Infinity, any: 0, all: 1 };

function expected(kind: Reduction, x: Strided, dims: readonly number[]): number[] {
  const outShape = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const result = new Array<number>(outShape.reduce((a, b) => a * b, 1)).fill(starts[kind]);
  values(x).forEach((value, k) => {
    let [rest, at, step] = [k, 0, 1];
    for (let d = x.shape.length - 1; d >= 0; d--) {
      if (!dims.includes(d)) {
        at += (rest % x.shape[d]!) * step;
        step *= x.shape[d]!;
      }
      rest = Math.floor(rest / x.shape[d]!);
    }
    result[at] = folds[kind](result[at]!, value);
  });
  return result;
}

function check(
  kind: Reduction,
  x: Strided,
  dims: readonly number[],
  layout: Layout,
  dtype: DType,
): string | null {
  const shape = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const out = strided(shape, dtype, layout);
  run(() => reduce(kind, out, x, dims));
  const tolerance = dtype === 'float32' ? 2e-5 : dtype === 'float64' ? 1e-14 : 0;
  return (
    difference(values(out), expected(kind, x, dims), tolerance) ?? (gapsAreUntouched(out) ? null : 'gaps')
  );
}

const cases: readonly (readonly [shape: readonly number[], dims: readonly number[]])[] = [
  [[], []],
  [[1], [0]],
  [[7], [0]],
  [[37], [0]],
  [[500], [0]],
  [[3, 5], [1]],
  [[300, 5], [0]],
  [
    [3, 45],
    [0, 1],
  ],
  [[40, 43], [0]],
  [[6, 100], [1]],
  [[2, 3, 4], [1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [
    [4, 3, 37],
    [0, 1],
  ],
  [
    [3, 5, 2, 7],
    [0, 2],
  ],
  [
    [3, 5, 2, 7],
    [1, 3],
  ],
  [
    [2, 3, 2, 3, 2],
    [0, 2, 4],
  ],
  [
    [2, 3, 2, 2, 2, 3],
    [0, 2, 4],
  ],
  [
    [2, 3, 2, 2, 2, 3],
    [1, 3, 5],
  ],
  [[0, 3], [0]],
  [[3, 0], [1]],
  [[3, 0], [0]],
  [
    [1, 4, 1],
    [0, 2],
  ],
];

describe('reduce', () => {
  it('folds any dimensions of any layout', () => {
    const next = generator(1);
    for (const [shape, dims] of cases) {
      for (const layout of layouts) {
        for (const dtype of ['float32', 'float64', 'int32'] as const) {
          for (const kind of ['sum', 'max', 'min'] as const) {
            if (dtype === 'int32' && shape.includes(0)) continue;
            const x = random(shape, next, dtype, layout);
            expect(
              [check(kind, x, dims, pick(layouts, next), dtype), kind, shape, dims, layout][0],
            ).toBeNull();
          }
        }
        const factors = fill(strided(shape, 'float64', layout), () => 0.9 + next() * 0.2);
        expect(check('prod', factors, dims, 'dense', 'float64')).toBeNull();
        const flags = fill(strided(shape, 'bool', layout), () => (next() < 0.2 ? 1 : 0));
        expect(check('any', flags, dims, 'dense', 'bool')).toBeNull();
        expect(check('all', flags, dims, 'dense', 'bool')).toBeNull();
      }
    }
  });

  it('sums broadcast elements as often as they are seen', () => {
    const x = broadcast(random([37], generator(2)), 300);
    for (const dims of [[0], [1], [0, 1]]) expect(check('sum', x, dims, 'dense', 'float32')).toBeNull();
  });

  it('keeps the error of single-precision sums small however long they are', () => {
    const next = generator(3);
    const [rows, columns] = [6000, 37];
    const x = fill(strided([rows, columns]), () => next());
    const exact = expected('sum', x, [0]);
    const relative = (out: Strided, reference: readonly number[]): number =>
      Math.max(...values(out).map((v, k) => Math.abs(v / reference[k]! - 1)));
    const sums = strided([1, columns]);
    run(() => reduce('sum', sums, x, [0]));
    expect(relative(sums, exact)).toBeLessThan(3e-7);
    const total = strided([1, 1]);
    run(() => reduce('sum', total, x, [0, 1]));
    expect(relative(total, [exact.reduce((a, b) => a + b)])).toBeLessThan(3e-7);
    const flipped = { ...x, shape: [columns, rows], strides: [1, columns] };
    const lines = strided([columns, 1]);
    run(() => reduce('sum', lines, flipped, [1]));
    expect(relative(lines, exact)).toBeLessThan(3e-7);
  });

  it('lets NaN win in max and min, and keeps infinities', () => {
    for (const n of [3, 40]) {
      for (const kind of ['max', 'min', 'sum'] as const) {
        const x = fill(strided([2, n]), (k) => (k === 1 ? NaN : k === n ? -Infinity : k));
        for (const [shape, dims] of [
          [[2, 1], [1]],
          [[1, 2], [0]],
        ] as const) {
          const out = strided(shape);
          const view = dims[0] === 1 ? x : { ...x, shape: [n, 2], strides: [1, n] };
          run(() => reduce(kind, out, view, dims));
          const second = kind === 'max' ? 2 * n - 1 : -Infinity;
          expect(values(out)).toEqual([NaN, second]);
        }
      }
    }
  });

  it('wraps integer sums and products around, and sums bools in the dtype of the result', () => {
    const x = fill(strided([3], 'int32'), () => 2 ** 30);
    const out = strided([1], 'int32');
    run(() => reduce('sum', out, x, [0]));
    expect(values(out)).toEqual([(3 * 2 ** 30) | 0]);
    const flags = fill(strided([5], 'bool'), (k) => k % 2);
    run(() => reduce('sum', out, flags, [0]));
    expect(values(out)).toEqual([2]);
  });
});
