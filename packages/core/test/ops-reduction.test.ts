import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('products and running folds', () => {
  it('gives the product of the others where elements are zero', () => {
    expect(slope((x) => x.prod(), [2, 0, 3])).toEqual([0, 6, 0]);
    expect(slope((x) => x.prod(), [0, 0, 3])).toEqual([0, 0, 0]);
    expect(slope((x) => x.prod(1), [[2, 3], [0, 5]])).toEqual([[3, 2], [5, 0]]);
  });

  it('differentiates a product with a zero twice', () => {
    const x = p([2, 0, 3]);
    const [first] = tg.grad(x.prod(), x, { createGraph: true });
    // d²/dx₀dx₁ = 3, d²/dx₁dx₂ = 2, d²/dx₀dx₂ = 0.
    expect(tg.grad(first!.at(1), x)[0]!.toArray()).toEqual([3, 0, 2]);
  });

  it('differentiates cumprod over zeros', () => {
    expect(t([2, 0, 3, 4]).cumprod(0).toArray()).toEqual([2, 0, 0, 0]);
    expect(slope((x) => x.cumprod(0), [2, 0, 3, 4])).toEqual([1, 32, 0, 0]);
  });

  it('sums from the end in the gradient of cumsum', () => {
    expect(slope((x) => x.cumsum(0), [5, 6, 7])).toEqual([3, 2, 1]);
  });

  it('takes the last of equals in cummax', () => {
    const { values, indices } = t([1, 3, 3, 2]).cummax(0);
    expect(values.toArray()).toEqual([1, 3, 3, 3]);
    expect(indices.toArray()).toEqual([0, 1, 2, 2]);
    expect(slope((x) => x.cummax(0).values, [1, 3, 3, 2])).toEqual([1, 1, 2, 0]);
  });

  it('counts integers and bools in int32', () => {
    const mask = tg.tensor([true, true, false]);
    expect([mask.sum().dtype, mask.sum().item(), mask.prod().item()]).toEqual(['int32', 2, 0]);
    expect(tg.tensor([0, NaN]).any().item()).toBe(1);
    expect(tg.tensor([]).all().item()).toBe(1);
    expect(t([[0, 2], [3, 4]]).countNonzero(0).toArray()).toEqual([1, 2]);
  });
});

describeOnEachBackend('extremes', () => {
  it('shares the gradient of a full maximum evenly and gives that of a dimension to the first', () => {
    expect(slope((x) => x.max(), [1, 3, 3])).toEqual([0, 0.5, 0.5]);
    expect(slope((x) => x.amax(), [1, 3, 3])).toEqual([0, 0.5, 0.5]);
    expect(slope((x) => x.max(0).values, [1, 3, 3])).toEqual([0, 1, 0]);
    expect(slope((x) => x.min(), [NaN, 1, NaN])).toEqual([0.5, 0, 0.5]);
  });

  it('returns values and indices along a dimension', () => {
    const { values, indices } = t([[1, 5, 5], [7, 2, 3]]).max(1, { keepdim: true });
    expect([values.toArray(), indices.toArray()]).toEqual([[[5], [7]], [[1], [0]]]);
    expect(t([[1, 5], [7, 2]]).argmax().item()).toBe(2);
    expect(t([[1, 5], [7, 2]]).argmin(0).toArray()).toEqual([0, 1]);
    expect(t(4).max(0).indices.item()).toBe(0);
  });

  it('compares two tensors', () => {
    expect(t([1, 4]).max(t([3, 2])).toArray()).toEqual([3, 4]);
  });

  it('refuses to look for the extreme of nothing', () => {
    expect(() => tg.empty([2, 0]).max(1)).toThrow(/dim 1 of \[2, 0\] to have a non-zero size/);
    expect(() => tg.empty([0]).amax()).toThrow(tg.IndexError);
    expect(() => tg.empty([0]).argmax()).toThrow(tg.IndexError);
    expect(tg.empty([2, 0]).amax(0).shape).toEqual([0]);
  });
});

describeOnEachBackend('statistics and norms', () => {
  it('gives a constant the standard deviation 0 with gradient 0', () => {
    expect(slope((x) => x.std(), [2, 2, 2])).toEqual([0, 0, 0]);
  });

  it('has no variance of one element unless the correction is 0', () => {
    expect(t([2]).var().item()).toBeNaN();
    expect(slope((x) => x.var(), [2])).toEqual([NaN]);
    expect(t([2]).var(null, { correction: 0 }).item()).toBe(0);
    expect(slope((x) => x.var(null, { correction: 0 }), [2])).toEqual([0]);
  });

  it('computes the variance around the mean, so that an offset does no harm', () => {
    const x = t([1e8 + 1, 1e8 + 2, 1e8 + 3]);
    expect(x.var().item()).toBe(1);
    expect(x.varMean()[1].item()).toBe(1e8 + 2);
  });

  it('gives norms the gradient 0 at 0, and shares that of the largest magnitude', () => {
    expect(slope((x) => x.norm(), [0, 0])).toEqual([0, 0]);
    expect(slope((x) => x.norm(1), [0, 0])).toEqual([0, 0]);
    expect(slope((x) => x.norm(0), [0, 2])).toEqual([0, 0]);
    expect(slope((x) => x.norm('fro'), [[0, 0]])).toEqual([[0, 0]]);
    expect(slope((x) => x.norm(3), [0, 0])).toEqual([0, 0]);
    expect(slope((x) => x.norm(Infinity), [3, -3, 1])).toEqual([0.5, -0.5, 0]);
    expect(t([3, -4]).norm().item()).toBe(5);
    expect(t([[3, -4], [0, 2]]).norm(0, 1).toArray()).toEqual([2, 1]);
  });

  it('keeps logsumexp finite, and lets infinities through', () => {
    expect(t([1000, 1000]).logsumexp(0).item()).toBeCloseTo(1000 + Math.LN2, 10);
    expect(t([-Infinity, -Infinity]).logsumexp(0).item()).toBe(-Infinity);
    expect(t([Infinity, 1]).logsumexp(0).item()).toBe(Infinity);
    expect(slope((x) => x.logsumexp(0), [-Infinity, -Infinity])).toEqual([NaN, NaN]);
  });

  it('refuses integers where they have no meaning', () => {
    expect(() => tg.tensor([1, 2], { dtype: 'int32' }).std()).toThrow(/use x\.to\('float32'\)\.std\(\)/);
    expect(() => tg.tensor([1, 2], { dtype: 'int32' }).norm()).toThrow(tg.DTypeError);
  });
});

describeOnEachBackend('softmax', () => {
  it('neither overflows nor underflows', () => {
    expect(t([1000, 1000]).softmax(0).toArray()).toEqual([0.5, 0.5]);
    expect(t([1000, 0]).logSoftmax(0).toArray()).toEqual([0, -1000]);
    expect(t([-Infinity, -Infinity]).softmax(0).toArray()).toEqual([NaN, NaN]);
  });

  it('has finite gradients where a mask hides elements', () => {
    const hidden = tg.tensor([false, true, false]);
    const got = slope((x) => x.maskedFill(hidden, -Infinity).softmax(0), [1, 2, 1], [1, 1, 3]) as number[];
    expect(got.map((value) => value + 0)).toEqual([-0.5, 0, 0.5]);
  });

  it('casts first when a dtype is given', () => {
    expect(tg.tensor([1, 2], { dtype: 'int32' }).softmax(0, { dtype: 'float64' }).dtype).toBe('float64');
    expect(() => tg.tensor([1, 2], { dtype: 'int32' }).softmax(0)).toThrow(tg.DTypeError);
  });
});
