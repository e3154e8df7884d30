import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Generator, getRngState, manualSeed, rand, setRngState, tensor, type Tensor } from '@tapegrad/core';
import { DataError } from '../src/errors.ts';
import { DataLoader, getWorkerInfo, randomSplit, type DataLoaderOptions, type Dataset, type LoaderState } from '../src/index.ts';
import { moduleDataset } from '../src/node.ts';
import { pack, unpack } from '../src/node/packing.ts';
import type { Sample, SquaresOptions } from './data/squares.ts';

type Batch = [Tensor, Tensor, string[]];
type Options = DataLoaderOptions<Sample, Batch>;
type Loader = DataLoader<Sample, Batch>;

const module = new URL('./data/squares.ts', import.meta.url);
// The threads are no part of jest and need the loader of the workspace.
const hooks = new URL('../../dev/typescript-loader.mjs', import.meta.url);
const boot = `import { register } from 'node:module'; register(${JSON.stringify(hooks.href)});`;
const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(boot)}`];
const squares = (options: SquaresOptions): Promise<Dataset<Sample>> => moduleDataset(module, options, { execArgv });

const open: Loader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});
function load(dataset: Dataset<Sample>, options: Options): Loader {
  const loader = new DataLoader<Sample, Batch>(dataset, options);
  open.push(loader);
  return loader;
}

/** What an epoch gives: positions and drawn numbers. */
async function epoch(loader: AsyncIterable<Batch>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const [x, drawn] of loader) seen.push([x.select(-1, 0).toArray(), drawn.toArray()]);
  return seen;
}

const recorded = JSON.parse(readFileSync(new URL('./data/epochs.json', import.meta.url), 'utf8')) as Record<string, unknown>;
const positions = { length: 11 };
const single = ([x, drawn, name]: Sample): Batch => [x, tensor(drawn), [name]];
const cases: [string, SquaresOptions, Options][] = [
  ['in this thread', positions, { batchSize: 2, shuffle: true }],
  ['a part, in threads', positions, { batchSize: 2, shuffle: true, numWorkers: 2, generator: new Generator(9) }],
  ['in threads that are kept', positions, { batchSize: 4, dropLast: true, numWorkers: 2, persistentWorkers: true, prefetchFactor: 1 }],
  ['a stream', { length: 7, stream: true }, { batchSize: 3 }],
  ['a stream in threads that are kept', { length: 11, stream: true }, { batchSize: 2, numWorkers: 2, dropLast: true, persistentWorkers: true }],
  ['samples without batches', { length: 3 }, { batchSize: null, shuffle: true, collateFn: single as never }],
];

describe('DataLoader gives what PyTorch gives, random numbers included', () => {
  it.each(cases)('%s', async (name, set, options) => {
    const whole = await squares(set);
    const dataset = name === 'a part, in threads' ? randomSplit(whole, [4, 7], { generator: new Generator(1) })[1]! : whole;
    const loader = load(dataset, options);
    manualSeed(5);
    expect([await epoch(loader), await epoch(loader), rand(1).item()]).toEqual(recorded[name]);
  });
});

describe('what passes between threads', () => {
  it('is tensors in arrays and plain objects, and no object of another class', () => {
    const moved: ArrayBufferLike[] = [];
    const sample = { x: [tensor([1, 2]), null], name: 'a', raw: Uint8Array.of(3), when: new Date(0) };
    const back = unpack(structuredClone(pack(sample, moved))) as { x: [Tensor, null]; name: string; raw: Uint8Array };
    expect([back.x[0].toArray(), back.x[1], back.name, [...back.raw], moved.length]).toEqual([[1, 2], null, 'a', [3], 1]);
    class Pair {
      x = tensor([1]);
    }
    expect(() => pack([new Pair()], [])).toThrow('A sample holds a Pair, whose class gets lost between threads; use arrays and plain objects.');
    expect(() => pack(new Map(), [])).toThrow('A sample holds a Map');
  });
});

describe('DataLoader with threads', () => {
  it('has the same dataset in each, joins there or here, and asks for await', async () => {
    manualSeed(1);
    const dataset = await squares({ length: 4 });
    const [, , here] = await dataset.get(3);
    const names: string[][] = [];
    for await (const batch of load(dataset, { batchSize: 2, numWorkers: 2 })) names.push(batch[2]);
    expect(names.flat().at(-1)).toBe(here);
    const options = { batchSize: 3, numWorkers: 1, collateFn: (samples: Sample[]) => samples.map(([x]) => x.sum().item()) };
    const sums: number[][] = [];
    for await (const batch of new DataLoader<Sample, number[]>(dataset, options)) sums.push(batch);
    expect(sums).toEqual([[0, 2, 6], [12]]);
    expect(getWorkerInfo()).toBeNull();
    expect(() => [...load(dataset, { numWorkers: 1 })]).toThrow('use for await (… of loader)');
  });

  it('throws what went wrong at its turn, with the stack of the thread', async () => {
    const dataset = await squares({ length: 4, bad: 2 });
    const seen: string[] = [];
    const error = await (async () => {
      for await (const [, , [name]] of load(dataset, { numWorkers: 2 })) seen.push(name!);
      return null;
    })().catch((thrown: unknown) => thrown as DataError);
    expect(seen).toHaveLength(2);
    expect(error).toBeInstanceOf(DataError);
    expect(error!.message).toBe('Worker 0 failed at positions 2: RangeError: position 2 is bad');
    expect((error!.cause as Error).name).toBe('RangeError');
    expect((error!.cause as Error).stack).toMatch(/position 2 is bad\n.*squares\.ts/s);
  });

  it('says when the set cannot be made in a thread, when a thread ends, and when it takes too long', async () => {
    await expect(epoch(load(await squares({ length: -1 }), { numWorkers: 2 }))).rejects.toThrow(
      /^Worker \d failed at making the dataset: RangeError: no negative lengths$/,
    );
    await expect(epoch(load(await squares({ length: 3, exit: 1 }), { numWorkers: 2 }))).rejects.toThrow(
      'Worker 1 ended with code 3 before the loader was done.',
    );
    await expect(epoch(load(await squares({ length: 2, stuck: 1 }), { numWorkers: 2, timeout: 0.5 }))).rejects.toThrow(
      /^Worker \d has not loaded its batch within 0.5 s \(timeout\)\.$/,
    );
    await expect(moduleDataset(new URL('./data/none.ts', import.meta.url))).rejects.toThrow(/none\.ts/);
  });

  it('ends its threads when a loop is left, or keeps them', async () => {
    const ends = jest.spyOn(Worker.prototype, 'terminate');
    for await (const _ of load(await squares({ length: 6, stuck: 3 }), { numWorkers: 2 })) break;
    expect(ends).toHaveBeenCalledTimes(2);
    const loader = load(await squares({ length: 6 }), { numWorkers: 2, persistentWorkers: true });
    for await (const _ of loader) break;
    expect(await epoch(loader)).toHaveLength(6);
    expect(ends).toHaveBeenCalledTimes(2);
    await loader.close();
    expect(ends).toHaveBeenCalledTimes(4);
    ends.mockRestore();
  });

  it('does not keep a program from ending', () => {
    const program = new URL('./data/leaving.ts', import.meta.url);
    const said = execFileSync(process.execPath, [...execArgv, fileURLToPath(program)], { encoding: 'utf8', timeout: 60_000 });
    expect(said).toBe('#0 left\n');
  });

  it('goes on from its state in the middle of an epoch, with the numbers that threads draw', async () => {
    const cases: [SquaresOptions, Options, epochs: number][] = [
      [{ length: 11 }, { batchSize: 2, shuffle: true, numWorkers: 2 }, 1],
      [{ length: 9 }, { batchSize: 2, sampler: [8, 1, 6, 3, 4, 5, 2, 7, 0], numWorkers: 2, persistentWorkers: true }, 2],
      [{ length: 11, stream: true }, { batchSize: 2, numWorkers: 2 }, 1],
    ];
    for (const [set, options, epochs] of cases) {
      const run = async function* (loader: Loader): AsyncIterable<unknown> {
        for (let i = 0; i < epochs; i++) {
          for await (const [x, drawn] of loader) yield [x.select(-1, 0).toArray(), drawn.toArray(), rand(1).item()];
        }
      };
      manualSeed(3);
      const dataset = await squares(set);
      const loader = load(dataset, options);
      const seen: unknown[] = [];
      let saved: [LoaderState, Uint8Array] | null = null;
      for await (const batch of run(loader)) {
        seen.push(batch);
        if (seen.length === 3) saved = [structuredClone(loader.stateDict()), getRngState()];
      }
      manualSeed(99);
      const other = load(dataset, options);
      other.loadStateDict(saved![0]);
      setRngState(saved![1]);
      const rest: unknown[] = [];
      for await (const batch of run(other)) rest.push(batch);
      expect(rest).toEqual(seen.slice(3));
    }
  });

  it('refuses datasets that threads cannot make, and options that need threads or cannot be', () => {
    const plain: Dataset<number> = { length: 2, get: (i) => i };
    const refused = (options: object): (() => unknown) => () => new DataLoader(plain, options);
    expect(refused({ numWorkers: 2 })).toThrow('numWorkers needs a dataset that threads can make: put it into a module of its own');
    expect(refused({ numWorkers: -1 })).toThrow('numWorkers must be a whole number from 0 on, got -1');
    expect(refused({ timeout: 3 })).toThrow('only threads have a timeout; set numWorkers');
    expect(refused({ persistentWorkers: true })).toThrow('persistentWorkers needs numWorkers above 0');
    expect(refused({ workerInitFn: () => undefined })).toThrow('workerInitFn is not possible: functions cannot be handed to threads');
    expect(refused({ workerInitFn: null, multiprocessingContext: undefined })).not.toThrow();
    expect(refused({ num_workers: 2 })).toThrow('DataLoader: unknown option num_workers. Did you mean numWorkers?');
  });
});
