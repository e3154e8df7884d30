import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

type Tensor = tg.Tensor;
type Ctx = tg.FunctionContext;

class Exp extends tg.Function {
  static forward(ctx: Ctx, x: Tensor): Tensor {
    expect(tg.isGradEnabled()).toBe(false);
    const y = x.exp();
    ctx.saveForBackward(y);
    return y;
  }
  static backward(ctx: Ctx, gradient: Tensor): Tensor {
    const [y] = ctx.savedTensors;
    return gradient.mul(y);
  }
}

class Scale extends tg.Function {
  static forward(ctx: tg.FunctionContext<{ factor: number }>, x: Tensor, factor: number): Tensor {
    ctx.factor = factor;
    return x.mul(factor);
  }
  static backward(ctx: tg.FunctionContext<{ factor: number }>, gradient: Tensor): [Tensor, null] {
    return [gradient.mul(ctx.factor), null];
  }
}

class Product extends tg.Function {
  static needed: (readonly boolean[])[] = [];
  static forward(ctx: Ctx, a: Tensor, b: Tensor): Tensor {
    Product.needed.push(ctx.needsInputGrad);
    ctx.saveForBackward(a, b);
    return a.mul(b);
  }
  static backward(ctx: Ctx, gradient: Tensor): (Tensor | null)[] {
    const [a, b] = ctx.savedTensors;
    const [needsA, needsB] = ctx.needsInputGrad;
    Product.needed.push(ctx.needsInputGrad);
    return [needsA ? gradient.mul(b) : null, needsB ? gradient.mul(a) : null];
  }
}

/** A Function whose backward returns whatever it is told to. */
function returning(result: (...gradients: Tensor[]) => unknown, outputs: (x: Tensor) => unknown = (x) => x.mul(2)) {
  class Told extends tg.Function {
    static forward(_: Ctx, ...args: unknown[]): unknown {
      return outputs(args.find((arg) => arg instanceof tg.Tensor) as Tensor);
    }
    static backward(_: Ctx, ...gradients: Tensor[]): unknown {
      return result(...gradients);
    }
  }
  return (...args: unknown[]): Tensor => Told.apply(...args) as Tensor;
}

describe('custom functions', () => {
  it('E190 records one node for forward and calls backward', () => {
    const x = p([1]);
    const y = Exp.apply(x);
    expect([y.requiresGrad, y.gradFn!.name, y.gradFn!.nextFunctions[0]![0]!.name]).toEqual([true, 'ExpBackward', 'AccumulateGrad']);
    y.backward();
    expect(g(x)).toEqual([Math.E]);
    const plain = Exp.apply(t([0]));
    expect([plain.requiresGrad, plain.toArray()]).toEqual([false, [1]]);
    expect(tg.noGrad(() => Exp.apply(x)).gradFn).toBeNull();
  });

  it('E191 versions, keeps and frees saved tensors, and keeps other things as properties', () => {
    const x = p([1]);
    const y = Exp.apply(x);
    y.add_(1);
    expect(() => y.sum().backward()).toThrow(/modified by an inplace operation/);
    const z = Exp.apply(x);
    z.backward();
    expect(() => z.backward()).toThrow(/second time.*ExpBackward/s);
    const w = p([3]);
    Scale.apply(w, 5).backward();
    expect(g(w)).toEqual([5]);
    class Nulls extends tg.Function {
      static forward(ctx: Ctx, a: Tensor): Tensor {
        ctx.saveForBackward(null, a, undefined);
        return a.clone();
      }
      static backward(ctx: Ctx, gradient: Tensor): Tensor {
        expect([ctx.savedTensors.length, ctx.savedTensors[0], ctx.savedTensors[2]]).toEqual([3, null, null]);
        return gradient.mul(ctx.savedTensors[1]);
      }
    }
    const v = p([7]);
    Nulls.apply(v).backward();
    expect(g(v)).toEqual([7]);
    class Wrong extends tg.Function {
      static forward(ctx: Ctx, a: Tensor): Tensor {
        ctx.saveForBackward(a, 3 as unknown as Tensor);
        return a;
      }
      static backward(): null {
        return null;
      }
    }
    expect(() => Wrong.apply(v)).toThrow(/can only save tensors, but argument 1 is of type number/);
  });

  it('E192 wants one gradient for each argument', () => {
    const a = p([1]);
    const b = p([2]);
    returning((gradient) => [gradient, null, null, null], (x) => x.clone())(a, 3).backward();
    expect(g(a)).toEqual([1]);
    expect(() => returning((gradient) => gradient)(a, b).backward()).toThrow(
      /function ToldBackward returned an incorrect number of gradients \(expected 2, got 1\)/,
    );
    expect(() => returning((gradient) => [gradient, gradient])(a).backward()).toThrow(/expected 1, got 2/);
    expect(() => returning((gradient) => [gradient, gradient])(a, 3).backward()).toThrow(/position 1.*not a Tensor/s);
    expect(() => returning(() => 5)(a).backward()).toThrow(/expected a Tensor or null as gradient 0, got number/);
    returning(() => undefined)(b).backward();
    expect(g(b)).toBeNull();
  });

  it('E193 sums or casts a gradient to its argument, or refuses it', () => {
    const x = p([[1, 2, 3]]);
    returning(() => ones(4, 5, 3))(x).backward(t([[0, 0, 0]]));
    expect(g(x)).toEqual([[20, 20, 20]]);
    expect(() => returning(() => ones(2))(x).sum().backward()).toThrow(
      /Function ToldBackward returned an invalid gradient at index 0 - got \[2\] but expected shape compatible with \[1, 3\]/,
    );
    expect(() => returning(() => ones(3))(x).sum().backward()).toThrow(tg.ShapeError);
    const y = tg.tensor([1, 2], { requiresGrad: true });
    returning(() => t([5, 6]))(y).sum().backward();
    expect([y.grad!.dtype, g(y)]).toEqual(['float32', [5, 6]]);
  });

  it('E194 tells forward and backward which arguments need a gradient', () => {
    Product.needed = [];
    const a = p([2]);
    Product.apply(a, t([3])).backward();
    expect(Product.needed).toEqual([[true, false], [true, false]]);
    expect(g(a)).toEqual([3]);
  });

  it('E202 differentiates backward when it is written in recorded operations', () => {
    const x = p([2]);
    let y = Exp.apply(x);
    for (let n = 0; n < 3; n++) {
      [y] = tg.grad(y, x, { createGraph: true }) as [Tensor];
      expect(y.item()).toBeCloseTo(Math.exp(2), 12);
    }
    const a = p([2]);
    const b = p([3]);
    const [ga] = tg.grad(Product.apply(a, b).pow(2), a, { createGraph: true });
    expect(ga!.toArray()).toEqual([36]);
    expect(tg.grad(ga!, [a, b]).map((v) => v.toArray())).toEqual([[18], [24]]);
  });

  it('E202 refuses to differentiate twice what is marked with onceDifferentiable', () => {
    class Once extends tg.Function {
      static forward(ctx: Ctx, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.mul(x);
      }
      static backward = tg.onceDifferentiable((ctx: Ctx, gradient: Tensor) => {
        expect(tg.isGradEnabled()).toBe(false);
        return gradient.mul(ctx.savedTensors[0]).mul(2);
      });
    }
    const x = p([3]);
    Once.apply(x).backward();
    expect(g(x)).toEqual([6]);
    const [gx] = tg.grad(Once.apply(x), x, { createGraph: true });
    expect([gx!.toArray(), gx!.requiresGrad]).toEqual([[6], true]);
    expect(() => tg.grad(gx!, x)).toThrow(/trying to differentiate twice a function that was marked with onceDifferentiable/);
  });

  it('E203 saves what is neither input nor output', () => {
    class Square extends tg.Function {
      static forward(ctx: Ctx, x: Tensor): Tensor {
        const doubled = x.mul(2);
        ctx.saveForBackward(doubled);
        return x.mul(x);
      }
      static backward(ctx: Ctx, gradient: Tensor): Tensor {
        return gradient.mul(ctx.savedTensors[0]);
      }
    }
    const x = p([3]);
    Square.apply(x).backward();
    expect(g(x)).toEqual([6]);
  });

  it('E204 lets setupContext fill the context', () => {
    class Cube extends tg.Function {
      static forward(x: Tensor, scale = 1): Tensor {
        return x.pow(3).mul(scale);
      }
      static setupContext(ctx: tg.FunctionContext<{ scale: number }>, [x, scale = 1]: [Tensor, number?], output: Tensor): void {
        expect(output.requiresGrad).toBe(false);
        ctx.saveForBackward(x);
        ctx.scale = scale;
      }
      static backward(ctx: tg.FunctionContext<{ scale: number }>, gradient: Tensor): Tensor[] {
        return [gradient.mul(ctx.savedTensors[0].pow(2)).mul(3 * ctx.scale)];
      }
    }
    const x = p([2]);
    Cube.apply(x).backward();
    expect(g(x)).toEqual([12]);
  });

  it('E206 has no instances', () => {
    expect(() => new Exp()).toThrow(/Exp\.apply\(…\)/);
    class Empty extends tg.Function {}
    const call = tg.Function.apply as unknown as (this: unknown, x: Tensor) => Tensor;
    expect(() => call.call(Empty, p(1))).toThrow(/Empty: a custom Function must define the static method forward/);
    class Half extends tg.Function {
      static forward(_: Ctx, x: Tensor): Tensor {
        return x.mul(2);
      }
    }
    expect(() => call.call(Half, p(1)).backward()).toThrow(/must define the static method backward/);
  });

  it('E208 hands on the very error that backward throws', () => {
    const error = new RangeError('mine');
    const failing = returning(() => {
      throw error;
    });
    let caught: unknown;
    try {
      failing(p([1])).backward();
    } catch (e) {
      caught = e;
    }
    expect(caught).toBe(error);
  });

  it('keeps gradients that backward stores elsewhere', () => {
    const kept: Tensor[] = [];
    const spy = returning((gradient) => {
      kept.push(gradient!, gradient!.mul(3));
      return gradient;
    }, (x) => x.exp());
    const x = p([1]);
    spy(x.mul(2)).mul(5).backward();
    p([1]).exp().sin().backward();
    expect(kept.map((v) => v.toArray())).toEqual([[5], [15]]);
  });

  it('lets backward start a backward pass of its own', () => {
    class Reenter extends tg.Function {
      static forward(ctx: tg.FunctionContext<{ x: Tensor; y: Tensor; z: Tensor }>, x: Tensor): Tensor {
        tg.enableGrad(() => {
          ctx.x = x.detach().requiresGrad_();
          ctx.y = t([5]).requiresGrad_();
          ctx.z = ctx.x.mul(ctx.y);
        });
        return ctx.z.detach();
      }
      static backward(ctx: tg.FunctionContext<{ x: Tensor; y: Tensor; z: Tensor }>, gradient: Tensor): Tensor {
        tg.enableGrad(() => ctx.z.sum().backward());
        return ctx.x.grad!.mul(gradient);
      }
    }
    const x = p([3]);
    Reenter.apply(x).sum().backward();
    expect(g(x)).toEqual([5]);
  });

  it('runs many backward passes inside each other', () => {
    class Deep extends tg.Function {
      static forward(ctx: tg.FunctionContext<{ x: Tensor; depth: number }>, x: Tensor, depth: number): Tensor {
        ctx.x = tg.enableGrad(() => x.detach().requiresGrad_().sub(1));
        ctx.depth = depth;
        return ctx.x.detach();
      }
      static backward(ctx: tg.FunctionContext<{ x: Tensor; depth: number }>, gradient: Tensor): [Tensor, null] {
        if (ctx.depth > 0) tg.enableGrad(() => Deep.apply(ctx.x, ctx.depth - 1).sum()).backward();
        return [gradient, null];
      }
    }
    const x = p([1]);
    Deep.apply(x, 300).sum().backward();
    expect(g(x)).toEqual([1]);
  });
});
