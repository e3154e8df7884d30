import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { Library } from './libraries.ts';
import { summarize, type Summary } from './statistics.ts';
import { markdown } from './table.ts';

/** Milliseconds from the start of the process to its end, after it printed a gradient. */
export interface StartOutcome {
  readonly library: string;
  readonly wall?: Summary;
  readonly missing?: string;
}

/** d/dw Σ tanh(x w), which every program prints. */
const expected = [1, 2, 3].map((x, i) => x * (1 - Math.tanh(x * [0.5, -1, 2][i]!) ** 2));

/** Starts each library's program in turns; the first line is Node alone, which nobody can be faster than. */
export function measureStart(
  libraries: readonly Library[],
  rounds: number,
): StartOutcome[] {
  const empty = {
    name: 'node alone',
    start: [process.execPath, '-e', `console.log('${JSON.stringify(expected)}')`],
  };
  const programs: readonly Pick<Library, 'name' | 'start' | 'env'>[] = [empty, ...libraries];
  const times = programs.map(() => [] as number[]);
  const missing = new Map<number, string>();
  // The first round fills the caches of the file system and is not counted.
  for (let round = -1; round < rounds; round++) {
    programs.forEach(({ start, env }, p) => {
      if (missing.has(p)) return;
      const [program, ...args] = start;
      const began = performance.now();
      const { stdout, stderr } = spawnSync(program!, args, {
        encoding: 'utf8',
        cwd: tmpdir(),
        env: { ...process.env, ...env },
      });
      const time = performance.now() - began;
      if (!isExpected(stdout))
        missing.set(p, (stderr.trim() || stdout.trim()).split('\n')[0] ?? 'no gradient');
      else if (round >= 0) times[p]!.push(time);
    });
  }
  return programs.map(({ name }, p) =>
    missing.has(p)
      ? { library: name, missing: missing.get(p)! }
      : { library: name, wall: summarize(times[p]!) },
  );
}

function isExpected(text: string): boolean {
  const numbers = text.match(/-?\d+(\.\d+)?(e-?\d+)?/g)?.map(Number) ?? [];
  return (
    numbers.length === expected.length && numbers.every((value, i) => Math.abs(value - expected[i]!) < 1e-4)
  );
}

/** Times until the program has ended with its gradient printed. */
export function startTable(outcomes: readonly StartOutcome[]): string {
  const rows = outcomes.map(({ library, wall, missing }) =>
    wall === undefined ? [library, missing!, ''] : [library, wall.median.toFixed(0), wall.best.toFixed(0)],
  );
  return markdown(['first gradient, ms', 'median', 'best'], rows);
}
