import { describe, expect, it } from '@jest/globals';
import { dense, elementwise } from '../src/backend/wasm/elementwise.ts';
import type { Strided } from '../src/backend/types.ts';
import type { DType } from '../src/dtype.ts';
import { evaluate, Expr, input, param, type PrimitiveName, primitives, where } from '../src/expr/index.ts';
import {
  broadcast,
  difference,
  fill,
  gapsAreUntouched,
  generator,
  layouts,
  pick,
  random,
  run,
  strided,
  values,
} from './strided.ts';

const [x, y, z] = [input(0), input(1), input(2)];
const names = Object.keys(primitives) as PrimitiveName[];

/** What a double becomes when it is stored as an element. */
const stored: Readonly<Record<DType, (v: number) => number>> = {
  float32: Math.fround,
  float64: (v) => v,
  int32: (v) => v | 0,
  uint8: (v) => v & 255,
  bool: (v) => +(v !== 0),
};

/** Runs an expression on the kernel and compares it with its value in double precision. */
function check(
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  params: readonly number[],
  compute: DType,
  tolerance: number,
): string | null {
  const given = inputs.map(values);
  const expected = values(out).map((_, k) =>
    stored[out.dtype](
      evaluate(
        expr,
        given.map((list) => list[k]!),
        params,
      ),
    ),
  );
  run(() => elementwise(expr, out, inputs, params, compute));
  const problem = difference(values(out), expected, tolerance);
  return problem ?? (gapsAreUntouched(out) ? null : 'an element beside the result was written');
}

/** Inputs for a primitive: small numbers, some of them equal; integers where bits matter. */
function operand(
  name: PrimitiveName,
  k: number,
  shape: readonly number[],
  dtype: DType,
  next: () => number,
): Strided {
  const x = random(shape, next, dtype);
  if (name === 'polygamma' && k === 0) fill(x, () => Math.floor(next() * 3));
  if (name === 'zeta' && k === 0) fill(x, () => 2 + Math.floor(next() * 3));
  if (dtype === 'int32' && name === 'pow' && k === 1) fill(x, () => Math.floor(next() * 4));
  if (dtype === 'int32' && (name === 'pow' || name === 'mul')) fill(x, (i) => values(x)[i]! % 8);
  return x;
}

describe('elementwise kernels', () => {
  const tolerances = { float32: 4e-7, float64: 0, int32: 0 } as const;
  for (const dtype of ['float32', 'float64', 'int32'] as const) {
    it.each(names)(`compute %s in ${dtype} at every length, as its definition says`, (name) => {
      const next = generator(name.length * 31 + dtype.length);
      const { arity, givesMask } = primitives[name];
      const expr = Expr.apply(name, [x, y, z].slice(0, arity));
      const tolerance = tolerances[dtype];
      for (const length of [0, 1, 2, 3, 6, 9, 35]) {
        const shape = [length];
        const inputs = Array.from({ length: arity }, (_, k) => operand(name, k, shape, dtype, next));
        const splat = { ...operand(name, arity - 1, [1], dtype, next), shape, strides: [0] };
        for (const out of [strided(shape, dtype), strided(shape, givesMask ? 'bool' : dtype)]) {
          expect(check(expr, out, inputs, [], dtype, tolerance)).toBeNull();
          expect(check(expr, out, [...inputs.slice(0, arity - 1), splat], [], dtype, tolerance)).toBeNull();
        }
      }
    });
  }

  it('read and write any layout, with broadcast operands in any place', () => {
    const next = generator(7);
    const expr = x.mul(y).sub(z.mul(param(0)));
    for (let trial = 0; trial < 300; trial++) {
      const rank = Math.floor(next() * 5);
      const shape = Array.from({ length: rank }, () => 1 + Math.floor(next() * 6));
      const dtype = pick(['float32', 'float64'] as const, next);
      const inputs = [0, 1, 2].map(() => {
        const kept = shape.map((n) => (next() < 0.3 ? 1 : n));
        const part = random(kept, next, dtype, pick(layouts, next));
        return { ...part, shape, strides: part.strides.map((s, d) => (kept[d] === 1 ? 0 : s)) };
      });
      const out = strided(shape, dtype, pick(layouts, next));
      expect(check(expr, out, inputs, [0.5], dtype, dtype === 'float32' ? 1e-6 : 0)).toBeNull();
    }
  });

  it('turn large transposed operands before they read them', () => {
    const next = generator(9);
    const [rows, columns] = [70, 391];
    const across = random([columns, rows], next);
    const transposed = { ...across, shape: [rows, columns], strides: [1, rows] };
    for (const layout of layouts) {
      const inputs = [random([rows, columns], next, 'float32', layout), transposed];
      expect(check(x.sub(y), strided([rows, columns]), inputs, [], 'float32', 0)).toBeNull();
    }
  });

  it('convert between all dtypes', () => {
    const next = generator(11);
    const all: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
    for (const from of all) {
      for (const to of all) {
        for (const compute of ['float32', 'float64', 'int32'] as const) {
          for (const layout of layouts) {
            const a = random([3, 7], next, from, layout);
            if (from !== 'bool') fill(a, (k) => (k * 37) % 120);
            const out = strided([3, 7], to, pick(layouts, next));
            expect([from, to, compute, check(x.add(1), out, [a], [], compute, 0)]).toEqual([
              from,
              to,
              compute,
              null,
            ]);
            const flat = strided([3, 7], to);
            expect([from, to, compute, check(x.add(1), flat, [a], [], compute, 0)]).toEqual([
              from,
              to,
              compute,
              null,
            ]);
          }
        }
      }
    }
  });

  it('truncate floats and wrap integers that are too large for a byte', () => {
    const a = fill(strided([5]), (k) => [300.7, -1.5, 2.9, NaN, -0.5][k]!);
    const out = strided([5], 'uint8');
    run(() => elementwise(x, out, [a], [], 'float32'));
    expect(values(out)).toEqual([44, 255, 2, 0, 0]);
    const wide = strided([5], 'int32');
    run(() => elementwise(x, wide, [a], [], 'float32'));
    expect(values(wide)).toEqual([300, -1, 2, 0, 0]);
    const sums = strided([5], 'uint8');
    run(() => elementwise(x.add(y), sums, [out, out], [], 'uint8'));
    expect(values(sums)).toEqual([88, 254, 4, 0, 0]);
    const wrapped = strided([1], 'int32');
    const large = fill(strided([1], 'int32'), () => 2 ** 31 - 1);
    run(() => elementwise(x.add(1), wrapped, [large], [], 'int32'));
    expect(values(wrapped)).toEqual([-(2 ** 31)]);
  });

  it('give the same bits in the tail as in whole vectors', () => {
    const next = generator(3);
    const a = random([13], next);
    const whole = strided([13]);
    const expr = x.tanh().mul(x.exp()).add(x.sin()).add(x.erf());
    run(() => elementwise(expr, whole, [a], [], 'float32'));
    const singles = values(a).map((v) => {
      const out = strided([]);
      const one = fill(strided([]), () => v);
      run(() => elementwise(expr, out, [one], [], 'float32'));
      return values(out)[0]!;
    });
    expect(values(whole)).toEqual(singles);
  });

  it('keep apart what repeats an element and what lies side by side', () => {
    const product = x.mul(y);
    const [a, b] = [fill(strided([3]), (k) => k + 1), fill(strided([3]), (k) => 10 * k)];
    const ten = { ...fill(strided([1]), () => 10), shape: [3], strides: [0] };
    const out = strided([3]);
    const both = (): void => dense(product, 3, out, a, b, null, null, []);
    const repeated = (): void => elementwise(product, out, [a, ten], [], 'float32');
    for (const [body, expected] of [[both, [0, 20, 60]], [repeated, [10, 20, 30]], [both, [0, 20, 60]]] as const) {
      run(body);
      expect(values(out)).toEqual(expected);
    }
  });

  it('work in place', () => {
    const a = fill(strided([37]), (k) => k);
    run(() => elementwise(x.mul(2).add(y), a, [a, a], [], 'float32'));
    expect(values(a)).toEqual(Array.from({ length: 37 }, (_, k) => 3 * k));
  });

  it('take many operands and parameters', () => {
    const next = generator(5);
    const inputs = Array.from({ length: 14 }, () => random([2, 5], next, 'float64'));
    let sum: Expr = input(0).mul(param(0));
    for (let k = 1; k < 14; k++) sum = sum.add(input(k).mul(param(k)));
    const params = inputs.map((_, k) => k - 3.5);
    expect(check(sum, strided([2, 5], 'float64'), inputs, params, 'float64', 1e-15)).toBeNull();
  });

  it('keep NaN, infinities and signed zeros', () => {
    const special = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1];
    const relu = where(x.le(0), 0, x);
    for (const name of names.filter(
      (n) => primitives[n].arity === 1 && primitives[n].takesMasks === undefined,
    )) {
      const { js } = primitives[name];
      const a = fill(strided([10]), (k) => special[k]!);
      const out = strided([10], primitives[name].givesMask ? 'bool' : 'float32');
      run(() => elementwise(Expr.apply(name, [x]), out, [a], [], 'float32'));
      const expected = values(a).map((v) => Math.fround(js(v, 0, 0)));
      expect([name, difference(values(out), expected, 1e-6)]).toEqual([name, null]);
    }
    const a = fill(strided([10]), (k) => special[k]!);
    const out = strided([10]);
    run(() => elementwise(relu, out, [a], [], 'float32'));
    expect(values(out)[0]).toBeNaN();
    run(() => elementwise(x.max(0), out, [a], [], 'float32'));
    expect(values(out)[0]).toBeNaN();
  });

  it('do nothing for no elements', () => {
    expect(() => run(() => elementwise(x, strided([0, 3]), [strided([0, 3])], [], 'float32'))).not.toThrow();
    const rows = broadcast(random([3], generator(1)), 2);
    expect(check(x, strided([2, 3]), [rows], [], 'float32', 0)).toBeNull();
  });

  it('refuse an expression that still mentions the output', () => {
    const out = strided([1]);
    expect(() => elementwise(Expr.leaf('output', 0), out, [], [], 'float32')).toThrow('substitute an input');
  });
});
