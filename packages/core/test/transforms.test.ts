import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';

const { func } = tg;
const t = (value: unknown): tg.Tensor => tg.tensor(value as number[], { dtype: 'float64' });
const close = (actual: tg.Tensor, expected: tg.Tensor): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-10);
};
const draw = (...shape: number[]): tg.Tensor => tg.randn(shape, { dtype: 'float64' });

describe('products with the Jacobian', () => {
  it('E290 pulls cotangents back, as often as asked', () => {
    const [value, pull] = func.vjp((x: tg.Tensor) => x.exp().sum(1), tg.zeros([2, 3], { dtype: 'float64' }));
    expect(value.toArray()).toEqual([3, 3]);
    for (const k of [1, 2]) expect(pull(t([1, 2]).mul(k))[0]!.toArray()).toEqual([[k, k, k], [2 * k, 2 * k, 2 * k]]);
    expect(value.requiresGrad).toBe(false);
    expect(() => pull(t([1]))).toThrow(/cotangent 0 has shape \[1\], but its tensor has \[2\]/);
  });

  it('E291 pushes tangents forward', () => {
    const [value, tangent] = func.jvp((x: tg.Tensor) => x.square(), [t([1, 2])], [t([3, 4])]);
    expect([value.toArray(), tangent.toArray()]).toEqual([[1, 4], [6, 16]]);
    expect(tangent.requiresGrad).toBe(false);
    expect(() => func.jvp((x: tg.Tensor) => x, [t([1, 2])], [t([[3, 4]])])).toThrow(/tangent 0 has shape \[1, 2\]/);
    expect(() => func.jvp((x: tg.Tensor) => x, [t([1, 2])], [tg.tensor([3, 4])])).toThrow(/tangent 0 is float32/);
  });

  it('E291 gives zeros for what does not depend on the arguments', () => {
    const [, [a, b]] = func.jvp((x: tg.Tensor) => [x.sin(), t([5])], [t([0])], [t([2])]);
    expect([a!.toArray(), b!.toArray()]).toEqual([[2], [0]]);
    expect(func.jvp((_: tg.Tensor) => t([5]), [t([0])], [t([2])])[1].toArray()).toEqual([0]);
  });

  it('E294 E302 of a gradient is a product with the Hessian', () => {
    const f = (x: tg.Tensor): tg.Tensor => x.pow(3).sum();
    const [value, product] = func.hvp(f, [t([1, 2])], [t([1, 1])]);
    expect([value.item(), product[0]!.toArray()]).toEqual([9, [6, 12]]);
    const [, forwardOverReverse] = func.jvp((x: tg.Tensor) => func.grad(f)(x), [t([1, 2])], [t([1, 1])]);
    expect(forwardOverReverse.toArray()).toEqual([6, 12]);
    close(func.hessian((x: tg.Tensor) => x.sin().sum())(t([0, Math.PI / 2])), t([[0, 0], [0, -1]]));
  });

  it('E302 rows and columns make the same Jacobian', () => {
    const w = draw(4, 3);
    const f = (x: tg.Tensor): tg.Tensor => x.matmul(w).tanh().softmax(-1).cumsum(-1);
    const x = draw(2, 4);
    close(func.jacrev(f)(x), func.jacfwd(f)(x));
    close(func.jacrev(f)(x), tg.jacobian(f, x));
  });

  it('E309 tells levels apart', () => {
    const inner = (x: tg.Tensor): tg.Tensor => func.grad((y: tg.Tensor) => x.add(y))(t(1));
    expect(func.grad((x: tg.Tensor) => x.mul(inner(x)))(t(1)).item()).toBe(1);
    const pushed = (x: tg.Tensor): tg.Tensor => func.jvp((y: tg.Tensor) => x.mul(y), [t(1)], [t(1)])[1];
    expect(func.grad((x: tg.Tensor) => x.mul(pushed(x)))(t(3)).item()).toBe(6);
    const twice = (x: tg.Tensor): tg.Tensor => func.jvp((y: tg.Tensor) => func.jvp((z: tg.Tensor) => z.pow(3), [y], [t(1)])[1], [x], [t(1)])[1];
    expect(func.grad(twice)(t(2)).item()).toBe(6);
  });

  it('E291 agrees with ⟨v, Jᵀu⟩ for operations of every kind', () => {
    tg.manualSeed(5);
    const w = draw(3, 2, 2, 2);
    const operations: ((x: tg.Tensor) => tg.Tensor)[] = [
      (x) => x.gelu(), (x) => x.matmul(x.mT), (x) => x.max(-1).values, (x) => x.sort(-1).values, (x) => x.logSoftmax(1),
      (x) => tg.layerNorm(x, [4]), (x) => tg.conv2d(x, w), (x) => tg.maxPool2d(x, 2), (x) => x.cumprod(-1), (x) => x.indexSelect(0, tg.tensor([1, 0, 1], { dtype: 'int32' })),
      (x) => x.unbind(0)[1]!, (x) => x.clone().mul_(2).exp_(), (x) => x.std(-1), (x) => tg.scaledDotProductAttention(x, x, x),
    ];
    for (const f of operations) {
      const [x, v] = [draw(2, 2, 3, 4), draw(2, 2, 3, 4)];
      const [value, pull] = func.vjp(f, x);
      const u = draw(...value.shape);
      const [, tangent] = func.jvp(f, [x], [v]);
      expect(tangent.mul(u).sum().item()).toBeCloseTo(pull(u)[0]!.mul(v).sum().item(), 8);
    }
  });
});

describe('vmap', () => {
  it('E303 maps over chosen dimensions and puts the new one where it is wanted', () => {
    const [a, b] = [draw(3, 5), draw(3, 5)];
    close(func.vmap((x: tg.Tensor, y: tg.Tensor) => x.dot(y))(a, b), a.mul(b).sum(1));
    close(func.vmap((x: tg.Tensor, y: tg.Tensor) => x.mul(y), { inDims: [1, null], outDims: 1 })(a, t(2)), a.mul(2));
    const nested = func.vmap((x: tg.Tensor) => func.vmap((y: tg.Tensor) => x.dot(y))(b));
    close(nested(a), a.matmul(b.T));
    const { s, p } = func.vmap((x: { a: tg.Tensor; b: tg.Tensor }) => ({ s: x.a.add(x.b), p: x.a.mul(x.b) }))({ a, b });
    close(s, a.add(b));
    close(p, a.mul(b));
    const sign = func.vmap((x: tg.Tensor) => (x.item() > 0 ? x.mul(2) : x.neg()));
    expect(sign(t([1, -3])).toArray()).toEqual([2, 3]);
  });

  it('E304 gives gradients per sample, which add up to that of the sum', () => {
    const [w, x, y] = [draw(3, 2), draw(6, 3), draw(6, 2)];
    const loss = (w: tg.Tensor, x: tg.Tensor, y: tg.Tensor): tg.Tensor => x.matmul(w).sub(y).square().sum();
    const perSample = func.vmap((w: tg.Tensor, x: tg.Tensor, y: tg.Tensor) => func.grad(loss)(w, x, y), { inDims: [null, 0, 0] })(w, x, y);
    expect(perSample.shape).toEqual([6, 3, 2]);
    close(perSample.sum(0), func.grad(loss)(w, x, y));
  });

  it('is differentiated like anything else', () => {
    const x = draw(4, 3).requiresGrad_();
    const [g] = tg.grad(func.vmap((row: tg.Tensor) => row.softmax(0).square().sum())(x).sum(), x);
    close(g!, tg.grad(x.softmax(1).square().sum(), x)[0]!);
  });

  it('E305 refuses what would not be a map', () => {
    const x = draw(2, 3);
    const identity = func.vmap((a: tg.Tensor, b: tg.Tensor) => a.add(b));
    expect(() => identity(x, draw(3, 3))).toThrow(/argument 0 is 2 and that of argument 1 3/);
    expect(() => func.vmap((a: tg.Tensor) => a, { inDims: [null] })(x)).toThrow(/at least one argument/);
    expect(() => func.vmap((a: tg.Tensor) => a, { inDims: 2 })(x)).toThrow(/dimension 2 of argument 0 is out of range/);
    expect(() => func.vmap((a: tg.Tensor) => a, { inDims: [[0]] })(x)).toThrow(/has a structure for argument 0/);
    expect(() => func.vmap((a: tg.Tensor) => a.item())(t([1]))).toThrow(/must give tensors/);
    const shared = t([0, 0, 0]);
    expect(() => func.vmap((a: tg.Tensor, b: tg.Tensor) => b.add_(a), { inDims: [0, null] })(x, shared)).toThrow(/changes argument 1 in place/);
  });

  it('E303 says how random numbers are drawn', () => {
    const x = tg.zeros([3, 2]);
    const noise = (row: tg.Tensor): tg.Tensor => row.add(tg.rand([2]));
    tg.manualSeed(1);
    const before = tg.getRngState();
    expect(() => func.vmap(noise)(x)).toThrow(/draws random numbers/);
    expect(tg.getRngState()).toEqual(before);
    const rows = (randomness: 'same' | 'different'): number => new Set((func.vmap(noise, { randomness })(x).toArray() as number[][]).map(String)).size;
    expect([rows('same'), rows('different')]).toEqual([1, 3]);
  });
});
