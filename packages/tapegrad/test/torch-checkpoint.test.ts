import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as tg from 'tapegrad';
import { nn, optim, type Tensor } from 'tapegrad';

// Written by PyTorch 1.13 between two steps of a training; the program is beside it.
const file = new URL('../../interop/test/data/training.pt', import.meta.url);

interface Saved {
  model: Record<string, Tensor>;
  optimizer: optim.OptimizerStateDict;
  schedule: optim.lrScheduler.SchedulerStateDict;
  /** The model after the next step. */
  after: Record<string, Tensor>;
}

describe('a checkpoint of PyTorch', () => {
  it('goes on with its weights, momenta and schedule', async () => {
    const saved = (await tg.interop.loadTorch(new Uint8Array(readFileSync(file)))) as unknown as Saved;
    const model = new nn.Sequential(new nn.Linear(2, 3, { bias: false }), new nn.BatchNorm1d(3));
    const optimizer = new optim.Adam(model.parameters());
    const scheduler = new optim.lrScheduler.MultiStepLR(optimizer, [4, 7, 7]);
    model.loadStateDict(saved.model);
    optimizer.loadStateDict(saved.optimizer);
    scheduler.loadStateDict(saved.schedule);
    const points = tg.tensor([[1, 2], [3, -1], [0.5, 0.25]]);
    model(points).sub(1).pow(3).sum().backward();
    optimizer.step();
    scheduler.step();
    expect([optimizer.paramGroups[0]!.lr, scheduler.lastEpoch]).toEqual([0.5, 2]);
    const found = model.stateDict();
    expect(Object.keys(found)).toEqual(Object.keys(saved.after));
    for (const [name, x] of Object.entries(saved.after)) {
      expect(found[name]!.sub(x).abs().max().item()).toBeLessThanOrEqual(1e-6);
      const isTrained = !/running|batches/.test(name);
      expect(!isTrained || saved.model[name]!.sub(x).abs().max().item() > 1e-3).toBe(true);
    }
  });
});
