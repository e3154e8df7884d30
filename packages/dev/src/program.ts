import { spawnSync } from 'node:child_process';
import { root } from './root.ts';

/** The native TypeScript compiler, from the root. */
export const tsc = 'node_modules/@typescript/native/bin/tsc';

/** The pinned pnpm, from the root. */
export const pnpm = 'packages/dev/node_modules/pnpm/bin/pnpm.cjs';

/** Runs a JavaScript program with this Node and returns what it said if it failed, line by line. */
export function run(args: string[], cwd: string = root): string[] {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status === 0) return [];
  return `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`.trim().split('\n');
}
