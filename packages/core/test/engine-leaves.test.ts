import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

describe('leaves and recording', () => {
  it('E001 calls created tensors leaves and results of recorded operations not', () => {
    const x = p([1]);
    expect(x.isLeaf).toBe(true);
    expect(x.mul(2).isLeaf).toBe(false);
    expect(t([1]).isLeaf).toBe(true);
    expect(t([1]).mul(2).isLeaf).toBe(true);
  });

  it('E002 lets a result require grad when an input does and recording is on', () => {
    expect(t([1]).add(t([2])).requiresGrad).toBe(false);
    expect(t([1]).add(p([2])).requiresGrad).toBe(true);
    expect(tg.noGrad(() => t([1]).add(p([2]))).requiresGrad).toBe(false);
  });

  it('E003 refuses gradients of integers and bools', () => {
    expect(() => tg.tensor([1, 2], { dtype: 'int32', requiresGrad: true })).toThrow(/floating point/);
    expect(() => (tg.tensor([1, 2], { dtype: 'int32' }).requiresGrad = true)).toThrow(tg.DTypeError);
    expect(() => tg.tensor([true]).requiresGrad_()).toThrow(/floating point/);
  });

  it('E004 lets only leaves change the flag', () => {
    const x = p([1]);
    const y = x.mul(2);
    expect(() => (y.requiresGrad = true)).toThrow(/leaf/);
    expect(() => (y.requiresGrad = false)).toThrow(/detach\(\)/);
    expect(() => y.requiresGrad_(false)).toThrow(/leaf/);
    expect(y.requiresGrad_(true)).toBe(y);
    expect(x.requiresGrad_(false)).toBe(x);
    expect(x.requiresGrad).toBe(false);
  });

  it('E005 drops the gradient of a leaf whose flag was switched off later', () => {
    const x = p(2);
    const y = x.mul(3);
    x.requiresGrad = false;
    y.backward();
    expect(g(x)).toBeNull();
  });

  it('E006 makes the target of an in-place operation part of the graph', () => {
    const a = zeros(2);
    const b = p([1, 2]);
    a.add_(b);
    expect(a.requiresGrad).toBe(true);
    expect(a.isLeaf).toBe(false);
    a.sum().backward();
    expect(g(b)).toEqual([1, 1]);
  });

  it('E007 never lets indices require grad', () => {
    expect(p([3, 1]).argmax().requiresGrad).toBe(false);
    expect(p([3, 1]).argmin(0).requiresGrad).toBe(false);
    expect(p([3, 1]).argsort().requiresGrad).toBe(false);
    const sorted = p([3, 1]).sort();
    expect(sorted.indices.requiresGrad).toBe(false);
    expect(sorted.values.requiresGrad).toBe(true);
    const [values, indices] = [p([[3, 1]]).max(1).values, p([[3, 1]]).max(1).indices];
    expect([values.requiresGrad, indices.requiresGrad]).toEqual([true, false]);
    const top = p([3, 1, 2]).topk(2);
    expect([top.values.requiresGrad, top.indices.requiresGrad]).toEqual([true, false]);
    expect(p([1, 2]).gt(1).requiresGrad).toBe(false);
  });

  it('E008 shows the node that made a tensor and the nodes before it', () => {
    const x = p(1);
    const y = t(2);
    expect(x.gradFn).toBeNull();
    const node = x.mul(y).gradFn!;
    expect(node.name).toBe('MulBackward0');
    expect(node.nextFunctions[0]![0]!.name).toBe('AccumulateGrad');
    expect(node.nextFunctions[0]![1]).toBe(0);
    expect(node.nextFunctions[1]![0]).toBeNull();
    expect(x.exp().add(1).gradFn!.nextFunctions[0]![0]!.name).toBe('ExpBackward0');
    expect(x.mul(y).gradFn!.nextFunctions[0]![0]).toBe(node.nextFunctions[0]![0]);
  });

  it('E009 saves only what a needed gradient reads', () => {
    const mu = p([1]);
    const x = zeros(1);
    let loss = t(0);
    for (let i = 0; i < 3; i++) {
      x.detach_();
      x.copy_(mu.add(i));
      loss = loss.add(x.mul(t([i])).sum());
    }
    loss.backward();
    expect(g(mu)).toEqual([3]);
  });

  it('E010 prints requiresGrad for leaves and gradFn for results', () => {
    const x = p([1, 2]);
    expect(String(x)).toMatch(/requiresGrad=true/);
    expect(String(x.mul(2))).toMatch(/gradFn=<MulBackward0>/);
    expect(String(x.detach())).not.toMatch(/requiresGrad|gradFn/);
  });

  it('E011 warns once when the gradient of a computed tensor is read', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const y = p(1).mul(2);
      expect(y.grad).toBeNull();
      expect(y.grad).toBeNull();
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn.mock.calls[0]![0]).toMatch(/retainGrad\(\)/);
    } finally {
      warn.mockRestore();
    }
  });

  it('E012 refuses to convert to an ndarray what requires grad', () => {
    const x = p([1, 2]);
    expect(() => x.toNdarray()).toThrow(/detach\(\)\.toNdarray\(\)/);
    expect(() => x.mul(2).toNdarray()).toThrow(tg.GradError);
    expect(x.detach().toNdarray().get(1)).toBe(2);
    expect(tg.noGrad(() => x.toNdarray()).get(0)).toBe(1);
    expect(x.toArray()).toEqual([1, 2]);
  });

  it('E013 records nothing in factories but honours an explicit requiresGrad', () => {
    tg.noGrad(() => {
      expect(tg.ones(2, { requiresGrad: true }).requiresGrad).toBe(true);
      expect(tg.tensor([1], { requiresGrad: true }).requiresGrad).toBe(true);
    });
    const x = tg.ones(2, { requiresGrad: true });
    expect([x.isLeaf, x.gradFn]).toEqual([true, null]);
    expect(tg.zeros(2).requiresGrad).toBe(false);
  });

  it('E014 checks what is assigned to grad', () => {
    const x = p([1, 2]);
    expect(() => (x.grad = t([1]))).toThrow(/shape/);
    expect(() => (x.grad = tg.tensor([1, 2], { dtype: 'float32' }))).toThrow(/float32/);
    expect(() => (x.grad = x)).toThrow(/itself/);
    expect(() => (x.grad = [1, 2] as unknown as tg.Tensor)).toThrow(/Tensor or null/);
    x.grad = t([3, 4]);
    expect(g(x)).toEqual([3, 4]);
  });

  it('E015 lets grad be set to null at any time', () => {
    const x = p([1, 2]);
    x.sum().backward();
    x.grad = null;
    expect(g(x)).toBeNull();
    x.sum().backward();
    expect(g(x)).toEqual([1, 1]);
  });
});
