// What runs in each thread of a WorkerDataset.
import { parentPort, workerData } from 'node:worker_threads';
import { manualSeed } from '@tapegrad/core';
import { defaultCollate } from '../collate.ts';
import type { Dataset } from '../dataset.ts';
import { pack } from './packing.ts';
import type { Answer, Order, WorkerStart } from './worker-dataset.ts';

const { module, argument, seed } = workerData as WorkerStart;
const port = parentPort!;
manualSeed(seed);
const { default: make } = (await import(module)) as { default: (argument: unknown) => Dataset<unknown> | Promise<Dataset<unknown>> };
const dataset = await make(argument);

port.on('message', (order: Order) => {
  void answer(order);
});
port.postMessage({ length: dataset.length });

async function answer({ id, indices, single }: Order): Promise<void> {
  try {
    const buffers: ArrayBufferLike[] = [];
    const value = pack(await (single ? dataset.get(indices[0]!) : load(indices)), buffers);
    port.postMessage({ id, value } satisfies Answer, buffers as ArrayBuffer[]);
  } catch (error) {
    port.postMessage({ id, error } satisfies Answer);
  }
}

async function load(indices: readonly number[]): Promise<unknown> {
  if (dataset.getBatch !== undefined) return dataset.getBatch(indices);
  return defaultCollate(await Promise.all(indices.map((i) => dataset.get(i))));
}
