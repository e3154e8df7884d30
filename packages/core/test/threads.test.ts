import { afterAll, describe, expect, it } from '@jest/globals';
import { Assembler, i32 } from '../src/backend/wasm/assembler.ts';
import { Scratch } from '../src/backend/wasm/scratch.ts';
import { rememberModule } from '../src/backend/wasm/shared-modules.ts';
import { cuts, sharedWork } from '../src/backend/wasm/work.ts';
import { heapMemory, views } from '../src/heap.ts';
import * as tg from '../src/index.ts';
import { nextTick } from '../src/storage.ts';
import { bytesOf, largeCalls, startThreads, taskCounts } from './thread-calls.ts';

afterAll(() => tg.setNumThreads(1));

/** Calls that are too small for threads whatever their number, or call functions that only the main thread has. */
const undivided = ['elementwise with other functions'];

describe('results on several threads', () => {
  const calls = largeCalls();
  tg.setNumThreads(1);
  const expected = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, bytesOf(call())]));

  it.each([2, 3, 4])('are the same to the bit on %d', (threads) => {
    startThreads(threads);
    for (const [name, call] of Object.entries(calls)) {
      const before = taskCounts().all;
      const found = [call(), call()].map(bytesOf);
      // Where other programs keep threads from running, calls are not divided for a while.
      const end = performance.now() + (undivided.includes(name) ? 0 : 20_000);
      while (taskCounts().all === before && performance.now() < end) found.push(bytesOf(call()));
      const isDivided = taskCounts().all > before;
      const areSame = found.every((results) => results.every((bytes, k) => Buffer.compare(bytes, expected[name]![k]!) === 0));
      expect([name, isDivided, areSame]).toEqual([name, !undivided.includes(name), true]);
    }
  });

  it('are the same while the heap grows under the other threads', () => {
    startThreads(2);
    const held: tg.Tensor[] = [];
    const x = tg.ones([1 << 20]).mul(0.25);
    const one = x.exp().narrow(0, 0, 1).item();
    for (let k = 0; k < 24; k++) {
      held.push(x.exp());
      const [low, high] = [held[k]!.min().item(), held[k]!.max().item()];
      expect([low, high]).toEqual([one, one]);
    }
  });
});

describe('the number of threads', () => {
  it('can be raised and lowered at any time', () => {
    const x = tg.ones([300, 300]);
    for (const threads of [3, 1, 2, 4, 2, 1]) {
      tg.setNumThreads(threads);
      expect(tg.getNumThreads()).toBe(threads);
      expect(x.matmul(x).sum().item()).toBe(300 ** 3);
    }
  });

  it.each([0, -1, 1.5, NaN, 65])('is refused if it is %d, and stays what it was', (threads) => {
    tg.setNumThreads(2);
    expect(() => tg.setNumThreads(threads)).toThrow(tg.ValueError);
    expect(() => tg.setNumThreads(threads)).toThrow(/a whole number from 1 to 64/);
    expect(tg.getNumThreads()).toBe(2);
  });

  it('starts nothing by itself, nor for small kernels', () => {
    tg.setNumThreads(2);
    tg.ones([8, 8]).matmul(tg.ones([8, 8])).add(1).sum();
    expect(tg.parallelInfo()).toBe('2 threads; not started yet');
    tg.setNumThreads(1);
    expect(tg.parallelInfo()).toBe('1 thread; setNumThreads(n) allows more');
  });
});

it('is divided into pieces of nearly the same size, all but the last of whole units', () => {
  expect(cuts(12, 32, 1, 1)).toEqual([0, 3, 5, 8, 11, 13, 16, 19, 21, 24, 27, 29, 32]);
  expect(cuts(3, 200, 64, 1)).toEqual([0, 64, 192, 200]);
  expect(cuts(12, 200, 1, 60)).toEqual([0, 67, 133, 200]);
  expect(cuts(12, 5, 64, 1)).toEqual([0, 5]);
  expect(cuts(12, 0, 64, 1)).toEqual([0, 0]);
});

interface Probe {
  /** Writes the value of `mark` at an address, spends some time, and then breaks off where the size says so. */
  touch(address: number, mark: number, breaks: number): void;
}

function probe(imports: Record<string, () => number> = {}): { bytes: Uint8Array<ArrayBuffer>; kernels: Probe } {
  const assembler = new Assembler();
  for (const name of Object.keys(imports)) assembler.import(name, [], 'i32');
  assembler.function('touch', { address: 'i32', mark: 'i32', breaks: 'i32' }, null, (f, p) => {
    const k = f.i32();
    f.for(k, 0, 100_000, 1, () => f.store(p.address, p.mark));
    // No heap is that large.
    f.if(p.breaks, () => f.store(i32.const(-4), p.mark));
  });
  return { bytes: assembler.bytes(), kernels: assembler.compile<Probe>(imports) };
}

it('work for several threads is finished before other such work is started', () => {
  tg.setNumThreads(2);
  sharedWork(1e9).task();
  expect(() => sharedWork(1e9)).toThrow('was started and not finished');
  expect(() => sharedWork(1e9)).not.toThrow();
});

it('a list of calls may be longer than ever before, in the middle of a task', () => {
  const assembler = new Assembler();
  assembler.function('put', { address: 'i32', value: 'i32' }, null, (f, p) => f.store(p.address, p.value));
  const table = assembler.compile<{ put(address: number, value: number): void }>();
  const cells = new Scratch();
  startThreads(2);
  for (const size of [100, 3000, 20_000]) {
    nextTick();
    const at = cells.take(4 * size);
    views.i32.fill(0, at / 4, at / 4 + size);
    const work = sharedWork(1e9);
    const { put } = work.kernels(table);
    for (let k = 0; k < size; k++) {
      if (k % Math.ceil(size / 7) === 0) work.task();
      put(at + 4 * k, k + 1);
    }
    work.run();
    expect([...views.i32.subarray(at / 4, at / 4 + size)]).toEqual(Array.from({ length: size }, (_, k) => k + 1));
  }
});

describe('a task that fails', () => {
  const cells = new Scratch();
  /** Runs 12 tasks that each write a number; gives the numbers. */
  const runTasks = (kernels: Probe, breaking: (task: number) => boolean): number[] => {
    nextTick();
    const at = cells.take(12 * 4);
    views.i32.fill(0, at / 4, at / 4 + 12);
    const work = sharedWork(1e9);
    const { touch } = work.kernels(kernels);
    for (let task = 0; task < 12; task++) {
      work.task();
      touch(at + 4 * task, task + 1, Number(breaking(task)));
    }
    work.run();
    return [...views.i32.subarray(at / 4, at / 4 + 12)];
  };
  const all = Array.from({ length: 12 }, (_, task) => task + 1);

  it('throws on whatever thread it runs, and the next one works', () => {
    const { kernels } = probe();
    startThreads(2);
    expect(runTasks(kernels, () => false)).toEqual(all);
    // The last task is the first to be taken, mostly by this thread; the first one by any.
    for (const breaking of [0, 3, 8, 11]) {
      expect(() => runTasks(kernels, (task) => task === breaking)).toThrow(/memory access out of bounds|another thread/);
      expect(runTasks(kernels, () => false)).toEqual(all);
      startThreads(3);
    }
  });

  it('is done by the caller where another thread cannot compile its kernel', () => {
    const { bytes } = probe();
    const broken = bytes.slice();
    broken[broken.length - 1] = 0xff;
    const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heapMemory() } }).exports;
    rememberModule(broken, {}, exports);
    startThreads(3);
    const end = performance.now() + 60_000;
    while (tg.getNumThreads() > 1 && performance.now() < end) {
      expect(runTasks(exports as unknown as Probe, () => false)).toEqual(all);
    }
    expect(tg.parallelInfo()).toBe('1 thread, although 3 were asked for: a worker could not run a kernel');
    tg.setNumThreads(2);
    expect(tg.getNumThreads()).toBe(2);
  });
});
