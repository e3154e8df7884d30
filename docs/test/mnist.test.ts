import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropBlas, useBlas } from '@tapegrad/blas';
import type { IdxArray } from '@tapegrad/data';
import { readMnist } from '@tapegrad/data/node';
import { interop, tensor } from 'tapegrad';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TRAIN = 1000;
const FILES = ['checkpoint.safetensors', 'learning-curve.svg', 'model.safetensors'];

let folder = '';
const at = (...names: string[]): string => join(folder, ...names);

/** The first images or labels of an array as an idx file. */
function writeIdx(name: string, { shape, data }: IdxArray, length: number): void {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  [length, ...shape.slice(1)].forEach((size, i) => header.setUint32(4 + 4 * i, size));
  const bytes = (data as Uint8Array).subarray(0, (data.length / shape[0]!) * length);
  writeFileSync(at('data', name), Buffer.concat([new Uint8Array(header.buffer), bytes]));
}

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program; sends it a signal when it has said something. */
function run(
  args: readonly string[],
  interrupt?: { when: RegExp; signal: NodeJS.Signals },
): Promise<Outcome> {
  const child = spawn(process.execPath, ['packages/dev/run.mjs', 'docs/examples/mnist.ts', ...args], {
    cwd: ROOT,
    env: process.env,
  });
  let [out, err] = ['', ''];
  let sent = false;
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (interrupt === undefined || sent || !interrupt.when.test(out)) return;
    sent = true;
    child.kill(interrupt.signal);
  });
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const onData = (...args: string[]): string[] => ['--data', at('data'), '--batch-size', '20', ...args];

/** The weights of a model file, as bytes. */
function weights(path: string): string {
  return Buffer.from(interop.saveTensors(interop.loadTensors(readFileSync(path)).tensors)).toString('base64');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tapegrad-mnist-'));
  mkdirSync(at('data'));
  const mnist = readMnist({ from: join(ROOT, 'docs') });
  writeIdx('train-images-idx3-ubyte', mnist.trainImages, TRAIN);
  writeIdx('train-labels-idx1-ubyte', mnist.trainLabels, TRAIN);
  writeIdx('t10k-images-idx3-ubyte', mnist.testImages, 500);
  writeIdx('t10k-labels-idx1-ubyte', mnist.testLabels, 500);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('npm start', () => {
  let whole: Outcome;
  beforeAll(async () => {
    whole = await run(onData('--epochs', '2', '--out', at('whole')));
  }, 60_000);

  it('learns, says how well, and keeps model, checkpoint and learning curve', async () => {
    expect(whole.err).toBe('');
    expect(whole.code).toBe(0);
    expect(whole.out).toMatch(/^training on 1000 images, testing on 500; backend: \w+/);
    const accuracy = Number(/test accuracy (\d+\.\d\d) % after 2 epochs/.exec(whole.out)?.[1]);
    expect(accuracy).toBeGreaterThan(80);
    expect(whole.out).toMatch(
      /epoch 2\/2 {2}100% {2}loss \d\.\d{4} {2}accuracy \d\d\.\d\d% {2}[\d,]+ images\/s/,
    );
    const { name, summary } = await useBlas();
    dropBlas();
    expect(whole.out.split('\n')[1]).toMatch(name === null ? /^epoch 1\/2/ : `products of matrices: ${summary}`);
    expect(readdirSync(at('whole')).sort()).toEqual(FILES);
    for (const file of FILES) expect(whole.out).toContain(at('whole', file));
    expect(readFileSync(at('whole', 'learning-curve.svg'), 'utf8')).toContain('<svg');
    // Plain lines, because this is no terminal.
    for (const character of '\r\u001b') expect(whole.out).not.toContain(character);
  });

  it('is stopped by Ctrl-C, and goes on to the same weights', async () => {
    const out = at('stopped');
    const first = await run(onData('--epochs', '2', '--out', out), { when: /training on/, signal: 'SIGINT' });
    expect(first.code).toBe(130);
    const path = join(out, 'checkpoint.safetensors');
    expect(first.out).toMatch(/interrupted in epoch 1\/2 after \d+ of 50 batches; everything is kept in/);
    expect(first.out).toContain(`npm start -- --resume ${path}`);
    expect(readdirSync(out)).toEqual(['checkpoint.safetensors']);

    const second = await run(['--data', at('data'), '--resume', path]);
    expect(second.code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(FILES);
    expect(weights(join(out, 'model.safetensors'))).toBe(weights(at('whole', 'model.safetensors')));
    const history = (file: string): unknown =>
      interop.decodeCheckpoint(readFileSync(file)).extra['trainLoss']?.toString();
    expect(history(path)).toBe(history(at('whole', 'checkpoint.safetensors')));
  }, 60_000);

  it('has nothing left to do with a finished run, unless it is to be longer', async () => {
    const path = at('whole', 'checkpoint.safetensors');
    const done = await run(['--data', at('data'), '--resume', path]);
    expect(done).toEqual({
      code: 0,
      out: `nothing is left to do: ${path} has 2 epochs already; ask for more with --epochs\n`,
      err: '',
    });
    const more = await run([
      '--data',
      at('data'),
      '--resume',
      path,
      '--epochs',
      '3',
      '--lr',
      '0.01',
      '--out',
      at('more'),
    ]);
    expect(more.out).toMatch(/^epoch 3\/3 {2}on the test images/m);
    expect(more.out).not.toContain('epoch 2/3');
    const { extra, optimizer } = interop.decodeCheckpoint(readFileSync(at('more', 'checkpoint.safetensors')));
    expect((extra['testAccuracy'] as { shape: number[] }).shape).toEqual([3]);
    expect(optimizer.param_groups[0]!['lr']).toBe(0.01 * 0.5 ** 3);
  }, 60_000);
});

describe('npm start that cannot be done', () => {
  /** Runs the program and gives what it says in its one line. */
  async function refusal(...args: string[]): Promise<string> {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^[^\n]+\n$/);
    return err.trim();
  }

  it('says which flag is bad', async () => {
    expect(await refusal('--fast')).toMatch(/^There is no option --fast; known are /);
  });

  it('says what is wrong with a checkpoint, and leaves what is on disk as it was', async () => {
    const before = FILES.map((file) => readFileSync(at('whole', file)));
    const decoded = interop.decodeCheckpoint(before[0]!);
    const model = { ...decoded.model, '1.weight': tensor([[1, 2]]) };
    writeFileSync(at('other'), interop.encodeCheckpoint({ ...decoded, model }));
    expect(await refusal(...onData('--resume', at('other'), '--out', at('whole')))).toBe(
      `Cannot resume from ${at('other')}: The file is of another model: "1.weight" is [1, 2] instead of [256, 784].`,
    );
    expect(await refusal('--resume', at('nothing'))).toBe(
      `Cannot read ${at('nothing')}: there is no such file.`,
    );
    expect(await refusal('--resume', at('whole', 'model.safetensors'))).toContain('but no checkpoint');
    expect(FILES.filter((file, i) => !readFileSync(at('whole', file)).equals(before[i]!))).toEqual([]);
    expect(readdirSync(at('whole')).sort()).toEqual(FILES);
  }, 60_000);

  it('says that the BLAS is not there that the environment names', async () => {
    process.env['TAPEGRAD_BLAS'] = '/nowhere/libblas.so';
    const said = await refusal();
    delete process.env['TAPEGRAD_BLAS'];
    expect(said).toMatch(/\/nowhere\/libblas\.so, which the environment variable TAPEGRAD_BLAS names, can't be used/);
  });

  it('says that there is no data', async () => {
    expect(await refusal('--data', at('whole'))).toMatch(/^MNIST was not found: .*\.$/);
  });
});
