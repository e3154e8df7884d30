import { spawnSync } from 'node:child_process';
import type { Project } from './project.ts';

const program = `import { tensor } from '@tapegrad/core';
try {
  tensor([1, 2]).reshape(3);
} catch ({ stack }) {
  console.log(stack);
}`;

/** Says when the stack of an error in the installed packages does not name the sources, by way of their source maps. */
export function traceFindings({ folder }: Project): string[] {
  const arguments_ = ['--enable-source-maps', '--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: folder, encoding: 'utf8' });
  if (/core.src.ops.movement\.ts:\d+/.test(stdout)) return [];
  return ['the stack of an error names no source:', ...`${stdout}${stderr}`.trim().split('\n')];
}
