import { describe, expect, it } from '@jest/globals';
import {
  constant,
  evaluate,
  Expr,
  input,
  nodesOf,
  output,
  param,
  type PrimitiveName,
  primitives,
  print,
  replaceSubexpression,
  substitute,
  usesInput,
  usesOutput,
  where,
} from '../src/expr/index.ts';

const [x, y, z] = [input(0), input(1), input(2)];
const special = [0, -0, 1, -1, 0.5, -2.5, 3, 1e300, 5e-324, Infinity, -Infinity, NaN];

describe('expressions', () => {
  it('are one object when they are equal', () => {
    expect(x.mul(y).add(1)).toBe(x.mul(y).add(1));
    expect(x.add(y)).toBe(y.add(x));
    expect(x.sub(y)).not.toBe(y.sub(x));
    expect(constant(0)).not.toBe(constant(-0));
    expect(constant(NaN)).toBe(constant(NaN));
    expect(input(0)).not.toBe(param(0));
  });

  it('fold constants, also those that are not finite', () => {
    expect(constant(2).mul(3).add(1)).toBe(constant(7));
    expect(constant(1).div(-0)).toBe(constant(-Infinity));
    expect(constant(-1).sqrt().isConstant(NaN)).toBe(true);
    expect(constant(-0).add(-0)).toBe(constant(-0));
    expect(constant(1).lt(2).where(x, y)).toBe(x);
    expect(constant(NaN).eq(NaN).where(x, y)).toBe(y);
  });

  it('treat masks used as numbers as 0 and 1, and numbers used as masks as unequal to 0', () => {
    const both = x.gt(0).add(y.gt(0));
    expect(both.kind).toBe('number');
    expect(evaluate(both, [1, 2])).toBe(2);
    expect(evaluate(x.where(5, 6), [0.5])).toBe(5);
    expect(x.gt(0).add(0).kind).toBe('number');
    const mask = x.gt(0);
    expect(Expr.apply('and', [mask.where(1, 0), y.gt(0)])).toBe(mask.and(y.gt(0)));
  });

  it('keep their value under every identity, for signed zeros, infinities and NaN too', () => {
    // Powers 1/2 and 1/3 of negative infinity follow the square root and the product instead.
    const exempt = (name: string, v: number, c: number) => name === 'pow' && (c === 0.5 || c === 3) && v <= 0;
    for (const name of Object.keys(primitives) as PrimitiveName[]) {
      const { arity, js, takesMasks } = primitives[name];
      if (arity !== 2 || takesMasks !== undefined || name === 'polygamma') continue;
      for (const c of special) {
        for (const v of special) {
          if (exempt(name, v, c)) continue;
          const right = evaluate(Expr.apply(name, [x, c]), [v]);
          const left = evaluate(Expr.apply(name, [c, x]), [v]);
          expect([name, v, c, right]).toEqual([name, v, c, js(v, c, 0)]);
          expect([name, c, v, left]).toEqual([name, c, v, js(c, v, 0)]);
        }
      }
      for (const v of special) {
        for (const w of special) {
          const both = Expr.apply(name, [x.neg(), y.neg()]);
          const second = Expr.apply(name, [x, y.neg()]);
          expect([name, v, w, evaluate(both, [v, w])]).toEqual([name, v, w, js(-v, -w, 0)]);
          expect([name, v, w, evaluate(second, [v, w])]).toEqual([name, v, w, js(v, -w, 0)]);
        }
        expect([name, v, evaluate(Expr.apply(name, [x, x]), [v])]).toEqual([name, v, js(v, v, 0)]);
      }
    }
  });

  it('simplify conditions', () => {
    expect(x.eq(y).not()).toBe(x.ne(y));
    expect(x.lt(y).not().not()).toBe(x.lt(y));
    expect(x.lt(y).not().where(x, y)).toBe(x.lt(y).where(y, x));
    expect(where(x.lt(y), z, z)).toBe(z);
    expect(evaluate(x.lt(y).not(), [NaN, 1])).toBe(1);
  });

  it('know what they read', () => {
    const e = x.mul(z).add(param(1));
    expect([e.inputCount, e.paramCount, e.hasOutput]).toEqual([3, 2, false]);
    expect([0, 1, 2, 3].map((i) => usesInput(e, i))).toEqual([true, false, true, false]);
    expect(usesOutput(output().mul(x))).toBe(true);
  });

  it('replace leaves all at once, and whole subexpressions', () => {
    expect(substitute(x.sub(y), { inputs: [y, x] })).toBe(y.sub(x));
    expect(substitute(x.mul(param(0)).add(output()), { params: [3], output: y })).toBe(x.mul(3).add(y));
    const forward = x.exp();
    expect(replaceSubexpression(forward.mul(y).add(forward), forward, output())).toBe(
      output().mul(y).add(output()),
    );
  });

  it('evaluate in double precision and refuse a missing operand', () => {
    const e = where(x.lt(y), x.mul(param(0)), y.hypot(x)).floor();
    expect(evaluate(e, [3, 4], [0.5])).toBe(1);
    expect(evaluate(e, [4, 3], [0.5])).toBe(5);
    expect(() => evaluate(e, [1], [1])).toThrow('evaluate: input 1 is used but not given');
  });

  it('share what is equal: a chain that doubles stays linear', () => {
    let e = x as Expr;
    for (let k = 0; k < 60; k++) e = e.mul(e).add(e);
    expect(nodesOf(e).length).toBe(121);
    expect(evaluate(e, [0])).toBe(0);
  });

  it('print as formulas', () => {
    expect(print(x.mul(x.add(1)).tanh())).toBe('tanh(x * (x + 1))');
    expect(print(x.sub(y.sub(z)))).toBe('a - (b - c)');
    expect(print(x.gt(0).where(x, x.neg().exp().mul(param(0))), { params: ['alpha'] })).toBe(
      'where(x > 0, x, exp(-x) * alpha)',
    );
    expect(print(x.gt(0).and(x.lt(1).or(y.isnan())))).toBe('a > 0 && (a < 1 || isnan(b))');
    expect(print(x.add(-2).div(Infinity))).toBe('(x + -2) / inf');
  });

  it('refuse the wrong number of arguments', () => {
    expect(() => Expr.apply('add', [x])).toThrow('add takes 2 arguments, got 1');
  });
});
