import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';

const p = (value: number | number[]): tg.Tensor => tg.tensor(value, { dtype: 'float64', requiresGrad: true });
const times = (n: number) => (x: tg.Tensor): tg.Tensor => x.mul(n);
const same = (x: tg.Tensor): tg.Tensor => x;

describe('hooks on saved tensors', () => {
  it('E220 the innermost pair counts', () => {
    const [a, b] = [p(5), p(7)];
    tg.savedTensorsHooks(times(3), times(3), () => {
      const y = tg.savedTensorsHooks(times(5), times(5), () => a.mul(a));
      const z = b.mul(b);
      y.add(z).backward();
    });
    expect([a.grad!.item(), b.grad!.item()]).toEqual([2 * 25 * 5, 2 * 9 * 7]);
  });

  it('E221 what is packed is what derivatives of every order read', () => {
    const second = (inForward: boolean, inBackward: boolean): number => {
      const a = p(5);
      const within = <T>(on: boolean, body: () => T): T => (on ? tg.savedTensorsHooks(times(2), same, body) : body());
      const y = within(inForward, () => a.pow(3));
      const [g] = within(inBackward, () => tg.grad(y, a, { createGraph: true }));
      return tg.grad(g!, a)[0]!.item();
    };
    // The recorded derivative saves both a and the gradient that came in.
    expect([second(true, false), second(false, true), second(true, true)]).toEqual([6 * 2 * 5, 6 * 4 * 5, 6 * 8 * 5]);
  });

  it('E221 results that rules save keep their place in the graph', () => {
    for (const f of [(x: tg.Tensor) => x.exp(), (x: tg.Tensor) => x.softmax(0), (x: tg.Tensor) => x.clone().tanh_(), (x: tg.Tensor) => x.cumprod(0)]) {
      const x = p([0.3, -0.2, 0.5]);
      const plain = tg.hessian((t: tg.Tensor) => f(t).pow(2).sum(), x).toArray();
      const hooked = tg.savedTensorsHooks((t) => t.clone(), same, () => tg.hessian((t: tg.Tensor) => f(t).pow(2).sum(), x));
      expect(hooked.toArray()).toEqual(plain);
    }
  });

  it('E221 works for custom functions that save results and what lies between', () => {
    class Cube extends tg.Function {
      static forward(ctx: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
        const square = x.mul(x);
        const cube = square.mul(x);
        ctx.saveForBackward(x, square, cube);
        return cube;
      }
      static backward(ctx: tg.FunctionContext, g: tg.Tensor): tg.Tensor {
        const [x, , cube] = ctx.savedTensors;
        return g.mul(cube.mul(3)).div(x);
      }
    }
    const x = p(2);
    const y = tg.savedTensorsHooks((t) => t.item(), (n: number) => tg.tensor(n, { dtype: 'float64' }), () => Cube.apply(x) as tg.Tensor);
    const [g] = tg.grad(y, x, { createGraph: true });
    expect([g!.item(), tg.grad(g!, x)[0]!.item()]).toEqual([12, 12]);
  });

  it('E222 packs once per place, and refuses a pack that changes its argument', () => {
    let packed = 0;
    const a = p(5);
    tg.savedTensorsHooks((x) => (packed++, x), same, () => a.mul(a));
    expect(packed).toBe(2);
    expect(() => tg.savedTensorsHooks((x) => x.mul_(2), same, () => a.exp())).toThrow(/pack changed its argument in place/);
  });

  it('E224 can be refused with a message', () => {
    const enter = (): unknown => tg.savedTensorsHooks(same, same, () => 1);
    expect(() => tg.disableSavedTensorsHooks('not here', enter)).toThrow('not here');
    expect(enter()).toBe(1);
  });
});

describe('checkpoint', () => {
  const parts = (): tg.Tensor[] => (tg.manualSeed(1), [tg.randn([4, 4]).requiresGrad_(), tg.randn([4, 4]).requiresGrad_()]);
  const layer = (x: tg.Tensor, w: tg.Tensor): tg.Tensor => tg.dropout(x.matmul(w).tanh(), 0.5).matmul(w).softmax(-1);

  it('E250 E253 gives the same gradients to the bit, dropout included', () => {
    const [x, w] = parts();
    const run = (f: () => tg.Tensor): unknown => (tg.manualSeed(7), tg.grad(f().square().sum(), [x!, w!]).map((g) => g.toArray()));
    expect(run(() => tg.checkpoint(layer, [x!, w!]))).toEqual(run(() => layer(x!, w!)));
    const after = tg.rand([1]).item();
    run(() => layer(x!, w!));
    expect(tg.rand([1]).item()).toBe(after);
  });

  it('E251 nests, works with gradients of gradients, detached tensors and several results', () => {
    const x = p([0.5, -1]);
    const inner = (t: tg.Tensor): tg.Tensor => tg.checkpoint((u: tg.Tensor) => u.exp().sin(), [t]).mul(t.detach());
    const f = (t: tg.Tensor): tg.Tensor => {
      const { a, b } = tg.checkpoint((u: tg.Tensor) => ({ a: inner(u), b: u.pow(3) }), [t]);
      return a.mul(b).sum();
    };
    const plain = (t: tg.Tensor): tg.Tensor => t.exp().sin().mul(t.detach()).mul(t.pow(3)).sum();
    for (const derivative of [tg.hessian, tg.jacobian]) {
      const [actual, expected] = [derivative(f, x), derivative(plain, x)];
      expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-12);
    }
  });

  it('E255 calls the function once more per backward pass, and no further than needed', () => {
    const x = p(2);
    const calls: string[] = [];
    const f = (t: tg.Tensor): tg.Tensor => {
      calls.push('start');
      const y = t.exp().mul(t);
      calls.push('end');
      return y;
    };
    const y = tg.checkpoint(f, [x]);
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(calls).toEqual(['start', 'end', 'start', 'start']);
    expect(x.grad!.item()).toBeCloseTo(2 * 3 * Math.exp(2), 10);
  });

  it('E254 notices a function that does something else, and arguments that were changed', () => {
    let size = 2;
    const changing = (t: tg.Tensor): tg.Tensor => t.expand([size++]).exp().sum();
    expect(() => tg.checkpoint(changing, [p(1)]).backward()).toThrow(/saved float64 \[2\] as its tensor 0, and float64 \[3\]/);
    let first = true;
    const shrinking = (t: tg.Tensor): tg.Tensor => (first ? ((first = false), t.exp().sin()) : t.exp());
    expect(() => tg.checkpoint(shrinking, [p(1)]).backward()).toThrow(/saved 2 tensors, and only 1/);
    const x = p(1).clone();
    const y = tg.checkpoint((t: tg.Tensor) => t.exp(), [x]);
    tg.noGrad(() => x.add_(1));
    expect(() => y.backward()).toThrow(/argument 0 was changed in place/);
  });

  it('E250 keeps nothing that the function saves', () => {
    const packed: unknown[] = [];
    const x = p([1, 2]);
    tg.savedTensorsHooks((t) => (packed.push(t), t), same, () => tg.checkpoint((t: tg.Tensor) => t.exp().sin().cos(), [x]));
    expect(packed).toEqual([]);
  });
});
