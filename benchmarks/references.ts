import { writeFileSync } from 'node:fs';
import type { Fingerprint } from './fingerprint.ts';
import { here } from './here.ts';
import { findTorch } from './libraries.ts';
import { WorkerProcess } from './worker-process.ts';
import { cases } from './workloads/index.ts';

/** Right results of all cases, by the case's name and the result's. */
export type References = Record<string, Record<string, Fingerprint>>;

/** Computes reference.json anew, by PyTorch in float64. @throws Error when no python3 can import torch */
export async function writeReferences(): Promise<string> {
  const torch = findTorch(1);
  if (torch === null) throw new Error('no python3 can import torch, which references are computed with');
  const worker = new WorkerProcess(torch, { BENCHMARK_REFERENCE: '1' });
  const lines: string[] = [];
  try {
    for (const work of cases)
      lines.push(` ${JSON.stringify(work.name)}: ${JSON.stringify(await worker.prepare(work))}`);
  } finally {
    worker.close();
  }
  writeFileSync(here('reference.json'), `{\n${lines.join(',\n')}\n}\n`);
  return `references of ${cases.length} cases are in ${here('reference.json')}`;
}
