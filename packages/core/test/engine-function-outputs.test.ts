import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

type Tensor = tg.Tensor;
type Ctx = tg.FunctionContext;

describe('what custom functions return', () => {
  it('E195 passes what is not a tensor through', () => {
    const seen: unknown[][] = [];
    class Mixed extends tg.Function {
      static forward(_: Ctx, n: number, x: Tensor, text: string, y: Tensor): [number, Tensor, null, boolean, Tensor, string, Tensor] {
        return [n + 1, x.mul(2), null, true, y.mul(3), `${text}!`, x.add(y)];
      }
      static backward(_: Ctx, ...gradients: (Tensor | null)[]): (Tensor | null)[] {
        seen.push(gradients.map((gradient) => gradient?.toArray() ?? null));
        return [null, gradients[1]!.mul(2).add(gradients[6]!), null, gradients[4]!.mul(3).add(gradients[6]!)];
      }
    }
    const x = p([1]);
    const y = p([2]);
    const [n, a, nothing, flag, b, text, c] = Mixed.apply(4, x, 'hi', y);
    expect([n, nothing, flag, text]).toEqual([5, null, true, 'hi!']);
    a.add(b).add(c).backward();
    expect(seen).toEqual([[null, [1], null, null, [1], null, [1]]]);
    expect([g(x), g(y)]).toEqual([[3], [4]]);
    class Words extends tg.Function {
      static forward(_: Ctx, text: string): string {
        return text.toUpperCase();
      }
      static backward(): null {
        return null;
      }
    }
    expect(Words.apply('loud')).toBe('LOUD');
  });

  it('E196 gives marked outputs no gradient, and backward zeros for them', () => {
    class Marks extends tg.Function {
      static forward(ctx: Ctx, x: Tensor): [Tensor, Tensor] {
        const [a, b] = [x.add(1), x.add(2)];
        ctx.markNonDifferentiable(a);
        return [a, b];
      }
      static backward(_: Ctx, ga: Tensor, gb: Tensor): Tensor {
        expect(ga.toArray()).toEqual([0, 0]);
        expect(gb.toArray()).toEqual([1, 1]);
        return gb;
      }
    }
    const x = p([1, 2]);
    const [a, b] = Marks.apply(x);
    expect([a.requiresGrad, b.requiresGrad]).toEqual([false, true]);
    b.sum().backward();
    expect(g(x)).toEqual([1, 1]);
    class Position extends tg.Function {
      static forward(_: Ctx, y: Tensor): [Tensor, Tensor] {
        return [y.clone(), y.to('int32')];
      }
      static backward(_: Ctx, gradient: Tensor): Tensor {
        return gradient;
      }
    }
    expect(Position.apply(x)[1].requiresGrad).toBe(false);
  });

  describe('E197 markDirty', () => {
    class AddTo extends tg.Function {
      static forward(ctx: Ctx, a: Tensor, b: Tensor): Tensor {
        a.add_(b);
        ctx.markDirty(a);
        ctx.saveForBackward(a);
        return a;
      }
      static backward(ctx: Ctx, gradient: Tensor): [Tensor, Tensor] {
        expect(ctx.savedTensors[0].toArray()).toEqual([5, 5]);
        return [gradient, gradient.mul(10)];
      }
    }

    it('gives the same tensor a new history', () => {
      const x = p([1, 2]);
      const h = x.mul(1);
      const b = p([4, 3]);
      const { version } = h;
      const q = AddTo.apply(h, b);
      expect([q === h, q.gradFn!.name, q.version > version]).toEqual([true, 'AddToBackward', true]);
      q.sum().backward();
      expect([g(x), g(b)]).toEqual([[1, 1], [10, 10]]);
    });

    it('makes a constant target require grad', () => {
      const a = t([1, 2]);
      const b = p([4, 3]);
      AddTo.apply(a, b);
      expect(a.requiresGrad).toBe(true);
      a.sum().backward();
      expect(g(b)).toEqual([10, 10]);
    });

    it('E198 rewrites the history of the base when the target is a view', () => {
      const root = p([9, 1, 2]);
      const base = root.clone();
      const b = p([4, 3]);
      AddTo.apply(base.narrow(0, 1, 2), b);
      base.mul(t([1, 2, 3])).sum().backward();
      expect([g(root), g(b)]).toEqual([[1, 2, 3], [20, 30]]);
    });

    it('refuses leaves, strangers and targets that are not returned', () => {
      expect(() => AddTo.apply(p([1, 2]), t([1, 1]))).toThrow(/a leaf Variable that requires grad/);
      class Keeps extends tg.Function {
        static forward(ctx: Ctx, a: Tensor): Tensor {
          ctx.markDirty(a);
          return a.mul(2);
        }
        static backward(_: Ctx, gradient: Tensor): Tensor {
          return gradient;
        }
      }
      expect(() => Keeps.apply(p([1]).mul(1))).toThrow(/marked as dirty.*not returned as output/s);
      class Stranger extends tg.Function {
        static forward(ctx: Ctx, a: Tensor): Tensor {
          const y = a.mul(2);
          ctx.markDirty(y);
          return y;
        }
        static backward(_: Ctx, gradient: Tensor): Tensor {
          return gradient;
        }
      }
      expect(() => Stranger.apply(p([1]))).toThrow(/arguments of forward/);
    });
  });

  it('E199 returns an unchanged input as an alias with a node of its own', () => {
    class Identity extends tg.Function {
      static forward(_: Ctx, a: Tensor, b: Tensor): [Tensor, Tensor] {
        return [a, a.add(b)];
      }
      static backward(_: Ctx, ga: Tensor, gb: Tensor): [Tensor, Tensor] {
        return [ga.add(gb), gb];
      }
    }
    const x = p(2);
    const y = p(3);
    const [q, sum] = Identity.apply(x, y);
    expect(q).not.toBe(x);
    expect(x.isLeaf).toBe(true);
    let seen = 0;
    q.registerHook((gradient) => void (seen = gradient.item()));
    q.add(sum).add(x).sum().backward();
    expect([g(x), g(y), seen]).toEqual([3, 1, 1]);
    const frozen = tg.noGrad(() => Identity.apply(x, y)[0]);
    expect([frozen.requiresGrad, x.requiresGrad]).toEqual([false, true]);
  });

  it('E200 returns a tensor that is returned twice as one object', () => {
    class Twice extends tg.Function {
      static forward(_: Ctx, x: Tensor): [Tensor, Tensor] {
        const y = x.mul(2);
        return [y, y];
      }
      static backward(_: Ctx, g1: Tensor, g2: Tensor): Tensor {
        return g1.add(g2).mul(2);
      }
    }
    const x = p([3]);
    const [a, b] = Twice.apply(x);
    expect(a).toBe(b);
    a.mul(b).backward();
    expect(g(x)).toEqual([24]);
  });

  it('E201 hands zeros or null for outputs that were not used', () => {
    const seen: unknown[] = [];
    const build = (materialize: boolean | null) => {
      class Two extends tg.Function {
        static forward(ctx: Ctx, x: Tensor): [Tensor, Tensor] {
          if (materialize !== null) ctx.setMaterializeGrads(materialize);
          return [x.mul(1), ones(2, 1)];
        }
        static backward(_: Ctx, ga: Tensor, gb: Tensor | null): Tensor {
          seen.push(gb?.toArray() ?? null);
          return ga;
        }
      }
      return Two;
    };
    for (const materialize of [null, true, false]) build(materialize).apply(p([1]))[0].backward();
    expect(seen).toEqual([[[0], [0]], [[0], [0]], null]);
  });

  it('E207 refuses to change an output that is a view of an input', () => {
    class Row extends tg.Function {
      static forward(_: Ctx, x: Tensor): Tensor {
        return x.select(0, 0);
      }
      static backward(_: Ctx, gradient: Tensor): Tensor {
        return tg.stack([gradient, gradient.zerosLike()]);
      }
    }
    const base = p([[1, 2], [3, 4]]).mul(1);
    const row = Row.apply(base);
    expect(() => row.mul_(2)).toThrow(/custom Function.*clone\(\)/s);
    base.mul_(2);
    expect(() => row.sum()).toThrow(/RowBackward.*modified inplace.*clone\(\)/s);
    class Fresh extends tg.Function {
      static forward(_: Ctx, x: Tensor): Tensor {
        return x.mul(2).reshape([4]);
      }
      static backward(_: Ctx, gradient: Tensor): Tensor {
        return gradient.mul(2).reshape([2, 2]);
      }
    }
    const x = p([[1, 2], [3, 4]]);
    Fresh.apply(x).mul_(10).sum().backward();
    expect(g(x)).toEqual([[20, 20], [20, 20]]);
  });
});
