import { describe, expect, it } from '@jest/globals';
import { reference } from '../src/backend/reference/index.ts';
import type { DType } from '../src/dtype.ts';
import { constant, Expr, input, param, primitives, where, type PrimitiveName } from '../src/expr/index.ts';
import { operand, run } from './operand.ts';
import { values as numbersOf } from './strided.ts';

const { kernels } = reference;

describe('elementwise', () => {
  const [a, b, c] = [input(0), input(1), input(2)];
  function evaluate(
    expr: Expr,
    values: number[][],
    dtype: DType = 'float64',
    params: number[] = [],
  ): number[] {
    const shape = [values[0]!.length];
    return run(shape, expr.kind === 'mask' ? 'bool' : dtype, (out) =>
      kernels.elementwise(
        expr,
        out,
        values.map((list) => operand(list, shape, dtype, 'stepped')),
        params,
        dtype,
      ),
    );
  }

  it.each(Object.keys(primitives) as PrimitiveName[])('computes %s as the primitive says', (name) => {
    const { arity, js, takesMasks = 0 } = primitives[name];
    const special = [0, -0, 1, -1, 0.5, -2.5, 3, 7, 1e300, NaN, Infinity, -Infinity];
    const first = name === 'polygamma' ? [0, 1, 2, 3] : special;
    const operands = [first.flatMap((v) => special.map(() => v)), first.flatMap(() => special)];
    operands.push(operands[0]!.map((_, i) => i / 3));
    const masks = operands.map((list, k) => (k < takesMasks ? list.map((v) => Number(v !== 0)) : list));
    const expected = masks[0]!.map((_, i) => {
      const args = masks.slice(0, arity).map((list) => list[i]!);
      return (js as (...operands: number[]) => number)(...args);
    });
    const result = evaluate(Expr.apply(name, [a, b, c].slice(0, arity)), operands.slice(0, arity));
    expect(result).toEqual(expected);
  });
  it('shares common parts, reads parameters and repeats constants', () => {
    const common = a.add(param(1));
    const expr = common
      .mul(common)
      .sub(b.mul(param(0)))
      .add(2);
    expect(
      evaluate(
        expr,
        [
          [1, 2],
          [3, 4],
        ],
        'float64',
        [10, 1],
      ),
    ).toEqual([-24, -29]);
    expect(evaluate(constant(7), [[1, 2]])).toEqual([7, 7]);
  });
  it('keeps float64 between the steps and rounds to float32 once', () => {
    expect(evaluate(a.add(1).sub(a), [[2 ** 24]], 'float32')).toEqual([1]);
    expect(evaluate(a.div(3), [[1]], 'float32')).toEqual([Math.fround(1 / 3)]);
    const wide = run([1], 'float64', (out) =>
      kernels.elementwise(a.div(3), out, [operand([1], [1])], [], 'float32'),
    );
    expect(wide).toEqual([Math.fround(1 / 3)]);
  });
  it('gives operands and parameters the precision of the computation', () => {
    expect(evaluate(a.eq(param(0)), [[0.1]], 'float32', [0.1])).toEqual([1]);
    expect(evaluate(a.eq(param(0)), [[0.1]], 'float64', [0.1])).toEqual([1]);
    const large = operand([16777217], [1], 'int32');
    expect(run([1], 'float64', (out) => kernels.elementwise(a, out, [large], [], 'float32'))).toEqual([
      16777216,
    ]);
  });
  it('wraps int32 at every step, and uint8 at the end', () => {
    expect(evaluate(a.mul(b), [[1234567891], [987654321]], 'int32')).toEqual([
      Math.imul(1234567891, 987654321),
    ]);
    expect(evaluate(a.add(b).max(0), [[2147483647], [1]], 'int32')).toEqual([0]);
    expect(evaluate(a.sub(b).floorDiv(2), [[1], [2]], 'uint8')).toEqual([255]);
    expect(
      evaluate(
        a.pow(b),
        [
          [3, -1, 2, 7],
          [40, -3, -1, 0],
        ],
        'int32',
      ),
    ).toEqual([Number(BigInt.asIntN(32, 3n ** 40n)), -1, 0, 1]);
    expect(
      evaluate(
        a.div(b),
        [
          [-7, 7],
          [2, 2],
        ],
        'int32',
      ),
    ).toEqual([-3, 3]);
  });
  it('broadcasts by stride 0, writes in place, and does scalars and nothing', () => {
    const x = operand([1, 2, 3, 4], [2, 2], 'float32', 'reversedDims');
    kernels.elementwise(
      a.add(b),
      x,
      [x, { ...operand([10, 20], [2], 'int32'), shape: [2, 2], strides: [1, 0] }],
      [],
      'float32',
    );
    expect(numbersOf(x)).toEqual([11, 12, 23, 24]);
    expect(
      run([], 'float32', (out) => kernels.elementwise(a.neg(), out, [operand([5], [])], [], 'float32')),
    ).toEqual([-5]);
    expect(
      run([0], 'float32', (out) => kernels.elementwise(a.neg(), out, [operand([], [0])], [], 'float32')),
    ).toEqual([]);
  });
  it('writes masks as 0 and 1 into any dtype and takes any dtype for a condition', () => {
    const x = operand([-1, 0, 2, NaN], [4], 'float32');
    expect(run([4], 'bool', (out) => kernels.elementwise(a.gt(0), out, [x], [], 'float32'))).toEqual([
      0, 0, 1, 0,
    ]);
    expect(run([4], 'float64', (out) => kernels.elementwise(a.gt(0), out, [x], [], 'float32'))).toEqual([
      0, 0, 1, 0,
    ]);
    expect(run([4], 'bool', (out) => kernels.elementwise(a, out, [x], [], 'float32'))).toEqual([1, 0, 1, 1]);
    expect(
      evaluate(where(a, b, 9), [
        [0, 2, NaN],
        [1, 2, 3],
      ]),
    ).toEqual([9, 2, 3]);
  });
});
