import { spawnSync } from 'node:child_process';
import { here } from './here.ts';

/** Builds the packages, which programs of users load as they are published. @throws Error when that fails */
export function build(): void {
  const { status } = spawnSync(
    process.execPath,
    [here('../packages/dev/run.mjs'), 'packages/dev/src/build.ts'],
    { stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) throw new Error('the packages cannot be built; what went wrong is above');
}
