import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropBlas } from '@tapegrad/blas';
import { tensor } from 'tapegrad';
import { cartpole } from '../examples/cartpole.ts';
import { characterLstm } from '../examples/character-lstm.ts';
import { curveFitting } from '../examples/curve-fitting.ts';
import { digitsCnn } from '../examples/digits-cnn.ts';
import { Gpt, gpt } from '../examples/gpt.ts';
import { names } from '../examples/names.ts';
import { decodePng } from '../examples/png.ts';
import { Stage, type Example } from '../examples/stage.ts';
import { superResolution } from '../examples/super-resolution.ts';
import { vae } from '../examples/vae.ts';
import { wages } from '../examples/wages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapegrad-examples-'));
});
afterAll(() => {
  dropBlas();
  rmSync(folder, { recursive: true });
});

/** What a quick run of an example gives, and what it says. */
async function play(example: Example): Promise<{ result: Readonly<Record<string, number>>; said: string }> {
  let said = '';
  const result = await example(new Stage(true, folder, { write: (text) => (said += text) }));
  return { result, said };
}

const picture = (name: string): ReturnType<typeof decodePng> => decodePng(readFileSync(join(folder, name)));

describe('a quick run of an example', () => {
  it('fits a curve to nine digits of what is certified', async () => {
    const { result, said } = await play(curveFitting);
    expect(result['difference']).toBeLessThan(1e-7);
    expect(result['sumOfSquares']).toBeCloseTo(8786.404908, 5);
    expect(said).toContain('699.6415127');
    expect(readFileSync(join(folder, 'growth.svg'), 'utf8')).toContain('<svg');
  });

  it('explains wages', async () => {
    const { result } = await play(wages);
    expect(result['linear']).toBeGreaterThan(0.3);
    expect(result['network']).toBeGreaterThan(0.25);
  });

  it('reads digits', async () => {
    const { result } = await play(digitsCnn);
    expect(result['accuracy']).toBeGreaterThan(0.85);
  });

  it.each([
    ['an LSTM', characterLstm, 2.6],
    ['a GPT', gpt, 2.9],
  ] as const)('lets %s guess letters and write', async (_, example, bound) => {
    const { result, said } = await play(example);
    // Who knows how frequent each letter is, and nothing else, gets 3.02.
    expect(result['loss']).toBeLessThan(bound);
    expect(/And the LORD said[^]*$/.exec(said)![0].trimEnd().length).toBeGreaterThan(60);
  });

  it('invents names', async () => {
    const { result } = await play(names);
    expect(result['loss']).toBeLessThan(2.3);
    expect(result['fresh']).toBeGreaterThan(0.3);
  });

  it('draws digits', async () => {
    const { result } = await play(vae);
    expect(result['loss']).toBeLessThan(220);
    const { width, height, channels, pixels } = picture('samples.png');
    expect([width, height, channels]).toEqual([280, 280, 1]);
    expect(Math.max(...pixels)).toBeGreaterThan(150);
  });

  it('balances a pole for longer than by chance', async () => {
    const { result } = await play(cartpole);
    expect(result['last']).toBeGreaterThan(2 * result['first']!);
  });

  it('gives the picture that belongs to the weights of a trained network', async () => {
    const { result } = await play(superResolution);
    // The picture to compare with is rounded to whole numbers; a half is as near as it gets.
    expect(result['largest']).toBeLessThan(0.501);
    expect(result['differing']).toBeLessThan(20);
    expect(picture('large.png')).toMatchObject({ width: 256, height: 256, channels: 3 });
  });
});

describe('a GPT', () => {
  it('does not see what comes later', () => {
    const model = new Gpt(10, 16, 2);
    const [first, second] = [[1, 2, 3, 4, 5], [1, 2, 3, 9, 8]].map((row) => model(tensor([row], { dtype: 'int32' })));
    const difference = first!.sub(second!).abs().sum(2).squeeze(0).toArray() as number[];
    expect(difference.slice(0, 3)).toEqual([0, 0, 0]);
    expect(Math.min(...difference.slice(3))).toBeGreaterThan(1e-4);
  });
});

/** What a program says. */
function run(...args: string[]): { out: string; err: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['packages/dev/run.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
  return { out: stdout, err: stderr, code: status };
}

describe('npm run example', () => {
  it('lists the examples, and each is in the table of the page', () => {
    const { out, code } = run('docs/examples/run.ts');
    expect(code).toBe(0);
    const listed = [...out.matchAll(/^ {2}([\w-]+)/gm)].map((match) => match[1]!);
    expect(listed).toHaveLength(9);
    const page = readFileSync(join(ROOT, 'docs/examples/README.md'), 'utf8');
    for (const name of listed) {
      expect(page).toContain(`npm run example -- ${name}`);
      expect(existsSync(join(ROOT, 'docs/examples', `${name}.ts`))).toBe(true);
    }
  });

  it('says what it does not know', () => {
    const { err, code } = run('docs/examples/run.ts', 'chess');
    expect(code).toBe(1);
    expect(err).toMatch(/^There is no example "chess"; known are curve-fitting, .*\.\n$/);
    expect(run('docs/examples/run.ts', 'gpt', '--fast').err).toMatch(/^There is no option --fast/);
  });
});

describe('the page on porting', () => {
  const page = readFileSync(join(ROOT, 'docs/guide/porting.md'), 'utf8');

  it('shows every line of both programs, in their order', () => {
    const table = page.slice(page.indexOf('| PyTorch |'), page.indexOf('Both print'));
    const cells = table.split('\n').slice(2).map((row) => row.split('|').slice(1, 3));
    ['spirals.py', 'spirals.ts'].forEach((file, column) => {
      const shown = cells.flatMap((row) => [...(row[column] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]));
      const source = readFileSync(join(ROOT, 'docs/examples', file), 'utf8');
      expect(shown).toEqual(source.split('\n').map((line) => line.trim()).filter((line) => line !== ''));
    });
  });

  it('has the losses of PyTorch', () => {
    const printed = /```text\n([^]*?)```/.exec(page)![1]!;
    const numbers = (text: string): number[] => text.match(/\d+\.\d+/g)!.map(Number);
    const ours = numbers(run('docs/examples/spirals.ts').out);
    const theirs = numbers(printed);
    expect(ours).toHaveLength(6);
    ours.forEach((value, i) => expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-5));
  });
});
