import { beforeAll, describe, expect, it } from '@jest/globals';
import { arange, Generator, manualSeed, rand, Tensor, tensor, useBackend } from '@tapegrad/core';
import { BatchSampler, DataLoader, defaultCollate, SequentialSampler, Subset, TensorDataset, type Dataset } from '../src/index.ts';

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
    const loader = new DataLoader<number, string>(numbers(3), { batchSize: 3, collate: (items) => items.join('-') });
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
    for await (const b of new DataLoader<number, Tensor>(slow, { prefetch: 2 })) seen.push(b.item());
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
    const loader = new DataLoader<number, Tensor>(failing, { prefetch: 4 });
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
    expect(() => new DataLoader(numbers(3), { prefetch: -1 })).toThrow(/prefetch must be a whole number/);
    expect(() => new DataLoader(numbers(3), { batchSampler: new BatchSampler(new SequentialSampler(3), 2), batchSize: 2 })).toThrow(
      /batchSampler takes the place of/,
    );
    expect(() => new DataLoader(numbers(3), { batchSize: 0 })).toThrow(/positive whole number/);
    const sampler = { length: 1, *[Symbol.iterator]() { yield 2; } };
    expect(() => new DataLoader(numbers(3), { shuffle: true, sampler })).toThrow(/either shuffle or a sampler/);
    expect([...new DataLoader<number, Tensor>(numbers(3), { sampler })].map((b) => b.toArray())).toEqual([[2]]);
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
  });
});
