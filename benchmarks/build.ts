import { spawnSync } from 'node:child_process';
import { here } from './here.ts';

/**
 * Compiles the packages, which programs of users load as they are published. @throws Error when that fails
 */
export function build(): void {
  const { status } = spawnSync(
    process.execPath,
    [here('../node_modules/@typescript/native/bin/tsc'), '-b', here('../packages/dev/tsconfig.build.json')],
    { stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) throw new Error('the packages do not compile; what the compiler said is above');
}
