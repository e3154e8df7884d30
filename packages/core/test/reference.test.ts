import { describe, expect, it } from '@jest/globals';
import { copyToNdarray, reference, viewOf } from '../src/backend/reference/index.ts';
import type { Strided } from '../src/backend/types.ts';
import { blank, operand, run, scatterOf } from './operand.ts';
import { softmax } from './row-computations.ts';
import { gapsAreUntouched, layouts, values as numbersOf } from './strided.ts';

const { kernels } = reference;

describe('the ndarray views', () => {
  it('share memory as views and own it as copies', () => {
    const x = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'stepped');
    const [view, copy] = [viewOf(x), copyToNdarray(x)];
    expect([view.shape, view.get(1, 2), view.dtype]).toEqual([[2, 3], 6, 'float32']);
    expect([[...copy.data], copy.shape, copy.stride, copy.offset]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 3],
      [3, 1],
      0,
    ]);
    copy.set(0, 0, 9);
    expect(numbersOf(x)[0]).toBe(1);
    view.set(0, 0, 9);
    expect(numbersOf(x)[0]).toBe(9);
  });
  it('keep dtypes, scalars and empty shapes', () => {
    expect(copyToNdarray(operand([1, 0], [2], 'bool')).dtype).toBe('uint8');
    const scalar = copyToNdarray({ ...operand([1, 8], [2], 'int32'), shape: [], strides: [], offset: 1 });
    expect([scalar.get(), scalar.shape, scalar.dtype]).toEqual([8, [], 'int32']);
    expect(copyToNdarray(operand([], [3, 0])).shape).toEqual([3, 0]);
  });
});

describe('copy', () => {
  it.each(layouts)('reads %s elements in row-major order', (layout) => {
    const x = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float32', layout);
    expect(run([2, 3], 'float64', (out) => kernels.copy(out, x))).toEqual([1, 2, 3, 4, 5, 6]);
  });
  it('writes through the strides of the output and nowhere else', () => {
    const out = blank([2, 2], 'int32', 'stepped');
    kernels.copy(out, operand([1, 2, 3, 4], [2, 2]));
    expect(numbersOf(out)).toEqual([1, 2, 3, 4]);
    expect(gapsAreUntouched(out)).toBe(true);
  });
  it('repeats an element whose stride is 0, and copies scalars and nothing', () => {
    const x = { ...operand([5, 6], [2]), shape: [2, 3], strides: [1, 0] };
    expect(run([2, 3], 'float64', (out) => kernels.copy(out, x))).toEqual([5, 5, 5, 6, 6, 6]);
    expect(run([], 'float32', (out) => kernels.copy(out, operand([3], [])))).toEqual([3]);
    expect(run([0, 2], 'float32', (out) => kernels.copy(out, operand([], [0, 2])))).toEqual([]);
  });
  it('truncates floats to integers, wraps bytes, rounds to float32 and compares with 0 for bool', () => {
    const x = operand([-1.9, 0.2, 258.7, NaN], [4]);
    expect(run([4], 'int32', (out) => kernels.copy(out, x))).toEqual([-1, 0, 258, 0]);
    expect(run([4], 'uint8', (out) => kernels.copy(out, x))).toEqual([255, 0, 2, 0]);
    expect(run([4], 'bool', (out) => kernels.copy(out, x))).toEqual([1, 1, 1, 1]);
    expect(run([4], 'float32', (out) => kernels.copy(out, x))).toEqual(
      [-1.9, 0.2, 258.7, NaN].map(Math.fround),
    );
    const far = operand([3e9, -Infinity, 1e300], [3]);
    expect(run([3], 'int32', (out) => kernels.copy(out, far))).toEqual([2147483647, -2147483648, 2147483647]);
    expect(run([3], 'uint8', (out) => kernels.copy(out, far))).toEqual([255, 0, 255]);
    expect(run([2], 'bool', (out) => kernels.copy(out, operand([0, -0], [2])))).toEqual([0, 0]);
  });
});

describe('reduce', () => {
  const x = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float64', 'reversedDims');
  it('folds the dimensions that it is told, and keeps them with size 1', () => {
    expect(run([2, 1], 'float64', (out) => kernels.reduce('sum', out, x, [1]))).toEqual([6, 15]);
    expect(run([1, 3], 'float64', (out) => kernels.reduce('prod', out, x, [0]))).toEqual([4, 10, 18]);
    expect(run([1, 1], 'float64', (out) => kernels.reduce('max', out, x, [0, 1]))).toEqual([6]);
    expect(run([2, 3], 'float64', (out) => kernels.reduce('min', out, x, []))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(run([], 'float64', (out) => kernels.reduce('sum', out, operand([7], []), []))).toEqual([7]);
    for (const dtype of ['float32', 'int32'] as const) {
      const scalar = operand([7], [], dtype, 'offset');
      expect(run([], dtype, (out) => kernels.reduce('sum', out, scalar, []))).toEqual([7]);
      expect(run([], dtype, (out) => kernels.reduce('max', out, scalar, []))).toEqual([7]);
    }
  });
  it('lets NaN win max and min wherever it stands', () => {
    for (const values of [
      [NaN, 1, 2],
      [1, NaN, 2],
      [1, 2, NaN],
    ]) {
      for (const kind of ['max', 'min'] as const) {
        expect(run([1], 'float32', (out) => kernels.reduce(kind, out, operand(values, [3]), [0]))).toEqual([
          NaN,
        ]);
      }
    }
    const infinite = operand([-Infinity, -Infinity], [2]);
    expect(run([1], 'float32', (out) => kernels.reduce('max', out, infinite, [0]))).toEqual([-Infinity]);
  });
  it('sums nothing to 0 and multiplies nothing to 1', () => {
    const nothing = operand([], [2, 0]);
    expect(run([2, 1], 'float32', (out) => kernels.reduce('sum', out, nothing, [1]))).toEqual([0, 0]);
    expect(run([2, 1], 'float32', (out) => kernels.reduce('prod', out, nothing, [1]))).toEqual([1, 1]);
    expect(run([2, 1], 'bool', (out) => kernels.reduce('any', out, nothing, [1]))).toEqual([0, 0]);
    expect(run([2, 1], 'bool', (out) => kernels.reduce('all', out, nothing, [1]))).toEqual([1, 1]);
    expect(run([1, 0], 'float32', (out) => kernels.reduce('sum', out, nothing, [0]))).toEqual([]);
  });
  it('accumulates float32 in float64 and rounds once', () => {
    const x = operand([2 ** 24, ...Array<number>(16).fill(0.5)], [17], 'float32');
    expect(run([1], 'float32', (out) => kernels.reduce('sum', out, x, [0]))).toEqual([2 ** 24 + 8]);
  });
  it('wraps integers, even where float64 would have lost the low bits', () => {
    const large = operand([2147483647, 2147483647, 3], [3], 'int32');
    expect(run([1], 'int32', (out) => kernels.reduce('sum', out, large, [0]))).toEqual([1]);
    const odd = Math.imul(Math.imul(1234567891, 987654321), 2147483629);
    const factors = operand([1234567891, 987654321, 2147483629], [3], 'int32');
    expect(run([1], 'int32', (out) => kernels.reduce('prod', out, factors, [0]))).toEqual([odd]);
  });
  it('answers any and all over bool', () => {
    const x = operand([0, 1, 0, 0, 1, 1], [3, 2], 'bool');
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
    const x = operand([3, 1, 3, 1, 7, 7], [2, 3], 'int32', 'stepped');
    expect(extremum('max', x, 1)).toEqual([
      [3, 7],
      [0, 1],
    ]);
    expect(extremum('min', x, 1)).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(extremum('max', x, 0)).toEqual([
      [3, 7, 7],
      [0, 1, 1],
    ]);
  });
  it('gives the first NaN when there is one', () => {
    const x = operand([5, NaN, 9, NaN], [4], 'float32');
    expect(extremum('max', x, 0)).toEqual([[NaN], [1]]);
    expect(extremum('min', x, 0)).toEqual([[NaN], [1]]);
  });
  it('takes a scalar for a line of one', () => {
    expect(extremum('max', operand([4], []), 0)).toEqual([[4], [0]]);
  });
});

describe('matmul', () => {
  it('multiplies rows with columns', () => {
    const a = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversedDims');
    const b = operand([7, 8, 9, 10, 11, 12], [3, 2], 'float32', 'stepped');
    expect(run([2, 2], 'float32', (out) => kernels.matmul(out, a, b))).toEqual([58, 64, 139, 154]);
  });
  it('broadcasts batches by stride 0', () => {
    const a = operand([1, 2, 3, 4], [2, 1, 2]);
    const b = { ...operand([5, 6], [2, 1]), shape: [2, 2, 1], strides: [0, 1, 1] };
    expect(run([2, 1, 1], 'float64', (out) => kernels.matmul(out, a, b))).toEqual([17, 39]);
  });
  it('gives zeros over an empty inner dimension and wraps integers', () => {
    expect(
      run([2, 1], 'float32', (out) => kernels.matmul(out, operand([], [2, 0]), operand([], [0, 1]))),
    ).toEqual([0, 0]);
    const [a, b] = [operand([2147483647, 65536], [1, 2], 'int32'), operand([3, 65537], [2, 1], 'int32')];
    expect(run([1, 1], 'int32', (out) => kernels.matmul(out, a, b))).toEqual([
      (Math.imul(2147483647, 3) + 65536) | 0,
    ]);
  });
});

describe('gather and scatter', () => {
  it('read and write where the index says', () => {
    const x = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversedDims');
    const index = operand([2, 0, 1, 1], [2, 2], 'int32', 'stepped');
    expect(run([2, 2], 'float32', (out) => kernels.gather(out, x, index, 1))).toEqual([3, 1, 5, 5]);
    const rows = operand([1, 0, 1], [1, 3], 'int32');
    expect(run([1, 3], 'float32', (out) => kernels.gather(out, x, rows, 0))).toEqual([4, 2, 6]);
  });
  it('let the last write win, or add all of them up', () => {
    const [index, src] = [operand([0, 2, 0], [1, 3], 'int32'), operand([5, 6, 7], [1, 3])];
    const start = (): Strided => operand([1, 1, 1, 1], [1, 4], 'float64', 'stepped');
    const [written, added] = [start(), start()];
    kernels.scatter(written, index, src, 1, false);
    kernels.scatter(added, index, src, 1, true);
    expect(numbersOf(written)).toEqual([7, 1, 6, 1]);
    expect(numbersOf(added)).toEqual([13, 1, 7, 1]);
  });
  it('add in float64 and round once, add integers with wrapping, and turn bool into or', () => {
    const zeros = operand(new Array<number>(17).fill(0), [17], 'int32');
    const float = operand([2 ** 24], [1], 'float32');
    kernels.scatter(float, zeros, operand(new Array<number>(17).fill(0.5), [17], 'float32'), 0, true);
    expect(numbersOf(float)).toEqual([2 ** 24 + 8]);
    const int = operand([2147483647], [1], 'int32');
    kernels.scatter(int, operand([0], [1], 'int32'), operand([2], [1], 'int32'), 0, true);
    expect(numbersOf(int)).toEqual([-2147483647]);
    const bool = operand([1, 0], [2], 'bool');
    kernels.scatter(bool, operand([0, 0], [2], 'int32'), operand([1, 1], [2], 'bool'), 0, true);
    expect(numbersOf(bool)).toEqual([1, 0]);
  });
  it('take repeated sources, scalars and nothing', () => {
    const src = { ...operand([3], [1]), shape: [4], strides: [0] };
    const sums = operand([0, 0], [2]);
    kernels.scatter(sums, operand([0, 1, 1, 1], [4], 'int32'), src, 0, true);
    expect(numbersOf(sums)).toEqual([3, 9]);
    const scalar = operand([1], []);
    kernels.scatter(scalar, operand([0], [], 'int32'), operand([6], []), 0, true);
    expect(numbersOf(scalar)).toEqual([7]);
    expect(run([], 'float64', (out) => kernels.gather(out, scalar, operand([0], [], 'int32'), 0))).toEqual([
      7,
    ]);
    expect(run([0], 'float64', (out) => kernels.gather(out, sums, operand([], [0], 'int32'), 0))).toEqual([]);
  });
});

describe('scan', () => {
  it('folds the beginnings of each line', () => {
    const x = operand([1, 2, 3, 4, 5, 6], [2, 3], 'float32', 'reversedDims');
    expect(run([2, 3], 'float32', (out) => kernels.scan('sum', out, null, x, 1))).toEqual([
      1, 3, 6, 4, 9, 15,
    ]);
    expect(run([2, 3], 'float32', (out) => kernels.scan('prod', out, null, x, 0))).toEqual([
      1, 2, 3, 4, 10, 18,
    ]);
    expect(run([2, 0], 'float32', (out) => kernels.scan('sum', out, null, operand([], [2, 0]), 1))).toEqual(
      [],
    );
    expect(run([], 'float32', (out) => kernels.scan('sum', out, null, operand([2], []), 0))).toEqual([2]);
  });
  it('gives the last of equal extremes, and NaN for good once it came', () => {
    const [out, indices] = [blank([6], 'float32'), blank([6], 'int32')];
    kernels.scan('max', out, indices, operand([2, 1, 2, NaN, 5, NaN], [6], 'float32'), 0);
    expect([numbersOf(out), numbersOf(indices)]).toEqual([
      [2, 2, 2, NaN, NaN, NaN],
      [0, 0, 2, 3, 3, 5],
    ]);
    kernels.scan('min', out, indices, operand([2, 1, 3, 1, 0, 0], [6], 'float32'), 0);
    expect([numbersOf(out), numbersOf(indices)]).toEqual([
      [2, 1, 1, 1, 0, 0],
      [0, 1, 1, 3, 4, 5],
    ]);
  });
  it('keeps the sum in float64 and wraps integers', () => {
    const x = operand([2 ** 24, 0.5, 0.5, 0.5, 0.5], [5], 'float32');
    expect(run([5], 'float32', (out) => kernels.scan('sum', out, null, x, 0)).at(-1)).toBe(2 ** 24 + 2);
    const large = operand([2147483647, 1], [2], 'int32');
    expect(run([2], 'int32', (out) => kernels.scan('sum', out, null, large, 0))).toEqual([
      2147483647, -2147483648,
    ]);
  });
});

describe('sort', () => {
  function sort(x: Strided, dim: number, descending: boolean): [number[], number[]] {
    const [values, indices] = [blank(x.shape, x.dtype), blank(x.shape, 'int32')];
    kernels.sort(values, indices, x, dim, descending);
    return [numbersOf(values), numbersOf(indices)];
  }
  it('keeps equal elements in order in both directions and counts NaN as largest', () => {
    const x = operand([2, NaN, 1, 2, -Infinity, NaN, 1], [7], 'float32', 'stepped');
    expect(sort(x, 0, false)).toEqual([
      [-Infinity, 1, 1, 2, 2, NaN, NaN],
      [4, 2, 6, 0, 3, 1, 5],
    ]);
    expect(sort(x, 0, true)).toEqual([
      [NaN, NaN, 2, 2, 1, 1, -Infinity],
      [1, 5, 0, 3, 2, 6, 4],
    ]);
  });
  it('sorts along any dimension, bools, scalars and nothing', () => {
    expect(sort(operand([3, 1, 2, 0], [2, 2], 'int32'), 0, false)).toEqual([
      [2, 0, 3, 1],
      [1, 1, 0, 0],
    ]);
    expect(sort(operand([1, 0, 1], [3], 'bool'), 0, false)).toEqual([
      [0, 1, 1],
      [1, 0, 2],
    ]);
    expect(sort(operand([1], []), 0, true)).toEqual([[1], [0]]);
    expect(sort(operand([], [0]), 0, true)).toEqual([[], []]);
  });
  it('does not confuse 0 with -0', () => {
    expect(sort(operand([0, -0, 0], [3]), 0, true)).toEqual([
      [0, -0, 0],
      [0, 1, 2],
    ]);
  });
});

describe('softmax', () => {
  it('does not overflow, and its logarithm does not vanish', () => {
    const x = operand([1000, 1000 + Math.log(3), -1000, 0], [2, 2], 'float64', 'reversedDims');
    run([2, 2], 'float64', (out) => softmax(kernels, out, x, 1, false)).forEach((value, i) =>
      expect(value).toBeCloseTo([0.25, 0.75, 0, 1][i]!, 12),
    );
    expect(run([2, 2], 'float64', (out) => softmax(kernels, out, x, 1, true)).slice(2)).toEqual([-1000, 0]);
  });
  it('sums to one along its dimension', () => {
    const shares = run([3, 4], 'float64', (out) =>
      softmax(kernels, out, operand(scatterOf(12), [3, 4]), 0, false),
    );
    for (let j = 0; j < 4; j++) expect(shares[j]! + shares[j + 4]! + shares[j + 8]!).toBeCloseTo(1, 14);
  });
  it('passes NaN on, gives minus infinity no share, and has no answer when all are', () => {
    const sharesOf = (values: number[]): number[] =>
      run([2], 'float32', (out) => softmax(kernels, out, operand(values, [2]), 0, false));
    expect(sharesOf([NaN, 1])).toEqual([NaN, NaN]);
    expect(sharesOf([-Infinity, 1])).toEqual([0, 1]);
    expect(sharesOf([-Infinity, -Infinity])).toEqual([NaN, NaN]);
    expect(run([], 'float32', (out) => softmax(kernels, out, operand([5], []), 0, false))).toEqual([1]);
    expect(run([0], 'float32', (out) => softmax(kernels, out, operand([], [0]), 0, false))).toEqual([]);
  });
});
