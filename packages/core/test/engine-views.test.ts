import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

describe('views', () => {
  it('E140 shares memory and versions in every view operation', () => {
    const views: Record<string, (x: tg.Tensor) => tg.Tensor> = {
      view: (x) => x.view(8),
      reshape: (x) => x.reshape(4, 2),
      expand: (x) => x.unsqueeze(0).expand(3, 2, 2, 2),
      permute: (x) => x.permute(2, 0, 1),
      transpose: (x) => x.transpose(0, 2),
      t: (x) => x.select(0, 0).t(),
      select: (x) => x.select(1, 1),
      slice: (x) => x.slice(2, 1),
      narrow: (x) => x.narrow(0, 1, 1),
      split: (x) => x.split(1)[1]!,
      chunk: (x) => x.chunk(2)[0]!,
      unbind: (x) => x.unbind(1)[0]!,
      squeeze: (x) => x.narrow(0, 0, 1).squeeze(0),
      unsqueeze: (x) => x.unsqueeze(1),
      diagonal: (x) => x.diagonal(),
      asStrided: (x) => x.asStrided([2, 2], [1, 2]),
      flatten: (x) => x.flatten(),
      unflatten: (x) => x.flatten().unflatten(0, [2, 4]),
      movedim: (x) => x.movedim(0, 2),
      T: (x) => x.select(0, 0).T,
      mT: (x) => x.mT,
      detach: (x) => x.detach(),
    };
    for (const [name, make] of Object.entries(views)) {
      const x = t([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
      const view = make(x);
      x.mul_(10);
      expect([name, view.version]).toEqual([name, 1]);
      for (const value of view.toTypedArray()) expect(value % 10).toBe(0);
      const leaf = p([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
      expect([name, make(leaf).requiresGrad]).toEqual([name, name !== 'detach']);
    }
  });

  it('E141 scatters the gradient of a view into zeros', () => {
    const x = ones(3, 3).requiresGrad_();
    x.select(0, 1).sum().backward();
    expect(g(x)).toEqual([[0, 0, 0], [1, 1, 1], [0, 0, 0]]);
    const y = ones(3, 3).requiresGrad_();
    y.slice(0, 0, 3, 2).T.narrow(0, 1, 1).mul(t([2, 3])).sum().backward();
    expect(g(y)).toEqual([[0, 2, 0], [0, 0, 0], [0, 3, 0]]);
  });

  it('E142 gives the base a new history when a view of it is changed', () => {
    const root = ones(2, 2).requiresGrad_();
    const x = root.clone();
    x.narrow(0, 0, 1).mul_(2);
    expect(x.gradFn!.name).toBe('CopySlices');
    x.sum().backward();
    expect(g(root)).toEqual([[2, 2], [1, 1]]);
  });

  it('E143 shows the change to another view of the region', () => {
    const root = ones(2, 2).requiresGrad_();
    const x = root.clone();
    const v1 = x.narrow(0, 0, 1);
    const v2 = x.narrow(0, 0, 1);
    v1.mul_(2);
    v2.sum().backward();
    expect(g(root)).toEqual([[2, 2], [0, 0]]);
  });

  it('E144 reaches the root base from a view of a view', () => {
    const root = ones(2, 2).requiresGrad_();
    const x = root.clone();
    x.narrow(0, 0, 1).narrow(1, 1, 1).mul_(2);
    x.sum().backward();
    expect(g(root)).toEqual([[1, 2], [1, 1]]);
    const other = ones(2, 2).requiresGrad_();
    const y = other.clone();
    const outer = y.narrow(0, 0, 1);
    outer.narrow(1, 1, 1).mul_(2);
    outer.sum().backward();
    expect(g(other)).toEqual([[1, 2], [0, 0]]);
  });

  it('E145 goes back through the changed view when the base needs no gradient', () => {
    const a = t([2, 5]);
    const b = p([3]);
    const result = a.narrow(0, 1, 1).mul_(b);
    result.sum().backward();
    expect(g(b)).toEqual([5]);
    expect([a.requiresGrad, a.isLeaf, a.toArray()]).toEqual([true, false, [2, 15]]);
    const c = t([2, 5]);
    const d = p([3]);
    c.narrow(0, 1, 1).mul_(d);
    c.mul(t([100, 10])).sum().backward();
    expect(g(d)).toEqual([50]);
  });

  it('E146 makes old views require grad when the base changes', () => {
    const r = p(1);
    const x = ones(5);
    const view = x.select(0, 1);
    x.add_(r);
    expect(view.requiresGrad).toBe(true);
    view.backward();
    expect(g(r)).toBe(1);
  });

  it('E147 brings the history of a view up to date when it is asked for', () => {
    const x = ones(4).requiresGrad_().clone();
    const view = x.narrow(0, 1, 2);
    const before = view.gradFn;
    expect(view.gradFn).toBe(before);
    x.mul_(2);
    expect(view.gradFn).not.toBe(before);
    expect(view.gradFn!.name).toBe('AsStridedBackward0');
    expect(view.gradFn).toBe(view.gradFn);
  });

  it('E148 refuses to change one of several views of one call', () => {
    const x = ones(4, 2).requiresGrad_().clone();
    const several: Record<string, tg.Tensor> = {
      unbind: x.unbind()[0]!,
      split: x.split(2)[0]!,
      sections: x.split([1, 3])[1]!,
      chunk: x.chunk(2)[1]!,
      viewOfOne: x.unbind()[0]!.narrow(0, 0, 1),
    };
    for (const [name, view] of Object.entries(several)) {
      expect(() => view.mul_(2)).toThrow(/returns multiple views.*clone\(\)/s);
      expect([name, x.version]).toEqual([name, 0]);
    }
    expect(x.unbind()[0]!.clone().mul_(2).toArray()).toEqual([2, 2]);
    expect(t([1, 2]).unbind()[0]!.mul_(2).item()).toBe(2);
  });

  it('E153 refuses to write where one element is shown several times', () => {
    const x = t([1]).expand(3);
    expect(() => x.add_(1)).toThrow(/more than one element of the written-to tensor refers to a single memory location/);
    expect(() => x.zero_()).toThrow(/clone\(\)/);
    expect(t([1]).expand(1).add_(1).toArray()).toEqual([2]);
  });

  it('E154 copies in reshape where strides do not allow a view, and view refuses', () => {
    const x = t([[1, 2], [3, 4]]);
    const flat = x.T.reshape(4);
    flat.zero_();
    expect(x.toArray()).toEqual([[1, 2], [3, 4]]);
    expect(() => x.T.view(4)).toThrow(/reshape\(\)/);
    expect(() => x.view(3)).toThrow(/invalid for a tensor of 4 elements/);
    x.reshape(4).zero_();
    expect(x.toArray()).toEqual([[0, 0], [0, 0]]);
    const y = p([[1, 2], [3, 4]]);
    y.T.reshape(4).mul(t([1, 2, 3, 4])).sum().backward();
    expect(g(y)).toEqual([[1, 3], [2, 4]]);
  });

  it('E155 takes expanded and non-contiguous incoming gradients', () => {
    for (const view of [
      (x: tg.Tensor) => x.select(0, 1),
      (x: tg.Tensor) => x.diagonal(),
      (x: tg.Tensor) => x.slice(0, 0, 3, 2).select(1, 0),
    ]) {
      const dense = ones(3, 3).requiresGrad_();
      const strided = ones(3, 3).requiresGrad_();
      const y = view(dense);
      y.backward(ones(...y.shape).mul(7));
      view(strided).backward(t(7).expand(y.shape));
      expect(g(strided)).toEqual(g(dense));
    }
    const x = ones(2, 3).requiresGrad_();
    x.mul(2).backward(t([[1, 2], [3, 4], [5, 6]]).T);
    expect(g(x)).toEqual([[2, 6, 10], [4, 8, 12]]);
  });

  it('changes a permuted view in place with the right gradients of both orders', () => {
    const root = p([[1, 2, 3], [4, 5, 6]]);
    const c = p([2, 3]);
    const run = (a: tg.Tensor, b: tg.Tensor): tg.Tensor => {
      const x = a.mul(a);
      x.T.narrow(0, 1, 2).mul_(b);
      return x.mul(x).sum();
    };
    const plain = (a: tg.Tensor, b: tg.Tensor): tg.Tensor => {
      const x = a.mul(a);
      const factor = b.unsqueeze(1).mul(t([[0, 1, 1]])).add(t([[1, 0, 0]]));
      return x.mul(factor).pow(2).sum();
    };
    const [gr, gc] = tg.grad(run(root, c), [root, c], { createGraph: true });
    const [er, ec] = tg.grad(plain(root, c), [root, c], { createGraph: true });
    expect([gr!.toArray(), gc!.toArray()]).toEqual([er!.toArray(), ec!.toArray()]);
    const second = tg.grad(gr!.sum().add(gc!.sum()), [root, c]);
    const expected = tg.grad(er!.sum().add(ec!.sum()), [root, c]);
    expect(second.map((s) => s.toArray())).toEqual(expected.map((s) => s.toArray()));
  });

  it('follows several changes through different views', () => {
    const root = p([1, 2, 3, 4]);
    const x = root.clone();
    const a = x.narrow(0, 0, 2);
    const b = x.narrow(0, 1, 2);
    a.mul_(2);
    b.mul_(3);
    a.add_(b);
    expect(x.toArray()).toEqual([2 + 12, 12 + 9, 9, 4]);
    x.sum().backward();
    expect(g(root)).toEqual([2, 12, 6, 1]);
  });

  it('keeps views of zeros alive to changes of the base in both directions', () => {
    const base = zeros(2, 2);
    const row = base.select(0, 0);
    const value = p([1, 2]);
    row.copy_(value);
    expect(base.toArray()).toEqual([[1, 2], [0, 0]]);
    base.mul(base).sum().backward();
    expect(g(value)).toEqual([2, 4]);
    expect(row.requiresGrad).toBe(true);
  });

  it('keeps the history of a changed view when its base is cut from the graph, and of no other', () => {
    const root = p([1, 2, 3]);
    const base = root.mul(2);
    const [changed, other] = [base.narrow(0, 0, 2), base.narrow(0, 1, 2)];
    changed.mul_(5);
    base.detach_();
    changed.sum().backward();
    expect(g(root)).toEqual([10, 10, 0]);
    expect([other.requiresGrad, other.toArray()]).toEqual([false, [20, 6]]);
  });

  it('has the right second derivatives through a changed view of a constant', () => {
    const x = p([[0.5, -0.3, 0.2], [0.1, 0.8, -0.6]]);
    const f = (x: tg.Tensor): tg.Tensor => {
      const constant = t([[1, 2, 3], [4, 5, 6]]);
      constant.T.T.mul_(x);
      return constant.sin().add(x.T.unsqueeze(1).sum());
    };
    expect(tg.gradcheck(f, x)).toBe(true);
    expect(tg.gradgradcheck(f, x)).toBe(true);
  });
});
