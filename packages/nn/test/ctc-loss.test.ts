import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const F = nn.functional;
const int = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'int32' });
const logits = (...shape: number[]): Tensor => tg.randn(shape, { dtype: 'float64' });

/** Minus the log of the sum over all paths that spell the target when repeats and blanks are taken out. */
function byEnumeration(logProbs: number[][], target: number[]): number {
  const classes = logProbs[0]!.length;
  let total = 0;
  for (let path = 0; path < classes ** logProbs.length; path++) {
    const labels = logProbs.map((_, t) => Math.floor(path / classes ** t) % classes);
    const spelt = labels.filter((label, t) => label !== 0 && (t === 0 || label !== labels[t - 1]));
    if (spelt.join() === target.join()) total += Math.exp(labels.reduce((sum, label, t) => sum + logProbs[t]![label]!, 0));
  }
  return -Math.log(total);
}

describe('ctcLoss', () => {
  it.each([[[1, 2]], [[1, 1]], [[2, 1, 2]], [[1]], [[]], [[1, 1, 1]]])('of %j sums over all paths', (target) => {
    const x = logits(5, 3).logSoftmax(1);
    const loss = F.ctcLoss(x, int(target.length === 0 ? [1] : target).narrow(0, 0, target.length), [5], [target.length], { reduction: 'sum' });
    expect(loss.item()).toBeCloseTo(byEnumeration(x.toArray() as number[][], target), 10);
  });

  it('gives the gradient in front of the logSoftmax', () => {
    const scores = logits(6, 2, 4).requiresGrad_();
    const logProbs = scores.logSoftmax(2).detach().requiresGrad_();
    const call = (x: Tensor): Tensor => F.ctcLoss(x, int([[1, 2, 1], [3, 3, 0]]), [6, 5], [3, 2], { reduction: 'sum' });
    const through = tg.grad(call(scores.logSoftmax(2)), scores)[0]!;
    const at = tg.grad(call(logProbs), logProbs)[0]!;
    expect([...through.toTypedArray()]).toEqual([...at.toTypedArray()].map((value) => expect.closeTo(value, 10)));
    expect(tg.gradcheck((x) => call(x.logSoftmax(2)), [scores])).toBe(true);
  });

  it('is infinite where the target cannot fit, or 0 without a gradient if so asked', () => {
    const x = logits(3, 1, 3).logSoftmax(2).requiresGrad_();
    const call = (options: object): Tensor => F.ctcLoss(x, int([[1, 1, 2]]), [3], [3], options);
    expect(call({}).item()).toBe(Infinity);
    expect(tg.grad(call({}), x)[0]!.isnan().all().item()).toBe(1);
    const zero = call({ zeroInfinity: true });
    zero.backward();
    expect([zero.item(), x.grad!.isfinite().all().item()]).toEqual([0, 1]);
  });

  it('of nothing is that of blanks, and 0 without steps', () => {
    const x = logits(3, 1, 3).logSoftmax(2);
    const blanks = x.select(2, 0).sum().neg().item();
    expect(F.ctcLoss(x, int([[1]]), [3], [0], { reduction: 'sum' }).item()).toBeCloseTo(blanks, 12);
    expect(F.ctcLoss(x, int([[1]]), [0], [0], { reduction: 'sum' }).item()).toBe(0);
  });

  it('refuses lengths and labels that do not fit', () => {
    const x = logits(4, 2, 3).logSoftmax(2);
    expect(() => F.ctcLoss(x, int([[1], [2]]), [5, 4], [1, 1])).toThrow(/inputLengths must be 2 numbers from 0 to 4, got \[5, 4\]/);
    expect(() => F.ctcLoss(x, int([[1], [2]]), [4, 4], [1, 2])).toThrow(/targetLengths must be 2 numbers from 0 to 1/);
    expect(() => F.ctcLoss(x, int([[1], [0]]), [4, 4], [1, 1])).toThrow(/label 0 of sequence 1 must be one of the 3 classes, and not the blank 0/);
    expect(() => F.ctcLoss(x, int([1, 2, 1]), [4, 4], [1, 1])).toThrow(/expected \[2, S\], or all 2 labels in one row/);
    expect(() => F.ctcLoss(x, tg.ones([2, 1]), [4, 4], [1, 1])).toThrow(/targets must be integers/);
    expect(() => new nn.CTCLoss({ blank: 3 })(x, int([[1], [2]]), [4, 4], [1, 1])).toThrow(/CTCLoss: .*blank must be one of the 3 classes, got 3/);
  });
});
