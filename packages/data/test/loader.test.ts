import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { arange, Generator, getRngState, manualSeed, rand, setRngState, Tensor, tensor, useBackend } from '@tapegrad/core';
import { BatchSampler, ChainDataset, ConcatDataset, DataLoader, defaultCollate, RandomSampler, SequentialSampler } from '../src/index.ts';
import { StackDataset, Subset, TensorDataset, type Dataset, type IterableDataset, type LoaderState } from '../src/index.ts';

beforeAll(() => useBackend('reference'));

const numbers = (n: number): Dataset<number> => ({ length: n, get: (i) => i });
const epoch = <B>(loader: Iterable<B>): unknown[] => [...loader].map((batch) => (batch as Tensor[])[0]!.toArray());

describe('DataLoader', () => {
  it('gives batches in order, and the last one shorter or not at all', () => {
    const loader = new DataLoader<number, Tensor>(numbers(5), { batchSize: 2 });
    expect([...loader].map((b) => b.toArray())).toEqual([[0, 1], [2, 3], [4]]);
    expect(loader.length).toBe(3);
    const full = new DataLoader<number, Tensor>(numbers(5), { batchSize: 2, dropLast: true });
    expect([...full].map((b) => b.toArray())).toEqual([[0, 1], [2, 3]]);
    expect(full.length).toBe(2);
  });

  it('shuffles in the order of PyTorch for the same seed, epoch by epoch', () => {
    manualSeed(7);
    const loader = new DataLoader(new TensorDataset(arange(10)), { batchSize: 4, shuffle: true });
    expect(epoch(loader)).toEqual([[3, 2, 7, 8], [6, 1, 5, 9], [0, 4]]);
    expect(epoch(loader)).toEqual([[1, 3, 5, 2], [8, 9, 6, 7], [4, 0]]);
    const own = new DataLoader(new TensorDataset(arange(10)), { batchSize: 4, shuffle: true, generator: new Generator(3) });
    expect(epoch(own)).toEqual([[7, 4, 2, 9], [1, 5, 0, 8], [6, 3]]);
    expect(epoch(own)).toEqual([[1, 2, 0, 5], [9, 4, 8, 3], [6, 7]]);
    expect((rand(2).toArray() as number[]).map((v) => v.toFixed(4))).toEqual(['0.3653', '0.8513']);
  });

  it('takes another collate function', () => {
    const loader = new DataLoader<number, string>(numbers(3), { batchSize: 3, collateFn: (items) => items.join('-') });
    expect([...loader]).toEqual(['0-1-2']);
  });

  it('awaits promised samples, and says so where they cannot be awaited', async () => {
    const promised: Dataset<number> = { length: 3, get: (i) => Promise.resolve(i * 10) };
    const loader = new DataLoader<number, Tensor>(promised, { batchSize: 2 });
    const seen: unknown[] = [];
    for await (const batch of loader) seen.push(batch.toArray());
    expect(seen).toEqual([[0, 10], [20]]);
    expect(() => [...loader]).toThrow(/for await/);
  });

  it('groups the samples of a stream, synchronous or not', async () => {
    function* counted(): Iterable<number> {
      for (let i = 0; i < 5; i++) yield i;
    }
    const stream = { [Symbol.iterator]: () => counted()[Symbol.iterator]() };
    const loader = new DataLoader<number, Tensor, Iterable<number>>(stream, { batchSize: 2 });
    expect([...loader].map((b) => b.toArray())).toEqual([[0, 1], [2, 3], [4]]);
    const full = new DataLoader<number, Tensor, Iterable<number>>(stream, { batchSize: 2, dropLast: true });
    expect([...full].map((b) => b.toArray())).toEqual([[0, 1], [2, 3]]);
    const promised = { async *[Symbol.asyncIterator]() { yield* counted(); } };
    const seen: unknown[] = [];
    for await (const b of new DataLoader<number, Tensor, AsyncIterable<number>>(promised, { batchSize: 4 })) seen.push(b.toArray());
    expect(seen).toEqual([[0, 1, 2, 3], [4]]);
    expect(() => [...new DataLoader<number, Tensor, AsyncIterable<number>>(promised)]).toThrow(/for await/);
    expect(() => loader.length).toThrow(/no positions and no known number/);
    expect(() => new DataLoader<number, Tensor, Iterable<number>>(stream, { shuffle: true })).toThrow(/come in its own order/);
  });

  it('has batches on their way while one is used, in order', async () => {
    let running = 0;
    const most: number[] = [];
    const slow: Dataset<number> = {
      length: 6,
      get: async (i) => {
        most.push(++running);
        await new Promise((resolve) => setTimeout(resolve, i % 2 === 0 ? 8 : 1));
        running--;
        return i;
      },
    };
    const seen: unknown[] = [];
    for await (const b of new DataLoader<number, Tensor>(slow, { prefetchFactor: 2 })) seen.push(b.item());
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Math.max(...most)).toBe(3);
  });

  it('throws what went wrong when it is the turn of that batch, and leaves quietly', async () => {
    const failing: Dataset<number> = {
      length: 5,
      get: async (i) => {
        if (i >= 2) throw new Error(`no sample ${i}`);
        return i;
      },
    };
    const loader = new DataLoader<number, Tensor>(failing, { prefetchFactor: 4 });
    const seen: unknown[] = [];
    await expect(async () => {
      for await (const b of loader) seen.push(b.item());
    }).rejects.toThrow('no sample 2');
    expect(seen).toEqual([0, 1]);
    for await (const b of loader) {
      expect(b.item()).toBe(0);
      break;
    }
  });

  it('refuses options that make no sense', () => {
    expect(() => new DataLoader(numbers(3), { prefetchFactor: -1 })).toThrow(/prefetchFactor must be a whole number/);
    expect(() => new DataLoader(numbers(3), { batchSampler: new BatchSampler(new SequentialSampler(3), 2), batchSize: 2 })).toThrow(
      /batchSampler takes the place of/,
    );
    expect(() => new DataLoader(numbers(3), { batchSize: 0 })).toThrow(/whole number from 1 on/);
    const sampler = { length: 1, *[Symbol.iterator]() { yield 2; } };
    expect(() => new DataLoader(numbers(3), { shuffle: true, sampler })).toThrow(/either shuffle or a sampler/);
    expect([...new DataLoader<number, Tensor>(numbers(3), { sampler })].map((b) => b.toArray())).toEqual([[2]]);
  });
});

describe('DataLoader takes what PyTorch takes', () => {
  it('arrays, by position', () => {
    manualSeed(2);
    const loader = new DataLoader<string, string[]>(['a', 'b', 'c', 'd'], { batchSize: 3, shuffle: true });
    expect([loader.length, [...loader].flat().sort()]).toEqual([2, ['a', 'b', 'c', 'd']]);
    const sampler = [1, 4];
    expect(() => [...new DataLoader(['a', 'b'], { sampler })]).toThrow('array of samples: position 4 of 2');
  });

  it('samples without batches, and streams that know their length', () => {
    const sampler = [3, 1];
    expect([...new DataLoader<number, number>(numbers(5), { batchSize: null, sampler })]).toEqual([3, 1]);
    const stream = { length: 5, *[Symbol.iterator]() { yield* [0, 1, 2, 3, 4]; } };
    const single = new DataLoader<number, string, Iterable<number>>(stream, { batchSize: null, collateFn: (x) => `${String(x)}!` });
    expect([single.length, [...single]]).toEqual([5, ['0!', '1!', '2!', '3!', '4!']]);
    expect(new DataLoader<number, Tensor, Iterable<number>>(stream, { batchSize: 2 }).length).toBe(3);
    expect(new DataLoader<number, Tensor, Iterable<number>>(stream, { batchSize: 2, dropLast: true }).length).toBe(2);
    expect(() => new DataLoader(numbers(3), { batchSize: null, dropLast: true })).toThrow('there is no last one to drop');
  });

  it('pinMemory, which it points out', () => {
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    void new DataLoader(numbers(3), { pinMemory: true });
    expect(warn.mock.calls.join()).toContain('pinMemory has no effect, since there is no other device');
    warn.mockRestore();
  });
});

describe('DataLoader goes on from its state', () => {
  const stream = (): IterableDataset<number> => ({ *[Symbol.iterator]() { for (let i = 0; i < 9; i++) yield i + rand(1).item(); } });
  const drawing = (n: number): Dataset<number> => ({ length: n, get: (i) => i + rand(1).item() });
  const promising = (n: number): Dataset<number> => ({ length: n, get: async (i) => i });
  const cases: [string, () => DataLoader<number, Tensor, Dataset<number> | IterableDataset<number>>][] = [
    ['a shuffle', () => new DataLoader<number, Tensor>(drawing(11), { batchSize: 2, shuffle: true })],
    ['a stream of random numbers of its own', () => {
      const generator = new Generator(6);
      const sampler = new RandomSampler(40, { replacement: true, numSamples: 80, generator });
      return new DataLoader<number, Tensor>(promising(40), { batchSize: 3, sampler, generator, prefetchFactor: 12 });
    }],
    ['a stream', () => new DataLoader<number, Tensor, IterableDataset<number>>(stream(), { batchSize: 2 })],
  ];

  it.each(cases)('%s', async (_, make) => {
    const go = async (loader: AsyncIterable<Tensor>, epochs: number, see: (seen: unknown) => void): Promise<void> => {
      for (let i = 0; i < epochs; i++) for await (const batch of loader) see([batch.toArray(), rand(1).item()]);
    };
    manualSeed(4);
    const straight = make();
    const seen: unknown[] = [];
    const states: [LoaderState, Uint8Array][] = [];
    await go(straight, 2, (batch) => {
      seen.push(batch);
      states.push([structuredClone(straight.stateDict()), getRngState()]);
    });
    const perEpoch = seen.length / 2;
    for (const [done, [state, random]] of states.entries()) {
      manualSeed(77);
      const resumed = make();
      resumed.loadStateDict(state);
      setRngState(random);
      const rest: unknown[] = [];
      await go(resumed, done < perEpoch ? 2 : 1, (batch) => rest.push(batch));
      expect(rest).toEqual(seen.slice(done + 1));
    }
  });

  it('synchronously too, and refuses states of other loaders', () => {
    const make = (): DataLoader<number, Tensor> => new DataLoader<number, Tensor>(drawing(7), { batchSize: 2, shuffle: true });
    manualSeed(8);
    const loader = make();
    const iterator = loader[Symbol.iterator]();
    iterator.next();
    const state = loader.stateDict();
    const random = getRngState();
    const rest = [iterator.next(), iterator.next(), iterator.next()].map(({ value }) => (value as Tensor).toArray());
    expect(iterator.next().done).toBe(true);
    expect(loader.stateDict().random).not.toHaveProperty('start');
    const other = make();
    expect(() => other.loadStateDict({ ...state, given: [1, 2] })).toThrow('of a loader with numWorkers 2, this one has 1');
    expect(() => other.loadStateDict({ ...state, random: {} })).toThrow("lacks that of the loader's random stream");
    other.loadStateDict(state);
    setRngState(random);
    expect([...other].map((batch) => batch.toArray())).toEqual(rest);
  });
});

describe('datasets of datasets', () => {
  it('ChainDataset gives streams one after the other', async () => {
    const [one, two] = [new Set([1, 2]), new Set([3])];
    expect([...(new ChainDataset([one, two]) as Iterable<number>)]).toEqual([1, 2, 3]);
    const later = { async *[Symbol.asyncIterator]() { yield 4; } };
    const seen: unknown[] = [];
    for await (const batch of new DataLoader<number, Tensor, AsyncIterable<number>>(new ChainDataset<number>([one, later]), { batchSize: 2 })) seen.push(batch.toArray());
    expect(seen).toEqual([[1, 2], [4]]);
    expect(() => [...new DataLoader<number, Tensor, AsyncIterable<number>>(new ChainDataset<number>([later]))]).toThrow(/for await/);
    expect(() => new ChainDataset([numbers(2) as never])).toThrow('the dataset at index 0 is no stream; use ConcatDataset');
  });

  it('StackDataset gives samples side by side', async () => {
    const promised: Dataset<string> = { length: 3, get: async (i) => `#${i}` };
    const both = new StackDataset({ x: numbers(3), name: promised });
    expect(await both.get(1)).toEqual({ x: 1, name: '#1' });
    expect(new StackDataset([numbers(2), numbers(2)]).get(1)).toEqual([1, 1]);
    expect(() => new StackDataset([numbers(2), numbers(3)])).toThrow('must have equal lengths, got [2, 3]');
    expect(() => both.get(3)).toThrow('StackDataset: position 3 of 3');
  });

  it('Subset and ConcatDataset take arrays, and refuse positions outside', () => {
    expect([...new DataLoader<string, string[]>(new ConcatDataset([['a'], new Subset(['b', 'c'], [1])]), { batchSize: 2 })]).toEqual([['a', 'c']]);
    expect(() => new Subset(['a'], [0]).get(1)).toThrow('Subset: position 1 of 1');
  });
});

describe('TensorDataset and Subset', () => {
  it('pair rows of tensors', () => {
    const data = new TensorDataset(tensor([[1, 2], [3, 4], [5, 6]]), tensor([0, 1, 2], { dtype: 'int32' }));
    expect(data.get(1).map((x) => x.toArray())).toEqual([[3, 4], 1]);
    const part = new Subset(data, [2, 0]);
    expect(part.length).toBe(2);
    const [x, y] = [...new DataLoader(part, { batchSize: 2 })][0]!;
    expect(x!.toArray()).toEqual([[5, 6], [1, 2]]);
    expect(y!.toArray()).toEqual([2, 0]);
    expect(() => new TensorDataset(tensor([1]), tensor([1, 2]))).toThrow(/equal numbers of rows/);
  });
});

describe('defaultCollate', () => {
  it('joins numbers, strings, arrays and objects', () => {
    const batch = defaultCollate([{ a: [1, 'x'], b: true }, { a: [2.5, 'y'], b: false }]) as { a: [Tensor, string[]]; b: Tensor };
    expect(batch.a[0].toArray()).toEqual([1, 2.5]);
    expect(batch.a[1]).toEqual(['x', 'y']);
    expect(batch.b.dtype).toBe('bool');
    expect((defaultCollate([1, 2]) as Tensor).dtype).toBe('int32');
    expect(() => defaultCollate([[1], [1, 2]])).toThrow(/equal size/);
    expect((defaultCollate([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]) as Tensor).toArray()).toEqual([[1, 2], [3, 4]]);
    expect(() => defaultCollate([{ a: 1 }, { b: 1 }])).toThrow('samples must be of one kind, got number and undefined; give a collateFn');
    expect(() => defaultCollate([1, 'x'])).toThrow('got number and string');
    expect(() => defaultCollate([null])).toThrow('got null; give a collateFn');
  });
});
