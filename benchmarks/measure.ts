import type { Case } from './case.ts';
import { difference, type Fingerprint } from './fingerprint.ts';
import { summarize, type Summary } from './statistics.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How long to measure. */
export interface Effort {
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUpSeconds: number;
}

/** One library's line of a case. */
export interface Outcome {
  readonly library: string;
  /** Nanoseconds of a step by the clock. */
  readonly wall?: Summary;
  /** Nanoseconds of a step on the processor, garbage collection and compilation included. */
  readonly cpu?: Summary;
  /** Largest difference from the reference. */
  readonly difference?: number;
  /** Whether that is within rounding. */
  readonly equal?: boolean;
  /** Why there is no number. */
  readonly missing?: string;
}

/** A step that takes longer than this is not repeated beyond its checked steps. */
const PATIENCE_SECONDS = 10;
const FEW_ROUNDS = 3;

/**
 * Times one case in every library: each makes it ready and shows its results, warms up, and then one round of
 * each follows the other, so that whatever disturbs the machine disturbs all of them.
 */
export async function measure(
  work: Case,
  workers: readonly WorkerProcess[],
  reference: Readonly<Record<string, Fingerprint>> | undefined,
  effort: Effort,
): Promise<Outcome[]> {
  const runs: Run[] = [];
  for (const worker of workers) runs.push(await begin(work, worker, reference, effort));
  for (let round = 0; round < effort.rounds; round++) {
    for (const run of runs) await runRound(run, round, effort);
  }
  return runs.map(({ outcome, wall, cpu }) => {
    if (wall.length === 0) return outcome;
    return { ...outcome, wall: summarize(wall), cpu: summarize(cpu) };
  });
}

interface Run {
  readonly worker: WorkerProcess;
  outcome: Outcome;
  iterations: number;
  seconds: number;
  readonly wall: number[];
  readonly cpu: number[];
}

async function begin(
  work: Case,
  worker: WorkerProcess,
  reference: Readonly<Record<string, Fingerprint>> | undefined,
  effort: Effort,
): Promise<Run> {
  const run: Run = {
    worker,
    outcome: { library: worker.library.name },
    iterations: 1,
    seconds: 0,
    wall: [],
    cpu: [],
  };
  try {
    const results = await worker.prepare(work);
    run.outcome = { ...run.outcome, ...compare(results, reference, work.tolerance) };
    await warmUp(run, effort, effort.warmUpSeconds * (work.manySmallOps === true ? 2 : 1));
  } catch (error) {
    run.outcome = { library: worker.library.name, missing: (error as Error).message };
    run.iterations = 0;
  }
  return run;
}

/** Runs until it is warm, which also says how many steps a round has. */
async function warmUp(run: Run, effort: Effort, warmUpSeconds: number): Promise<void> {
  let spent = 0;
  do {
    const { wall, cpu } = await run.worker.round(run.iterations);
    run.seconds = wall / 1e9;
    spent += run.seconds * run.iterations;
    if (run.seconds > PATIENCE_SECONDS) {
      run.wall.push(wall);
      run.cpu.push(cpu);
      run.iterations = 0;
      return;
    }
    const wanted = Math.max(1, Math.floor(effort.roundSeconds / run.seconds));
    run.iterations = Math.min(wanted, run.iterations * 10);
  } while (spent < warmUpSeconds);
}

async function runRound(run: Run, round: number, effort: Effort): Promise<void> {
  const few = run.seconds > effort.roundSeconds * 4;
  if (run.iterations === 0 || (few && round >= FEW_ROUNDS)) return;
  const { wall, cpu } = await run.worker.round(run.iterations);
  run.wall.push(wall);
  run.cpu.push(cpu);
}

function compare(
  results: Readonly<Record<string, Fingerprint>>,
  reference: Readonly<Record<string, Fingerprint>> | undefined,
  tolerance: number,
): { difference?: number; equal?: boolean } {
  if (reference === undefined) return {};
  const differences = Object.entries(reference).map(([name, expected]) => {
    const result = results[name];
    return result === undefined ? Infinity : difference(result, expected);
  });
  const largest = Math.max(...differences);
  return { difference: largest, equal: largest <= tolerance };
}
