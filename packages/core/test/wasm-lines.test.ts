import { describe, expect, it } from '@jest/globals';
import type { DType } from '../src/dtype.ts';
import type { Kernels, Strided } from '../src/backend/types.ts';
import { reference } from '../src/backend/reference/index.ts';
import { extremum } from '../src/backend/wasm/extremum.ts';
import { gather, scatter } from '../src/backend/wasm/indexing.ts';
import { rows } from '../src/backend/wasm/rows.ts';
import { scan } from '../src/backend/wasm/scan.ts';
import { sort } from '../src/backend/wasm/sort.ts';
import { softmax } from './row-computations.ts';
import { difference, fill, gapsAreUntouched, generator, type Layout, layouts } from './strided.ts';
import { pick, random, run, strided, values } from './strided.ts';

const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
const shapes: readonly (readonly number[])[] = [
  [],
  [1],
  [9],
  [0, 3],
  [3, 5],
  [4, 33],
  [2, 7, 3],
  [3, 2, 4, 5],
];

type Call = (kernels: Partial<Kernels>, outputs: readonly Strided[]) => void;

/** Runs a kernel here and on the reference, on outputs of the same kind, and tells where they differ. */
function disagreement(
  outputs: readonly (readonly [shape: readonly number[], dtype: DType, layout: Layout])[],
  call: Call,
  tolerance = 0,
  start: (k: number) => number = () => 0,
): string | null {
  const make = (): Strided[] =>
    outputs.map(([shape, dtype, layout]) => fill(strided(shape, dtype, layout), start));
  const [actual, expected] = [make(), make()];
  run(() => call({ extremum, gather, scatter, rows, scan, sort }, actual));
  run(() => call(reference.kernels, expected));
  for (const [k, out] of actual.entries()) {
    if (!gapsAreUntouched(out)) return `output ${k}: gaps were written`;
    const found = difference(values(out), values(expected[k]!), tolerance);
    if (found !== null) return `output ${k}: ${found}`;
  }
  return null;
}

/** Numbers with many ties and a few NaN. */
const withTies = (x: Strided, next: () => number): Strided =>
  fill(x, () => (next() < 0.1 ? NaN : Math.floor(next() * 4)));

/** A call per shape, dim, layout and dtype. */
function each(
  seed: number,
  list: readonly DType[],
  body: (x: Strided, dim: number, layout: Layout, next: () => number) => void,
): void {
  const next = generator(seed);
  for (const shape of shapes) {
    for (let dim = 0; dim < Math.max(1, shape.length); dim++) {
      for (const dtype of list) {
        for (const layout of layouts)
          body(random(shape, next, dtype, layout), dim, pick(layouts, next), next);
      }
    }
  }
}

describe('kernels along a dimension', () => {
  it('softmax agrees with the reference', () => {
    each(1, ['float32', 'float64'], (x, dim, layout) => {
      for (const log of [false, true]) {
        const tolerance = x.dtype === 'float32' ? 4e-7 : 1e-14;
        const call: Call = (kernels, [out]) => softmax(kernels as Kernels, out!, x, dim, log);
        expect(disagreement([[x.shape, x.dtype, layout]], call, tolerance)).toBeNull();
      }
    });
  });

  it('softmax keeps its head with large, infinite and missing numbers', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const cases = [
        [1000, 1001, 999, -1000, 1000],
        [-Infinity, 0, -Infinity, 0, -Infinity],
        [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
        [1, NaN, 2, 3, 4],
        [-1e30, -1e30, -1e30, -1e30, -1e30],
      ];
      const x = fill(strided([5, 5], dtype), (k) => cases[Math.floor(k / 5)]![k % 5]!);
      for (const log of [false, true]) {
        const call: Call = (kernels, [out]) => softmax(kernels as Kernels, out!, x, 1, log);
        expect(disagreement([[[5, 5], dtype, 'dense']], call, 1e-6)).toBeNull();
      }
      const out = strided([5, 5], dtype);
      run(() => softmax({ rows }, out, x, 1, false));
      expect(
        values(out)
          .slice(10, 20)
          .every((v) => Number.isNaN(v)),
      ).toBe(true);
      expect(values(out).slice(5, 10)).toEqual([0, 0.5, 0, 0.5, 0]);
    }
  });

  it('softmax of long rows sums to one', () => {
    const x = random([2, 50001], generator(2));
    const out = strided([2, 50001]);
    run(() => softmax({ rows }, out, x, 1, false));
    expect(Math.abs(values(out).reduce((a, b) => a + b) - 2)).toBeLessThan(1e-6);
  });

  it('extremum finds the first of equals, and NaN', () => {
    each(3, dtypes, (x, dim, layout, next) => {
      if (x.shape.includes(0)) return;
      if (x.dtype.startsWith('float')) withTies(x, next);
      const shape = x.shape.map((n, d) => (d === dim ? 1 : n));
      for (const kind of ['max', 'min'] as const) {
        const call: Call = (kernels, [v, i]) => kernels.extremum!(kind, v!, i!, x, dim);
        expect(
          disagreement(
            [
              [shape, x.dtype, layout],
              [shape, 'int32', layout],
            ],
            call,
          ),
        ).toBeNull();
      }
    });
  });

  it('scan agrees with the reference', () => {
    each(4, dtypes, (x, dim, layout, next) => {
      for (const kind of ['sum', 'prod', 'max', 'min'] as const) {
        const isExtreme = kind === 'max' || kind === 'min';
        if (isExtreme && x.dtype.startsWith('float')) withTies(x, next);
        const call: Call = (kernels, [out, i]) => kernels.scan!(kind, out!, isExtreme ? i! : null, x, dim);
        const out = [
          [x.shape, x.dtype, layout],
          [x.shape, 'int32', layout],
        ] as const;
        expect(disagreement(out, call, x.dtype === 'float32' ? 1e-6 : 1e-14)).toBeNull();
      }
    });
  });

  it('sort is stable and puts NaN at the end of the large', () => {
    each(5, dtypes, (x, dim, layout, next) => {
      if (x.dtype.startsWith('float')) withTies(x, next);
      for (const descending of [false, true]) {
        const call: Call = (kernels, [v, i]) => kernels.sort!(v!, i!, x, dim, descending);
        expect(
          disagreement(
            [
              [x.shape, x.dtype, layout],
              [x.shape, 'int32', layout],
            ],
            call,
          ),
        ).toBeNull();
      }
    });
  });
});

describe('kernels with an index', () => {
  it('gather and scatter agree with the reference', () => {
    each(6, dtypes, (x, dim, layout, next) => {
      if (x.shape.length === 0 || x.shape.includes(0)) return;
      const shape = x.shape.map((n, d) => (d === dim ? n + 2 : Math.max(1, n - 1)));
      const index = strided(shape, 'int32', layout);
      fill(index, () => Math.floor(next() * x.shape[dim]!));
      const take: Call = (kernels, [out]) => kernels.gather!(out!, x, index, dim);
      expect(disagreement([[shape, x.dtype, pick(layouts, next)]], take)).toBeNull();
      const source = random(shape, next, x.dtype, pick(layouts, next));
      for (const accumulate of [false, true]) {
        const put: Call = (kernels, [out]) => kernels.scatter!(out!, index, source, dim, accumulate);
        const tolerance = x.dtype === 'float32' ? 1e-6 : 1e-14;
        expect(disagreement([[x.shape, x.dtype, layout]], put, tolerance, (k) => k % 2)).toBeNull();
      }
    });
  });

  it('moves whole rows where the index does not change along them', () => {
    const next = generator(7);
    for (const dtype of dtypes) {
      for (const width of [3, 16, 37, 300]) {
        const table = random([11, width], next, dtype);
        const chosen = fill(strided([25], 'int32'), () => Math.floor(next() * 11));
        const index = { ...chosen, shape: [25, width], strides: [1, 0] };
        const take: Call = (kernels, [out]) => kernels.gather!(out!, table, index, 0);
        expect(disagreement([[[25, width], dtype, 'dense']], take)).toBeNull();
        const rows = random([25, width], next, dtype);
        for (const accumulate of [false, true]) {
          const put: Call = (kernels, [out]) => kernels.scatter!(out!, index, rows, 0, accumulate);
          expect(disagreement([[[11, width], dtype, 'dense']], put, 1e-5)).toBeNull();
        }
      }
    }
  });
});
