import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, slope } from './each-backend.ts';
import { t } from './notation.ts';

const { masked } = tg;
const mask = tg.tensor([
  [true, false, true],
  [false, false, false],
]);

describeOnEachBackend('masked reductions', () => {
  const x = t([
    [1, 9, 4],
    [5, 6, 7],
  ]);

  it('fold what counts, and give what they start from where nothing does', () => {
    expect(masked.sum(x, 1, { mask }).toArray()).toEqual([5, 0]);
    expect(masked.prod(x, 1, { mask }).toArray()).toEqual([4, 1]);
    expect(masked.amax(x, 1, { mask }).toArray()).toEqual([4, -Infinity]);
    expect(masked.amin(x, 1, { mask }).toArray()).toEqual([1, Infinity]);
    expect(masked.mean(x, 1, { mask }).toArray()).toEqual([2.5, NaN]);
    expect(masked.median(x, 1, { mask }).toArray()).toEqual([1, NaN]);
    expect(masked.norm(x, 1, 1, { mask }).toArray()).toEqual([5, 0]);
    expect(masked.var(x, 1, { mask }).toArray()).toEqual([2.25, NaN]);
    expect(masked.var(x, 1, { mask, unbiased: true }).toArray()).toEqual([4.5, NaN]);
    expect(masked.logsumexp(x, 1, { mask }).toArray()).toEqual([Math.log(Math.E + Math.E ** 4), -Infinity]);
  });

  it('say where the extreme stands in the dtype of the input', () => {
    expect([masked.argmax(x, 1, { mask }).dtype, masked.argmax(x, 1, { mask }).toArray()]).toEqual(['float64', [2, 0]]);
    expect(masked.argmin(x, null, { mask: tg.tensor([false, true, true]) }).item()).toBe(2);
  });

  it('normalize along a dimension', () => {
    expect(masked.softmax(t([[0, 5, 0]]), 1, { mask: tg.tensor([true, false, true]) }).toArray()).toEqual([[0.5, 0, 0.5]]);
    expect(masked.cumsum(x, 1, { mask }).toArray()).toEqual([
      [1, 1, 5],
      [0, 0, 0],
    ]);
    expect(masked.cumprod(x, 1, { mask }).toArray()).toEqual([
      [1, 1, 4],
      [1, 1, 1],
    ]);
    expect(masked.normalize(t([3, 4, 9]), 2, 0, { mask: tg.tensor([true, true, false]) }).toArray()).toEqual([0.6, 0.8, 0]);
    expect(masked.logaddexp(t([1]), t([2]), { otherMask: tg.tensor([false]) }).toArray()).toEqual([1]);
  });

  it('push tangents forward to what counts, and nowhere else', () => {
    const tangent = t([
      [1, 10, 3],
      [1, 1, 1],
    ]);
    const pushed = (f: (y: tg.Tensor) => tg.Tensor): unknown => tg.func.jvp(f, [x], [tangent])[1].toArray();
    expect(pushed((y) => masked.mean(y, 1, { mask }))).toEqual([2, 0]);
    const [along, none] = pushed((y) => masked.logsumexp(y, 1, { mask })) as [number, number];
    const share = 1 / (1 + Math.E ** 3);
    expect(along).toBeCloseTo(share + 3 * (1 - share), 14);
    expect(none).toBe(0);
    expect(masked.logsumexp(x, 1, { mask, keepdim: true }).shape).toEqual([2, 1]);
    expect(masked.logsumexp(x, null, { mask: tg.tensor(false) }).item()).toBe(-Infinity);
  });

  it('give no gradient to what does not count, even where the result is NaN', () => {
    expect(
      slope(
        (y) => masked.mean(y, 1, { mask }),
        [
          [1, 9, 4],
          [5, 6, 7],
        ],
      ),
    ).toEqual([
      [0.5, 0, 0.5],
      [0, 0, 0],
    ]);
  });
});

describe('a mask', () => {
  it('has to broadcast to the input, not the other way round', () => {
    expect(() => masked.sum(t([1, 2, 3]), 0, { mask })).toThrow(
      new tg.ShapeError('masked.sum: the mask [2, 3] does not broadcast to the input [3]'),
    );
  });
});
