import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

const MODIFIED = /modified by an inplace operation/;

describe('in-place operations and versions', () => {
  it('E120 counts every in-place change of the memory', () => {
    const x = t([1]);
    const v = x.version;
    x.add_(1).add_(1);
    expect(x.version).toBe(v + 2);
    x.select(0, 0).mul_(2);
    x.detach().zero_();
    expect(x.version).toBe(v + 4);
    x.add(1);
    expect(x.version).toBe(v + 4);
    expect(x.clone().version).toBe(0);
  });

  it('E121 refuses to use a saved value that was changed, and says which', () => {
    const x = p([2]);
    const y = x.mul(1);
    const z = y.mul(y);
    y.add_(1);
    const run = (): void => z.backward();
    expect(run).toThrow(MODIFIED);
    expect(run).toThrow(/version 1; expected version 0/);
    expect(run).toThrow(/float64 \[1\].*output 0 of MulBackward0.*detectAnomaly/s);
  });

  it('E121 says where the operation was recorded in anomaly mode', () => {
    const x = p([2]);
    const z = tg.detectAnomaly(() => {
      const y = x.mul(1);
      const product = y.mul(y);
      y.add_(1);
      return product;
    });
    expect(() => z.backward()).toThrow(/engine-inplace\.test\.ts/);
  });

  it('E122 does not mind changes of what is not needed', () => {
    const x = ones(2, 2).requiresGrad_();
    const y = ones(2, 2).mul(4).requiresGrad_();
    const z = x.mul(y);
    const q = z.add(y);
    const w = z.mul(y);
    z.add_(2);
    q.backward(ones(2, 2), { retainGraph: true });
    expect(() => w.backward(ones(2, 2))).toThrow(MODIFIED);
  });

  it('E123 refuses to write to a leaf while recording', () => {
    const x = p([1]);
    expect(() => x.add_(1)).toThrow(/a leaf Variable that requires grad is being used in an in-place operation/);
    expect(() => x.zero_()).toThrow(tg.GradError);
    expect(x.toArray()).toEqual([1]);
    expect(x.version).toBe(0);
  });

  it('E124 refuses to write to a view of a leaf while recording', () => {
    const x = p([1, 2]);
    expect(() => x.select(0, 0).add_(1)).toThrow(/a view of a leaf Variable that requires grad/);
    expect(() => x.narrow(0, 0, 1).select(0, 0).zero_()).toThrow(/a view of a leaf/);
    expect(x.toArray()).toEqual([1, 2]);
  });

  it('E125 gives the tensor a new history and older users the old one', () => {
    const x = p([1]);
    const b = x.clone();
    const c = b.mul(2);
    b.mul_(3);
    expect(b.gradFn!.name).toBe('MulBackward0');
    c.sum().backward();
    expect(g(x)).toEqual([2]);
    b.sum().backward();
    expect(g(x)).toEqual([5]);
  });

  it('E126 saves results or old values as the gradient needs them', () => {
    const forms: Record<string, [(x: tg.Tensor) => tg.Tensor, (x: tg.Tensor) => tg.Tensor]> = {
      relu: [(x) => x.relu(), (x) => x.relu_()],
      exp: [(x) => x.exp(), (x) => x.exp_()],
      sigmoid: [(x) => x.sigmoid(), (x) => x.sigmoid_()],
      tanh: [(x) => x.tanh(), (x) => x.tanh_()],
      sqrt: [(x) => x.sqrt(), (x) => x.sqrt_()],
      sin: [(x) => x.sin(), (x) => x.sin_()],
      pow: [(x) => x.pow(3), (x) => x.pow_(3)],
    };
    for (const [plain, inPlace] of Object.values(forms)) {
      const x = p([0.5, 2]);
      const y = p([0.5, 2]);
      plain(x.mul(1)).sum().backward();
      inPlace(y.mul(1)).sum().backward();
      expect(g(y)).toEqual(g(x));
    }
    const x = p([2]);
    const c = p([5]);
    x.clone().mul_(c).sum().backward();
    expect([g(x), g(c)]).toEqual([[5], [2]]);
    const b = p([2]).clone();
    b.mul_(b);
    expect(() => b.sum().backward()).toThrow(MODIFIED);
    const d = p([2]);
    d.clone().mul_(3).sum().backward();
    expect(g(d)).toEqual([3]);
  });

  it('E126 is right for second derivatives through an in-place operation', () => {
    const x = p([2]);
    const c = p([5]);
    const y = x.mul(1).mul_(c).pow_(3).sum();
    const [gx] = tg.grad(y, x, { createGraph: true });
    expect(gx!.toArray()).toEqual([3 * 4 * 125]);
    const [gxx, gxc] = tg.grad(gx!.sum(), [x, c]);
    expect([gxx!.toArray(), gxc!.toArray()]).toEqual([[6 * 2 * 125], [9 * 4 * 25]]);
  });

  it('E127 has the right values after a chain with an in-place end', () => {
    const run = (which: 'r' | 'w'): [number, number] => {
      const x = ones(5, 5).requiresGrad_();
      const y = ones(5, 5).mul(4).requiresGrad_();
      const m = x.div(2);
      const z = m.add(y.div(8));
      const r = z.add(y);
      const w = z.exp_();
      (which === 'r' ? r : w).backward(ones(5, 5), { retainGraph: true });
      const at = (v: tg.Tensor): number => v.grad!.select(0, 0).select(0, 0).item();
      return [at(x), at(y)];
    };
    expect(run('r')).toEqual([1 / 2, 1 + 1 / 8]);
    const [gx, gy] = run('w');
    expect(gx).toBeCloseTo(Math.E / 2, 12);
    expect(gy).toBeCloseTo(Math.E / 8, 12);
  });

  it('E128 lets the gradient of assigned items flow to values and rest', () => {
    const x = zeros(5, 5);
    const y = ones(5).requiresGrad_();
    const z = ones(5).requiresGrad_();
    const rest = ones(5, 5).requiresGrad_();
    x.add_(rest);
    x.select(0, 0).copy_(y);
    x.select(0, 1).copy_(z.mul(2));
    x.sum().backward();
    expect(g(y)).toEqual([1, 1, 1, 1, 1]);
    expect(g(z)).toEqual([2, 2, 2, 2, 2]);
    expect((g(rest) as number[][]).map((row) => row[0])).toEqual([0, 0, 1, 1, 1]);
  });

  it('E129 gives overwritten positions a gradient of zero', () => {
    const a = p([1, 2, 3]);
    const b = a.clone();
    b.select(0, 1).copy_(t(9));
    b.sum().backward();
    expect(b.toArray()).toEqual([1, 9, 3]);
    expect(g(a)).toEqual([1, 0, 1]);
    const c = p([1, 2, 3]);
    c.clone().zero_().sum().backward();
    expect(g(c)).toEqual([0, 0, 0]);
  });

  it('E130 never changes the shape of the target', () => {
    const x = zeros(1, 3, 1);
    const { version } = x;
    expect(() => x.add_(zeros(3, 1, 7))).toThrow(/expanded size/);
    expect(() => t(1).add_(t([1, 2]))).toThrow(tg.ShapeError);
    expect([x.shape, x.version]).toEqual([[1, 3, 1], version]);
    expect(zeros(2, 3).add_(t([1, 2, 3])).toArray()).toEqual([[1, 2, 3], [1, 2, 3]]);
  });

  it('E131 refuses a result of a higher kind than the target', () => {
    const x = tg.tensor([1, 2], { dtype: 'int32' });
    expect(() => x.add_(1.5)).toThrow(/result type float32 can't be cast to .*int32/);
    expect(() => x.mul_(t([1, 2]))).toThrow(tg.DTypeError);
    expect(() => tg.tensor([true]).add_(1)).toThrow(/can't be cast/);
    expect(x.add_(1).toArray()).toEqual([2, 3]);
    expect(tg.tensor([1, 2]).add_(t([1, 2])).dtype).toBe('float32');
  });

  it('E131 keeps gradients right when the operand has a higher precision', () => {
    const x = tg.tensor([1, 2], { requiresGrad: true });
    const w = p([3, 4]);
    const y = x.clone().mul_(w);
    expect(y.dtype).toBe('float32');
    y.sum().backward();
    expect([g(x), x.grad!.dtype, g(w), w.grad!.dtype]).toEqual([[3, 4], 'float32', [1, 2], 'float64']);
  });

  it('E135 returns the tensor itself', () => {
    const x = t([1]);
    expect(x.add_(1).mul_(2)).toBe(x);
    expect(x.toArray()).toEqual([4]);
  });

  it('takes operands that overlap the target', () => {
    const x = t([1, 2, 3, 4]);
    x.narrow(0, 1, 3).add_(x.narrow(0, 0, 3));
    expect(x.toArray()).toEqual([1, 3, 5, 7]);
  });
});
