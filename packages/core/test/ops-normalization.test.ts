import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

const data = [[1, 2, 4], [3, 5, 0], [-1, 2, 7], [0, 1, 1]];

describeOnEachBackend('batch normalization', () => {
  it('normalises by the biased variance and runs the unbiased one', () => {
    const [mean, variance] = [tg.zeros(3, { dtype: 'float64' }), tg.ones(3, { dtype: 'float64' })];
    const y = tg.batchNorm(t(data), mean, variance, null, null, { training: true, momentum: 0.5, eps: 0 });
    y.var(0, { correction: 0 }).toTypedArray().forEach((v) => expect(v).toBeCloseTo(1, 12));
    t(data).mean(0).toTypedArray().forEach((m, i) => expect(mean.at(i).item()).toBeCloseTo(m / 2, 12));
    t(data).var(0).toTypedArray().forEach((v, i) => expect(variance.at(i).item()).toBeCloseTo((1 + v) / 2, 12));
  });

  it('uses the running statistics outside of training, and leaves them alone', () => {
    const [mean, variance] = [t([1, 1, 1]), t([4, 4, 4])];
    const y = tg.batchNorm(t(data), mean, variance, t([2, 2, 2]), t([1, 1, 1]), { eps: 0 });
    expect(y.at(0).toArray()).toEqual([1, 2, 4]);
    expect(mean.toArray()).toEqual([1, 1, 1]);
  });

  it('agrees with the same written out, to the second order', () => {
    const weights = t([[1, -2, 3], [0, 1, 1], [2, 2, -1], [1, 0, 4]]);
    const written = (x: tg.Tensor): tg.Tensor => {
      const centred = x.sub(x.mean(0));
      return centred.div(centred.square().mean(0).add(1e-5).sqrt());
    };
    const built = (x: tg.Tensor): tg.Tensor => tg.batchNorm(x, null, null, null, null, { training: true });
    const orders = [written, built].map((f) => {
      const x = p(data);
      const [first] = tg.grad(f(x).mul(weights).sum(), x, { createGraph: true });
      const [second] = tg.grad(first!.square().sum(), x);
      return [...first!.toTypedArray(), ...second!.toTypedArray()];
    });
    orders[0]!.forEach((value, i) => expect(orders[1]![i]).toBeCloseTo(value, 8));
  });

  it('refuses one value per channel in training, and vectors that do not fit', () => {
    expect(() => tg.batchNorm(tg.zeros([1, 3]), null, null, null, null, { training: true })).toThrow(/more than 1 value per channel/);
    expect(() => tg.batchNorm(tg.zeros([2, 3]), tg.zeros(4), tg.ones(3))).toThrow(/runningMean must be \[3\]/);
    expect(() => tg.batchNorm(tg.zeros([2, 3]), null, null)).toThrow(tg.ValueError);
  });
});

describeOnEachBackend('other normalizations', () => {
  it('normalises the last dimensions, then scales and shifts', () => {
    const y = tg.layerNorm(t([[1, 2, 3], [4, 4, 10]]), 3, t([1, 1, 2]), t([0, 0, 1]), { eps: 0 });
    expect(y.at(0, 2).item()).toBeCloseTo(1 + 2 * Math.sqrt(1.5), 12);
    expect(() => tg.layerNorm(tg.zeros([2, 3]), 4)).toThrow(/expected input with shape \[\*, 4\]/);
    expect(() => tg.layerNorm(tg.zeros([2, 3]), [3], tg.zeros(2))).toThrow(/weight must be \[3\]/);
  });

  it('gives a constant shift no gradient', () => {
    expect((slope((x) => tg.layerNorm(x, 3), [1, 2, 4]) as number[]).every((g) => Math.abs(g) < 1e-12)).toBe(true);
  });

  it('normalises groups of channels', () => {
    const y = tg.groupNorm(tg.arange(0, 8, 1, { dtype: 'float64' }).reshape(1, 4, 2), 2, null, null, { eps: 0 });
    expect(y.at(0, ':2').mean().item()).toBeCloseTo(0, 12);
    expect(y.at(0, '2:').var(null, { correction: 0 }).item()).toBeCloseTo(1, 12);
    expect(() => tg.groupNorm(tg.zeros([1, 3, 2]), 2)).toThrow(/divisible by numGroups/);
  });

  it('normalises each instance', () => {
    const y = tg.instanceNorm(t([[[1, 3], [5, 9]]]), null, null, null, null, { eps: 0 });
    expect(y.toArray()).toEqual([[[-1, 1], [-1, 1]]]);
    expect(() => tg.instanceNorm(tg.zeros([1, 3, 1]))).toThrow(/more than 1 spatial element/);
  });
});

describeOnEachBackend('dropout and attention', () => {
  it('keeps the tensor itself for p = 0 and outside of training, and gives zeros for p = 1', () => {
    const x = p([1, 2]);
    expect(tg.dropout(x, 0)).toBe(x);
    expect(tg.dropout(x, 0.5, false)).toBe(x);
    expect(tg.dropout(t([NaN, 2]), 1).toArray()).toEqual([0, 0]);
    expect(() => tg.dropout(x, 1.5)).toThrow(/between 0 and 1/);
  });

  it('drops the same elements in the gradient', () => {
    tg.manualSeed(3);
    const x = tg.ones(100, { dtype: 'float64', requiresGrad: true });
    const y = tg.dropout(x, 0.4);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual(y.toArray());
    expect(new Set(y.toTypedArray())).toEqual(new Set([0, 1 / 0.6]));
  });

  it('weighs values by how well keys fit', () => {
    const [q, k, v] = [t([[1, 0]]), t([[50, 0], [0, 0]]), t([[1, 2], [3, 4]])];
    const near = tg.scaledDotProductAttention(q, k, v).toTypedArray();
    [1, 2].forEach((expected, i) => expect(near[i]).toBeCloseTo(expected, 10));
    expect(tg.scaledDotProductAttention(q, k, v, { attnMask: tg.tensor([[false, true]]) }).toArray()).toEqual([[3, 4]]);
    expect(tg.scaledDotProductAttention(q, k, v, { attnMask: t([[-Infinity, 0]]) }).toArray()).toEqual([[3, 4]]);
    expect(tg.scaledDotProductAttention(v, v, v, { isCausal: true }).at(0).toArray()).toEqual([1, 2]);
  });

  it('gives 0 to a query that may look at nothing, with a gradient that is not NaN', () => {
    const q = p([[1, 0]]);
    const out = tg.scaledDotProductAttention(q, t([[1, 2]]), t([[3, 4]]), { attnMask: tg.tensor([[false]]) });
    expect(out.toArray()).toEqual([[0, 0]]);
    expect(tg.grad(out.sum(), q)[0]!.toArray()).toEqual([[0, 0]]);
  });

  it('refuses a mask beside the causal one and sizes that do not fit', () => {
    const x = t([[1, 2]]);
    expect(() => tg.scaledDotProductAttention(x, x, x, { isCausal: true, attnMask: tg.tensor([[true]]) })).toThrow(tg.ValueError);
    expect(() => tg.scaledDotProductAttention(x, t([[1]]), x)).toThrow(tg.ShapeError);
  });
});
