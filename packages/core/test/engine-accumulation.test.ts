import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

beforeEach(() => void jest.spyOn(console, 'warn').mockImplementation(() => {}));

const AGAIN = /second time/;

describe('accumulation into grad', () => {
  it('E040 sets grad at the first backward and adds at later ones', () => {
    const x = p(3);
    expect(x.grad).toBeNull();
    x.mul(2).backward();
    x.mul(2).backward();
    expect(g(x)).toBe(4);
  });

  it('E041 adds a second gradient in place', () => {
    const x = p([[1, 2], [3, 4]]);
    const seed = t([[5, 6], [7, 8]]);
    x.add(2).backward(seed);
    const first = x.grad!;
    x.add(2).backward(seed);
    expect(x.grad).toBe(first);
    expect(first.toArray()).toEqual([[10, 12], [14, 16]]);
  });

  it('E042 adds out of place with createGraph', () => {
    const x = p([1, 2]);
    const seed = t([5, 6]);
    x.add(2).backward(seed);
    const first = x.grad!;
    x.add(2).backward(seed, { createGraph: true });
    expect(x.grad).not.toBe(first);
    expect(first.toArray()).toEqual([5, 6]);
    expect(g(x)).toEqual([10, 12]);
  });

  it('E043 leaves grad alone when there is no gradient', () => {
    class Nothing extends tg.Function {
      static forward(_: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
        return x.clone();
      }
      static backward(): null {
        return null;
      }
    }
    const x = p(1);
    Nothing.apply(x).backward();
    expect(g(x)).toBeNull();
    Nothing.apply(x.mul(2)).backward();
    expect(g(x)).toBeNull();
    Nothing.apply(x).add(x).backward();
    expect(g(x)).toBe(1);
  });

  it('E044 never shares memory between grad and what a user can see', () => {
    const x = p([1, 2]);
    const seed = t([1, 1]);
    x.backward(seed);
    seed.mul_(5);
    expect(g(x)).toEqual([1, 1]);
    const a = p([1, 2]);
    const b = p([3, 4]);
    a.add(b).backward(seed);
    a.grad!.mul_(10);
    expect([g(a), g(b), seed.toArray()]).toEqual([[50, 50], [5, 5], [5, 5]]);
    const c = p([1, 2]);
    c.backward(seed, { createGraph: true });
    expect(c.grad).not.toBe(seed);
    const h = a.mul(2);
    const kept: tg.Tensor[] = [];
    h.registerHook((gradient) => void kept.push(gradient));
    a.grad = null;
    h.backward(t([1, 1]));
    kept[0]!.mul_(100);
    expect(g(a)).toEqual([2, 2]);
  });

  it('E045 keeps grad dense', () => {
    const x = p([[1, 2, 3], [4, 5, 6]]);
    x.sum().backward();
    expect(x.grad!.isContiguous()).toBe(true);
    const y = p([[1, 2, 3], [4, 5, 6]]);
    y.T.mul(t([[1, 2], [3, 4], [5, 6]])).sum().backward();
    expect(y.grad!.isContiguous()).toBe(true);
    expect(g(y)).toEqual([[1, 3, 5], [2, 4, 6]]);
  });

  it('E046 gives the gradient the shape and dtype of its leaf', () => {
    const x = tg.tensor([1, 2], { requiresGrad: true });
    x.add(ones(3, 2)).sum().backward();
    expect([x.grad!.dtype, g(x)]).toEqual(['float32', [3, 3]]);
  });
});

describe('retainGraph', () => {
  it('E050 releases what nodes saved unless createGraph or retainGraph says otherwise', () => {
    const x = p(2);
    const once = x.mul(x);
    once.backward();
    expect(() => once.backward()).toThrow(AGAIN);
    const [gx] = tg.grad(x.mul(x).mul(x), x, { createGraph: true });
    expect(gx!.item()).toBe(12);
    const twice = x.mul(x);
    tg.grad(twice, x, { createGraph: true });
    expect(tg.grad(twice, x)[0]!.item()).toBe(4);
    const released = x.mul(x);
    tg.grad(released, x, { createGraph: true, retainGraph: false });
    expect(() => released.backward()).toThrow(AGAIN);
  });

  it('E051 explains the second backward when it reads what was released', () => {
    const x = p(2);
    const c = x.mul(x);
    c.backward();
    expect(() => c.backward()).toThrow(AGAIN);
    expect(() => c.backward()).toThrow(/retainGraph/);
    expect(() => c.backward()).toThrow(tg.GradError);
    expect(g(x)).toBe(4);
  });

  it('E052 lets operations that save nothing run twice', () => {
    const b = p([1, 1, 1]);
    const c = b.add(1);
    c.backward(ones(3));
    c.backward(ones(3));
    expect(g(b)).toEqual([2, 2, 2]);
  });

  it('E053 keeps everything with retainGraph', () => {
    const x = p(3);
    const y = x.mul(x);
    y.backward(t(1), { retainGraph: true });
    y.backward(t(1), { retainGraph: true });
    y.backward();
    expect(g(x)).toBe(18);
    expect(() => y.backward()).toThrow(AGAIN);
  });

  it('E054 needs it for two losses over a shared part', () => {
    const build = (): [tg.Tensor, tg.Tensor, tg.Tensor] => {
      const x = p(2);
      const shared = x.mul(x);
      return [x, shared.mul(3), shared.add(1)];
    };
    const [, l1, l2] = build();
    l1.backward();
    expect(() => l2.backward()).toThrow(AGAIN);
    const [x, a, b] = build();
    a.backward(null, { retainGraph: true });
    b.backward();
    const [y, c, d] = build();
    c.add(d).backward();
    expect([g(x), g(y)]).toEqual([16, 16]);
  });

  it('E055 refuses to read a saved value after its release', () => {
    const x = p(2);
    const y = x.exp();
    expect(y.gradFn!.output(0).item()).toBe(Math.exp(2));
    y.backward();
    expect(() => y.gradFn!.output(0)).toThrow(AGAIN);
  });
});

describe('createGraph', () => {
  it('E060 records the backward pass itself', () => {
    const x = p([[1, 2], [3, 4]]);
    const y = ones(2, 2).requiresGrad_();
    const z = x.mul(x).add(y.mul(x)).add(y.mul(y));
    z.backward(ones(2, 2), { createGraph: true });
    const dx = t([[1, 2], [3, 4]]).mul(2).add(1);
    expect(g(x)).toEqual(dx.toArray());
    expect(g(y)).toEqual([[3, 4], [5, 6]]);
    expect(x.grad!.requiresGrad).toBe(true);
    const s = x.grad!.mul(2).add(y.grad!);
    s.backward(ones(2, 2));
    expect(g(x)).toEqual(dx.add(5).toArray());
    expect(g(y)).toEqual([[3 + 4, 4 + 4], [5 + 4, 6 + 4]]);
  });

  it('E061 gives derivatives of any order', () => {
    const x = p(2);
    let y = x.pow(4);
    const found: number[] = [];
    for (let n = 0; n < 5; n++) {
      [y] = tg.grad(y, x, { createGraph: true }) as [tg.Tensor];
      found.push(y.item());
    }
    expect(found).toEqual([32, 48, 48, 24, 0]);
  });

  it('E062 warns once that backward with createGraph keeps the graph alive', async () => {
    jest.resetModules();
    const warn = jest.mocked(console.warn).mockClear();
    const fresh = await import('../src/index.ts');
    await fresh.useBackend('reference');
    const x = fresh.tensor(2, { requiresGrad: true });
    x.mul(x).backward(null, { createGraph: true });
    x.mul(x).backward(null, { createGraph: true });
    fresh.grad(x.mul(x), x, { createGraph: true });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/grad\(loss, inputs, \{ createGraph: true \}\)/);
  });

  it('E063 supports a penalty on gradients', () => {
    const x = p([3, 4]);
    const n = x.mul(x).sum().sqrt();
    const [gx] = tg.grad(n.pow(2), x, { createGraph: true });
    gx!.pow(2).sum().backward();
    const found = g(x) as number[];
    expect(found[0]).toBeCloseTo(24, 12);
    expect(found[1]).toBeCloseTo(32, 12);
  });

  it('E067 runs backward with recording on exactly when a graph is created', () => {
    const seen: boolean[] = [];
    const x = p(2);
    const y = x.mul(x);
    y.registerHook(() => void seen.push(tg.isGradEnabled()));
    tg.grad(y, x, { retainGraph: true });
    tg.noGrad(() => tg.grad(y, x, { createGraph: true }));
    tg.grad(y, x);
    expect(seen).toEqual([false, true, false]);
  });

  it('E066 has a Hessian that agrees with differences of the gradient', () => {
    const at = [0.3, -0.7, 1.1];
    const f = (x: tg.Tensor): tg.Tensor => x.sin().mul(x.pow(3)).sum().add(x.exp().sum().tanh());
    const gradient = (values: number[]): number[] => {
      const x = p(values);
      return tg.grad(f(x), x)[0]!.toArray() as number[];
    };
    const x = p(at);
    const [gx] = tg.grad(f(x), x, { createGraph: true });
    for (let i = 0; i < 3; i++) {
      const row = tg.grad(gx!.select(0, i), x, { retainGraph: true })[0]!.toArray() as number[];
      for (let j = 0; j < 3; j++) {
        const step = (h: number): number[] => gradient(at.map((v, k) => (k === j ? v + h : v)));
        const numeric = (step(1e-6)[i]! - step(-1e-6)[i]!) / 2e-6;
        expect(row[j]).toBeCloseTo(numeric, 6);
      }
    }
  });
});

describe('gradients of one tensor that come by many ways', () => {
  const values = Array.from({ length: 37 }, (_, i) => Math.fround(Math.sin(i * 7.3) * 3));
  /** Every sum of gradients that there is: twice and three times the same operand, after others and before. */
  const composed = (x: tg.Tensor): tg.Tensor => {
    const y = x.mul(x).add(x.exp());
    return tg.addcmul(y, x, y).div(tg.addcmul(x, x, x).abs().add(1)).add(y.mul(0.3)).sum();
  };
  const fresh = (): tg.Tensor => tg.tensor(values).requiresGrad_();

  it('are the same to the bit from backward(), from grad(), with hooks and with a graph', () => {
    const [plain, asked, hooked, recorded] = [fresh(), fresh(), fresh(), fresh()];
    composed(plain).backward();
    const [direct] = tg.grad(composed(asked), [asked]);
    const loss = composed(hooked);
    const nodes = new Set([loss.gradFn!]);
    // A set goes on with what is added on the way.
    for (const node of nodes) {
      if (node.inputs.length > 0) node.registerHook(() => undefined);
      for (const [next] of node.nextFunctions) if (next !== null) nodes.add(next);
    }
    loss.backward();
    composed(recorded).backward(null, { createGraph: true });
    const bits = plain.grad!.toTypedArray();
    expect(direct!.toTypedArray()).toEqual(bits);
    expect(hooked.grad!.toTypedArray()).toEqual(bits);
    expect(recorded.grad!.detach().toTypedArray()).toEqual(bits);
  });

  it('do not touch a gradient that the caller gave, or one that is seen', () => {
    const x = fresh();
    const seed = tg.ones([37]);
    const y = x.mul(2).mul(x);
    y.backward(seed, { retainGraph: true });
    const first = x.grad!;
    const copy = first.toTypedArray();
    x.grad = null;
    y.backward(seed);
    expect(seed.toArray()).toEqual(Array.from({ length: 37 }, () => 1));
    expect(first.toTypedArray()).toEqual(copy);
    expect(x.grad!.toTypedArray()).toEqual(copy);
  });

  it('can be asked for at an inner tensor, which keeps its own way back', () => {
    const x = p([1, 2, 3]);
    const y = x.mul(x);
    const [inner] = tg.grad(y.mul(y), [y], { gradOutputs: [ones(3)] });
    expect(inner!.toArray()).toEqual([2, 8, 18]);
    y.backward(ones(3));
    expect(g(x)).toEqual([2, 4, 6]);
  });

  it('wait at a tensor while a hook walks back over the same graph', () => {
    const x = p([1, 2]);
    const y = x.mul(3);
    const first = y.mul(5);
    const second = y.mul(7);
    let asked: number[] = [];
    first.registerHook(() => {
      asked = tg.grad(y, [x], { gradOutputs: [ones(2)], retainGraph: true })[0]!.toArray() as number[];
    });
    first.add(second).backward(ones(2));
    expect(asked).toEqual([3, 3]);
    expect(g(x)).toEqual([36, 36]);
  });

  it('stay whole where a hook of a node made them and somebody holds them', () => {
    const x = p([1, 2]);
    const y = x.mul(3);
    let made: tg.Tensor | null = null;
    y.gradFn!.registerHook(([gradient]) => [(made = gradient!.mul(2))]);
    y.mul(1).backward(ones(2));
    expect(made!.toArray()).toEqual([6, 6]);
    expect(g(x)).toEqual([6, 6]);
  });

  it('leave no trace in what is made after a backward pass', () => {
    const x = p([1, 2]);
    x.mul(x).backward(ones(2));
    const before = tg.memory().live;
    tg.scope(() => {
      x.mul(x).backward(ones(2));
      tg.zeros([100_000]).add(1);
    });
    expect(tg.memory().live - before).toBeLessThan(100_000);
  });

  it('are retained no longer once a tensor is cut from its graph', () => {
    const y = p([1, 2]).mul(3);
    y.retainGrad();
    expect(y.retainsGrad).toBe(true);
    expect(y.detach_().retainsGrad).toBe(false);
  });
});
