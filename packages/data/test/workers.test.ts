import { describe, expect, it } from '@jest/globals';
import { Generator, manualSeed, rand, type Tensor } from '@tapegrad/core';
import { DataLoader } from '../src/index.ts';
import { WorkerDataset, type WorkerOptions } from '../src/node.ts';

type Batch = [Tensor, Tensor, string[]];
const module = new URL('./data/squares.ts', import.meta.url);
// The threads are no part of jest and need the loader of the workspace.
const loader = new URL('../../dev/typescript-loader.mjs', import.meta.url);
const boot = `import { register } from 'node:module'; register(${JSON.stringify(loader.href)});`;
const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(boot)}`];
const open = (argument: object, options: WorkerOptions = {}): Promise<WorkerDataset<Batch>> => {
  return WorkerDataset.open<Batch>(module, { argument, execArgv, ...options });
};

describe('WorkerDataset', () => {
  it('loads and collates in threads, in the order of the loader', async () => {
    const dataset = await open({ length: 7 }, { workers: 3 });
    expect(dataset.length).toBe(7);
    const seen: unknown[] = [];
    for await (const [x, , names] of new DataLoader<Batch>(dataset, { batchSize: 3, prefetch: 3 })) seen.push([x.toArray(), names]);
    expect(seen).toEqual([
      [[[0, 0], [1, 1], [2, 4]], ['#0', '#1', '#2']],
      [[[3, 9], [4, 16], [5, 25]], ['#3', '#4', '#5']],
      [[[6, 36]], ['#6']],
    ]);
    const [x, , name] = (await dataset.get(4)) as unknown as [Tensor, number, string];
    expect([x.toArray(), name]).toEqual([[4, 16], '#4']);
    await dataset.close();
    await expect(dataset.get(0)).rejects.toThrow('The dataset is closed');
  });

  it('gives each thread a random stream of its own', async () => {
    const dataset = await open({ length: 2 }, { workers: 2, seed: 40 });
    const drawn = await Promise.all([dataset.getBatch([0]), dataset.getBatch([1])]);
    const expected = [40, 41].map((seed) => rand(1, { generator: new Generator(seed) }).item());
    expect(drawn.map(([, y]) => y.item())).toEqual(expected);
    await dataset.close();
    manualSeed(0);
  });

  it('hands errors of the dataset to the caller, and goes on', async () => {
    const dataset = await open({ length: 4, bad: 2 });
    const seen: unknown[] = [];
    await expect(async () => {
      for await (const [, , names] of new DataLoader<Batch>(dataset, { prefetch: 2 })) seen.push(names[0]);
    }).rejects.toThrow('position 2 is bad');
    expect(seen).toEqual(['#0', '#1']);
    expect((await dataset.getBatch([3]))[2]).toEqual(['#3']);
    await dataset.close();
  });

  it('refuses to start where the module fails, and says when a thread ends', async () => {
    await expect(open({ length: -1 })).rejects.toThrow('no negative lengths');
    await expect(WorkerDataset.open(new URL('./data/none.ts', import.meta.url), { execArgv })).rejects.toThrow(/none\.ts/);
    await expect(open({ length: 1 }, { workers: 0 })).rejects.toThrow('workers must be a positive whole number, got 0');
    const dataset = await open({ length: 2, exit: 1 }, { workers: 1 });
    await expect(dataset.get(1)).rejects.toThrow('A loading thread ended with code 3.');
    await expect(dataset.get(0)).rejects.toThrow('The dataset is closed');
  });

  it('rejects what is on its way when it is closed', async () => {
    const dataset = await open({ length: 2, stuck: 1 }, { workers: 1 });
    const waiting = dataset.get(1);
    await Promise.all([expect(waiting).rejects.toThrow('The dataset was closed while a batch was on its way.'), dataset.close()]);
  });
});
