import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

type Tensor = tg.Tensor;

describe('functional derivatives', () => {
  it('E292 gives Jacobians of one or several inputs and outputs', () => {
    const square = (x: Tensor): Tensor => x.mul(x);
    expect(tg.jacobian(square, t([1, 2])).toArray()).toEqual([[2, 0], [0, 4]]);
    expect(tg.jacobian((x) => x.sum(), t([[1, 2], [3, 4]])).toArray()).toEqual([[1, 1], [1, 1]]);
    const [ja, jb] = tg.jacobian((a, b) => a.mul(b), [t([1, 2]), t(3)]) as [Tensor, Tensor];
    expect([ja.toArray(), jb.toArray()]).toEqual([[[3, 0], [0, 3]], [1, 2]]);
    const rows = tg.jacobian((x: Tensor): readonly Tensor[] => [x.sum(), x.mul(2)], t([1, 2]));
    expect(rows.map((row) => row.toArray())).toEqual([[1, 1], [[2, 0], [0, 2]]]);
    const blocks = tg.jacobian((a: Tensor, b: Tensor): readonly Tensor[] => [a.mul(b), b], [t(2), t(5)]);
    expect(blocks.map((row) => row.map((block) => block.item()))).toEqual([[5, 2], [0, 1]]);
    expect(tg.jacobian((x) => x.mul(2), zeros(0)).shape).toEqual([0, 0]);
    expect(tg.jacobian((x) => x.reshape(2, 2), t([1, 2, 3, 4])).shape).toEqual([2, 2, 4]);
  });

  it('E292 leaves inputs and their graphs alone unless a graph is asked for', () => {
    const x = p([1, 2]);
    const y = x.mul(3);
    const plain = tg.noGrad(() => tg.jacobian((v) => v.pow(3), y));
    expect([plain.requiresGrad, plain.toArray(), g(x)]).toEqual([false, [[27, 0], [0, 108]], null]);
    const recorded = tg.jacobian((v) => v.pow(3), y, { createGraph: true });
    recorded.sum().backward();
    expect(g(x)).toEqual([6 * 3 * 3, 6 * 6 * 3]);
  });

  it('E293 gives Hessians', () => {
    expect(tg.hessian((x) => x.pow(3).sum(), t([1, 2])).toArray()).toEqual([[6, 0], [0, 12]]);
    const blocks = tg.hessian((a, b) => a.mul(a).mul(b), [t(2), t(3)]);
    expect(blocks.map((row) => row.map((block) => block.item()))).toEqual([[6, 4], [4, 0]]);
    expect(() => tg.hessian((x) => x.mul(x), t([1, 2]))).toThrow(/must give one number, got a tensor of shape \[2\]/);
    expect(tg.hessian((x) => x.sum(), t([1, 2])).toArray()).toEqual([[0, 0], [0, 0]]);
  });

  it('E295 refuses independent outputs when it is strict', () => {
    expect(tg.jacobian((a, b) => a.add(b.detach()), [t(1), t(2)]).map((j) => j.item())).toEqual([1, 0]);
    expect(() => tg.jacobian((a, b) => a.add(b.detach()), [t(1), t(2)], { strict: true })).toThrow(/independent of input 1/);
    expect(() => tg.hessian((x) => x.sum(), t([1, 2]), { strict: true })).toThrow(/independent/);
  });

  it('E300 turns a function into its gradient', () => {
    expect(tg.func.grad((x: Tensor) => x.sin())(t(0)).item()).toBe(1);
    const third = tg.func.grad((x: Tensor) => tg.func.grad((y: Tensor) => y.pow(3))(x));
    expect(third(t(2)).item()).toBe(12);
    const [ga, gb] = tg.func.grad((a: Tensor, b: Tensor) => a.mul(b).sum(), { argnums: [0, 1] })(t([1, 2]), t([3, 4]));
    expect([ga.toArray(), gb.toArray()]).toEqual([[3, 4], [1, 2]]);
    expect(tg.func.grad((n: number, b: Tensor) => b.mul(n), { argnums: 1 })(7, t(1)).item()).toBe(7);
    expect(tg.func.grad((n: number, b: Tensor) => b.mul(n), { argnums: -1 })(7, t(1)).item()).toBe(7);
    expect(tg.func.grad((x: Tensor) => x.detach().mul(2))(t(1)).item()).toBe(0);
    expect(() => tg.func.grad((x: Tensor) => x.mul(2))(t([1, 2]))).toThrow(/must give one number, got a tensor of shape \[2\]/);
    expect(() => tg.func.grad((n: number) => t(n))(1)).toThrow(/argument 0 of the function is not a Tensor/);
  });

  it('E300 leaves no graph behind unless something outside is part of it', () => {
    const x = p(3);
    const plain = tg.func.grad((v: Tensor) => v.pow(3))(t(3));
    expect([plain.requiresGrad, plain.item()]).toEqual([false, 27]);
    const connected = tg.func.grad((v: Tensor) => v.pow(3))(x);
    expect([connected.requiresGrad, g(x)]).toEqual([true, null]);
    connected.backward();
    expect(g(x)).toBe(18);
    const w = p(5);
    tg.func.grad((v: Tensor) => v.mul(v).mul(w))(t(2)).backward();
    expect(g(w)).toBe(4);
    expect(tg.noGrad(() => tg.func.grad((v: Tensor) => v.pow(3))(x)).requiresGrad).toBe(false);
  });

  it('E301 gives the value beside the gradient', () => {
    const [slope, value] = tg.func.gradAndValue((x: Tensor) => x.mul(x))(t(3));
    expect([slope.item(), value.item(), value.requiresGrad]).toEqual([6, 9, false]);
  });

  it('E309 keeps the levels of nested gradients apart', () => {
    const confused = tg.func.grad((x: Tensor) => x.mul(tg.func.grad((y: Tensor) => x.add(y))(t(1))));
    expect(confused(t(1)).item()).toBe(1);
    const mixed = tg.func.grad((x: Tensor) => x.mul(tg.func.grad((y: Tensor) => x.mul(y).mul(y))(t(3))));
    expect(mixed(t(2)).item()).toBe(24);
  });
});
