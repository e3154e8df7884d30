import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  constant,
  evaluate,
  Expr,
  input,
  isZero,
  nodesOf,
  output,
  partial,
  type PrimitiveName,
  primitives,
  print,
  product,
  replaceSubexpression,
  where,
} from '../src/expr/index.ts';

const [x, y] = [input(0), input(1)];
const at = (e: Expr, ...inputs: number[]): number => evaluate(e, inputs);
const slope = (e: Expr, ...inputs: number[]): number => at(partial(e, 0), ...inputs);

/** Central difference with one step of Richardson's extrapolation. */
function numeric(f: (t: number) => number, t: number): number {
  const central = (h: number): number => (f(t + h) - f(t - h)) / (2 * h);
  const h = 1e-3 * Math.max(Math.abs(t), 0.1);
  return (4 * central(h / 2) - central(h)) / 3;
}

/** Compares the partial derivative at a point with differences along that input. */
function check(e: Expr, i: number, point: readonly number[]): void {
  const along = (t: number): number =>
    evaluate(
      e,
      point.map((v, k) => (k === i ? t : v)),
    );
  const expected = numeric(along, point[i]!);
  expect(Math.abs(evaluate(partial(e, i), point) - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
}

type Range = readonly [number, number];
/** Where each argument may lie, away from kinks and poles; [-2, 2] if not said. */
const domains: Partial<Record<PrimitiveName, readonly Range[]>> = {
  // At exponent 0 the slope along the base is 0 by convention, so the mixed second derivative there is not the limit.
  pow: [
    [0.3, 2],
    [0.1, 2],
  ],
  div: [
    [-2, 2],
    [0.5, 2],
  ],
  fmod: [
    [2.1, 2.9],
    [0.97, 1.04],
  ],
  remainder: [
    [-2.9, -2.1],
    [0.97, 1.04],
  ],
  floorDiv: [
    [2.1, 2.9],
    [0.97, 1.04],
  ],
  min: [
    [-2, -0.1],
    [0.1, 2],
  ],
  max: [
    [-2, -0.1],
    [0.1, 2],
  ],
  atan2: [
    [0.2, 2],
    [-2, 2],
  ],
  hypot: [
    [0.2, 2],
    [-2, 2],
  ],
  abs: [[-2, -0.1]],
  sign: [[0.1, 2]],
  floor: [[0.1, 0.9]],
  ceil: [[0.1, 0.9]],
  round: [[0.6, 1.4]],
  trunc: [[-0.9, -0.1]],
  sqrt: [[0.2, 4]],
  rsqrt: [[0.2, 4]],
  log: [[0.2, 4]],
  log2: [[0.2, 4]],
  log10: [[0.2, 4]],
  log1p: [[-0.8, 4]],
  tan: [[-1.2, 1.2]],
  asin: [[-0.8, 0.8]],
  acos: [[-0.8, 0.8]],
  acosh: [[1.3, 4]],
  atanh: [[-0.8, 0.8]],
  erfinv: [[-0.8, 0.8]],
  lgamma: [[-0.8, -0.2]],
  digamma: [[0.3, 4]],
};
const smooth = (Object.keys(primitives) as PrimitiveName[]).filter((name) => {
  const { givesMask, takesMasks } = primitives[name];
  const special = ['polygamma', 'zeta', 'bitAnd', 'bitOr', 'bitXor', 'shiftLeft', 'shiftRight'];
  return givesMask !== true && takesMasks === undefined && !special.includes(name);
});

describe('the derivative of a primitive', () => {
  it.each(smooth)('%s agrees with differences, to second order', (name) => {
    const { arity } = primitives[name];
    const args = [x, y].slice(0, arity);
    const f = Expr.apply(name, args);
    const ranges = args.map((_, k) => domains[name]?.[k] ?? ([-2, 2] as const));
    const point = fc.tuple(...ranges.map(([min, max]) => fc.double({ min, max, noNaN: true })));
    fc.assert(
      fc.property(point, (p) => {
        for (let i = 0; i < arity; i++) {
          check(f, i, p);
          for (let j = 0; j < arity; j++) check(partial(f, i), j, p);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('polygamma and zeta climb one order', () => {
    expect(slope(x.polygamma(2), 1.3)).toBeCloseTo(
      numeric((t) => at(x.polygamma(2), t), 1.3),
      6,
    );
    expect(slope(constant(2.5).zeta(x), 1.3)).toBeCloseTo(
      numeric((t) => at(constant(2.5).zeta(x), t), 1.3),
      6,
    );
  });
});

describe('partial', () => {
  it('drops what is zero or one, and reuses the nodes of the expression', () => {
    expect(partial(x.mul(y).add(3), 0)).toBe(y);
    expect(partial(x.exp(), 0)).toBe(x.exp());
    expect(partial(y.exp(), 0)).toBe(constant(0));
    expect(isZero(partial(x.floor().mul(0), 0))).toBe(true);
    expect(print(replaceSubexpression(partial(x.tanh(), 0), x.tanh(), output()))).toBe('1 - y * y');
    expect(print(product(y, partial(x.log(), 0)))).toBe('b / a');
  });

  it('differentiates each branch of a choice, so that the other one cannot spoil it', () => {
    const f = where(x.gt(0), x.log(), x.mul(2));
    expect([slope(f, -1), slope(f, 4), slope(f, 0)]).toEqual([2, 0.25, 2]);
    expect(partial(where(x.gt(0), y, 1), 0)).toBe(constant(0));
  });

  it('can be taken with respect to the output of a formula given by hand', () => {
    expect(partial(output().mul(output()).neg().add(1), output())).toBe(output().mul(2).neg());
  });

  it('stays linear in the size of the expression', () => {
    let e: Expr = x;
    for (let k = 0; k < 50; k++) e = e.mul(e).sin();
    expect(nodesOf(partial(e, 0)).length).toBeLessThan(400);
  });
});

describe('where there is no derivative', () => {
  it('follows the conventions for steps, kinks and ties', () => {
    expect([slope(x.abs(), 0), slope(x.sign(), 0), slope(x.floor(), 1), slope(x.round(), 0.5)]).toEqual([
      0, 0, 0, 0,
    ]);
    expect([slope(x.max(y), 2, 2), at(partial(x.max(y), 1), 2, 2)]).toEqual([0.5, 0.5]);
    expect([slope(x.min(y), 1, 2), at(partial(x.min(y), 1), 1, 2)]).toEqual([1, 0]);
    expect([slope(x.max(y), NaN, 1), at(partial(x.max(y), 1), NaN, 1)]).toEqual([1, 1]);
  });

  it('is continued to infinity', () => {
    expect([slope(x.sqrt(), 0), slope(x.rsqrt(), 0), slope(x.log(), 0), slope(x.reciprocal(), 0)]).toEqual([
      Infinity,
      -Infinity,
      Infinity,
      -Infinity,
    ]);
  });

  it('has the edge values of powers', () => {
    const [base, exponent] = [partial(x.pow(y), 0), partial(x.pow(y), 1)];
    expect([at(base, 0, 0), at(base, NaN, 0), at(base, 0, 0.5), at(base, 0, 1), at(base, 0, 2)]).toEqual([
      0,
      0,
      Infinity,
      1,
      0,
    ]);
    expect([-1, 0, 1].map((e) => at(exponent, 0, e))).toEqual([-Infinity, 0, 0]);
    expect(at(exponent, -2, 3)).toBeNaN();
    expect([slope(x.pow(2), -2), slope(x.pow(0), NaN), slope(x.pow(1), 0), slope(x.pow(0.5), 0)]).toEqual([
      -4,
      0,
      1,
      Infinity,
    ]);
  });

  it('is undefined at the origin of a polar angle', () => {
    expect([slope(x.atan2(y), 0, 0), slope(x.hypot(y), 0, 0)]).toEqual([NaN, NaN]);
  });

  it('leaves the divisor of a remainder its steps', () => {
    expect([at(partial(x.fmod(y), 1), -5, 3), at(partial(x.remainder(y), 1), -5, 3)]).toEqual([1, 2]);
  });
});
