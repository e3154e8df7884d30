import { cases } from './workloads/index.ts';
import { makeInputs } from './inputs.ts';
const { adapter } = await import('./tapegrad/index.ts') as any;
const work = (cases as any[]).find((c) => c.name === process.argv[2]);
const shapes = Object.fromEntries(Object.entries(work.inputs).map(([n, s]: any) => [n, s.shape]));
const prepared = await adapter.operations[work.operation](makeInputs(work.inputs), work.sizes, shapes);
const n = Number(process.argv[3]);
for (let i = 0; i < 2 * n; i++) prepared.step();
for (let b = 0; b < 2; b++) {
const c = process.cpuUsage(); const w = performance.now();
for (let i = 0; i < n; i++) prepared.step();
const d = process.cpuUsage(c); const e = performance.now() - w;
console.log('wall', (e / n).toFixed(2), 'cpu', ((d.user + d.system) / 1000 / n).toFixed(2));
}
