import type { Library } from './libraries.ts';
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
