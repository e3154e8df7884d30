import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('whole numbers', () => {
  it('are combined bit by bit, and bools as conditions', () => {
    expect(
      ints([12, 10])
        .bitwiseAnd(ints([10, 6]))
        .toArray(),
    ).toEqual([8, 2]);
    expect(ints([12]).bitwiseOr(3).bitwiseXor(1).toArray()).toEqual([14]);
    expect(ints([0, 5]).bitwiseNot().toArray()).toEqual([-1, -6]);
    expect(tg.tensor([true, false]).bitwiseNot().toArray()).toEqual([false, true]);
    expect(
      tg
        .tensor([true, false])
        .bitwiseXor(tg.tensor([true, true]))
        .toArray(),
    ).toEqual([false, true]);
    expect(ints([5]).bitwiseLeftShift(2).bitwiseRightShift(1).toArray()).toEqual([10]);
    expect(ints([-5]).bitwiseRightShift(1).toArray()).toEqual([-3]);
  });

  it('have divisors and multiples', () => {
    expect(
      ints([12, 0, -8])
        .gcd(ints([18, 0, 12]))
        .toArray(),
    ).toEqual([6, 0, 4]);
    expect(
      ints([4, 0, -3])
        .lcm(ints([6, 5, 2]))
        .toArray(),
    ).toEqual([12, 0, 6]);
  });
});

describeOnEachBackend('numbers as they are stored', () => {
  it('come apart into mantissa and exponent', () => {
    const { mantissa, exponent } = t([8, -0.3, 0, Infinity, 5e-324]).frexp();
    expect([mantissa.toArray(), exponent.toArray()]).toEqual([
      [0.5, -0.6, 0, Infinity, 0.5],
      [4, -1, 0, 0, -1073],
    ]);
    expect(slope((x) => x.frexp().mantissa, [8])).toEqual([1 / 16]);
  });

  it('have neighbours, which depend on the dtype', () => {
    const ones = (dtype: tg.DType): tg.Tensor => tg.tensor([1, 0, 0, -1], { dtype });
    const towards = (dtype: tg.DType): tg.Tensor => tg.tensor([2, 1, -1, 0], { dtype });
    expect(tg.nextafter(ones('float64'), towards('float64')).toArray()).toEqual([1 + 2 ** -52, 5e-324, -5e-324, -1 + 2 ** -53]);
    expect(tg.nextafter(ones('float32'), towards('float32')).toArray()).toEqual([1 + 2 ** -23, 2 ** -149, -(2 ** -149), -1 + 2 ** -24]);
    expect(tg.nextafter(t([1, NaN]), t([1, 0])).toArray()).toEqual([1, NaN]);
  });

  it('take signs from others', () => {
    expect(t([-0, 3]).signbit().toArray()).toEqual([true, false]);
    expect(t([3, -2]).copysign(-0).toArray()).toEqual([-3, -2]);
  });

  it('are rounded to decimals', () => {
    expect(t([1.2345, -0.5, 2.675]).round({ decimals: 2 }).toArray()).toEqual([1.23, -0.5, 2.68]);
    expect(t([1234.5, 1500]).round({ decimals: -3 }).toArray()).toEqual([1000, 2000]);
  });

  it('that are not finite are replaced, by the limits of the dtype unless others are given', () => {
    expect(t([NaN, Infinity, -Infinity, 1]).nanToNum({ nan: 5, posinf: 6 }).toArray()).toEqual([5, 6, -Number.MAX_VALUE, 1]);
    expect(tg.tensor([Infinity]).nanToNum().item()).toBe(3.4028234663852886e38);
    expect(slope((x) => x.nanToNum(), [NaN, Infinity, 1])).toEqual([0, 0, 1]);
    expect(ints([0, -3]).nanToNum().toArray()).toEqual([0, -3]);
  });

  it('are infinite only where there are infinities', () => {
    expect([t([Infinity, 0]).isposinf().toArray(), t([Infinity, -Infinity]).isneginf().toArray()]).toEqual([[true, false], [false, true]]);
    expect([ints([0, 1]).isposinf().toArray(), ints([0, -1]).isneginf().toArray()]).toEqual([[false, false], [false, false]]);
  });

  it('leave a remainder whose slope by the divisor fits it, also where the quotient is rounded', () => {
    // 0.25 / 0.001 rounds to 250, but 249 divisors fit.
    expect(t(0.25).remainder(0.001).item()).toBeCloseTo(0.001, 12);
    expect(slope((y) => t(0.25).remainder(y), 0.001)).toBe(-249);
  });

  it('have odds, whose logarithm is limited by eps', () => {
    expect(t([0.05, 0.5]).logit(0.1).toArray()).toEqual([Math.log(0.1 / 0.9), 0]);
    expect(slope((x) => x.logit(0.1), [0.05, 0.5])).toEqual([0, 4]);
    expect(t([0.5]).logit_().item()).toBe(0);
  });

  it('are close to each other within tolerances', () => {
    const y = t([1 + 1e-6, Infinity, NaN]);
    expect(t([1, Infinity, NaN]).isclose(y).toArray()).toEqual([true, true, false]);
    expect(t([1, Infinity, NaN]).isclose(y, { rtol: 0, atol: 0, equalNan: true }).toArray()).toEqual([false, true, true]);
  });
});

describeOnEachBackend('running and nan-aware folds', () => {
  it('adds exponentials one after the other without overflow and without losing the first', () => {
    expect(t([1000, 1000]).logcumsumexp(0).toArray()).toEqual([1000, 1000 + Math.LN2]);
    expect(t([-1000, 0]).logcumsumexp(0).toArray()).toEqual([-1000, 0]);
    expect(
      tg.gradgradcheck(
        (x: tg.Tensor) => x.logcumsumexp(1),
        [
          p([
            [1, 2, -1, 0.5, 3],
            [0, 0, 1, -2, 1],
          ]),
        ],
      ),
    ).toBe(true);
  });

  it('passes NaN over', () => {
    expect(
      t([
        [1, NaN],
        [NaN, NaN],
      ])
        .nansum(1)
        .toArray(),
    ).toEqual([1, 0]);
    expect(
      t([
        [1, NaN],
        [NaN, NaN],
      ])
        .nanmean(1)
        .toArray(),
    ).toEqual([1, NaN]);
    expect(slope((x) => x.nanmean(), [1, NaN, 3])).toEqual([0.5, 0, 0.5]);
  });

  it('scales slices down to a norm', () => {
    expect(
      t([
        [3, 4],
        [0.3, 0.4],
      ])
        .renorm(2, 0, 1)
        .at(1)
        .toArray(),
    ).toEqual([0.3, 0.4]);
    expect(
      t([
        [3, 4],
        [0.3, 0.4],
      ])
        .renorm(2, 0, 1)
        .at(0)
        .norm()
        .item(),
    ).toBeCloseTo(1, 6);
    expect(slope((x) => x.dist(t([1, 2])), [1, 2])).toEqual([0, 0]);
  });

  it('differences, integrates and estimates slopes', () => {
    expect(t([1, 4, 9, 16]).diff(2).toArray()).toEqual([2, 2]);
    expect(tg.tensor([true, false, false]).diff().toArray()).toEqual([true, false]);
    expect(
      t([1, 3])
        .diff(1, 0, { prepend: t([0]), append: t([7]) })
        .toArray(),
    ).toEqual([1, 2, 4]);
    expect(tg.trapezoid(t([0, 1, 4])).item()).toBe(3);
    expect(tg.cumulativeTrapezoid(t([0, 1, 4]), t([0, 2, 3])).toArray()).toEqual([1, 3.5]);
    // Exact for a parabola inside, and with edgeOrder 2 at the ends.
    expect(tg.gradient(t([0, 1, 9, 16]), { spacing: [t([0, 1, 3, 4])], edgeOrder: 2 })[0]!.toArray()).toEqual([0, 2, 6, 8]);
    expect(tg.gradient(t([0, 1, 9, 16]), { spacing: [t([0, 1, 3, 4])] })[0]!.toArray()).toEqual([1, 2, 6, 7]);
  });

  it('finds covariances with weights', () => {
    const x = t([
      [1, 2, 4],
      [2, 4, 8],
    ]);
    expect(x.cov({ fweights: ints([1, 1, 1]) }).toArray()).toEqual(x.cov().toArray());
    expect(t([1, 2, 6]).cov().item()).toBe(7);
    expect(t([1, 2, 6]).cov({ correction: 0 }).item()).toBeCloseTo(14 / 3, 14);
    expect(t([1, 2, 2]).cov().item()).toBeCloseTo(
      t([1, 2])
        .cov({ fweights: ints([1, 2]) })
        .item(),
      15,
    );
    expect(x.corrcoef().at(0, 1).item()).toBeCloseTo(1, 15);
  });
});

describe('functions of numbers refuse', () => {
  const half = t([0.5]);
  it.each([
    [
      'bits of floats',
      () => half.bitwiseAnd(1),
      "bitwiseAnd: the operands must hold integers or bools, got float64; use x.to('int32')",
    ],
    [
      'fractions beside bits',
      () => ints([1]).bitwiseOr(1.5),
      "bitwiseOr: the operands must hold integers or bools, got float32; use x.to('int32')",
    ],
    [
      'shifts of bools',
      () => tg.tensor([true]).bitwiseLeftShift(1),
      "bitwiseLeftShift: the operands must hold integers, got bool; use x.to('int32')",
    ],
    ['divisors of floats', () => half.gcd(half), "gcd: the operands must hold integers, got float64; use x.to('int32')"],
    ['a number first', () => tg.lt(2 as unknown as tg.Tensor, half), 'lt: argument 0 must be a Tensor, got number'],
    ['a number for a tensor', () => half.atan2(2 as unknown as tg.Tensor), 'atan2: argument 1 must be a Tensor, got number'],
    ['negative tolerances', () => half.isclose(half, { rtol: -1 }), 'isclose: rtol and atol must be at least 0, got -1 and 1e-8'],
    [
      'two dtypes to compare',
      () => half.isclose(ints([1])),
      'isclose: both arguments must have one dtype, got float64 and int32; use x.typeAs(other)',
    ],
    ['a broken order', () => half.polygamma(1.5), 'polygamma: the order must be a whole number of at least 0, got 1.5'],
    [
      'what the gamma function has no value for',
      () => half.mvlgamma(3),
      'mvlgamma: all elements must be greater than (p − 1)/2 = 1, where the function is not defined',
    ],
    [
      'decimals of integers',
      () => ints([15]).round({ decimals: 1 }),
      "round: decimals are for floating-point tensors, got int32; use x.to('float32')",
    ],
    ['a scalar to difference', () => t(1).diff(), 'diff: the input must have at least one dimension, got a scalar'],
    ['points that do not fit', () => tg.trapezoid(t([1, 2]), t([1, 2, 3])), 'trapezoid: x has 3 points along dim 0, but y has 2'],
    ['too few values', () => tg.gradient(t([1])), 'gradient: dim 0 of [1] must have at least edgeOrder + 1 = 2 values'],
    ['negative weights', () => t([1, 2]).cov({ aweights: t([1, -1]) }), 'cov: aweights must not be negative'],
    ['a vector to renormalize', () => half.renorm(2, 0, 1), 'renorm: the input needs at least 2 dimensions, got [1]'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(tg.TapegradError);
  });
});

describe('second names', () => {
  it('stand for the same operations, as functions, methods and in place', () => {
    expect(tg.multiply).toBe(tg.mul);
    expect(t([-1]).absolute().toArray()).toEqual([1]);
    expect(t([-1, 5]).clip_(0, 2).toArray()).toEqual([0, 2]);
  });
});
