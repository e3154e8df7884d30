import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';

/** Bytes of tensors in the heap, made resident first. */
function liveAfter(body: () => void): number {
  const before = tg.memory().live;
  body();
  return tg.memory().live - before;
}

describe('scopes', () => {
  it('gives back what was made inside and not returned', () => {
    const x = tg.ones([1000]);
    let y = x;
    expect(liveAfter(() => (y = tg.scope(() => x.add(1).mul(2).sub(1))))).toBe(4000);
    expect(y.sum().item()).toBe(3000);
    expect(x.sum().item()).toBe(1000);
  });

  it('finds returned tensors in arrays, objects, maps and views', () => {
    const { a, list, map } = tg.scope(() => {
      const a = tg.ones([2]).add(1);
      return { a, list: [a.mul(3), a.mul(4).reshape([2, 1])], map: new Map([['k', a.mul(5)]]) };
    });
    expect([a, ...list, map.get('k')!].map((t) => t.sum().item())).toEqual([4, 12, 16, 20]);
  });

  it('tells of the use of a tensor that was given back', () => {
    let inner: tg.Tensor | null = null;
    tg.scope(() => void (inner = tg.ones([2]).add(1)));
    expect(() => inner!.toArray()).toThrow(/disposed/);
    expect(() => inner!.add(1)).toThrow(/disposed/);
  });

  it('keeps what keep was told of', () => {
    let inner: tg.Tensor | null = null;
    tg.scope(() => void (inner = tg.keep(tg.ones([2]).add(1))));
    expect(inner!.toArray()).toEqual([2, 2]);
  });

  it('hands results on to the scope around, which gives them back', () => {
    let inner: tg.Tensor | null = null;
    tg.scope(() => {
      inner = tg.scope(() => tg.ones([2]).add(1));
      expect(inner.toArray()).toEqual([2, 2]);
    });
    expect(() => inner!.toArray()).toThrow(/disposed/);
  });

  it('leaves gradients of leaves alone, accumulated ones and those of recorded passes too', () => {
    const w = tg.tensor([1, 2], { requiresGrad: true });
    for (const createGraph of [false, true]) {
      w.grad = null;
      tg.scope(() => w.mul(w).sum().backward(null, { createGraph }));
      tg.scope(() => w.mul(3).sum().backward(null, { createGraph }));
      expect(w.grad!.toArray()).toEqual([5, 7]);
    }
  });

  it('gives back what a gradient computation made', () => {
    const w = tg.ones([1000], { requiresGrad: true });
    expect(liveAfter(() => tg.scope(() => void tg.grad(w.exp().mul(w).sum(), w)))).toBe(0);
  });

  it('gives back after an exception', () => {
    const x = tg.ones([1000]).add(0);
    const fail = (): void => tg.scope(() => {
      x.add(1);
      throw new Error('stop');
    });
    expect(liveAfter(() => expect(fail).toThrow('stop'))).toBe(0);
  });

  it('opens and ends without a body', () => {
    const x = tg.ones([1000]).add(0);
    const opened = tg.scope();
    const y = x.add(1);
    opened[Symbol.dispose]();
    expect(() => y.toArray()).toThrow(/disposed/);
  });
});

describe('the memory report', () => {
  it('counts live bytes by dtype', () => {
    const before = tg.memory().byDType.float64 ?? { bytes: 0, tensors: 0 };
    const x = tg.ones([100], { dtype: 'float64' }).add(1);
    const after = tg.memory();
    expect(x.dtype).toBe('float64');
    expect(after.byDType.float64).toEqual({ bytes: before.bytes + 1600, tensors: before.tensors + 2 });
    const { byDType, live, cached, heap } = after;
    expect(Object.values(byDType).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(live);
    expect(live + cached).toBeLessThanOrEqual(heap);
  });

  it('never moves an operand of the kernel that is about to run, however often it has to make room', () => {
    const { budget } = tg.memory();
    tg.setMemoryBudget(2 ** 23);
    try {
      for (let round = 0; round < 4; round++) {
        // A new tensor is on the JavaScript heap, so that each operand has to be brought in.
        const [x, y, weight] = [1, 2, 3].map((value) => tg.tensor(new Float32Array(400_000).fill(value)));
        expect(x!.lerp(y!, weight!).sub(4).abs().max().item()).toBe(0);
      }
    } finally {
      tg.setMemoryBudget(budget);
    }
  });

  it('says who holds the most when the heap is too small for an operation', () => {
    const { budget, heap } = tg.memory();
    tg.setMemoryBudget(4 * heap);
    try {
      const bytes = 2.5 * heap;
      const x = tg.zeros([bytes / 4]);
      expect(() => x.add(x)).toThrow(new RegExp(`${bytes} bytes were asked for.* ${bytes / 4} elements of float32 \\(${bytes} bytes`));
    } finally {
      tg.setMemoryBudget(budget);
    }
  });
});
