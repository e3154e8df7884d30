import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('joining', () => {
  it('concatenates, skips empty vectors and promotes dtypes', () => {
    expect(tg.cat([t([[1, 2]]), t([[3, 4]])], -1).toArray()).toEqual([[1, 2, 3, 4]]);
    expect(tg.cat([tg.empty([0]), t([[1, 2]])]).toArray()).toEqual([[1, 2]]);
    expect(tg.cat([ints([1]), tg.tensor([2.5])]).dtype).toBe('float32');
    expect(tg.cat([tg.empty([0]), tg.empty([0])]).shape).toEqual([0]);
  });

  it('hands each piece its part of the gradient', () => {
    const [a, b] = [p([[1], [2]]), p([[3, 4], [5, 6]])];
    const y = tg.cat([a, b], 1).mul(t([[1, 2, 3], [4, 5, 6]]));
    expect(tg.grad(y.sum(), [a, b]).map((x) => x.toArray())).toEqual([[[1], [4]], [[2, 3], [5, 6]]]);
    const c = p([1, 2]);
    expect(tg.grad(tg.stack([c, c], 1).mul(t([[1, 2], [3, 4]])).sum(), c)[0]!.toArray()).toEqual([3, 7]);
  });

  it('refuses shapes that do not match', () => {
    expect(() => tg.cat([t([[1, 2]]), t([[1, 2, 3]])])).toThrow(/tensor 0 is \[1, 2\] and tensor 1 \[1, 3\]/);
    expect(() => tg.cat([])).toThrow(tg.ValueError);
    expect(() => tg.cat([t([1]), null as never])).toThrow(/^cat: element 1 of the list is no tensor, but null/);
    expect(() => tg.cat([t(1)])).toThrow(/use stack/);
    expect(() => tg.stack([t([1]), t([1, 2])])).toThrow(tg.ShapeError);
  });

  it('makes grids', () => {
    const [rows, columns] = tg.meshgrid([t([1, 2]), t([3, 4, 5])]);
    expect([rows!.shape, rows!.at(':', 0).toArray(), columns!.at(0).toArray()]).toEqual([[2, 3], [1, 2], [3, 4, 5]]);
    expect(tg.meshgrid([t([1, 2]), t([3, 4, 5])], { indexing: 'xy' })[0]!.shape).toEqual([3, 2]);
  });
});

describeOnEachBackend('repeating and padding', () => {
  it('repeats, and sums over the copies', () => {
    expect(t([[1, 2]]).repeat(2, 2).toArray()).toEqual([[1, 2, 1, 2], [1, 2, 1, 2]]);
    expect(slope((x) => x.repeat(2, 3), [1, 2])).toEqual([6, 6]);
    expect(t([1, 2]).repeat(0).shape).toEqual([0]);
    expect(t([[1, 2]]).tile(2).shape).toEqual([1, 4]);
    expect(() => t([[1, 2]]).repeat(2)).toThrow(tg.ShapeError);
  });

  it('repeats elements by numbers of their own', () => {
    expect(t([1, 2]).repeatInterleave(2).toArray()).toEqual([1, 1, 2, 2]);
    expect(t([[1, 2], [3, 4]]).repeatInterleave(ints([0, 2]), 0).toArray()).toEqual([[3, 4], [3, 4]]);
    expect(slope((x) => x.repeatInterleave(ints([1, 3])), [1, 2])).toEqual([1, 3]);
    expect(() => t([1, 2]).repeatInterleave(ints([1, 2, 3]))).toThrow(tg.ValueError);
  });

  it('pads with a value, and cuts where the margin is negative', () => {
    expect(tg.pad(t([1, 2]), [1, 2], { value: 9 }).toArray()).toEqual([9, 1, 2, 9, 9]);
    expect(tg.pad(t([1, 2, 3]), [-1, 1]).toArray()).toEqual([2, 3, 0]);
    expect(slope((x) => tg.pad(x, [-1, 1], { value: 5 }), [1, 2, 3])).toEqual([0, 1, 1]);
    expect(() => tg.pad(t([1, 2]), [1])).toThrow(/two whole numbers/);
    expect(() => tg.pad(t([1, 2]), [-2, -1])).toThrow(/negative size/);
  });

  it('continues by reflection, repetition and in a circle', () => {
    expect(tg.pad(t([1, 2, 3]), [2, 1], { mode: 'reflect' }).toArray()).toEqual([3, 2, 1, 2, 3, 2]);
    expect(tg.pad(t([1, 2, 3]), [2, 1], { mode: 'replicate' }).toArray()).toEqual([1, 1, 1, 2, 3, 3]);
    expect(tg.pad(t([1, 2, 3]), [2, 1], { mode: 'circular' }).toArray()).toEqual([2, 3, 1, 2, 3, 1]);
    expect(slope((x) => tg.pad(x, [2, 0], { mode: 'replicate' }), [1, 2])).toEqual([3, 1]);
    const four = t([0, 1, 2, 3]);
    const cut = (mode: 'reflect' | 'replicate' | 'circular'): unknown => tg.pad(four, [-2, 2], { mode }).toArray();
    expect([cut('reflect'), cut('replicate'), cut('circular')]).toEqual([[2, 3, 2, 1], [2, 3, 3, 3], [2, 3, 2, 3]]);
    expect(() => tg.pad(four, [-2, 3], { mode: 'circular' })).toThrow(/at most 2 elements/);
    expect(() => tg.pad(t([1, 2, 3]), [3, 0], { mode: 'reflect' })).toThrow(/at most 2 elements/);
  });

  it('refuses a size that could be any number', () => {
    for (const reshape of [(x: tg.Tensor) => x.reshape(0, -1), (x: tg.Tensor) => x.view(0, -1)]) {
      expect(() => reshape(tg.zeros([2, 0]))).toThrow(/the size -1 in \[0, -1\] could be any number/);
    }
    expect(tg.zeros([2, 0]).reshape(-1, 3).shape).toEqual([0, 3]);
  });

  it('refuses other negative sizes and fractions, whose product may be right', () => {
    for (const sizes of [[-2, -3], [-1, -1], [-1, -6], [1.5, 4]]) {
      expect(() => tg.zeros([6]).reshape(sizes)).toThrow('sizes must be whole numbers of at least 0, and at most one may be -1');
    }
    expect(() => tg.zeros([6]).reshape([-1, 4])).toThrow('shape [-1, 4] is invalid for a tensor of 6 elements');
  });

  it('takes where a piece starts as a tensor too', () => {
    expect(t([1, 2, 3]).narrow(0, ints(-2), 2).toArray()).toEqual([2, 3]);
    expect(() => t([1, 2, 3]).narrow(0, ints([1]), 1)).toThrow(/narrow: start must be a number, or a tensor of shape \[\] that holds an integer; got int32 of shape \[1\]/);
    expect(() => t([1, 2, 3]).narrow(0, t(1), 1)).toThrow(tg.IndexError);
  });

  it('takes triangles', () => {
    const x = t([[1, 2, 3], [4, 5, 6]]);
    expect(x.tril().toArray()).toEqual([[1, 0, 0], [4, 5, 0]]);
    expect(x.triu(1).toArray()).toEqual([[0, 2, 3], [0, 0, 6]]);
    expect(slope((m) => m.tril(-1), [[1, 2], [3, 4]])).toEqual([[0, 0], [1, 0]]);
    expect(t([[NaN, NaN], [1, 2]]).tril(-1).toArray()).toEqual([[0, 0], [1, 0]]);
  });
});

describeOnEachBackend('reordering', () => {
  it('flips and rolls', () => {
    const x = t([[1, 2, 3], [4, 5, 6]]);
    expect(x.flip(0, 1).toArray()).toEqual([[6, 5, 4], [3, 2, 1]]);
    expect(x.T.flip(0).toArray()).toEqual([[3, 6], [2, 5], [1, 4]]);
    expect(x.roll(1).toArray()).toEqual([[6, 1, 2], [3, 4, 5]]);
    expect(x.roll([1, -1], [0, 1]).toArray()).toEqual([[5, 6, 4], [2, 3, 1]]);
    expect(slope((y) => y.flip(0), [1, 2, 3], [1, 2, 4])).toEqual([4, 2, 1]);
    expect(slope((y) => y.roll(1), [1, 2, 3], [1, 2, 4])).toEqual([2, 4, 1]);
    expect(() => x.flip(0, 0)).toThrow(tg.IndexError);
    expect(() => x.roll([1, 2], 0)).toThrow(tg.ShapeError);
  });

  it('sorts stably, with NaN last, and gives the gradient back to the place of origin', () => {
    const { values, indices } = t([2, NaN, 1, 2]).sort();
    expect([values.toArray(), indices.toArray()]).toEqual([[1, 2, 2, NaN], [2, 0, 3, 1]]);
    expect(slope((x) => x.sort(0, { descending: true }).values, [1, 3, 2], [1, 2, 4])).toEqual([4, 1, 2]);
    expect(t([3, 1, 2]).argsort().toArray()).toEqual([1, 2, 0]);
  });

  it('finds the k largest or smallest', () => {
    expect(t([3, 1, 2]).topk(2).indices.toArray()).toEqual([0, 2]);
    expect(t([3, 1, 2]).topk(2, 0, { largest: false }).values.toArray()).toEqual([1, 2]);
    expect(slope((x) => x.topk(1).values, [3, 3, 2])).toEqual([1, 0, 0]);
    expect(() => t([1]).topk(2)).toThrow(/k is 2, but dim -1 of \[1\] has 1 elements/);
  });
});

describeOnEachBackend('along the dimension that a scalar is taken to have', () => {
  it('keeps its shape and its values', () => {
    const x = t(5);
    const results = [x.takeAlongDim(ints(0), 0), x.indexSelect(0, ints([0])), x.cumsum(0), x.softmax(0)];
    expect(results.map((y) => [y.shape, y.toArray()])).toEqual([[[], 5], [[], 5], [[], 5], [[], 1]]);
  });
});
