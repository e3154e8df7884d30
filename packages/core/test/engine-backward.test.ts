import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

describe('backward: roots and the order of the walk', () => {
  it('E020 seeds an output of one element with 1', () => {
    const x = p(3);
    x.mul(x).backward();
    expect(g(x)).toBe(6);
  });

  it('E021 asks for a seed unless there is exactly one element', () => {
    expect(() => p([1, 2]).mul(2).backward()).toThrow(/scalar outputs.*\[2\]/s);
    expect(() => zeros(0).requiresGrad_().mul(2).backward()).toThrow(/scalar outputs/);
    const x = p([3]);
    x.mul(2).backward();
    x.reshape([1, 1]).mul(5).backward();
    expect(g(x)).toEqual([7]);
  });

  it('E022 wants a seed of exactly the shape of the output', () => {
    const y = p([1, 2]).mul(2);
    expect(() => y.backward(t([1]))).toThrow(/\[0\].*shape of \[1\].*shape of \[2\]/s);
    expect(() => y.backward(t([[1, 1]]))).toThrow(tg.ShapeError);
  });

  it('E023 refuses an output without a graph', () => {
    expect(() => t(1).backward()).toThrow(/element 0 of tensors does not require grad and does not have a grad_?fn/i);
    expect(() => tg.backward([p(1).mul(2), t(1)])).toThrow(/element 1 of tensors/);
  });

  it('E024 gives the seed to a leaf that is its own root', () => {
    const x = p(5);
    x.backward();
    expect(g(x)).toBe(1);
  });

  it('E025 walks from several roots at once, even if one depends on another', () => {
    const x = p(2);
    const y = x.pow(2);
    const z = y.pow(3);
    tg.backward([y, z], [t(1), t(1)]);
    expect(g(x)).toBe(196);
  });

  it('E026 counts a root that is named twice twice', () => {
    const a = p(2);
    const x = a.mul(t(3));
    tg.backward([x, x], [t(1), t(1)]);
    expect(g(a)).toBe(6);
  });

  it('E027 sums over the uses of a value', () => {
    const x = p(2);
    x.mul(x).add(x.mul(3)).backward();
    expect(g(x)).toBe(7);
  });

  it('E028 takes one tensor in several places', () => {
    const x = p(2);
    x.mul(x).mul(x).backward();
    expect(g(x)).toBe(12);
  });

  it('E029 never changes a gradient that another consumer can see', () => {
    const x = p([1]);
    const y = p([1]);
    let [a, b, c] = [x.add(2), y.add(2), x.add(2)];
    const s = a.add(b).add(c);
    for (let i = 0; i < 4; i++) [a, b, c] = [a.mul(2), b.mul(2), c.mul(2)];
    s.add(a.add(b).add(c)).backward(t([1]));
    expect(g(x)).toEqual([34]);
    expect(g(y)).toEqual([17]);
    const u = p([2, 3]);
    const w = p([4, 5]);
    const [shared, other] = [u.mul(1), w.mul(1)];
    const late = shared.mul(3);
    shared.add(other).mul(2).add(late).sum().backward();
    expect([g(u), g(w)]).toEqual([[5, 5], [2, 2]]);
  });

  it("E030 leaves the user's seed alone", () => {
    const x = p([1, 2]);
    const seed = t([1, 1]);
    const y = x.add(x).add(x);
    y.backward(seed);
    y.backward(seed);
    expect(seed.toArray()).toEqual([1, 1]);
    expect(g(x)).toEqual([6, 6]);
    x.grad!.mul_(100);
    const h = p([1, 2]).mul(3);
    tg.backward([h, h], [seed, t([5, 5])]);
    expect(seed.toArray()).toEqual([1, 1]);
  });

  it('E030 leaves alone what a hook returned', () => {
    const x = p([1, 2]);
    const h = x.mul(1);
    const mine = t([7, 7]);
    const branch = h.exp();
    branch.registerHook(() => mine);
    h.add(branch.mul(2)).add(h.mul(3)).sum().backward();
    const direct = x.mul(1);
    direct.registerHook(() => mine);
    direct.add(x.mul(5)).sum().backward();
    expect(mine.toArray()).toEqual([7, 7]);
  });

  it('E031 runs the newest node first, and leaves as soon as they are ready', () => {
    const order: string[] = [];
    const x = p(1);
    const z = p(1);
    const first = x.exp();
    const second = x.sin();
    const third = z.mul(2);
    const out = first.add(second).add(third);
    const log = (name: string) => (): void => void order.push(name);
    first.gradFn!.registerPrehook(log('exp'));
    second.gradFn!.registerPrehook(log('sin'));
    third.gradFn!.registerPrehook(log('mul'));
    out.gradFn!.registerPrehook(log('add'));
    x.registerHook(log('x'));
    z.registerHook(log('z'));
    out.backward();
    expect(order).toEqual(['add', 'mul', 'z', 'sin', 'exp', 'x']);
  });

  it('E032 runs only what the root reaches', () => {
    let calls = 0;
    const x = p(1);
    const other = x.mul(3);
    other.registerHook(() => void calls++);
    other.mul(2);
    x.mul(2).backward();
    expect([calls, g(x)]).toEqual([0, 2]);
  });

  it('E033 accumulates only into the inputs that were asked for', () => {
    const build = (): [tg.Tensor, tg.Tensor, tg.Tensor, tg.Tensor] => {
      const x = p(1);
      const y = p(2);
      const h = y.mul(x);
      return [x, y, h, x.pow(2).add(h).add(y.pow(2))];
    };
    const [x, y, , z] = build();
    z.backward(null, { inputs: [x] });
    expect([g(x), g(y)]).toEqual([4, null]);
    const [x2, y2, h2, z2] = build();
    const unused = p(1);
    z2.backward(null, { inputs: [h2, unused] });
    expect([g(x2), g(y2), g(h2), g(unused)]).toEqual([null, null, 1, null]);
    const [x3, , , z3] = build();
    z3.backward(null, { inputs: x3, retainGraph: true });
    z3.backward(null, { inputs: x3 });
    expect(g(x3)).toBe(8);
    expect(() => build()[3].backward(null, { inputs: [] })).toThrow(/cannot be empty/);
  });

  it('E034 works inside noGrad', () => {
    const x = p(3);
    const y = x.mul(x);
    tg.noGrad(() => y.backward());
    expect(g(x)).toBe(6);
    expect(x.grad!.requiresGrad).toBe(false);
    expect(tg.isGradEnabled()).toBe(true);
  });

  it('E035 keeps the gradients that were added before a node failed', () => {
    const x = p(1);
    const z = p(1);
    const bad = z.mul(1);
    bad.registerHook(() => {
      throw new RangeError('stop');
    });
    const good = x.mul(2);
    expect(() => bad.add(good).backward()).toThrow(RangeError);
    expect([g(x), g(z)]).toEqual([2, null]);
    expect(tg.isGradEnabled()).toBe(true);
    const w = p(2);
    w.mul(w).backward();
    expect(g(w)).toBe(4);
  });

  it('E036 builds, runs and releases 150 000 nodes without recursion', () => {
    const x = p([1, 2]);
    let y = x.clone();
    for (let i = 0; i < 75_000; i++) y = y.add(y.mul(1e-6));
    y.sum().backward();
    const expected = (1 + 1e-6) ** 75_000;
    for (const value of g(x) as number[]) expect(value).toBeCloseTo(expected, 9);
  }, 60_000);

  it('E037 takes tensors without elements', () => {
    const x = zeros(0).requiresGrad_();
    x.sum().backward();
    expect(x.grad!.shape).toEqual([0]);
    const y = zeros(3, 0).requiresGrad_();
    y.mul(2).sum(0).backward(zeros(0));
    expect(y.grad!.shape).toEqual([3, 0]);
  });

  it('E038 may be called from a hook of a backward pass that is running', () => {
    const x = p(3);
    const outer = x.mul(5);
    const inner = p(2);
    outer.registerHook((gradient) => {
      const before = tg.isGradEnabled();
      const loss = tg.enableGrad(() => inner.mul(inner).mul(gradient));
      loss.backward();
      expect(tg.isGradEnabled()).toBe(before);
    });
    outer.mul(2).backward();
    expect(g(x)).toBe(10);
    expect(g(inner)).toBe(8);
  });

  it('E038 may walk the graph that is being walked', () => {
    const x = p(3);
    const h = x.mul(x);
    const y = h.mul(2);
    let depth = 0;
    h.registerHook(() => {
      if (depth++ < 3) expect(tg.grad(y, x, { retainGraph: true })[0]!.item()).toBe(12);
    });
    y.backward(null, { retainGraph: true });
    expect(g(x)).toBe(12);
  });

  it('gives the gradients of a composed expression', () => {
    const x = ones(5, 5).mul(2).requiresGrad_();
    const y = ones(5, 5).mul(4).requiresGrad_();
    const z = ones(5, 5).mul(3).requiresGrad_();
    const a = x.add(y.mul(z)).add(z.pow(2).mul(x.div(y)));
    a.backward(ones(5, 5));
    expect(x.grad!.select(0, 0).select(0, 0).item()).toBeCloseTo(1 + 9 / 4);
    expect(y.grad!.select(0, 0).select(0, 0).item()).toBeCloseTo(3 - (9 * 2) / 16);
    expect(z.grad!.select(0, 0).select(0, 0).item()).toBeCloseTo(4 + 2 * 3 * (2 / 4));
  });
});
