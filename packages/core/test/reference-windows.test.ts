import { describe, expect, it } from '@jest/globals';
import { reference } from '../src/backend/reference/index.ts';
import type { AverageWindow, ConvolutionWindow, Strided, Window } from '../src/backend/types.ts';
import { contiguousStrides, numel, type Shape } from '../src/shape.ts';
import { blank, operand, run, scatterOf } from './operand.ts';
import { values as numbersOf } from './strided.ts';

const { kernels } = reference;

const convolutions: readonly { name: string; x: Shape; w: Shape; window: ConvolutionWindow }[] = [
  {
    name: 'one dimension',
    x: [2, 3, 7],
    w: [4, 3, 3],
    window: { kernel: [3], stride: [2], padding: [1], dilation: [1], groups: 1 },
  },
  {
    name: 'groups and dilation in two dimensions',
    x: [2, 4, 5, 4],
    w: [6, 2, 2, 3],
    window: { kernel: [2, 3], stride: [1, 2], padding: [1, 2], dilation: [2, 1], groups: 2 },
  },
  {
    name: 'one channel per group',
    x: [1, 3, 5, 5],
    w: [3, 1, 3, 3],
    window: { kernel: [3, 3], stride: [1, 1], padding: [0, 1], dilation: [1, 1], groups: 3 },
  },
  {
    name: 'three dimensions, rows that no window reaches',
    x: [1, 2, 4, 4, 5],
    w: [2, 2, 2, 2, 2],
    window: { kernel: [2, 2, 2], stride: [3, 2, 2], padding: [0, 0, 1], dilation: [1, 1, 2], groups: 1 },
  },
];

function convolutionShape(x: Shape, w: Shape, { kernel, stride, padding, dilation }: Window): number[] {
  const sizes = kernel.map(
    (k, d) => Math.floor((x[d + 2]! + 2 * padding[d]! - dilation[d]! * (k - 1) - 1) / stride[d]!) + 1,
  );
  return [x[0]!, w[0]!, ...sizes];
}

/** The matrix that takes a flattened x to the flattened result, made by asking which weights meet. */
function convolutionMatrix(
  x: Shape,
  w: Shape,
  weights: number[],
  out: Shape,
  window: ConvolutionWindow,
): number[][] {
  const { stride, padding, dilation, groups } = window;
  const unravel = (flat: number, shape: Shape): number[] =>
    contiguousStrides(shape).map((step, d) => Math.floor(flat / step) % shape[d]!);
  return Array.from({ length: numel(out) }, (_, row) => {
    const [n, o, ...p] = unravel(row, out);
    return Array.from({ length: numel(x) }, (_, column) => {
      const [m, c, ...q] = unravel(column, x);
      const inGroup = c! - Math.floor((o! * groups) / out[1]!) * w[1]!;
      const tap = q.map((position, d) => (position + padding[d]! - p[d]! * stride[d]!) / dilation[d]!);
      const index = [o!, inGroup, ...tap];
      const met = n === m && index.every((i, d) => Number.isInteger(i) && i >= 0 && i < w[d]!);
      return met ? weights[index.reduce((flat, i, d) => flat * w[d]! + i, 0)]! : 0;
    });
  });
}

const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

describe.each(convolutions)('convolution over $name', ({ x, w, window }) => {
  const out = convolutionShape(x, w, window);
  const [xs, ws, gs] = [scatterOf(numel(x)), scatterOf(numel(w), 2), scatterOf(numel(out), 3)];
  const result = run(out, 'float64', (y) =>
    kernels.convolution(
      y,
      operand(xs, x, 'float64', 'stepped'),
      operand(ws, w, 'float64', 'reversedDims'),
      window,
    ),
  );

  const matrix = convolutionMatrix(x, w, ws, out, window);

  it('is the product with its dense matrix', () => {
    const expected = matrix.map((row) => dot(row, xs));
    result.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10));
  });
  it('has transposes with equal inner products', () => {
    const [g, left] = [operand(gs, out), dot(result, gs)];
    const inX = run(x, 'float64', (y) => kernels.convolutionInput(y, g, operand(ws, w), window));
    const inW = run(w, 'float64', (y) => kernels.convolutionWeight(y, g, operand(xs, x), window));
    expect(dot(inX, xs)).toBeCloseTo(left, 9);
    expect(dot(inW, ws)).toBeCloseTo(left, 9);
  });
  it('has the transpose of its dense matrix', () => {
    const inX = run(x, 'float64', (y) =>
      kernels.convolutionInput(y, operand(gs, out), operand(ws, w), window),
    );
    inX.forEach((value, i) =>
      expect(value).toBeCloseTo(
        dot(
          matrix.map((row) => row[i]!),
          gs,
        ),
        10,
      ),
    );
  });
});

describe('convolution', () => {
  it('slides without flipping the filter', () => {
    const window = { kernel: [2], stride: [1], padding: [1], dilation: [1], groups: 1 };
    const [x, w] = [operand([1, 2, 3], [1, 1, 3], 'float32'), operand([10, 1], [1, 1, 2], 'float32')];
    expect(run([1, 1, 4], 'float32', (out) => kernels.convolution(out, x, w, window))).toEqual([
      1, 12, 23, 30,
    ]);
  });
  it('gives zeros without channels and nothing without a batch', () => {
    const window = { kernel: [1], stride: [1], padding: [0], dilation: [1], groups: 1 };
    const none = operand([], [1, 0, 2]);
    expect(
      run([1, 1, 2], 'float32', (out) => kernels.convolution(out, none, operand([], [1, 0, 1]), window)),
    ).toEqual([0, 0]);
    expect(
      run([0, 1, 2], 'float32', (out) =>
        kernels.convolution(out, operand([], [0, 1, 2]), operand([3], [1, 1, 1]), window),
      ),
    ).toEqual([]);
  });
});

describe('maxPool', () => {
  function maxPool(x: Strided, shape: Shape, window: Window): [number[], number[]] {
    const [values, indices] = [blank(shape, x.dtype), blank(shape, 'int32')];
    kernels.maxPool(values, indices, x, window);
    return [numbersOf(values), numbersOf(indices)];
  }
  const plain: Window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
  it('gives the largest element and its place within the image', () => {
    const x = operand(
      [1, 2, 5, 4, 3, 0, 5, 6, 7, 7, 8, 8, 7, 7, 8, 8],
      [1, 1, 4, 4],
      'float32',
      'reversedDims',
    );
    expect(maxPool(x, [1, 1, 2, 2], plain)).toEqual([
      [3, 6, 7, 8],
      [4, 7, 8, 10],
    ]);
  });
  it('never sees the padding, so that negative numbers win over it', () => {
    const window = { kernel: [3], stride: [2], padding: [1], dilation: [1] };
    expect(maxPool(operand([-5, -3, -4], [1, 1, 3], 'float32'), [1, 1, 2], window)).toEqual([
      [-3, -3],
      [1, 1],
    ]);
    expect(maxPool(operand([-5, -3, -4], [1, 1, 3], 'int32'), [1, 1, 2], window)).toEqual([
      [-3, -3],
      [1, 1],
    ]);
    const infinite = operand([-Infinity, -Infinity, -Infinity], [1, 1, 3], 'float32');
    expect(maxPool(infinite, [1, 1, 2], window)).toEqual([
      [-Infinity, -Infinity],
      [0, 1],
    ]);
  });
  it('reaches past dilated gaps and over the end', () => {
    const window = { kernel: [2], stride: [2], padding: [0], dilation: [2] };
    expect(maxPool(operand([1, 9, 2, 8, 3], [1, 1, 5]), [1, 1, 3], window)).toEqual([
      [2, 3, 3],
      [2, 4, 4],
    ]);
  });
  it('lets NaN win', () => {
    const window = { kernel: [3], stride: [3], padding: [0], dilation: [1] };
    expect(maxPool(operand([1, NaN, 2, 3, 4, 3], [1, 1, 6], 'float32'), [1, 1, 2], window)).toEqual([
      [NaN, 4],
      [1, 4],
    ]);
  });
});

describe('averagePool', () => {
  const base: AverageWindow = {
    kernel: [3],
    stride: [2],
    padding: [1],
    paddingAfter: [1],
    dilation: [1],
    countIncludePad: true,
    divisor: null,
  };
  const x = operand([3, 6, 9, 12], [1, 1, 4]);
  const pool = (shape: Shape, window: AverageWindow): number[] =>
    run(shape, 'float64', (out) => kernels.averagePool(out, x, window));
  it('divides by what the window covers, with the padding or without it, or by what it is told', () => {
    expect(pool([1, 1, 2], base)).toEqual([3, 9]);
    expect(pool([1, 1, 2], { ...base, countIncludePad: false })).toEqual([4.5, 9]);
    expect(pool([1, 1, 2], { ...base, divisor: 2 })).toEqual([4.5, 13.5]);
  });
  it('does not count what overhangs the padding', () => {
    expect(pool([1, 1, 3], base)).toEqual([3, 9, 6]);
    expect(pool([1, 1, 3], { ...base, countIncludePad: false })).toEqual([4.5, 9, 12]);
  });
  it.each([base, { ...base, countIncludePad: false }, { ...base, divisor: 5 }])(
    'has a transpose (%#)',
    (window) => {
      const wide: AverageWindow = {
        ...window,
        kernel: [3, 2],
        stride: [2, 1],
        padding: [1, 1],
        paddingAfter: [1, 0],
        dilation: [1, 1],
      };
      const [inner, outer] = [
        [2, 2, 5, 4],
        [2, 2, 3, 4],
      ];
      const [xs, gs] = [scatterOf(numel(inner)), scatterOf(numel(outer), 2)];
      const forward = run(outer, 'float64', (out) => kernels.averagePool(out, operand(xs, inner), wide));
      const back = run(inner, 'float64', (out) =>
        kernels.averagePoolTranspose(out, operand(gs, outer), wide),
      );
      expect(dot(forward, gs)).toBeCloseTo(dot(back, xs), 10);
    },
  );
});
