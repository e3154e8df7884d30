import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { t } from './notation.ts';

describeOnEachBackend('counting', () => {
  it('counts whole numbers, or adds up their weights', () => {
    expect(ints([3, 1, 3]).bincount().toArray()).toEqual([0, 1, 0, 2]);
    expect(ints([0]).bincount({ minlength: 3 }).toArray()).toEqual([1, 0, 0]);
    const weighted = ints([1, 1]).bincount({ weights: ints([2, 5]) });
    expect([weighted.dtype, weighted.toArray()]).toEqual(['float64', [0, 7]]);
  });

  it('puts the last edge into the last bin and leaves out what is outside, and NaN', () => {
    expect(t([0, 1, 2, 3, 4, 5, NaN]).histc(4, 0, 4).toArray()).toEqual([1, 1, 1, 2]);
    const { hist, binEdges } = t([0, 1, 2, 3, 4, 5, NaN]).histogram(2, { range: [0, 4] });
    expect([hist.toArray(), binEdges.toArray()]).toEqual([
      [2, 3],
      [0, 2, 4],
    ]);
    expect(t([1, 1]).histogram(1).binEdges.toArray()).toEqual([0.5, 1.5]);
    // The edge in the middle is counted from the upper end, and so lies a little above the value that is the middle.
    const middle = 0.682960632093624;
    expect(middle - 0.5 + 0.5).toBeLessThan(middle + 0.5 - 0.5);
    expect(t([middle]).histogram(2).hist.toArray()).toEqual([1, 0]);
    expect(t([1, 1]).histc(2).toArray()).toEqual([0, 2]);
  });

  it('makes densities over bins of any width', () => {
    const { hist } = t([0.5, 2, 3]).histogram(t([0, 1, 4]), { weight: t([1, 2, 1]), density: true });
    expect(hist.toArray()).toEqual([0.25, 0.25]);
  });

  it('counts points in a grid', () => {
    const { hist, binEdges } = tg.histogramdd(t([[0, 0], [0.9, 0.1], [1, 2]]), [2, 2]);
    expect(hist.toArray()).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(binEdges.map((edges) => edges.toArray())).toEqual([
      [0, 0.5, 1],
      [0, 1, 2],
    ]);
  });
});

describeOnEachBackend('searching', () => {
  it('puts values before or after those equal to them', () => {
    const sorted = t([1, 3, 3, 5]);
    expect(
      tg
        .searchsorted(
          sorted,
          t([
            [0, 3],
            [5, 9],
          ]),
        )
        .toArray(),
    ).toEqual([
      [0, 1],
      [3, 4],
    ]);
    expect(tg.searchsorted(sorted, t([3, NaN]), { side: 'right' }).toArray()).toEqual([3, 4]);
    expect(tg.searchsorted(t([5, 1, 3]), 2, { sorter: ints([1, 2, 0]) }).item()).toBe(1);
    expect(
      tg
        .searchsorted(
          t([
            [1, 2],
            [10, 20],
          ]),
          t([[2], [2]]),
        )
        .toArray(),
    ).toEqual([[1], [0]]);
    expect(tg.bucketize(t([3, 4]), sorted, { right: true }).toArray()).toEqual([3, 3]);
  });

  it('finds different values with their places and numbers', () => {
    const { values, inverse, counts } = t([
      [3, 1],
      [NaN, 3],
    ]).unique();
    expect([values.toArray(), inverse.toArray(), counts.toArray()]).toEqual([
      [1, 3, NaN],
      [
        [1, 0],
        [2, 1],
      ],
      [1, 2, 1],
    ]);
    expect(ints([1, 1, 2, 1]).uniqueConsecutive().values.toArray()).toEqual([1, 2, 1]);
    const rows = ints([
      [2, 1],
      [1, 9],
      [2, 1],
    ]).unique({ dim: 0 });
    expect([rows.values.toArray(), rows.inverse.toArray(), rows.counts.toArray()]).toEqual([
      [
        [1, 9],
        [2, 1],
      ],
      [1, 0, 1],
      [1, 2],
    ]);
    expect(slope((x) => x.unique().values, [3, 1, 3])).toEqual([1, 1, 0]);
  });

  it('tells which elements are among given ones', () => {
    expect(tg.isin(t([1, 2, NaN]), t([2, NaN])).toArray()).toEqual([false, true, false]);
    expect(tg.isin(t([1, 2]), 2, { invert: true }).toArray()).toEqual([true, false]);
  });
});

describe('counting and searching refuse', () => {
  it.each([
    ['floats to count', () => t([1]).bincount(), "bincount: the input must hold integers, got float64; use x.to('int32')"],
    ['negative numbers', () => ints([1, -2]).bincount(), 'bincount: the numbers must not be negative, got -2'],
    ['a matrix', () => ints([[1]]).bincount(), 'bincount: the input must be a vector, got [1, 1]'],
    ['integers', () => ints([1]).histc(), "histc: the input must be floating-point, got int32; use x.to('float32')"],
    ['no bins', () => t([1]).histogram(0), 'histogram: the number of bins must be a whole number above 0, got 0'],
    ['a falling range', () => t([1]).histc(3, 2, 1), 'histc: the range must be finite and rising, got 2 to 1'],
    ['data without a range', () => t([1, Infinity]).histc(), 'histc: without a given range all elements must be finite, got Infinity'],
    [
      'edges of another dtype',
      () => t([1]).histogram(tg.tensor([0, 1])),
      'histogram: edges and weights must have the dtype of the input, got float32 and float64',
    ],
    [
      'two sides',
      () => tg.searchsorted(t([1]), 1, { side: 'left', right: true }),
      "searchsorted: side is 'left', but right is true; give one of them",
    ],
    [
      'sequences that do not fit',
      () => tg.searchsorted(t([[1]]), t([1])),
      'searchsorted: the sequences must be one vector, or agree with the values in all dimensions but the last, got [1, 1] and [1]',
    ],
    ['boundaries in a matrix', () => tg.bucketize(1, t([[1]])), 'bucketize: the boundaries must be a vector, got [1, 1]'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(tg.TapegradError);
  });
});
