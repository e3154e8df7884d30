import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('detach, clone and conversion', () => {
  it('E110 shares memory and the version counter with a detached alias', () => {
    const x = p([1]);
    const d = x.detach();
    expect([d.requiresGrad, d.isLeaf]).toEqual([false, true]);
    tg.noGrad(() => d.add_(1));
    expect(x.toArray()).toEqual([2]);
    expect(x.version).toBe(d.version);
    expect(x.mul(2).detach().requiresGrad).toBe(false);
  });

  it('E111 stops the gradient', () => {
    const x = p(2);
    x.mul(x.detach()).backward();
    expect(g(x)).toBe(2);
  });

  it('E112 cuts a tensor from its graph in place, but not a view', () => {
    const x = p([1, 2]);
    const a = x.mul(2);
    expect(a.detach_()).toBe(a);
    expect([a.requiresGrad, a.isLeaf, a.gradFn]).toEqual([false, true, null]);
    expect(() => x.mul(2).narrow(0, 0, 1).detach_()).toThrow(/Can't detach views in-place/);
  });

  it('E113 leaves existing views in the graph when their base is detached', () => {
    const x = p([1, 2]);
    const base = x.mul(3);
    const view = base.narrow(0, 0, 1);
    base.detach_();
    expect(view.requiresGrad).toBe(true);
    view.sum().backward();
    expect(g(x)).toEqual([3, 0]);
  });

  it('keeps the graph of a saved value that was detached in place later', () => {
    const x = p(3);
    const h = x.mul(x);
    const y = h.mul(h);
    h.detach_();
    const [gx] = tg.grad(y, x, { createGraph: true });
    expect(gx!.item()).toBe(4 * 27);
    expect(tg.grad(gx!, x)[0]!.item()).toBe(12 * 9);
    const w = p(2);
    const z = w.mul(1);
    const loss = z.mul(z).mul(z);
    z.detach_().requiresGrad_();
    const [gw] = tg.grad(loss, w, { createGraph: true });
    expect(gw!.item()).toBe(12);
    expect(tg.grad(gw!, w)[0]!.item()).toBe(12);
  });

  it('E114 notices changes through a detached alias', () => {
    const x = p([1, 2]);
    const y = x.sigmoid();
    y.detach().zero_();
    expect(() => y.sum().backward()).toThrow(/modified by an inplace/);
  });

  it('E116 differentiates clone and copies memory', () => {
    const x = p(2);
    const y = x.clone();
    y.backward();
    expect(g(x)).toBe(1);
    tg.noGrad(() => y.add_(1));
    expect(x.item()).toBe(2);
  });

  it('E117 casts the gradient back when a dtype was converted', () => {
    const x = tg.tensor([1], { requiresGrad: true });
    x.to('float64').sum().backward();
    expect(x.grad!.dtype).toBe('float32');
    expect(g(x)).toEqual([1]);
    const y = p([1.5]);
    y.float().mul(2).sum().backward();
    expect([y.grad!.dtype, g(y)]).toEqual(['float64', [2]]);
    expect(p([1.5]).to('int32').requiresGrad).toBe(false);
  });

  it('E118 returns the tensor itself where nothing changes', () => {
    const x = p([[1, 2], [3, 4]]);
    expect(x.to('float64')).toBe(x);
    expect(x.contiguous()).toBe(x);
    expect(x.T.contiguous()).not.toBe(x);
  });

  it('E119 copies and detaches when a tensor is made from a tensor', () => {
    const x = p([1, 2]);
    const y = tg.tensor(x);
    expect([y.requiresGrad, y.dtype]).toEqual([false, 'float64']);
    y.mul_(10);
    expect(x.toArray()).toEqual([1, 2]);
    expect(t([x.select(0, 0), 5]).toArray()).toEqual([1, 5]);
  });
});
