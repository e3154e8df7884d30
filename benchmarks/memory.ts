import type { Case } from './case.ts';
import type { Library } from './libraries.ts';
import { cases } from './workloads/index.ts';
import { summarize } from './statistics.ts';
import { markdown } from './table.ts';
import { WorkerProcess, type MemoryReport } from './worker-process.ts';
import { memoryCase } from './workloads/mlp.ts';

/** Resident size of one library along its steps. */
export interface MemoryOutcome {
  readonly library: string;
  readonly report?: MemoryReport;
  readonly missing?: string;
}

/**
 * Trains in each library, one after the other and in a fresh process, and watches the resident size; a
 * library that is slow gets as far as the time allows.
 */
export async function measureMemory(
  libraries: readonly Library[],
  steps: number,
  seconds: number,
): Promise<MemoryOutcome[]> {
  const outcomes: MemoryOutcome[] = [];
  for (const library of libraries) {
    const worker = new WorkerProcess(library);
    try {
      await worker.prepare(memoryCase);
      outcomes.push({ library: library.name, report: await worker.memory(steps, seconds) });
    } catch (error) {
      outcomes.push({ library: library.name, missing: (error as Error).message });
    } finally {
      worker.close();
    }
  }
  return outcomes;
}

/** Growth from the first tenth on, when caches and compiled code are there. */
export function memoryTable(outcomes: readonly MemoryOutcome[]): string {
  const rows = outcomes.flatMap(({ library, report }) => {
    if (report === undefined) return [];
    const { steps, megabytes } = report;
    const [first, last] = [megabytes[0]!, megabytes.at(-1)!];
    const size = (value: number): string => value.toFixed(0);
    return [
      [
        library,
        String(steps.at(-1)!),
        size(first),
        size(Math.max(...megabytes)),
        size(last),
        size(last - first),
      ],
    ];
  });
  return markdown(['memory, MB', 'steps', 'after a tenth', 'most', 'at the end', 'growth'], rows);
}

/** What a step takes without and with a scope around it, in milliseconds. */
export interface ScopeOutcome {
  readonly library: string;
  readonly work: string;
  readonly plain: number;
  readonly scoped: number;
}

const compared: readonly Case[] = [memoryCase, ...cases.filter(({ name }) => name === 'mlp-tiny-sgd' || name === 'lenet-adam')];
const ROUNDS = 40;
const FIRST_ROUNDS = 10;

/** Times steps as users write them beside the same steps in explicit scopes, in turns. */
export async function measureScopes(libraries: readonly Library[], core: number | null, roundSeconds: number): Promise<ScopeOutcome[]> {
  const outcomes: ScopeOutcome[] = [];
  for (const library of libraries) {
    const worker = new WorkerProcess(library);
    try {
      const { hasScopes, operations } = await worker.hello(core);
      for (const work of compared) {
        if (!hasScopes || !operations.includes(work.operation)) continue;
        await worker.prepare(work);
        const { wall } = await worker.round(20);
        const iterations = Math.ceil((roundSeconds * 1e9) / wall);
        const times: [number[], number[]] = [[], []];
        for (let round = 0; round < ROUNDS; round++) {
          for (const scoped of [0, 1] as const) {
            const { wall } = await worker.round(iterations, scoped === 1);
            if (round >= FIRST_ROUNDS) times[scoped].push(wall / 1e6);
          }
        }
        const [plain, scoped] = times.map((list) => summarize(list).median) as [number, number];
        outcomes.push({ library: library.name, work: work.name, plain, scoped });
      }
    } finally {
      worker.close();
    }
  }
  return outcomes;
}

/** What it costs that nobody has to write a scope. */
export function scopeTable(outcomes: readonly ScopeOutcome[]): string {
  const rows = outcomes.map(({ library, work, plain, scoped }) => [
    library,
    work,
    plain.toPrecision(3),
    scoped.toPrecision(3),
    `${((plain / scoped - 1) * 100).toFixed(1)} %`,
  ]);
  return markdown(['a step, ms', 'of', 'as written', 'in a scope', 'more'], rows);
}
