import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { moduleDataset } from '@tapegrad/data/node';
import { readFileBytes, writeFileAtomic } from '@tapegrad/interop/node';
import * as tg from 'tapegrad';
import { nn, optim, type Tensor } from 'tapegrad';

const EPOCHS = 2;
type Batch = [Tensor, Tensor];
// The threads are no part of jest and need the loader of the workspace.
const hooks = new URL('../../dev/typescript-loader.mjs', import.meta.url);
const boot = `import { register } from 'node:module'; register(${JSON.stringify(hooks.href)});`;
const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(boot)}`];

interface Training {
  /** The losses of the next steps. */
  run(stop: number): AsyncIterable<number>;
  save(path: string): void;
  load(path: string): void;
  weights(): Uint8Array;
}

/** A training with all that remembers something: dropout, momenta, a schedule, a shuffle, noise that threads draw. */
async function training(numWorkers: number): Promise<Training> {
  tg.manualSeed(0);
  const points = await moduleDataset<tg.data.Dataset<Batch>>(new URL('./noisy-points.ts', import.meta.url), { length: 22 }, { execArgv });
  const loader = new tg.data.DataLoader<Batch>(points, { batchSize: 4, shuffle: true, numWorkers });
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.BatchNorm1d(8), new nn.Dropout(0.3), new nn.Linear(8, 2));
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { totalSteps: EPOCHS * loader.length });
  let [epoch, step] = [0, 0];
  return {
    async *run(stop) {
      for (; epoch < EPOCHS; epoch++, step = 0) {
        for await (const [x, y] of loader) {
          optimizer.zeroGrad();
          const loss = nn.functional.crossEntropy(model(x), y);
          loss.backward();
          optimizer.step();
          scheduler.step();
          step++;
          yield loss.item();
          if (--stop === 0) return;
        }
      }
    },
    save: (path) => {
      const random = { present: tg.getRngState() };
      const parts = { model: model.stateDict(), optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict(), loader: loader.stateDict() };
      writeFileAtomic(path, tg.interop.encodeCheckpoint({ ...parts, epoch, step, random, extra: {} }));
    },
    load: (path) => {
      const saved = tg.interop.decodeCheckpoint(readFileBytes(path));
      model.loadStateDict(saved.model);
      optimizer.loadStateDict(saved.optimizer);
      scheduler.loadStateDict(saved.scheduler!);
      loader.loadStateDict(saved.loader!);
      tg.setRngState(saved.random['present']!);
      [epoch, step] = [saved.epoch, saved.step];
    },
    weights: () => tg.interop.saveTensors(model.stateDict()),
  };
}

async function all(numbers: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const number of numbers) seen.push(number);
  return seen;
}

describe('a training that is interrupted goes on bit for bit', () => {
  it.each([0, 2])('with %i threads that load', async (numWorkers) => {
    const folder = mkdtempSync(join(tmpdir(), 'tapegrad-interruption-'));
    const path = join(folder, 'checkpoint.safetensors');
    try {
      const straight = await training(numWorkers);
      const losses = await all(straight.run(Infinity));
      expect(losses).toHaveLength(12);
      const stopped = await training(numWorkers);
      expect(await all(stopped.run(9))).toEqual(losses.slice(0, 9));
      stopped.save(path);
      const resumed = await training(numWorkers);
      tg.manualSeed(1234);
      resumed.load(path);
      expect(await all(resumed.run(Infinity))).toEqual(losses.slice(9));
      expect(Buffer.compare(resumed.weights(), straight.weights())).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
