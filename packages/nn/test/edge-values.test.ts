import { describe, expect, it } from '@jest/globals';
import { grad, tensor, ValueError, zeros, type Tensor, type TensorData } from '@tapegrad/core';
import { functional as F } from '../src/index.ts';

const t = (data: TensorData): Tensor => tensor(data, { dtype: 'float64' });
const ids = (data: TensorData): Tensor => tensor(data, { dtype: 'int32' });

/** The value of a function of one tensor, and the gradient of its sum. */
function both(f: (x: Tensor) => Tensor, data: TensorData): { value: unknown; slope: unknown } {
  const x = tensor(data, { dtype: 'float64', requiresGrad: true });
  const y = f(x);
  return { value: y.toArray(), slope: grad(y.sum(), x)[0]!.toArray() };
}

const inf = Infinity;
const reductions = ['mean', 'sum', 'none'] as const;

describe('at kinks and edges', () => {
  it('shrinking has no slope at its threshold', () => {
    expect(both((x) => F.softshrink(x), [-0.5, 0.5]).slope).toEqual([0, 0]);
    expect(both((x) => F.hardshrink(x), [-0.5, 0.5]).slope).toEqual([0, 0]);
  });

  it('the cosine to a zero vector is 0', () => {
    expect(F.cosineSimilarity(t([0, 0]), t([1, 2]), 0).item()).toBe(0);
  });

  it('one value cannot be normalised while training', () => {
    expect(() => F.batchNorm(zeros([1, 2]), null, null, null, null, { training: true })).toThrow(/more than 1/);
    expect(() => F.groupNorm(zeros([1, 2]), 2)).toThrow(/more than 1/);
    expect(() => F.instanceNorm(zeros([2, 3, 1]))).toThrow(/more than 1/);
  });

  it('bilinear sampling stays inside the border, bicubic looks beyond', () => {
    const ramp = t([[[[0, 1], [0, 1]]]]);
    const [bilinear, bicubic] = (['bilinear', 'bicubic'] as const).map((mode) => F.interpolate(ramp, { size: [2, 4], mode }).select(2, 0));
    expect(bilinear!.toArray()).toEqual([[[0, 0.25, 0.75, 1]]]);
    expect(bicubic!.select(2, 0).item()).toBeCloseTo(-0.10546875, 12);
  });

  it('binary cross-entropy of a certain error is 100, with the slope of the clamp', () => {
    expect(both((p) => F.binaryCrossEntropy(p, t([1])), [0])).toEqual({ value: 100, slope: [-1e12] });
  });

  it('binary cross-entropy of extreme scores is finite', () => {
    expect(both((x) => F.binaryCrossEntropyWithLogits(x, t([1, 0]), { reduction: 'none' }), [1000, -1000])).toEqual({ value: [0, 0], slope: [0, 0] });
    expect(both((x) => F.binaryCrossEntropyWithLogits(x, t([0, 1]), { reduction: 'none' }), [1000, -1000])).toEqual({ value: [1000, 1000], slope: [1, -1] });
  });

  it('smooth L1 without a width is L1, and Huber needs one', () => {
    const smooth = both((x) => F.smoothL1Loss(x, t([0, 0, 0]), { beta: 0 }), [-2, 0, 3]);
    expect(smooth).toEqual(both((x) => F.l1Loss(x, t([0, 0, 0])), [-2, 0, 3]));
    expect(() => F.huberLoss(t([1]), t([0]), { delta: 0 })).toThrow(ValueError);
  });

  it('a divergence counts nothing for a target of 0', () => {
    expect(both((x) => F.klDiv(x, t([0, 1]), { reduction: 'sum' }), [-1, -2])).toEqual({ value: 2, slope: [-0, -1] });
    expect(both((target) => F.klDiv(t([-1, -2]), target, { reduction: 'sum' }), [0, 1])).toEqual({ value: 2, slope: [NaN, 3] });
  });

  it('labels that are all ignored leave no mean', () => {
    const ignored = ids([-100, -100]);
    const [mean, sum, none] = reductions.map((reduction) => F.crossEntropy(t([[1, 2], [3, 4]]), ignored, { reduction }).toArray());
    expect([mean, sum, none]).toEqual([NaN, 0, [0, 0]]);
  });

  it('weights that are all 0 leave no mean', () => {
    const [mean, sum] = reductions.map((reduction) => F.nllLoss(t([[-1, -2]]), ids([0]), { weight: t([0, 0]), reduction }).item() + 0);
    expect([mean, sum]).toEqual([NaN, 0]);
  });

  it('a batch of nothing has no mean, and nothing for each', () => {
    const [mean, , none] = reductions.map((reduction) => F.crossEntropy(zeros([0, 3]), ids([]).reshape([0]), { reduction }));
    expect(mean!.item()).toBeNaN();
    expect(none!.shape).toEqual([0]);
    expect(F.crossEntropy(zeros([0, 0]), ids([]).reshape([0])).item()).toBeNaN();
  });

  it('an alignment that does not fit has an infinite loss, or none if asked', () => {
    const scores = zeros([1, 1, 2], { dtype: 'float64' }).logSoftmax(2);
    const loss = (target: number[], zeroInfinity: boolean): Tensor =>
      F.ctcLoss(scores, ids([target]), [1], [target.length], { reduction: 'sum', zeroInfinity });
    expect(loss([1, 1], false).item()).toBe(inf);
    expect(loss([1, 1], true).item()).toBe(0);
  });
});
