import { spawn, type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const runner = path.join(root, 'packages/dev/run.mjs');
const core = path.join(root, 'packages/core/src/index.ts');

/** Waits until another thread has done a task. */
const withThreads = `
import * as tg from ${JSON.stringify(core)};
const x = tg.ones([300, 300]);
const work = () => tg.scope(() => x.matmul(x).sum().item());
const helped = () => /[1-9]\\d* of/.test(tg.parallelInfo());
const start = (threads) => {
  tg.setNumThreads(threads);
  while (!helped()) work();
};
`;

interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(text: string, env: Record<string, string> = {}): Outcome {
  const folder = mkdtempSync(path.join(tmpdir(), 'tapegrad-threads-'));
  try {
    const file = path.join(folder, 'main.ts');
    writeFileSync(file, withThreads + text);
    return spawnSync(process.execPath, [runner, file], { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 100_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a program on several threads', () => {
  it('ends by itself, whatever the others do', () => {
    expect(run('start(3); console.log(work());')).toMatchObject({ status: 0, signal: null, stdout: '27000000\n', stderr: '' });
  });

  it('ends by an exception that nobody catches', () => {
    const outcome = run("start(2); setTimeout(() => { work(); throw new Error('out of luck'); }, 20);");
    expect(outcome).toMatchObject({ status: 1, signal: null });
    expect(outcome.stderr).toMatch(/out of luck/);
  });

  it('ends at once where it is told to, with work waiting', () => {
    expect(run('start(3); process.exitCode = 9; setInterval(work, 1); work(); process.exit();')).toMatchObject({ status: 9, signal: null });
  });

  it('goes on after an error in an operation', () => {
    const text = "start(2); try { x.matmul(tg.ones([7, 7])); } catch { console.log('refused'); } console.log(work());";
    expect(run(text)).toMatchObject({ status: 0, stdout: 'refused\n27000000\n' });
  });

  it('takes their number from the environment', () => {
    const text = 'while (!helped()) work(); console.log(tg.getNumThreads());';
    expect(run(text, { TAPEGRAD_NUM_THREADS: '2' })).toMatchObject({ status: 0, stdout: '2\n' });
    expect(run('console.log(tg.getNumThreads());', { TAPEGRAD_NUM_THREADS: '' })).toMatchObject({ stdout: '1\n' });
    const { status, stderr } = run('work();', { TAPEGRAD_NUM_THREADS: 'many' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/the environment variable TAPEGRAD_NUM_THREADS is 'many', which is not a number of threads/);
  });

  it('leaves other programs their cores while it has nothing to do', () => {
    const text = `start(2);
      const before = process.cpuUsage();
      setTimeout(() => {
        const { user, system } = process.cpuUsage(before);
        console.log((user + system) / 1000 < 300);
      }, 1000);`;
    expect(run(text)).toMatchObject({ status: 0, stdout: 'true\n' });
  });

  it('is not held up by threads that get no core', () => {
    // Both measured while more busy programs run than there are cores, so that threads are often kept from running.
    const busy: ChildProcess[] = [];
    try {
      for (let k = 0; k < 4; k++) busy.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
      const text = `
        const time = () => {
          const start = performance.now();
          for (let k = 0; k < 40; k++) work();
          return performance.now() - start;
        };
        work();
        const alone = time();
        start(2);
        const together = time();
        console.log(together < 6 * alone);`;
      expect(run(text)).toMatchObject({ status: 0, stdout: 'true\n' });
    } finally {
      for (const child of busy) child.kill('SIGKILL');
    }
  });
});
