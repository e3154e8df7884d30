import { cases } from './workloads/index.ts';
import { makeInputs } from './inputs.ts';
const { adapter } = await import('./tapegrad/index.ts') as any;
const work = (cases as any[]).find((c) => c.name === process.argv[2]);
const shapes = Object.fromEntries(Object.entries(work.inputs).map(([n, s]: any) => [n, s.shape]));
const prepared = await adapter.operations[work.operation](makeInputs(work.inputs), work.sizes, shapes);
for (let b = 0; b < 4; b++) { const t: number[] = []; for (let i = 0; i < (Number(process.argv[3]) || 100); i++) { const a = performance.now(); prepared.step(); t.push(performance.now() - a); } t.sort((p, q) => p - q); console.log(b, t[t.length / 10 | 0]!.toFixed(2), t[t.length / 2 | 0]!.toFixed(2)); }
console.log(process.cpuUsage(), JSON.stringify((globalThis as any).crewStats), (await import("@tapegrad/core")).parallelInfo());
