import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sourceFolders, sources } from '../src/checks/sources.ts';
import { root } from '../src/root.ts';
import { withFiles } from './workspace.ts';

/** What is wrong with the examples of some files: nothing, or one finding after the other. */
function findings(files: string[]): string {
  const runner = ['packages/dev/run.mjs', 'packages/dev/src/examples/run.ts'];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...runner, ...files], { cwd: root, encoding: 'utf8' });
  return status === 0 ? '' : stdout || stderr;
}

function pages(): string[] {
  const guide = path.join(root, 'docs/guide');
  const names = existsSync(guide) ? readdirSync(guide).filter((name) => name.endsWith('.md')) : [];
  return ['README.md', ...names.map((name) => `docs/guide/${name}`)].filter((name) => existsSync(path.join(root, name)));
}

describe('the examples of the pages', () => {
  it.each(pages())('of %s print what they say', (page) => {
    expect(findings([page])).toBe('');
  });
});

describe('the examples in docstrings', () => {
  it.each(sourceFolders(root))('of %s print what they say', (folder) => {
    const files = sources(root, [folder]).filter(({ text }) => text.includes('@example')).map((file) => file.path);
    expect(files.length === 0 ? '' : findings(files)).toBe('');
  });
});

describe('an example', () => {
  const page = (...lines: string[]): Promise<string> =>
    withFiles({ 'page.md': lines.join('\n') }, (folder) => findings([path.join(folder, 'page.md')]).replace(/^.*page\.md/gm, 'page.md'));

  it('passes when it prints what it says, line by line and as a whole', async () => {
    const said = await page(
      '```ts', "import path from 'node:path';", 'const a: number = 1;', 'console.log(a); // → 1', "console.log('b\\nc');", '// → b', '//   c', '```', '',
      'Words.', '', '```ts', "import path from 'node:path';", "console.log(path.sep.length, a);", "console.log('12.7 s');", '```', '```text', '1 1', '… s', '```',
      '```ts new', 'const a = 2;', "JSON.parse('{'); // throws Expected property name…", '```',
      '```ts excerpt', 'not code', '```', '```sh', 'ls', '```',
    );
    expect(said).toBe('');
  });

  it('fails with its line when it prints something else', async () => {
    expect(await page('', '```ts', 'console.log(1);', 'console.log(2); // → 3', '```')).toBe(
      'page.md:4: the text says\n3\nbut it is\n1\n2\n',
    );
    expect(await page('```ts', 'console.log(1);', '```', '```text', '2', '```')).toMatch(/^page\.md:5: the text says\n2\n/);
  });

  it('fails when it prints something that the text does not show', async () => {
    expect(await page('```ts', 'console.log(1);', '```')).toMatch(/^page\.md:2: prints what the text does not show:\n1\n/);
  });

  it('fails with its line when it throws, and when it does not throw what it says', async () => {
    expect(await page('```ts', 'let a;', 'a.b;', '```')).toMatch(/^page\.md:3: throws TypeError/);
    expect(await page('```ts', "String('x'); // throws x", '```')).toMatch(/but it is\n\(nothing thrown\)/);
    expect(await page('```ts', 'const = 1;', '```')).toMatch(/^page\.md:2: throws SyntaxError/);
  });

  it('in a docstring may use the names of its file and the library', async () => {
    const text = '/**\n * Doubles.\n * @example\n * console.log(double(2), typeof tg); // → 4 object\n * @source none\n */\n'
      + 'export function double(x: number): number {\n  return 2 * x;\n}\n';
    const check = (source: string): Promise<string> =>
      withFiles({ 'double.ts': source }, (folder) => findings([path.join(folder, 'double.ts')]));
    expect(await check(text)).toBe('');
    expect(await check(text.replace('4 object', '5 object'))).toMatch(/double\.ts:4: the text says\n5 object\n/);
  });
});
