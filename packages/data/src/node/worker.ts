// What runs in each thread of a loader.
import { parentPort, workerData } from 'node:worker_threads';
import { getRngState, manualSeed, setRngState } from '@tapegrad/core';
import { defaultCollate } from '../collate.ts';
import { groupsAsync, isStream, loadBatch, loadSamples } from '../dataset-batches.ts';
import { makeDataset } from './dataset-module.ts';
import { pack, packError } from './packing.ts';
import type { Answer, Question, ThreadStart } from './thread-pool.ts';
import { setWorkerInfo, type Loaded, type Order } from '../workers.ts';

const { recipe, info, random } = workerData as ThreadStart;
const port = parentPort!;
setWorkerInfo(info);

/** The stream of the present epoch, in groups of samples. */
let stream: { epoch: number; groups: AsyncGenerator<unknown[], void> } | null = null;

try {
  // The dataset is what it is in the main thread, random numbers included.
  const dataset = await makeDataset(recipe);
  manualSeed(info.seed);
  if (random !== undefined) setRngState(random);
  let last: Promise<void> = Promise.resolve();
  port.on('message', ({ id, order }: Question) => {
    // One after the other, so that random numbers do not depend on what takes longer.
    last = last.then(() => answer(id, () => load(dataset, order)));
  });
  port.postMessage({ id: -1 } satisfies Answer);
} catch (error) {
  port.postMessage({ id: -1, error: packError(error) } satisfies Answer);
}

async function answer(id: number, produce: () => Promise<Omit<Loaded, 'random'>>): Promise<void> {
  try {
    const buffers: ArrayBufferLike[] = [];
    const { value, ended } = await produce();
    const loaded: Loaded = { value: pack(value, buffers), ended, random: getRngState() };
    port.postMessage({ id, loaded } satisfies Answer, buffers as ArrayBuffer[]);
  } catch (error) {
    port.postMessage({ id, error: packError(error) } satisfies Answer);
  }
}

async function load(dataset: Awaited<ReturnType<typeof makeDataset>>, order: Order): Promise<Omit<Loaded, 'random'>> {
  const { positions, batchSize, dropLast, join, skip, epoch } = order;
  if (!isStream(dataset)) {
    if (batchSize === null) return { value: await dataset.get(positions![0]!), ended: false };
    return { value: await (join ? loadBatch : loadSamples)(dataset, positions!), ended: false };
  }
  if (stream?.epoch !== epoch) {
    await stream?.groups.return();
    const begun = groupsAsync(dataset, batchSize ?? 1, dropLast);
    stream = { epoch, groups: begun };
    if (skip > 0) {
      for (let i = 0; i < skip; i++) await begun.next();
      if (random !== undefined) setRngState(random);
    }
  }
  const { done, value: samples } = await stream.groups.next();
  if (done) return { value: null, ended: true };
  if (batchSize === null) return { value: samples[0], ended: false };
  return { value: join ? defaultCollate(samples) : samples, ended: false };
}
