import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { ScatterFold, Tensor } from '../src/index.ts';
import { describeOnEachBackend, ints } from './each-backend.ts';
import { random } from './matrix-inputs.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('folding values into places', () => {
  const index = ints([0, 0, 2]);
  const fold = (reduce: ScatterFold, includeSelf: boolean): unknown => {
    return t([10, 20, 30]).scatterReduce(0, index, t([1, 2, 3]), reduce, { includeSelf }).toArray();
  };

  it('combines with what is there, or starts anew', () => {
    const all: ScatterFold[] = ['sum', 'prod', 'mean', 'amax', 'amin'];
    expect(all.map((reduce) => fold(reduce, true))).toEqual([[13, 20, 33], [20, 20, 90], [13 / 3, 20, 16.5], [10, 20, 30], [1, 20, 3]]);
    expect(all.map((reduce) => fold(reduce, false))).toEqual([[3, 20, 3], [2, 20, 3], [1.5, 20, 3], [2, 20, 3], [1, 20, 3]]);
  });

  it('works along any dimension, with an index smaller than the source', () => {
    const x = tg.zeros([2, 3], { dtype: 'float64' });
    expect(x.scatterReduce(1, ints([[0, 0]]), t([[1, 2, 9], [9, 9, 9]]), 'sum').toArray()).toEqual([[3, 0, 0], [0, 0, 0]]);
    expect(x.scatterReduce(0, ints([[1, 1, 0]]), t([[1, 2, 3]]), 'amax').toArray()).toEqual([[0, 0, 3], [1, 2, 0]]);
    expect(x.scatterReduce(0, tg.zeros([0], { dtype: 'int32' }), t([[1]]), 'sum').toArray()).toEqual(x.toArray());
    expect(t(5).scatterReduce(0, ints(0), t(3), 'prod').item()).toBe(15);
  });

  it('lets NaN win, and rounds means of integers down', () => {
    expect(t([1, 2]).scatterReduce(0, ints([0, 0]), t([NaN, 5]), 'amax').toArray()).toEqual([NaN, 2]);
    expect(ints([1, 0]).scatterReduce(0, ints([0, 0]), ints([-4, 0]), 'mean').toArray()).toEqual([-1, 0]);
    expect(ints([5]).scatterReduce(0, ints([0]), ints([-7]), 'amax', { includeSelf: false }).toArray()).toEqual([-7]);
  });

  it('shares the gradient evenly among equal extremes', () => {
    const [x, src] = [p([3, 0]), p([3, 1, 3])];
    const grads = tg.grad(x.scatterReduce(0, ints([0, 0, 0]), src, 'amax').sum(), [x, src]);
    expect(grads.map((g) => g.toArray())).toEqual([[1 / 3, 1], [1 / 3, 0, 1 / 3]]);
  });

  it('has right derivatives of products with zeros, at both orders', () => {
    const [x, src] = [p([2, 0]), p([0, 3, 0, 5])];
    const y = x.scatterReduce(0, ints([0, 0, 1, 1]), src, 'prod');
    const [gx, gs] = tg.grad(y.sum(), [x, src], { createGraph: true });
    expect([gx!.toArray(), gs!.toArray()]).toEqual([[0, 0], [6, 0, 0, 0]]);
    const [second] = tg.grad(gs!.sum(), x);
    expect(second!.toArray()).toEqual([3, 5]);
    const inputs: [Tensor, Tensor] = [p([2, 0, 1]), p([0, 3, 0, 5, 0, 0, 2])];
    for (const includeSelf of [true, false]) {
      const f = (a: Tensor, b: Tensor): Tensor => a.scatterReduce(0, ints([0, 0, 1, 1, 1, 1, 0]), b, 'prod', { includeSelf });
      expect(tg.gradcheck(f, inputs)).toBe(true);
      expect(tg.gradgradcheck(f, inputs)).toBe(true);
    }
  });

  it.each<ScatterFold>(['sum', 'mean', 'amax', 'amin'])('%s has right derivatives', (reduce) => {
    const at = ints([[0, 2], [2, 1], [2, 2]]);
    for (const includeSelf of [true, false]) {
      const f = (a: Tensor, b: Tensor): Tensor => a.scatterReduce(0, at, b, reduce, { includeSelf }).square();
      expect(tg.gradcheck(f, [random(3, 2), random(3, 2)])).toBe(true);
      expect(tg.gradgradcheck(f, [random(3, 2), random(3, 2)])).toBe(true);
    }
  });

  it('takes slices by an index of one dimension', () => {
    const x = t([[1, 1], [2, 2]]);
    expect(x.indexReduce(0, ints([1, 1]), t([[3, 4], [5, 1]]), 'prod').toArray()).toEqual([[1, 1], [30, 8]]);
    expect(x.indexReduce(1, ints([0]), t([[5], [5]]), 'mean', { includeSelf: false }).toArray()).toEqual([[5, 1], [5, 2]]);
    expect(t(4).indexReduce(0, ints([0]), t(9), 'amin').item()).toBe(4);
    expect(() => x.indexReduce(0, ints([0]), t([[1]]), 'prod')).toThrow(/asks for \[1, 2\]/);
    expect(() => x.indexReduce(0, ints([0]), t([[1, 1]]), 'sum' as 'prod')).toThrow(/one of prod, mean, amax, amin/);
  });

  it('refuses wrong indices, dtypes and folds before anything changes', () => {
    const x = t([1, 2]);
    expect(() => x.scatterReduce_(0, ints([2]), t([1]), 'sum')).toThrow(tg.IndexError);
    expect(() => x.scatterReduce_(0, ints([0]), tg.tensor([1]), 'sum')).toThrow(tg.DTypeError);
    expect(() => x.scatterReduce_(0, ints([[0]]), t([[1]]), 'sum')).toThrow(tg.ShapeError);
    expect(() => x.scatterReduce_(0, ints([0]), t([1]), 'median' as 'sum')).toThrow(/reduce must be one of sum, prod, mean, amax, amin, got 'median'/);
    expect(x.toArray()).toEqual([1, 2]);
    expect(x.scatterReduce_(0, ints([0]), t([5]), 'amax')).toBe(x);
  });
});

describeOnEachBackend('folding segments', () => {
  const x = t([1, 5, 2, 4, 3]);
  const lengths = ints([2, 0, 3]);

  it('follow each other, by lengths or offsets', () => {
    expect(tg.segmentReduce(x, 'sum', { lengths }).toArray()).toEqual([6, 0, 9]);
    expect(tg.segmentReduce(x, 'prod', { lengths }).toArray()).toEqual([5, 1, 24]);
    expect(tg.segmentReduce(x, 'mean', { lengths }).toArray()).toEqual([3, NaN, 3]);
    expect(tg.segmentReduce(x, 'max', { offsets: ints([0, 2, 2, 5]) }).toArray()).toEqual([5, -Infinity, 4]);
    expect(tg.segmentReduce(x, 'min', { lengths, initial: 2 }).toArray()).toEqual([1, 2, 2]);
    expect(tg.segmentReduce(x, 'mean', { lengths, initial: 6 }).toArray()).toEqual([6, 6, 5]);
  });

  it('lie along any axis, each row with its own', () => {
    const rows = t([[1, 2, 3], [4, 5, 6]]);
    expect(tg.segmentReduce(rows, 'sum', { lengths: ints([[1, 2], [3, 0]]), axis: 1 }).toArray()).toEqual([[1, 5], [15, 0]]);
    expect(tg.segmentReduce(rows, 'max', { lengths: ints([2]) }).toArray()).toEqual([[4, 5, 6]]);
  });

  it('have derivatives; none where the initial value wins, all where it is equal', () => {
    const leaf = p([1, 5, 2, 2]);
    const y = tg.segmentReduce(leaf, 'max', { lengths: ints([1, 3]), initial: 5 });
    expect(tg.grad(y.sum(), leaf)[0]!.toArray()).toEqual([0, 1, 0, 0]);
    const inputs = random(6, 2);
    for (const reduce of ['sum', 'prod', 'mean', 'max', 'min'] as const) {
      const f = (a: Tensor): Tensor => tg.segmentReduce(a, reduce, { lengths: ints([1, 3, 2]) }).square();
      expect(tg.gradcheck(f, inputs)).toBe(true);
      expect(tg.gradgradcheck(f, inputs)).toBe(true);
    }
  });

  it('must cover the axis, unless they may leave elements out', () => {
    expect(() => tg.segmentReduce(x, 'sum', { lengths: ints([2, 2]) })).toThrow(/lengths of at least 0 that add up to 5/);
    expect(() => tg.segmentReduce(x, 'sum', { lengths: ints([6, -1]) })).toThrow(tg.ValueError);
    expect(() => tg.segmentReduce(x, 'sum', { lengths: ints([6]), unsafe: true })).toThrow(tg.ValueError);
    expect(tg.segmentReduce(x, 'sum', { lengths: ints([2, 2]), unsafe: true }).toArray()).toEqual([6, 6]);
    expect(tg.segmentReduce(x, 'sum', { offsets: ints([1, 3]), unsafe: true }).toArray()).toEqual([7]);
    expect(() => tg.segmentReduce(ints([1]), 'max', { lengths: ints([1]) })).toThrow(tg.DTypeError);
    expect(() => tg.segmentReduce(x, 'sum')).toThrow(/either lengths or offsets/);
    expect(() => tg.segmentReduce(x, 'sum', { lengths, axis: 1 })).toThrow(tg.IndexError);
    expect(() => tg.segmentReduce(x, 'sum', { lengths: ints([[5]]) })).toThrow(tg.ShapeError);
    expect(() => tg.segmentReduce(x, 'median' as 'sum', { lengths })).toThrow(/one of sum, mean, prod, max, min, got 'median'/);
  });
});

describeOnEachBackend('positions in row-major order', () => {
  const x = t([[1, 2], [3, 4]]);

  it('take, put and fill', () => {
    expect(x.take(ints([[3], [-4]])).toArray()).toEqual([[4], [1]]);
    expect(x.put(ints([0, -1]), t([9, 8])).toArray()).toEqual([[9, 2], [3, 8]]);
    expect(x.put(ints([0, 0]), t([1, 1]), true).toArray()).toEqual([[3, 2], [3, 4]]);
    expect(x.maskedScatter(x.gt(2), t([7, 8, 9])).toArray()).toEqual([[1, 2], [7, 8]]);
    expect(t([1, 2]).maskedScatter(tg.tensor([[true, false], [false, true]]), t([5, 6])).toArray()).toEqual([[5, 2], [1, 6]]);
    expect(x.gt(2).argwhere().toArray()).toEqual([[1, 0], [1, 1]]);
  });

  it('carry gradients', () => {
    const leaf = p([[1, 2], [3, 4]]);
    expect(tg.grad(leaf.take(ints([3, 3, 0])).sum(), leaf)[0]!.toArray()).toEqual([[1, 0], [0, 2]]);
    const source = p([7, 8, 9]);
    const filled = leaf.maskedScatter(x.gt(2), source).mul(t([[1, 2], [3, 4]]));
    expect(tg.grad(filled.sum(), [leaf, source]).map((g) => g.toArray())).toEqual([[[1, 2], [0, 0]], [3, 4, 0]]);
    const put = leaf.put(ints([-1]), p(5), true);
    expect(tg.grad(put.sum(), leaf)[0]!.toArray()).toEqual([[1, 1], [1, 1]]);
  });

  it('must exist', () => {
    expect(() => x.take(ints([4]))).toThrow(/index 4 at position \[0\] is out of bounds/);
    expect(() => x.put_(ints([0, -5]), t([1, 2]))).toThrow(tg.IndexError);
    expect(() => x.put(ints([0]), t([1, 2]))).toThrow(/equally many elements/);
    expect(() => x.maskedScatter(x.gt(0), t([1]))).toThrow(/4 places, but the source has only 1 elements/);
    expect(() => x.maskedScatter(x, t([1]))).toThrow(/mask must be bool/);
    expect(() => x.take(t([0]))).toThrow(tg.DTypeError);
  });
});
