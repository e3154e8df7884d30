import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
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

/** Files that are all run at once, and what is found in each. */
const samples: Record<string, { text: string[]; said: string | RegExp }> = {
  'right.md': {
    text: [
      '```ts', "import path from 'node:path';", 'const a: number = 1;', 'console.log(a); // → 1', '',
      "console.log('b\\nc');", '// → b', '//   c', '```', '', 'Words.', '',
      '```ts', "import path from 'node:path';", 'console.log(path.sep.length, a);', "console.log('12.7 s');", '```',
      '```text', '1 1', '… s', '```',
      '```ts new', 'const a = 2;', "JSON.parse('{'); // throws Expected property name…", '```',
      '```ts excerpt', 'not code', '```', '```sh', 'ls', '```',
    ],
    said: '',
  },
  'other-line.md': {
    text: ['', '```ts', 'console.log(1);', 'console.log(2); // → 3', '```'],
    said: 'other-line.md:4: the text says\n3\nbut it is\n1\n2\n',
  },
  'other-block.md': {
    text: ['```ts', 'console.log(1);', '```', '```text', '2', '```'],
    said: 'other-block.md:5: the text says\n2\nbut it is\n1\n',
  },
  'unshown.md': {
    text: ['```ts', 'console.log(1);', '```'],
    said: 'unshown.md:2: prints what the text does not show:\n1\n',
  },
  'throws.md': { text: ['```ts', 'let a;', 'a.b;', '```'], said: /^throws\.md:3: throws TypeError/ },
  'calm.md': { text: ['```ts', "String('x'); // throws x", '```'], said: /but it is\n\(nothing thrown\)\n$/ },
  'unreadable.md': { text: ['```ts', 'const = 1;', '```'], said: /^unreadable\.md:2: throws SyntaxError/ },
  'right.ts': {
    text: [
      '/**', ' * Doubles.', ' * @example', ' * console.log(double(2), typeof tg); // → 4 object', ' * @source none', ' */',
      'export function double(x: number): number {', '  return 2 * x;', '}',
    ],
    said: '',
  },
  'wrong.ts': {
    text: ['/**', ' * One.', ' * @example', ' * console.log(one); // → 2', ' */', 'export const one = 1;'],
    said: 'wrong.ts:4: the text says\n2\nbut it is\n1\n',
  },
};

describe('the runner of examples', () => {
  let said = '';

  beforeAll(async () => {
    const files = Object.fromEntries(Object.entries(samples).map(([name, { text }]) => [name, text.join('\n')]));
    said = await withFiles(files, (folder) => findings(Object.keys(samples).map((name) => path.join(folder, name))));
  });

  it.each(Object.entries(samples))('reads %s', (name, { said: expected }) => {
    const own = said.split(/^(?=\S*\.(?:md|ts):\d)/m)
      .map((finding) => finding.replace(/^\S*\//, ''))
      .filter((finding) => finding.startsWith(`${name}:`))
      .join('');
    if (typeof expected === 'string') expect(own).toBe(expected);
    else expect(own).toMatch(expected);
  });
});
