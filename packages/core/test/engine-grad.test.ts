import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('grad', () => {
  it('E070 returns gradients and touches no grad', () => {
    const x = p(3);
    const w = p(2);
    const [gx] = tg.grad(x.mul(x).mul(w), x);
    expect(gx!.item()).toBe(12);
    expect([g(x), g(w)]).toEqual([null, null]);
    expect(gx!.requiresGrad).toBe(false);
  });

  it('E071 has the root rules of backward and sums over outputs', () => {
    const x = p([1, 2]);
    expect(() => tg.grad(x.mul(2), x)).toThrow(/scalar outputs/);
    expect(() => tg.grad(x.mul(2), x, { gradOutputs: t([1]) })).toThrow(/Mismatch in shape/);
    expect(() => tg.grad(t(1), x)).toThrow(/does not require grad/);
    expect(() => tg.grad([x.mul(2), x], x, { gradOutputs: [t([1, 1])] })).toThrow(/one gradient for each/);
    const [gx] = tg.grad([x.mul(2), x.mul(x)], x, { gradOutputs: [t([1, 10]), t([100, 1000])] });
    expect(gx!.toArray()).toEqual([202, 4020]);
  });

  it('E072 refuses an input that was not used, or gives null', () => {
    const x = p(1);
    const y = p(1);
    expect(() => tg.grad(x.mul(2), [x, y])).toThrow(/appears to not have been used.*input 1.*allowUnused/s);
    const [gx, gy] = tg.grad(x.mul(2), [x, y], { allowUnused: true });
    expect([gx!.item(), gy]).toEqual([2, null]);
  });

  it('E073 refuses an input that does not require grad', () => {
    const x = p(1);
    expect(() => tg.grad(x.mul(2), [x, t(1)])).toThrow(/One of the differentiated Tensors does not require grad/);
  });

  it('E074 gives zeros for unused inputs with materializeGrads', () => {
    const x = p(0.5);
    const a = p([1]);
    const [d] = tg.grad(x.mul(a), x, { createGraph: true });
    expect(tg.grad(d!, x, { allowUnused: true, retainGraph: true })).toEqual([null]);
    const [zero] = tg.grad(d!, x, { materializeGrads: true });
    expect([zero!.item(), zero!.shape]).toEqual([0, []]);
    expect(() => tg.grad(d!, x, { materializeGrads: true, allowUnused: false })).toThrow(/allowUnused/);
  });

  it('E075 takes computed tensors as inputs', () => {
    const x = p(2);
    const h = x.mul(3);
    expect(tg.grad(h.mul(h), h)[0]!.item()).toBe(12);
    const [gh, gx] = tg.grad(x.mul(3).mul(h), [h, x], { retainGraph: true });
    expect([gh!.item(), gx!.item()]).toEqual([6, 36]);
    const y = x.mul(3);
    expect(tg.grad(y, y)[0]!.item()).toBe(1);
  });

  it('E076 does not run the node of an input, but its tensor hooks', () => {
    const x = p(2);
    const h = x.mul(3);
    const log: string[] = [];
    h.gradFn!.registerPrehook(() => void log.push('node'));
    h.registerHook((gradient) => {
      log.push('tensor');
      return gradient.mul(10);
    });
    expect(tg.grad(h.mul(1), h)[0]!.item()).toBe(10);
    expect(log).toEqual(['tensor']);
    h.mul(1).backward(null, { inputs: h });
    expect(log).toEqual(['tensor', 'tensor', 'node']);
    expect([g(h), g(x)]).toEqual([10, null]);
  });

  it('E077 wants at least one input', () => {
    expect(() => tg.grad(p(1).mul(2), [])).toThrow(/grad requires non-empty inputs/);
  });

  it('E080 releases the graph unless it is told to keep it', () => {
    const x = p(2);
    const y = x.mul(x);
    tg.grad(y, x, { retainGraph: true });
    tg.grad(y, x);
    expect(() => tg.grad(y, x)).toThrow(/second time/);
  });

  it('E081 runs only what the inputs need', () => {
    const x = p(2);
    const z = p(3);
    const bad = z.mul(2);
    bad.gradFn!.registerPrehook(() => {
      throw new Error('not needed');
    });
    expect(tg.grad(x.mul(5).add(bad), x)[0]!.item()).toBe(5);
  });

  it('takes gradients with respect to shards and pushes them on', () => {
    const leaves = Array.from({ length: 10 }, (_, i) => ones(2).mul(i).requiresGrad_());
    const intermediates = leaves.flatMap((leaf, i) => Array.from({ length: i }, () => leaf.clone()));
    const loss = intermediates.reduce((sum, v, i) => sum.add(v.mul(i + 1)), t([0, 0])).sum();
    const gradients = tg.grad(loss, intermediates, { retainGraph: true });
    tg.backward(intermediates, gradients);
    let next = 1;
    leaves.forEach((leaf, i) => {
      let expected = 0;
      for (let k = 0; k < i; k++) expected += next++;
      expect(g(leaf)).toEqual(i === 0 ? null : [expected, expected]);
    });
  });

  it('lets an intermediate value climb its own gradient', () => {
    const x = p([0.1, 0.2]);
    let y = x.mul(2);
    for (let i = 0; i < 5; i++) {
      const [gy] = tg.grad(y.mul(y).sum(), y, { createGraph: true });
      y = y.add(gy!.mul(0.5));
      expect(tg.peekGrad(y)).toBeNull();
    }
    y.sum().backward();
    expect(g(x)).toEqual([2 * 2 ** 5, 2 * 2 ** 5]);
  });
});
