import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

// A gradient that nobody else holds is overwritten by the one that is computed from it.
describe('places of gradients in a backward pass', () => {
  it('leaves the gradient alone that the pass starts with', () => {
    const x = p([1, 2]);
    const seed = t([3, 4]);
    x.exp().mul(2).sin().backward(seed);
    expect(seed.toArray()).toEqual([3, 4]);
  });

  it('leaves alone what goes on to another input', () => {
    const x = p([1, 2]);
    const seed = t([1, 1]);
    // The gradient of a difference is that of its first operand as it is, and negated that of its second.
    x.mul(2).sub(x.mul(3)).mul(t([5, 7])).backward(seed);
    expect(g(x)).toEqual([-5, -7]);
    const y = p([1, 2]);
    const doubled = y.mul(2);
    doubled.mul(3).add(doubled.mul(4)).mul(t([1, 2])).backward(seed);
    expect(g(y)).toEqual([14, 28]);
  });

  it('leaves alone what hooks have seen and what is kept or asked for', () => {
    const x = p([1, 2]);
    const seen: tg.Tensor[] = [];
    const middle = x.mul(2);
    middle.registerHook((gradient) => void seen.push(gradient));
    const kept = middle.mul(5);
    kept.retainGrad();
    kept.mul(t([3, 4])).backward(t([1, 1]));
    expect(seen[0]!.toArray()).toEqual([15, 20]);
    expect(g(kept)).toEqual([3, 4]);
    expect(g(x)).toEqual([30, 40]);
    const y = p([1, 2]);
    const inner = y.mul(2);
    const [ofInner, ofY] = tg.grad(inner.mul(t([3, 4])).mul(2), [inner, y], { gradOutputs: t([1, 1]) });
    expect(ofInner!.toArray()).toEqual([6, 8]);
    expect(ofY!.toArray()).toEqual([12, 16]);
  });

  it('leaves alone pieces of one gradient that others read', () => {
    const x = p([1, 2, 3, 4]);
    const [first, second] = x.mul(2).chunk(2);
    tg.cat([first!.mul(3), second!.mul(first!)]).mul(t([1, 10, 100, 1000])).backward(t([1, 1, 1, 1]));
    // y = [6 a, 6 b, 4 c a, 4 d b] and weights 1, 10, 100, 1000.
    expect(g(x)).toEqual([6 + 1200, 60 + 16000, 400, 8000]);
  });

  it('gives back at once what nobody waits for, and what was added to a sum', () => {
    const live = (): number => tg.memory().byDType.float64?.tensors ?? 0;
    const made = (body: () => unknown): number => {
      const before = live();
      body();
      return live() - before;
    };
    const [x, w] = [1, 2].map((value) => tg.full([3], value, { dtype: 'float64', requiresGrad: true })) as [tg.Tensor, tg.Tensor];
    const seed = tg.ones([3], { dtype: 'float64' });
    const product = x.sin().mul(w.exp());
    expect(made(() => tg.grad(product, [x], { gradOutputs: seed, retainGraph: true }))).toBe(1);
    expect(made(() => product.backward(seed))).toBe(2);
    const y = x.exp();
    const sum = y.reshape([3]).neg().sub(y.reshape([3]).exp());
    expect(made(() => sum.backward(seed))).toBe(0);
    expect(x.grad!.toArray()).toEqual(x.cos().mul(w.exp()).sub(x.exp().add(x.exp().mul(x.exp().exp()))).toArray());
  });

  it('adds to a gradient between whose elements others lie', () => {
    const x = p([1, 2]);
    const [mine, theirs] = [t([1, 9, 2, 9]), t([10, 7, 20, 7])];
    x.grad = mine.slice(0, 0, 4, 2);
    x.registerHook(() => theirs.slice(0, 0, 4, 2));
    x.mul(2).sum().backward();
    expect(mine.toArray()).toEqual([11, 9, 22, 9]);
    expect(theirs.toArray()).toEqual([10, 7, 20, 7]);
  });

  it('knows which output of its node each of one, two or three operands was', () => {
    const calls: ((v: tg.Tensor, m: tg.Tensor) => tg.Tensor)[] = [
      (_, m) => m.exp(),
      (v, m) => v.mul(m),
      (v, m) => m.mul(v),
      (v, m) => tg.addcmul(m, v, m),
    ];
    for (const call of calls) {
      const [x, y] = [p([[2, 1], [1, 3]]), p([[2, 1], [1, 3]])];
      const { logabsdet } = tg.linalg.slogdet(x);
      expect(logabsdet.slot).toBe(1);
      call(x.sum(), logabsdet).backward();
      call(y.sum(), tg.linalg.det(y).abs().log()).backward();
      expect(x.grad!.sub(y.grad!).abs().max().item()).toBeLessThan(1e-5);
    }
  });

  it('can walk a graph again that it kept', () => {
    const x = p([1, 2]);
    const out = x.exp().mul(x).mul(2);
    out.backward(t([1, 1]), { retainGraph: true });
    const once = g(x) as number[];
    out.backward(t([1, 1]));
    expect(g(x)).toEqual(once.map((value) => 2 * value));
  });
});
