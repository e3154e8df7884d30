import { describe, expect, it } from '@jest/globals';
import { anyFindings } from '../src/checks/any.ts';
import { idleCalls, pageShares, pageSources, pageWeight } from '../src/checks/page.ts';
import { exportFindings } from '../src/checks/exports.ts';
import { limit, sizeFindings } from '../src/checks/size.ts';
import { withFiles } from './workspace.ts';

describe('the size check', () => {
  it('counts the lines with code and no others', async () => {
    const code = 'export const a = 1;\n'.repeat(limit - 3);
    const free = '// a comment\n\n/**\n * Words.\n */\n'.repeat(100);
    const text = `${code}${free}export const t = \`\n\ntext\`;\n`;
    expect(await withFiles({ 'packages/nn/src/a.ts': text }, sizeFindings)).toEqual([]);
    const longer = `${text}export const b = 1;\nexport const c = 1;\n`;
    expect(await withFiles({ 'packages/nn/src/a.ts': longer }, sizeFindings)).toEqual([
      'packages/nn/src/a.ts has 401 lines of code',
    ]);
  });
});

describe('the any check', () => {
  const findings = (text: string): Promise<string[]> => withFiles({ 'packages/nn/src/a.ts': text }, anyFindings);

  it('finds an any without a reason', async () => {
    expect(await findings('export const a: any = 1;\n')).toEqual(['packages/nn/src/a.ts:1 any']);
    expect(await findings('export const a = 1 as any;\n')).toHaveLength(1);
  });

  it('accepts a comment beside it or above it, and the word elsewhere', async () => {
    expect(await findings('export const a: any = 1; // the value comes from JSON\n')).toEqual([]);
    expect(await findings('// The value comes from JSON.\nexport const a: any = 1;\n')).toEqual([]);
    expect(await findings("export const any = 'any';\n")).toEqual([]);
  });
});

describe('the check of documented exports', () => {
  const findings = (files: Record<string, string>): Promise<string[]> => withFiles(files, exportFindings);

  it('follows re-exports and namespaces to the name that has no docstring', async () => {
    const files = {
      'packages/nn/src/index.ts': "export { a } from './a.ts';\nexport * as inner from './b.ts';\n",
      'packages/nn/src/a.ts': '/** A value. */\nexport const a = 1;\nexport const hidden = 2;\n',
      'packages/nn/src/b.ts': 'export function b(): void {}\n',
    };
    expect(await findings(files)).toEqual(['packages/nn/src/b.ts inner.b: has no docstring']);
  });

  it('wants a sentence first', async () => {
    const index = (doc: string): Record<string, string> => ({
      'packages/nn/src/index.ts': `/** ${doc} */\nexport const a = 1;\n`,
    });
    expect(await findings(index('x / other.'))).toEqual([]);
    expect(await findings(index('Returns a'))).toHaveLength(1);
    expect(await findings(index('@source somewhere'))).toHaveLength(1);
    expect(await findings(index('Returns a value, e.g. 1. More words without an end'))).toEqual([]);
    expect(await findings(index(`Returns ${'a very '.repeat(40)}long value.`))).toHaveLength(1);
  });
});

describe('the bundle check', () => {
  it('tells what is loaded at once from what is loaded on demand', async () => {
    const text = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 1009).join();
    const files = { 'packages/nn/lazy.js': `export const text = '${text}';\n` };
    const program = "export const a = () => import('../nn/lazy.js');";
    const { initial, lazy } = await withFiles(files, (root) => pageWeight(root, program));
    expect(initial).toBeGreaterThan(20);
    expect(initial).toBeLessThan(1000);
    expect(lazy).toBeGreaterThan(1500);
  });

  /** A module that was joined from two sources, a line each. */
  const joined = {
    'packages/nn/all.js': "export const a = () => globalThis.a('some text');\nexport const b = () => 2;\n",
    'packages/nn/all.js.map': '{"version":3,"names":[],"sources":["src/a.ts","src/b.ts"],"mappings":"AAAA;ACAA"}',
  };

  it('names the sources of what a page holds', async () => {
    const sources = await withFiles(joined, (root) => pageSources(root, "export { b } from '../nn/all.js';"));
    expect(sources.filter((file) => file.endsWith('src/b.ts'))).toHaveLength(1);
    expect(sources.filter((file) => file.endsWith('src/a.ts'))).toHaveLength(0);
  });

  it('says what each source adds to a page', async () => {
    const shares = await withFiles(joined, (root) => pageShares(root, "export * from '../nn/all.js';"));
    const [first, second] = shares.filter(({ source }) => source !== '');
    expect([first, second].map((share) => share!.source.slice(-8))).toEqual(['src/a.ts', 'src/b.ts']);
    expect(first!.bytes).toBeGreaterThan(second!.bytes);
    expect(first!.characters).toBeGreaterThan(20);
  });

  it('finds what a page runs for nothing', async () => {
    const kind = `function kind(name) { globalThis.names.push(name); return name; }
export const used = kind('used');
export const other = kind('other');
start('now');
`;
    const idle = (annotation: string): Promise<string[]> =>
      withFiles({ 'packages/nn/kind.js': annotation + kind }, (root) =>
        idleCalls(root, "export { used } from '../nn/kind.js';", ['start']));
    expect(await idle('')).toEqual([expect.stringMatching(/^kind\("other"\)/)]);
    expect(await idle('/* @__NO_SIDE_EFFECTS__ */\n')).toEqual([]);
  });
});
