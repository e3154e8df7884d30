// Leaves a loop while a thread is stuck, and keeps other threads for an epoch that never comes.
import { DataLoader } from '../../src/index.ts';
import { moduleDataset } from '../../src/node.ts';
import type { Sample } from './squares.ts';

const squares = (argument: object): Promise<{ length: number; get(index: number): Sample }> => {
  return moduleDataset(new URL('./squares.ts', import.meta.url), argument);
};
const kept = new DataLoader(await squares({ length: 4 }), { numWorkers: 1, persistentWorkers: true });
for await (const [, , names] of kept) {
  process.stdout.write(`${String(names).slice(0, 2)} `);
  break;
}
for await (const _ of new DataLoader(await squares({ length: 4, stuck: 1 }), { numWorkers: 2 })) break;
process.stdout.write('left\n');
