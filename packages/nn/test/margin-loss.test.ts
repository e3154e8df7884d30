import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const F = nn.functional;
const f64 = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'float64' });
const int = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'int32' });
const slope = (f: (x: Tensor) => Tensor, x: tg.TensorData): unknown => {
  const leaf = f64(x).requiresGrad_();
  return tg.grad(f(leaf).sum(), leaf)[0]!.toArray();
};

describe('losses with a margin', () => {
  it('count what lacks of the margin', () => {
    expect(F.hingeEmbeddingLoss(f64([0.3, 0.4, 3]), f64([1, -1, -1]), { reduction: 'none' }).toArray()).toEqual([0.3, 0.6, 0]);
    expect(F.marginRankingLoss(f64([1, 1]), f64([3, 0]), f64([1, 1]), { margin: 0.5, reduction: 'none' }).toArray()).toEqual([2.5, 0]);
    expect(F.multiMarginLoss(f64([0.25, 0.5, 1]), int(1)).item()).toBeCloseTo((0.75 + 1.5) / 3, 12);
    const shapes = [int(1), int([1])].map((target) => F.multiMarginLoss(f64([0.25, 0.5, 1]), target, { reduction: 'none' }).shape);
    expect(shapes).toEqual([[], [1]]);
    expect(F.multilabelMarginLoss(f64([0.1, 0.2, 0.4, 0.8]), int([3, 0, -1, 1])).item()).toBeCloseTo(0.85, 12);
    expect(F.tripletMarginLoss(f64([0, 0]), f64([3, 4]), f64([0, 1]), { eps: 0 }).item()).toBe(5);
    expect(F.tripletMarginLoss(f64([0, 0]), f64([3, 4]), f64([6, 8]), { eps: 0, margin: 6, swap: true }).item()).toBe(6);
  });

  it('have no slope where the margin is met', () => {
    expect(slope((x) => F.multiMarginLoss(x, int(0), { reduction: 'sum' }), [1, 0])).toEqual([0, 0]);
    expect(slope((x) => F.hingeEmbeddingLoss(x, f64([-1, -1]), { reduction: 'sum' }), [0.5, 2])).toEqual([-1, 0]);
    expect(slope((x) => F.softMarginLoss(x, f64([1, -1]), { reduction: 'sum' }), [-1000, -1000])).toEqual([-1, 0]);
  });

  it('take cosines as they are, and pull apart only above the margin', () => {
    const [a, b] = [f64([[1, 0], [1, 0]]), f64([[0, 2], [3, 0]])];
    const loss = F.cosineEmbeddingLoss(a, b, f64([1, -1]), { margin: 0.25, reduction: 'none' });
    expect(loss.toArray()).toEqual([1, expect.closeTo(0.75, 11)]);
    expect(F.cosineSimilarity(a, b).toArray()).toEqual([0, 1]);
  });

  it('say what does not fit, in which layer', () => {
    const model = new nn.ModuleDict({ loss: new nn.MultiMarginLoss({ weight: f64([1, 2]) }) });
    const loss = model.get('loss') as nn.MultiMarginLoss;
    expect(() => loss(f64([[1, 2, 3]]), int([0]))).toThrow(/MultiMarginLoss: .*weight must be \[3\], got \[2\]/);
    expect(() => F.multiMarginLoss(f64([[1, 2]]), int([2]))).toThrow(tg.IndexError);
    expect(() => F.multiMarginLoss(f64([1, 2]), int([0]), { p: 3 })).toThrow(/p must be 1 or 2, got 3/);
    expect(() => F.multilabelMarginLoss(f64([1, 2]), int([2, -1]))).toThrow(/class label 2 in row 0 is out of range/);
    expect(() => F.marginRankingLoss(f64([1]), f64([1]), f64(1))).toThrow(/as many dimensions, got \[1\], \[1\], \[\]/);
    expect(() => F.cosineEmbeddingLoss(f64([1]), f64([1]), f64([1]))).toThrow(/expected \[N, D\], \[N, D\] and \[N\]/);
    expect(() => F.softMarginLoss(f64([1]), f64([1, 1]))).toThrow(tg.ShapeError);
    expect(() => F.hingeEmbeddingLoss(f64([1]), f64([1]), { reduction: 'abc' as 'sum' })).toThrow(/'mean', 'sum' or 'none', got 'abc'/);
    expect(() => F.tripletMarginLoss(f64([1]), f64([[1]]), f64([1]))).toThrow(tg.ShapeError);
  });
});

describe('losses of distributions', () => {
  it('klDiv counts nothing for a target of 0, and warns of the mean once', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const x = f64([[0.5, 0.5], [0.5, 0.5]]).log();
    const target = f64([[1, 0], [0.5, 0.5]]);
    expect(F.klDiv(x, target, { reduction: 'batchmean' }).item()).toBeCloseTo(Math.log(2) / 2, 12);
    expect(F.klDiv(x, target).item()).toBeCloseTo(Math.log(2) / 4, 12);
    expect(F.klDiv(x, target.clamp(1e-9).log(), { reduction: 'sum', logTarget: true }).item()).toBeCloseTo(Math.log(2), 6);
    F.klDiv(x, target);
    expect(warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('batchmean'))).toHaveLength(1);
    warn.mockRestore();
  });

  it('poissonNllLoss adds Stirling for targets above 1 only', () => {
    const [x, target] = [f64([0, 0]), f64([1, 2])];
    const stirling = 2 * Math.log(2) - 2 + Math.log(4 * Math.PI) / 2;
    expect(F.poissonNllLoss(x, target, { full: true, reduction: 'none' }).toArray()).toEqual([1, expect.closeTo(1 + stirling, 12)]);
    expect(F.poissonNllLoss(f64([2]), f64([3]), { logInput: false }).item()).toBeCloseTo(2 - 3 * Math.log(2 + 1e-8), 12);
  });

  it('gaussianNllLoss lets the gradient of a variance pass its floor', () => {
    const variance = f64([0.1]).requiresGrad_();
    F.gaussianNllLoss(f64([1]), f64([0]), variance, { eps: 0.5 }).backward();
    expect(variance.grad!.item()).toBeCloseTo((1 / 0.5 - 1 / 0.25) / 2, 12);
    expect(() => F.gaussianNllLoss(f64([1]), f64([0]), f64([-1]))).toThrow(/variance has a negative element/);
    expect(() => F.gaussianNllLoss(f64([[1, 2]]), f64([[1, 2]]), f64([1, 1, 1]))).toThrow(/variance is \[3\], but the input \[1, 2\]/);
  });
});
