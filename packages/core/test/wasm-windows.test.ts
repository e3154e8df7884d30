import { describe, expect, it } from '@jest/globals';
import type { DType } from '../src/dtype.ts';
import type { AverageWindow, ConvolutionWindow, Kernels, Strided, Window } from '../src/backend/types.ts';
import { reference } from '../src/backend/reference/index.ts';
import { convolution, convolutionInput, convolutionWeight } from '../src/backend/wasm/convolution.ts';
import { averagePool, averagePoolTranspose, maxPool } from '../src/backend/wasm/pooling.ts';
import { difference, fill, gapsAreUntouched, generator, type Layout, layouts } from './strided.ts';
import { pick, random, run, strided, values } from './strided.ts';

const here: Partial<Kernels> = {
  convolution,
  convolutionInput,
  convolutionWeight,
  maxPool,
  averagePool,
  averagePoolTranspose,
};
type Call = (kernels: Partial<Kernels>, outputs: readonly Strided[]) => void;
type Output = readonly [shape: readonly number[], dtype: DType, layout: Layout];

function disagreement(outputs: readonly Output[], call: Call, tolerance: number): string | null {
  const make = (): Strided[] => outputs.map((output) => strided(...output));
  const [actual, expected] = [make(), make()];
  run(() => call(here, actual));
  run(() => call(reference.kernels, expected));
  for (const [k, out] of actual.entries()) {
    if (!gapsAreUntouched(out)) return `output ${k}: gaps were written`;
    const found = difference(values(out), values(expected[k]!), tolerance);
    if (found !== null) return `output ${k}: ${found}`;
  }
  return null;
}

/** The number of windows that fit. */
function windowsIn(size: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

interface Case {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly sizes: readonly number[];
  readonly windows: readonly number[];
  readonly window: ConvolutionWindow;
}

/** A random convolution that has at least one window. */
function randomCase(next: () => number, rank: number, most: number): Case {
  const list = (choices: readonly number[]): number[] =>
    Array.from({ length: rank }, () => pick(choices, next));
  for (;;) {
    const groups = pick([1, 1, 1, 2, 3], next);
    const [channels, filters] = [groups * pick([1, 2, 3], next), groups * pick([1, 2, 7], next)];
    const sizes = list(Array.from({ length: most }, (_, k) => k + 1));
    const [kernel, stride, padding, dilation] = [
      list([1, 2, 3]),
      list([1, 1, 2, 3]),
      list([0, 1, 2]),
      list([1, 1, 2]),
    ];
    const windows = sizes.map((size, d) =>
      windowsIn(size, kernel[d]!, stride[d]!, padding[d]!, dilation[d]!),
    );
    if (windows.some((count) => count < 1)) continue;
    const batch = pick([1, 2, 3], next);
    return {
      batch,
      channels,
      filters,
      sizes,
      windows,
      window: { kernel, stride, padding, dilation, groups },
    };
  }
}

const tolerances: Partial<Record<DType, number>> = { float32: 4e-5, float64: 1e-13 };

/** All three products of a convolution against the reference. */
function checkConvolution(c: Case, dtype: DType, next: () => number): void {
  const { window } = c;
  const xShape = [c.batch, c.channels, ...c.sizes];
  const wShape = [c.filters, c.channels / window.groups, ...window.kernel];
  const outShape = [c.batch, c.filters, ...c.windows];
  const layout = (): Layout => pick(layouts, next);
  const x = random(xShape, next, dtype, layout());
  const w = random(wShape, next, dtype, layout());
  const g = random(outShape, next, dtype, layout());
  const tolerance = tolerances[dtype] ?? 0;
  const calls: readonly (readonly [shape: readonly number[], call: Call])[] = [
    [outShape, (kernels, [out]) => kernels.convolution!(out!, x, w, window)],
    [xShape, (kernels, [out]) => kernels.convolutionInput!(out!, g, w, window)],
    [wShape, (kernels, [out]) => kernels.convolutionWeight!(out!, g, x, window)],
  ];
  for (const [shape, call] of calls)
    expect(disagreement([[shape, dtype, layout()]], call, tolerance)).toBeNull();
}

describe('convolution and its transposes', () => {
  it('agree with the reference for windows of all kinds', () => {
    const next = generator(1);
    for (const [rank, most, trials] of [
      [1, 30, 60],
      [2, 12, 60],
      [3, 6, 25],
    ] as const) {
      for (let trial = 0; trial < trials; trial++) {
        const dtype = pick(['float32', 'float32', 'float64', 'int32'] as const, next);
        checkConvolution(randomCase(next, rank, most), dtype, next);
      }
    }
  });

  it('agree with the reference beyond the sizes of blocks', () => {
    const next = generator(2);
    const square = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
    const wide = { batch: 1, channels: 1, filters: 2, sizes: [24, 30], windows: [24, 30] };
    checkConvolution({ ...wide, window: { ...square, kernel: [3, 3] } }, 'float32', next);
    const deep = { batch: 2, channels: 33, filters: 130, sizes: [3, 4], windows: [3, 4] };
    checkConvolution({ ...deep, window: { ...square, kernel: [3, 3] } }, 'float32', next);
  });

  it('give zeros where nothing is summed', () => {
    const window = { kernel: [2], stride: [1], padding: [0], dilation: [1], groups: 1 };
    const out = strided([3, 2, 2]);
    run(() => convolutionWeight(out, strided([0, 3, 4]), strided([0, 2, 5]), window));
    expect(values(out)).toEqual(new Array(12).fill(0));
    const unreached = strided([1, 1, 6]);
    const wide = { ...window, stride: [3] };
    run(() =>
      convolutionInput(
        unreached,
        fill(strided([1, 1, 2]), () => 1),
        fill(strided([1, 1, 2]), () => 1),
        wide,
      ),
    );
    expect(values(unreached)).toEqual([1, 1, 0, 1, 1, 0]);
  });
});

describe('pooling', () => {
  const poolings = (
    next: () => number,
    body: (x: Strided, shape: number[], window: Window, c: Case) => void,
  ): void => {
    for (const [rank, most, trials] of [
      [1, 20, 40],
      [2, 9, 60],
      [3, 5, 30],
    ] as const) {
      for (let trial = 0; trial < trials; trial++) {
        const c = randomCase(next, rank, most);
        const { groups: _, ...window } = c.window;
        const padding = window.padding.map((p, d) => Math.min(p, Math.floor(window.kernel[d]! / 2)));
        const windows = c.sizes.map((size, d) =>
          // Some windows overhang, as in ceil mode.
          Math.max(
            1,
            windowsIn(size, window.kernel[d]!, window.stride[d]!, padding[d]!, window.dilation[d]!),
          ),
        );
        const x = random(
          [c.batch, c.channels, ...c.sizes],
          next,
          pick(['float32', 'float64'], next),
          pick(layouts, next),
        );
        body(x, [c.batch, c.channels, ...windows], { ...window, padding }, c);
      }
    }
  };

  it('maxPool finds the first of equals, and NaN', () => {
    const next = generator(3);
    poolings(next, (x, shape, window) => {
      fill(x, () => (next() < 0.1 ? NaN : Math.floor(next() * 4)));
      const outputs: Output[] = [
        [shape, x.dtype, pick(layouts, next)],
        [shape, 'int32', pick(layouts, next)],
      ];
      const call: Call = (kernels, [out, indices]) => kernels.maxPool!(out!, indices!, x, window);
      expect(disagreement(outputs, call, 0)).toBeNull();
    });
  });

  it('averagePool and its transpose divide by what counts', () => {
    const next = generator(4);
    poolings(next, (x, shape, pool, c) => {
      const window: AverageWindow = {
        ...pool,
        dilation: pool.dilation.map(() => 1),
        countIncludePad: next() < 0.5,
        paddingAfter: pool.padding,
        divisor: pick([null, null, 3], next),
      };
      const windows = c.sizes.map((size, d) =>
        Math.max(1, windowsIn(size, window.kernel[d]!, window.stride[d]!, window.padding[d]!, 1)),
      );
      const pooled = [...shape.slice(0, 2), ...windows];
      const tolerance = tolerances[x.dtype]!;
      const forward: Call = (kernels, [out]) => kernels.averagePool!(out!, x, window);
      expect(disagreement([[pooled, x.dtype, pick(layouts, next)]], forward, tolerance)).toBeNull();
      const g = random(pooled, next, x.dtype, pick(layouts, next));
      const backward: Call = (kernels, [out]) => kernels.averagePoolTranspose!(out!, g, window);
      expect(disagreement([[x.shape, x.dtype, pick(layouts, next)]], backward, tolerance)).toBeNull();
    });
  });
});
