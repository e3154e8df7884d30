import { describe, expect, it } from '@jest/globals';
import { empty, full, memory, scope, tensor, type Tensor } from '../src/index.ts';
import { retireUnusedSince } from '../src/pages.ts';
import { addressOf, nextTick, Storage } from '../src/storage.ts';

/** Makes so many small results that nobody holds. */
function churn(count: number): void {
  const one = tensor([1]);
  for (let i = 0; i < count; i++) one.add(i);
}

describe('small storages', () => {
  it('are right again when they come back, each alone, from pages that have left the heap', () => {
    const { evicted, reloaded } = memory();
    const held: Tensor[] = [];
    for (let i = 0; i < 200; i++) {
      held.push(full([3], i), full([40], i, { dtype: 'float64' }), full([5], i, { dtype: 'int32' }));
      churn(100);
    }
    churn(10_000);
    expect(memory().evicted - evicted).toBeGreaterThan(200 * 352);
    held.forEach((x, k) => expect(x.mul(2).toArray()).toEqual(new Array(x.numel()).fill(2 * Math.floor(k / 3))));
    expect(memory().reloaded - reloaded).toBeGreaterThanOrEqual(199 * 352);
  });

  it('keep what is written to them through views while they are on the host', () => {
    const x = full([4], 1);
    const view = x.slice(0, 1, 3);
    churn(10_000);
    expect(view.toArray()).toEqual([1, 1]);
    view.mul_(5);
    churn(10_000);
    expect(x.toArray()).toEqual([1, 5, 5, 1]);
  });

  it('that are given back make room for the next ones', () => {
    const step = (): void => {
      scope(() => {
        for (let i = 0; i < 50; i++) full([10], i).add(1);
      });
    };
    step();
    const { live, evicted, heap } = memory();
    for (let i = 0; i < 2000; i++) step();
    expect(memory()).toMatchObject({ live, evicted, heap });
  });

  it('stay in the heap if they are needed again and again, however many they are', () => {
    const held = Array.from({ length: 20_000 }, (_, i) => full([16], i));
    const round = (): number => {
      const { reloaded } = memory();
      for (const x of held) x.add_(1);
      return memory().reloaded - reloaded;
    };
    expect(round()).toBeGreaterThan(0);
    for (let i = 0; i < 10; i++) round();
    expect(round()).toBe(0);
    expect(held[777]!.toArray()).toEqual(new Array(16).fill(777 + 12));
  });

  it('stay where they are while a kernel runs, even if it uses more than the pages may hold', () => {
    const storages = Array.from({ length: 1500 }, () => new Storage(16_000, 'float32'));
    nextTick();
    const addresses = storages.map(addressOf);
    expect(new Set(addresses).size).toBe(1500);
    expect(storages.map(addressOf)).toEqual(addresses);
  });

  it('are opened anew when the newest has left the heap, and freed places in those that left are not handed out', () => {
    const before = full([48], 1);
    const freed = Array.from({ length: 2000 }, () => full([48], 2));
    retireUnusedSince(Infinity);
    for (const x of freed) x.dispose();
    const after = full([48], 3);
    expect(after.storage.block).not.toBe(before.storage.block);
    expect(after.storage.block.address).toBeGreaterThan(0);
    expect([...before.add(after).toTypedArray()]).toEqual(new Array(48).fill(4));
    const more = Array.from({ length: 100 }, (_, i) => full([48], i));
    more.forEach((x, i) => expect(x.toArray()).toEqual(new Array(48).fill(i)));
  });

  it('stay right when the host has no room for a page', () => {
    retireUnusedSince(Infinity);
    const held = Array.from({ length: 3000 }, (_, i) => full([64], i));
    const Original = Uint8Array;
    let arrays = 0;
    globalThis.Uint8Array = new Proxy(Original, {
      construct(target, args: [number]) {
        if (arrays++ === 5) throw new RangeError('Array buffer allocation failed');
        return new target(...args);
      },
    });
    try {
      expect(() => retireUnusedSince(Infinity)).toThrow('move, has no room');
    } finally {
      globalThis.Uint8Array = Original;
    }
    churn(400_000);
    held.forEach((x, i) => expect(x.toArray()).toEqual(new Array(64).fill(i)));
  });

  it('are counted by dtype, as long as they are in the heap', () => {
    const before = memory().byDType.float64 ?? { bytes: 0, tensors: 0 };
    const x = scope(() => {
      full([7], 1, { dtype: 'float64' });
      return full([3], 1, { dtype: 'float64' });
    });
    expect(memory().byDType.float64).toEqual({ bytes: before.bytes + 24, tensors: before.tensors + 1 });
    x.dispose();
    expect(memory().byDType.float64 ?? { bytes: 0, tensors: 0 }).toEqual(before);
    expect(() => x.toArray()).toThrow('disposed');
    expect(empty([0]).toArray()).toEqual([]);
  });
});
