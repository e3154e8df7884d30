import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('hooks', () => {
  it('E160 calls a tensor hook with the gradient and takes what it returns', () => {
    const x = p(2);
    const y = x.mul(3);
    y.registerHook((gradient) => gradient.mul(2));
    y.backward();
    expect(g(x)).toBe(6);
    const z = p(2);
    const seen: number[] = [];
    const h = z.mul(3);
    h.registerHook((gradient) => void seen.push(gradient.item()));
    h.mul(h).backward();
    expect([seen, g(z)]).toEqual([[12], 36]);
    let unused = 0;
    const w = p(1).mul(2);
    w.registerHook(() => void unused++);
    x.mul(2).backward();
    expect(unused).toBe(0);
  });

  it('E161 refuses a hook on what has no gradient', () => {
    expect(() => t(1).registerHook(() => {})).toThrow(/cannot register a hook on a variable that doesn't require gradient/);
  });

  it('E162 removes a hook by its handle', () => {
    const x = p([1]);
    let count = 0;
    const y = x.mul(2);
    y.registerHook(() => void (count += 1));
    y.backward(t([1]), { retainGraph: true });
    expect(count).toBe(1);
    const second = y.registerHook(() => void (count += 2));
    y.backward(t([1]), { retainGraph: true });
    expect(count).toBe(4);
    second.remove();
    second.remove();
    y.backward(t([1]), { retainGraph: true });
    expect(count).toBe(5);
    {
      using _scoped = y.registerHook(() => void (count += 10));
      y.backward(t([1]), { retainGraph: true });
    }
    y.backward(t([1]));
    expect(count).toBe(17);
  });

  it('E163 runs hooks in order, each on the result of the one before', () => {
    const x = p(1);
    x.registerHook((gradient) => gradient.add(1));
    x.registerHook((gradient) => gradient.mul(10));
    x.mul(1).backward();
    expect(g(x)).toBe(20);
  });

  it('E164 refuses a result of another shape or dtype', () => {
    const x = p([1, 2]);
    const handle = x.registerHook(function widen() {
      return t([1, 2, 3]);
    });
    expect(() => x.sum().backward()).toThrow(/hook 'widen' has changed the size of value/);
    handle.remove();
    x.registerHook((gradient) => gradient.float());
    expect(() => x.sum().backward()).toThrow(/has changed the type of value/);
  });

  it('E165 calls the hook of a leaf once, with the sum over its uses', () => {
    const x = p(3);
    const seen: number[] = [];
    x.registerHook((gradient) => void seen.push(gradient.item()));
    x.mul(x).backward();
    expect(seen).toEqual([6]);
    x.mul(x).backward();
    expect([seen, g(x)]).toEqual([[6, 6], 12]);
  });

  it('E166 keeps a hook with the value that a tensor had', () => {
    const a = p([1]);
    const b = a.clone();
    const seen: number[] = [];
    const hook = (gradient: tg.Tensor): tg.Tensor => {
      seen.push(gradient.toTypedArray()[0]!);
      return gradient.mul(2);
    };
    b.registerHook(hook);
    b.mul_(2);
    b.registerHook(hook);
    b.sum().backward();
    expect([seen, g(a)]).toEqual([[1, 4], [8]]);
  });

  it('E167 moves retainGrad along with the tensor through in-place changes', () => {
    const a = p([1]).clone();
    a.retainGrad();
    a.mul_(2);
    a.sum().backward();
    expect(g(a)).toEqual([1]);
    const x = p([1, 3]);
    const b = x.clone();
    b.retainGrad();
    b.mul_(2);
    b.mul_(5);
    b.retainGrad();
    b.sum().backward();
    expect([g(b), g(x)]).toEqual([[1, 1], [10, 10]]);
  });

  it('E168 accumulates into grad of a computed tensor with retainGrad', () => {
    const input = p([1, 2]);
    const h = input.mul(3);
    h.retainGrad();
    h.retainGrad();
    const out = h.mul(h).sum();
    out.backward(null, { retainGraph: true });
    expect([g(h), g(input)]).toEqual([[6, 12], [18, 36]]);
    out.backward();
    expect([g(h), g(input)]).toEqual([[12, 24], [36, 72]]);
    input.retainGrad();
    expect(() => t(1).retainGrad()).toThrow(/can't retain_?grad on Tensor that has requires_?grad=False/i);
  });

  it('E169 moves retainGrad of views when one of them is changed', () => {
    const base = p([1]).clone();
    const v1 = base.narrow(0, 0, 1);
    const v2 = base.narrow(0, 0, 1);
    v1.retainGrad();
    v2.retainGrad();
    v1.mul_(2);
    v1.add(v2).sum().backward();
    expect([g(v1), g(v2)]).toEqual([[1], [1]]);
  });

  it('E170 lets hooks of nodes replace gradients', () => {
    const x = p(2);
    const y = p(3);
    const z = x.mul(y);
    z.gradFn!.registerPrehook(([gradient]) => [gradient!.mul(10)]);
    z.gradFn!.registerHook(([gx, gy], [gz]) => [gx!.add(gz!), gy!]);
    z.backward();
    expect([g(x), g(y)]).toEqual([40, 20]);
    const w = x.mul(y);
    w.gradFn!.registerPrehook(() => [t(1), t(1)]);
    expect(() => w.backward()).toThrow(/returned 2 gradients, but the node has 1/);
    const v = x.mul(y);
    v.gradFn!.registerHook(() => [t(1)]);
    expect(() => v.backward()).toThrow(/returned 1 gradients, but the node has 2/);
  });

  describe('E171 the order of hooks', () => {
    const build = (): { a: tg.Tensor; b: tg.Tensor; log: number[] } => {
      const log: number[] = [];
      const h1 = (gradient: tg.Tensor): tg.Tensor => {
        log.push(1);
        return gradient.mul(3);
      };
      const h2 = (gradients: readonly (tg.Tensor | null)[]): (tg.Tensor | null)[] => {
        log.push(2);
        return gradients.map((gradient) => gradient!.mul(2));
      };
      const a = p([1]);
      const b = a.clone();
      b.gradFn!.registerPrehook(h2);
      b.registerHook(h1);
      b.gradFn!.registerPrehook(h2);
      a.registerHook(h1);
      b.gradFn!.nextFunctions[0]![0]!.registerPrehook(h2);
      a.registerHook(h1);
      return { a, b, log };
    };

    it('is tensor hooks, node hooks, leaf hooks in a whole pass', () => {
      const { b, log } = build();
      b.sum().backward();
      expect(log).toEqual([1, 2, 2, 1, 1, 2]);
    });

    it('leaves out the node hooks of a captured leaf', () => {
      const { a, b, log } = build();
      tg.grad(b.sum(), a);
      expect(log).toEqual([1, 2, 2, 1, 1]);
    });

    it('runs the node of a computed input, and stores grad between tensor and node hooks', () => {
      const { b, log } = build();
      b.sum().backward(null, { inputs: [b] });
      expect([log, g(b)]).toEqual([[1, 2, 2], [3]]);
    });
  });

  it('E172 calls post-accumulate hooks on leaves after grad was updated', () => {
    const x = p([1, 2]);
    const seen: unknown[] = [];
    const handle = x.registerPostAccumulateGradHook((leaf) => void seen.push(leaf === x, g(leaf)));
    x.mul(3).sum().backward();
    x.sum().backward();
    expect(seen).toEqual([true, [3, 3], true, [4, 4]]);
    handle.remove();
    x.sum().backward();
    expect(seen).toHaveLength(4);
    expect(() => x.mul(2).registerPostAccumulateGradHook(() => {})).toThrow(/cannot be registered on non-leaf tensors/);
    expect(() => t(1).registerPostAccumulateGradHook(() => {})).toThrow(tg.GradError);
    x.registerPostAccumulateGradHook((() => 1) as unknown as () => void);
    expect(() => x.sum().backward()).toThrow(/must return nothing/);
  });

  it('E172 keeps what a post-accumulate hook makes', () => {
    const x = p([1, 2]);
    let momentum = t([0, 0]);
    x.registerPostAccumulateGradHook((leaf) => {
      momentum = momentum.mul(0.5).add(leaf.grad!);
      leaf.sub_(momentum.mul(0.1));
      leaf.grad = null;
    });
    for (let i = 0; i < 3; i++) x.mul(x).sum().backward();
    const plain = t([1, 2]);
    let v = t([0, 0]);
    for (let i = 0; i < 3; i++) {
      v = v.mul(0.5).add(plain.mul(2));
      plain.sub_(v.mul(0.1));
    }
    expect([x.toArray(), momentum.toArray()]).toEqual([plain.toArray(), v.toArray()]);
  });

  it('E173 orders all kinds of hooks on a leaf', () => {
    const leaf = ones(2, 3).requiresGrad_();
    const out = leaf.clone();
    const accumulator = out.gradFn!.nextFunctions[0]![0]!;
    leaf.registerHook((gradient) => gradient.sub(2));
    accumulator.registerPrehook(([gradient]) => [gradient!.div(5)]);
    leaf.registerPostAccumulateGradHook((x) => void x.grad!.add_(0.5));
    accumulator.registerHook(() => void leaf.grad!.mul_(10));
    out.sum().backward();
    for (const value of (g(leaf) as number[][]).flat()) expect(value).toBeCloseTo(3, 12);
  });

  it('E178 does not call the hook of a leaf when another input is asked for', () => {
    const x = p(1);
    const y = p(2);
    let calls = 0;
    x.registerHook(() => void calls++);
    tg.grad(x.mul(y), y);
    expect(calls).toBe(0);
  });

  it('hands hooks gradients that stay valid', () => {
    const x = p([1, 2]);
    const kept: tg.Tensor[] = [];
    const h = x.exp();
    h.registerHook((gradient) => void kept.push(gradient));
    h.gradFn!.registerHook((inputs, outputs) => void kept.push(inputs[0]!, outputs[0]!));
    h.mul(3).sum().backward();
    x.exp().sin().sum().backward();
    expect(kept[0]!.toArray()).toEqual([3, 3]);
    expect(kept[1]!.toArray()).toEqual([3 * Math.exp(1), 3 * Math.exp(2)]);
    expect(kept[2]!.toArray()).toEqual([3, 3]);
  });
});
