import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../src/root.ts';
import { withFiles } from './workspace.ts';

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [path.join(root, 'packages/dev/run.mjs'), ...args], { encoding: 'utf8' });
}

describe('the bootstrap', () => {
  it('runs a TypeScript program with its arguments and ends with its exit code', async () => {
    const text = [
      "import { double } from './double.ts';",
      'const args: string[] = process.argv.slice(2);',
      'console.log(args.join(), double(4));',
      'process.exitCode = 7;',
    ].join('\n');
    const files = { 'main.ts': text, 'double.ts': 'export const double = (x: number): number => 2 * x;\n' };
    const result = await withFiles(files, (folder) => run(path.join(folder, 'main.ts'), '--help', 'a b'));
    expect(result).toMatchObject({ status: 7, stdout: '--help,a b 8\n', stderr: '' });
  });

  it('names the line of the TypeScript file when the program throws', async () => {
    const text = 'interface A {\n  a: number;\n}\n\nexport const a: A | null = null;\nthrow new Error(`no ${String(a)}`);\n';
    const { status, stderr } = await withFiles({ 'main.ts': text }, (folder) => run(path.join(folder, 'main.ts')));
    expect(status).toBe(1);
    expect(stderr).toMatch(/main\.ts:6/);
  });

  it('says that a program does not exist', () => {
    expect(run('nowhere.ts')).toMatchObject({ status: 1, stdout: '', stderr: 'nowhere.ts does not exist\n' });
  });
});
