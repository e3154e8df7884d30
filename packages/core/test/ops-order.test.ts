import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('order statistics', () => {
  it('takes the lower of two middle elements as median, and shares the gradient among equals only over all', () => {
    expect(t([1, 3, 3, 2]).median().item()).toBe(2);
    expect(slope((x) => x.median(), [1, 3, 3, 2])).toEqual([0, 0, 0, 1]);
    expect(slope((x) => x.median(), [1, 2, 2])).toEqual([0, 0.5, 0.5]);
    expect(slope((x) => x.median(0).values, [1, 2, 2])).toEqual([0, 1, 0]);
  });

  it('lets NaN win the median, and passes it over in nanmedian', () => {
    const x = t([
      [5, NaN, 1, 2],
      [4, 3, 2, 1],
      [NaN, NaN, NaN, NaN],
    ]);
    expect(x.median(1).values.toArray()).toEqual([NaN, 2, NaN]);
    expect(x.median(1).indices.toArray()).toEqual([1, 2, 0]);
    expect(x.nanmedian(1).values.toArray()).toEqual([2, 2, NaN]);
    expect([x.median().item(), x.nanmedian().item()]).toEqual([NaN, 2]);
    expect(slope((y) => y.nanmedian(1).values, [[5, NaN, 1, 2]])).toEqual([[0, 0, 0, 1]]);
  });

  it('finds the most frequent value, the smallest of several, where it stands last', () => {
    const { values, indices } = ints([
      [3, 1, 3, 1, 2],
      [2, 2, 0, 5, 5],
    ]).mode(1);
    expect([values.toArray(), indices.toArray()]).toEqual([
      [1, 2],
      [3, 1],
    ]);
    expect(slope((x) => x.mode(0, { keepdim: true }).values, [4, 7, 7])).toEqual([0, 0, 1]);
  });

  it('finds the k-th smallest element and sends it the gradient', () => {
    const { values, indices } = t([
      [5, 1, 4],
      [2, 9, 3],
    ]).kthvalue(2, 1, { keepdim: true });
    expect([values.toArray(), indices.toArray()]).toEqual([
      [[4], [3]],
      [[2], [2]],
    ]);
    expect(slope((x) => x.kthvalue(2).values, [5, 1, 4])).toEqual([0, 0, 1]);
    expect(t(7).kthvalue(1).values.item()).toBe(7);
  });

  it('finds quantiles between two elements in each of the five ways', () => {
    const x = t([4, 1, 3, 2]);
    const found = (['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const).map((interpolation) =>
      x.quantile(0.4, null, { interpolation }).item(),
    );
    found.forEach((value, i) => expect(value).toBeCloseTo([2.2, 2, 3, 2.5, 2][i]!, 14));
    expect(x.quantile(t([0, 1])).toArray()).toEqual([1, 4]);
    expect(
      t([
        [1, 2],
        [3, 5],
      ]).quantile(t([0.5, 1]), 1, { keepdim: true }).shape,
    ).toEqual([2, 2, 1]);
  });

  it('lets NaN win a quantile, and passes it over in nanquantile', () => {
    const x = t([
      [1, NaN, 3],
      [NaN, NaN, NaN],
    ]);
    expect(x.quantile(0.5, 1).toArray()).toEqual([NaN, NaN]);
    expect(x.nanquantile(0.5, 1).toArray()).toEqual([2, NaN]);
    expect(slope((y) => y.nanquantile(0.5), [1, NaN, 3])).toEqual([0.5, 0, 0.5]);
  });

  it('sends the gradient of a quantile to its fraction too', () => {
    const q = p(0.4);
    expect(tg.grad(t([4, 1, 3, 2]).quantile(q), q)[0]!.item()).toBeCloseTo(3, 13);
  });
});

describe('order statistics refuse', () => {
  const x = t([
    [1, 2],
    [3, 4],
  ]);
  it.each([
    ['a rank that does not exist', () => x.kthvalue(3), 'kthvalue: k must be from 1 to 2, the size of dim 1, got 3'],
    ['nothing to choose from', () => tg.zeros([2, 0]).median(1), 'median: dim 1 of [2, 0] has no elements to choose from'],
    ['a fraction above 1', () => x.quantile(1.5), 'quantile: the values of q must lie in [0, 1]'],
    [
      'fractions in another dtype',
      () => x.quantile(tg.tensor([0.5])),
      'quantile: q must have the dtype of the input, got float32 and float64; use q.typeAs(x)',
    ],
    ['a matrix of fractions', () => x.quantile(x), 'quantile: q must be a number or a vector, got shape [2, 2]'],
    [
      'an unknown interpolation',
      () => x.quantile(0.5, 0, { interpolation: 'cubic' as 'linear' }),
      'quantile: interpolation must be one of linear, midpoint, lower, higher, nearest, got cubic',
    ],
    ['integers', () => ints([1]).nanquantile(0.5), "nanquantile: the input must be floating-point, got int32; use x.to('float32')"],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(tg.TapegradError);
  });
});
