import { describe, expect, it } from '@jest/globals';
import { copyToNdarray, reference, viewOf } from '../src/backend/reference/index.ts';
import type { AverageWindow, ConvolutionWindow, Strided, Window } from '../src/backend/types.ts';
import type { DType } from '../src/dtype.ts';
import { contiguousStrides, numel, type Shape } from '../src/shape.ts';
import { blank, numbersOf, strided, type Layout } from './strided.ts';

const { kernels } = reference;
const inputLayouts: readonly Layout[] = ['dense', 'shifted', 'reversed', 'spaced'];

/** Numbers without pattern, the same at each run. */
function scatterOf(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 * seed) * 4);
}

function run(shape: Shape, dtype: DType, kernel: (out: Strided) => void): number[] {
  const out = blank(shape, dtype);
  kernel(out);
  return numbersOf(out);
}

describe('the ndarray views', () => {
  it('share memory as views and own it as copies', () => {
    const x = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'spaced');
    const [view, copy] = [viewOf(x), copyToNdarray(x)];
    expect([view.shape, view.get(1, 2), view.dtype]).toEqual([[2, 3], 6, 'float32']);
    expect([[...copy.data], copy.shape, copy.stride, copy.offset]).toEqual([[1, 2, 3, 4, 5, 6], [2, 3], [3, 1], 0]);
    copy.set(0, 0, 9);
    expect(numbersOf(x)[0]).toBe(1);
    view.set(0, 0, 9);
    expect(numbersOf(x)[0]).toBe(9);
  });
  it('keep dtypes, scalars and empty shapes', () => {
    expect(copyToNdarray(strided([1, 0], [2], 'bool')).dtype).toBe('uint8');
    const scalar = copyToNdarray({ ...strided([1, 8], [2], 'int32'), shape: [], strides: [], offset: 1 });
    expect([scalar.get(), scalar.shape, scalar.dtype]).toEqual([8, [], 'int32']);
    expect(copyToNdarray(strided([], [3, 0])).shape).toEqual([3, 0]);
  });
});

describe('copy', () => {
  it.each(inputLayouts)('reads %s elements in row-major order', (layout) => {
    const x = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float32', layout);
    expect(run([2, 3], 'float64', (out) => kernels.copy(out, x))).toEqual([1, 2, 3, 4, 5, 6]);
  });
  it('writes through the strides of the output and nowhere else', () => {
    const out = blank([2, 2], 'int32', 'spaced');
    kernels.copy(out, strided([1, 2, 3, 4], [2, 2]));
    expect(numbersOf(out)).toEqual([1, 2, 3, 4]);
    const everything = numbersOf({ ...out, offset: 0, shape: [out.storage.byteLength / 4], strides: [1] });
    expect(everything.filter((v) => v === 77)).toHaveLength(everything.length - 4);
  });
  it('repeats an element whose stride is 0, and copies scalars and nothing', () => {
    const x = { ...strided([5, 6], [2]), shape: [2, 3], strides: [1, 0] };
    expect(run([2, 3], 'float64', (out) => kernels.copy(out, x))).toEqual([5, 5, 5, 6, 6, 6]);
    expect(run([], 'float32', (out) => kernels.copy(out, strided([3], [])))).toEqual([3]);
    expect(run([0, 2], 'float32', (out) => kernels.copy(out, strided([], [0, 2])))).toEqual([]);
  });
  it('truncates floats to integers, wraps bytes, rounds to float32 and compares with 0 for bool', () => {
    const x = strided([-1.9, 0.2, 258.7, NaN], [4]);
    expect(run([4], 'int32', (out) => kernels.copy(out, x))).toEqual([-1, 0, 258, 0]);
    expect(run([4], 'uint8', (out) => kernels.copy(out, x))).toEqual([255, 0, 2, 0]);
    expect(run([4], 'bool', (out) => kernels.copy(out, x))).toEqual([1, 1, 1, 1]);
    expect(run([4], 'float32', (out) => kernels.copy(out, x))).toEqual([-1.9, 0.2, 258.7, NaN].map(Math.fround));
    expect(run([2], 'bool', (out) => kernels.copy(out, strided([0, -0], [2])))).toEqual([0, 0]);
  });
});

describe('reduce', () => {
  const x = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float64', 'reversed');
  it('folds the dimensions that it is told, and keeps them with size 1', () => {
    expect(run([2, 1], 'float64', (out) => kernels.reduce('sum', out, x, [1]))).toEqual([6, 15]);
    expect(run([1, 3], 'float64', (out) => kernels.reduce('prod', out, x, [0]))).toEqual([4, 10, 18]);
    expect(run([1, 1], 'float64', (out) => kernels.reduce('max', out, x, [0, 1]))).toEqual([6]);
    expect(run([2, 3], 'float64', (out) => kernels.reduce('min', out, x, []))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(run([], 'float64', (out) => kernels.reduce('sum', out, strided([7], []), []))).toEqual([7]);
  });
  it('lets NaN win max and min wherever it stands', () => {
    for (const values of [[NaN, 1, 2], [1, NaN, 2], [1, 2, NaN]]) {
      for (const kind of ['max', 'min'] as const) {
        expect(run([1], 'float32', (out) => kernels.reduce(kind, out, strided(values, [3]), [0]))).toEqual([NaN]);
      }
    }
    const infinite = strided([-Infinity, -Infinity], [2]);
    expect(run([1], 'float32', (out) => kernels.reduce('max', out, infinite, [0]))).toEqual([-Infinity]);
  });
  it('sums nothing to 0 and multiplies nothing to 1', () => {
    const nothing = strided([], [2, 0]);
    expect(run([2, 1], 'float32', (out) => kernels.reduce('sum', out, nothing, [1]))).toEqual([0, 0]);
    expect(run([2, 1], 'float32', (out) => kernels.reduce('prod', out, nothing, [1]))).toEqual([1, 1]);
    expect(run([2, 1], 'bool', (out) => kernels.reduce('any', out, nothing, [1]))).toEqual([0, 0]);
    expect(run([2, 1], 'bool', (out) => kernels.reduce('all', out, nothing, [1]))).toEqual([1, 1]);
    expect(run([1, 0], 'float32', (out) => kernels.reduce('sum', out, nothing, [0]))).toEqual([]);
  });
  it('accumulates float32 in float64 and rounds once', () => {
    const x = strided([2 ** 24, ...Array<number>(16).fill(0.5)], [17], 'float32');
    expect(run([1], 'float32', (out) => kernels.reduce('sum', out, x, [0]))).toEqual([2 ** 24 + 8]);
  });
  it('wraps integers, even where float64 would have lost the low bits', () => {
    const large = strided([2147483647, 2147483647, 3], [3], 'int32');
    expect(run([1], 'int32', (out) => kernels.reduce('sum', out, large, [0]))).toEqual([1]);
    const odd = Math.imul(Math.imul(1234567891, 987654321), 2147483629);
    const factors = strided([1234567891, 987654321, 2147483629], [3], 'int32');
    expect(run([1], 'int32', (out) => kernels.reduce('prod', out, factors, [0]))).toEqual([odd]);
  });
  it('answers any and all over bool', () => {
    const x = strided([0, 1, 0, 0, 1, 1], [3, 2], 'bool');
    expect(run([3, 1], 'bool', (out) => kernels.reduce('any', out, x, [1]))).toEqual([1, 0, 1]);
    expect(run([3, 1], 'bool', (out) => kernels.reduce('all', out, x, [1]))).toEqual([0, 0, 1]);
  });
});

describe('extremum', () => {
  function extremum(kind: 'max' | 'min', x: Strided, dim: number): [number[], number[]] {
    const shape = x.shape.map((size, d) => (d === dim ? 1 : size));
    const [values, indices] = [blank(shape, x.dtype), blank(shape, 'int32')];
    kernels.extremum(kind, values, indices, x, dim);
    return [numbersOf(values), numbersOf(indices)];
  }
  it('gives the first of equal extremes', () => {
    const x = strided([3, 1, 3, 1, 7, 7], [2, 3], 'int32', 'spaced');
    expect(extremum('max', x, 1)).toEqual([[3, 7], [0, 1]]);
    expect(extremum('min', x, 1)).toEqual([[1, 1], [1, 0]]);
    expect(extremum('max', x, 0)).toEqual([[3, 7, 7], [0, 1, 1]]);
  });
  it('gives the first NaN when there is one', () => {
    const x = strided([5, NaN, 9, NaN], [4], 'float32');
    expect(extremum('max', x, 0)).toEqual([[NaN], [1]]);
    expect(extremum('min', x, 0)).toEqual([[NaN], [1]]);
  });
  it('takes a scalar for a line of one', () => {
    expect(extremum('max', strided([4], []), 0)).toEqual([[4], [0]]);
  });
});

describe('matmul', () => {
  it('multiplies rows with columns', () => {
    const a = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversed');
    const b = strided([7, 8, 9, 10, 11, 12], [3, 2], 'float32', 'spaced');
    expect(run([2, 2], 'float32', (out) => kernels.matmul(out, a, b))).toEqual([58, 64, 139, 154]);
  });
  it('broadcasts batches by stride 0', () => {
    const a = strided([1, 2, 3, 4], [2, 1, 2]);
    const b = { ...strided([5, 6], [2, 1]), shape: [2, 2, 1], strides: [0, 1, 1] };
    expect(run([2, 1, 1], 'float64', (out) => kernels.matmul(out, a, b))).toEqual([17, 39]);
  });
  it('gives zeros over an empty inner dimension and wraps integers', () => {
    expect(run([2, 1], 'float32', (out) => kernels.matmul(out, strided([], [2, 0]), strided([], [0, 1])))).toEqual([0, 0]);
    const [a, b] = [strided([2147483647, 65536], [1, 2], 'int32'), strided([3, 65537], [2, 1], 'int32')];
    expect(run([1, 1], 'int32', (out) => kernels.matmul(out, a, b))).toEqual([(Math.imul(2147483647, 3) + 65536) | 0]);
  });
});

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
  const sizes = kernel.map((k, d) =>
    Math.floor((x[d + 2]! + 2 * padding[d]! - dilation[d]! * (k - 1) - 1) / stride[d]!) + 1);
  return [x[0]!, w[0]!, ...sizes];
}

/** The matrix that takes a flattened x to the flattened result; built by asking which input each weight meets. */
function convolutionMatrix(x: Shape, w: Shape, weights: number[], out: Shape, window: ConvolutionWindow): number[][] {
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
    kernels.convolution(y, strided(xs, x, 'float64', 'spaced'), strided(ws, w, 'float64', 'reversed'), window));

  const matrix = convolutionMatrix(x, w, ws, out, window);

  it('is the product with its dense matrix', () => {
    const expected = matrix.map((row) => dot(row, xs));
    result.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10));
  });
  it('has transposes with equal inner products', () => {
    const [g, left] = [strided(gs, out), dot(result, gs)];
    const inX = run(x, 'float64', (y) => kernels.convolutionInput(y, g, strided(ws, w), window));
    const inW = run(w, 'float64', (y) => kernels.convolutionWeight(y, g, strided(xs, x), window));
    expect(dot(inX, xs)).toBeCloseTo(left, 9);
    expect(dot(inW, ws)).toBeCloseTo(left, 9);
  });
  it('has the transpose of its dense matrix', () => {
    const inX = run(x, 'float64', (y) => kernels.convolutionInput(y, strided(gs, out), strided(ws, w), window));
    inX.forEach((value, i) => expect(value).toBeCloseTo(dot(matrix.map((row) => row[i]!), gs), 10));
  });
});

describe('convolution', () => {
  it('slides without flipping the filter', () => {
    const window = { kernel: [2], stride: [1], padding: [1], dilation: [1], groups: 1 };
    const [x, w] = [strided([1, 2, 3], [1, 1, 3], 'float32'), strided([10, 1], [1, 1, 2], 'float32')];
    expect(run([1, 1, 4], 'float32', (out) => kernels.convolution(out, x, w, window))).toEqual([1, 12, 23, 30]);
  });
  it('gives zeros without channels and nothing without a batch', () => {
    const window = { kernel: [1], stride: [1], padding: [0], dilation: [1], groups: 1 };
    const none = strided([], [1, 0, 2]);
    expect(run([1, 1, 2], 'float32', (out) => kernels.convolution(out, none, strided([], [1, 0, 1]), window))).toEqual([0, 0]);
    expect(run([0, 1, 2], 'float32', (out) => kernels.convolution(out, strided([], [0, 1, 2]), strided([3], [1, 1, 1]), window))).toEqual([]);
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
    const x = strided([1, 2, 5, 4, 3, 0, 5, 6, 7, 7, 8, 8, 7, 7, 8, 8], [1, 1, 4, 4], 'float32', 'reversed');
    expect(maxPool(x, [1, 1, 2, 2], plain)).toEqual([[3, 6, 7, 8], [4, 7, 8, 10]]);
  });
  it('never sees the padding, so that negative numbers win over it', () => {
    const window = { kernel: [3], stride: [2], padding: [1], dilation: [1] };
    expect(maxPool(strided([-5, -3, -4], [1, 1, 3], 'float32'), [1, 1, 2], window)).toEqual([[-3, -3], [1, 1]]);
    expect(maxPool(strided([-5, -3, -4], [1, 1, 3], 'int32'), [1, 1, 2], window)).toEqual([[-3, -3], [1, 1]]);
    const infinite = strided([-Infinity, -Infinity, -Infinity], [1, 1, 3], 'float32');
    expect(maxPool(infinite, [1, 1, 2], window)).toEqual([[-Infinity, -Infinity], [0, 1]]);
  });
  it('reaches past dilated gaps and over the end', () => {
    const window = { kernel: [2], stride: [2], padding: [0], dilation: [2] };
    expect(maxPool(strided([1, 9, 2, 8, 3], [1, 1, 5]), [1, 1, 3], window)).toEqual([[2, 3, 3], [2, 4, 4]]);
  });
  it('lets NaN win', () => {
    const window = { kernel: [3], stride: [3], padding: [0], dilation: [1] };
    expect(maxPool(strided([1, NaN, 2, 3, 4, 3], [1, 1, 6], 'float32'), [1, 1, 2], window)).toEqual([[NaN, 4], [1, 4]]);
  });
});

describe('averagePool', () => {
  const base: AverageWindow = {
    kernel: [3], stride: [2], padding: [1], paddingAfter: [1], dilation: [1], countIncludePad: true, divisor: null,
  };
  const x = strided([3, 6, 9, 12], [1, 1, 4]);
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
  it.each([base, { ...base, countIncludePad: false }, { ...base, divisor: 5 }])('has a transpose (%#)', (window) => {
    const wide: AverageWindow = {
      ...window, kernel: [3, 2], stride: [2, 1], padding: [1, 1], paddingAfter: [1, 0], dilation: [1, 1],
    };
    const [inner, outer] = [[2, 2, 5, 4], [2, 2, 3, 4]];
    const [xs, gs] = [scatterOf(numel(inner)), scatterOf(numel(outer), 2)];
    const forward = run(outer, 'float64', (out) => kernels.averagePool(out, strided(xs, inner), wide));
    const back = run(inner, 'float64', (out) => kernels.averagePoolTranspose(out, strided(gs, outer), wide));
    expect(dot(forward, gs)).toBeCloseTo(dot(back, xs), 10);
  });
});

describe('gather and scatter', () => {
  it('read and write where the index says', () => {
    const x = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversed');
    const index = strided([2, 0, 1, 1], [2, 2], 'int32', 'spaced');
    expect(run([2, 2], 'float32', (out) => kernels.gather(out, x, index, 1))).toEqual([3, 1, 5, 5]);
    const rows = strided([1, 0, 1], [1, 3], 'int32');
    expect(run([1, 3], 'float32', (out) => kernels.gather(out, x, rows, 0))).toEqual([4, 2, 6]);
  });
  it('let the last write win, or add all of them up', () => {
    const [index, src] = [strided([0, 2, 0], [1, 3], 'int32'), strided([5, 6, 7], [1, 3])];
    const start = (): Strided => strided([1, 1, 1, 1], [1, 4], 'float64', 'spaced');
    const [written, added] = [start(), start()];
    kernels.scatter(written, index, src, 1, false);
    kernels.scatter(added, index, src, 1, true);
    expect(numbersOf(written)).toEqual([7, 1, 6, 1]);
    expect(numbersOf(added)).toEqual([13, 1, 7, 1]);
  });
  it('add in float64 and round once, add integers with wrapping, and turn bool into or', () => {
    const zeros = strided(new Array<number>(17).fill(0), [17], 'int32');
    const float = strided([2 ** 24], [1], 'float32');
    kernels.scatter(float, zeros, strided(new Array<number>(17).fill(0.5), [17], 'float32'), 0, true);
    expect(numbersOf(float)).toEqual([2 ** 24 + 8]);
    const int = strided([2147483647], [1], 'int32');
    kernels.scatter(int, strided([0], [1], 'int32'), strided([2], [1], 'int32'), 0, true);
    expect(numbersOf(int)).toEqual([-2147483647]);
    const bool = strided([1, 0], [2], 'bool');
    kernels.scatter(bool, strided([0, 0], [2], 'int32'), strided([1, 1], [2], 'bool'), 0, true);
    expect(numbersOf(bool)).toEqual([1, 0]);
  });
  it('take repeated sources, scalars and nothing', () => {
    const src = { ...strided([3], [1]), shape: [4], strides: [0] };
    const sums = strided([0, 0], [2]);
    kernels.scatter(sums, strided([0, 1, 1, 1], [4], 'int32'), src, 0, true);
    expect(numbersOf(sums)).toEqual([3, 9]);
    const scalar = strided([1], []);
    kernels.scatter(scalar, strided([0], [], 'int32'), strided([6], []), 0, true);
    expect(numbersOf(scalar)).toEqual([7]);
    expect(run([], 'float64', (out) => kernels.gather(out, scalar, strided([0], [], 'int32'), 0))).toEqual([7]);
    expect(run([0], 'float64', (out) => kernels.gather(out, sums, strided([], [0], 'int32'), 0))).toEqual([]);
  });
});

describe('scan', () => {
  it('folds the beginnings of each line', () => {
    const x = strided([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversed');
    expect(run([2, 3], 'float32', (out) => kernels.scan('sum', out, null, x, 1))).toEqual([1, 3, 6, 4, 9, 15]);
    expect(run([2, 3], 'float32', (out) => kernels.scan('prod', out, null, x, 0))).toEqual([1, 2, 3, 4, 10, 18]);
    expect(run([2, 0], 'float32', (out) => kernels.scan('sum', out, null, strided([], [2, 0]), 1))).toEqual([]);
    expect(run([], 'float32', (out) => kernels.scan('sum', out, null, strided([2], []), 0))).toEqual([2]);
  });
  it('gives the last of equal extremes, and NaN for good once it came', () => {
    const [out, indices] = [blank([6], 'float32'), blank([6], 'int32')];
    kernels.scan('max', out, indices, strided([2, 1, 2, NaN, 5, NaN], [6], 'float32'), 0);
    expect([numbersOf(out), numbersOf(indices)]).toEqual([[2, 2, 2, NaN, NaN, NaN], [0, 0, 2, 3, 3, 5]]);
    kernels.scan('min', out, indices, strided([2, 1, 3, 1, 0, 0], [6], 'float32'), 0);
    expect([numbersOf(out), numbersOf(indices)]).toEqual([[2, 1, 1, 1, 0, 0], [0, 1, 1, 3, 4, 5]]);
  });
  it('keeps the sum in float64 and wraps integers', () => {
    const x = strided([2 ** 24, 0.5, 0.5, 0.5, 0.5], [5], 'float32');
    expect(run([5], 'float32', (out) => kernels.scan('sum', out, null, x, 0)).at(-1)).toBe(2 ** 24 + 2);
    const large = strided([2147483647, 1], [2], 'int32');
    expect(run([2], 'int32', (out) => kernels.scan('sum', out, null, large, 0))).toEqual([2147483647, -2147483648]);
  });
});

describe('sort', () => {
  function sort(x: Strided, dim: number, descending: boolean): [number[], number[]] {
    const [values, indices] = [blank(x.shape, x.dtype), blank(x.shape, 'int32')];
    kernels.sort(values, indices, x, dim, descending);
    return [numbersOf(values), numbersOf(indices)];
  }
  it('keeps equal elements in order in both directions and counts NaN as largest', () => {
    const x = strided([2, NaN, 1, 2, -Infinity, NaN, 1], [7], 'float32', 'spaced');
    expect(sort(x, 0, false)).toEqual([[-Infinity, 1, 1, 2, 2, NaN, NaN], [4, 2, 6, 0, 3, 1, 5]]);
    expect(sort(x, 0, true)).toEqual([[NaN, NaN, 2, 2, 1, 1, -Infinity], [1, 5, 0, 3, 2, 6, 4]]);
  });
  it('sorts along any dimension, bools, scalars and nothing', () => {
    expect(sort(strided([3, 1, 2, 0], [2, 2], 'int32'), 0, false)).toEqual([[2, 0, 3, 1], [1, 1, 0, 0]]);
    expect(sort(strided([1, 0, 1], [3], 'bool'), 0, false)).toEqual([[0, 1, 1], [1, 0, 2]]);
    expect(sort(strided([1], []), 0, true)).toEqual([[1], [0]]);
    expect(sort(strided([], [0]), 0, true)).toEqual([[], []]);
  });
  it('does not confuse 0 with -0', () => {
    expect(sort(strided([0, -0, 0], [3]), 0, true)).toEqual([[0, -0, 0], [0, 1, 2]]);
  });
});

describe('softmax', () => {
  it('does not overflow, and its logarithm does not vanish', () => {
    const x = strided([1000, 1000 + Math.log(3), -1000, 0], [2, 2], 'float64', 'reversed');
    run([2, 2], 'float64', (out) => kernels.softmax(out, x, 1, false)).forEach((value, i) =>
      expect(value).toBeCloseTo([0.25, 0.75, 0, 1][i]!, 12));
    expect(run([2, 2], 'float64', (out) => kernels.softmax(out, x, 1, true)).slice(2)).toEqual([-1000, 0]);
  });
  it('sums to one along its dimension', () => {
    const shares = run([3, 4], 'float64', (out) => kernels.softmax(out, strided(scatterOf(12), [3, 4]), 0, false));
    for (let j = 0; j < 4; j++) expect(shares[j]! + shares[j + 4]! + shares[j + 8]!).toBeCloseTo(1, 14);
  });
  it('passes NaN on, gives minus infinity no share, and has no answer when all are', () => {
    const softmax = (values: number[]): number[] =>
      run([2], 'float32', (out) => kernels.softmax(out, strided(values, [2]), 0, false));
    expect(softmax([NaN, 1])).toEqual([NaN, NaN]);
    expect(softmax([-Infinity, 1])).toEqual([0, 1]);
    expect(softmax([-Infinity, -Infinity])).toEqual([NaN, NaN]);
    expect(run([], 'float32', (out) => kernels.softmax(out, strided([5], []), 0, false))).toEqual([1]);
    expect(run([0], 'float32', (out) => kernels.softmax(out, strided([], [0]), 0, false))).toEqual([]);
  });
});
