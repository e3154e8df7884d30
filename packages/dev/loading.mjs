// What an installed tapegrad must be able to do in Node: load in threads. This module is what they make the dataset from.
import { DataLoader, getWorkerInfo } from '@tapegrad/data';
import { moduleDataset } from '@tapegrad/data/node';

export default ({ length }) => ({ length, get: (i) => [i, getWorkerInfo()?.id ?? -1] });

/** Loads four batches in two threads and returns what they hold, and which thread made which. */
export async function loading() {
  const dataset = await moduleDataset(import.meta.url, { length: 7 });
  const batches = [];
  for await (const [i, worker] of new DataLoader(dataset, { batchSize: 2, numWorkers: 2 })) batches.push([i.tolist(), worker.tolist()]);
  return `loaded ${JSON.stringify(batches)}`;
}
