import { describe, expect, it } from '@jest/globals';
import { noGrad, tensor, type Tensor } from '@tapegrad/core';
import { swaUtils } from '../src/index.ts';

const { AveragedParameters } = swaUtils;
const set = (p: Tensor, values: number[]): void => void noGrad(() => p.copy_(tensor(values, { dtype: p.dtype })));
const parameter = (): Tensor => tensor([8, 9], { dtype: 'float64', requiresGrad: true });

describe('AveragedParameters', () => {
  it('is the mean of all updates, or with a decay a moving average from the first on', () => {
    const p = parameter();
    const mean = new AveragedParameters([p]);
    const moving = new AveragedParameters([p], { decay: 0.75 });
    for (const values of [[1, 2], [2, 4], [6, 0]]) {
      set(p, values);
      mean.update();
      moving.update();
    }
    expect(mean.averages[0]!.toArray()).toEqual([3, 2]);
    // 0.75 · (0.75 · [1, 2] + 0.25 · [2, 4]) + 0.25 · [6, 0]
    expect(moving.averages[0]!.toArray()).toEqual([2.4375, 1.875]);
    expect(p.toArray()).toEqual([6, 0]);
  });

  it('takes the place of the parameters while a function runs, whatever comes of it', async () => {
    const p = parameter();
    const averaged = new AveragedParameters([p]);
    set(p, [1, 1]);
    expect(averaged.use(() => p.toArray())).toEqual([8, 9]);
    expect(() => averaged.use(() => { throw new Error('no'); })).toThrow('no');
    expect(p.toArray()).toEqual([1, 1]);
    const later = averaged.use(async () => {
      await Promise.resolve();
      return p.toArray();
    });
    expect(await later).toEqual([8, 9]);
    expect(p.toArray()).toEqual([1, 1]);
    averaged.copyTo();
    expect([p.toArray(), p.isLeaf, p.requiresGrad]).toEqual([[8, 9], true, true]);
  });

  it('goes on from its state, and refuses that of others', () => {
    const [p, q] = [parameter(), parameter()];
    const [first, second] = [new AveragedParameters([p]), new AveragedParameters([q])];
    for (const values of [[1, 2], [3, 4]]) {
      set(p, values);
      first.update();
    }
    second.loadStateDict(first.stateDict());
    for (const [x, averaged] of [[p, first], [q, second]] as const) {
      set(x, [8, 0]);
      averaged.update();
    }
    expect(second.averages[0]!.toArray()).toEqual(first.averages[0]!.toArray());
    expect(second.averages[0]!.toArray()).toEqual([4, 2]);
    expect(() => first.loadStateDict({ n_averaged: 1, averages: [tensor([1])] })).toThrow('of parameters [1], expected [2]');
    expect(() => new AveragedParameters([p], { decay: 1 })).toThrow('from 0 to below 1, got 1');
    expect(() => new AveragedParameters([])).toThrow('got no parameters');
  });
});
