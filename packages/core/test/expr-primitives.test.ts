import { describe, expect, it } from '@jest/globals';
import { primitives } from '../src/expr/index.ts';

const value = (name: keyof typeof primitives, a: number, b = 0): number => primitives[name].js(a, b, 0);

describe('primitives', () => {
  // True values to 17 digits, from arithmetic with 40.
  const golden: readonly (readonly [keyof typeof primitives, number, number])[] = [
    ['erf', 0.3, 0.32862675945912742],
    ['erf', -1.7, -0.98379045859077456],
    ['erf', 1e-20, 1.1283791670955126e-20],
    ['erfc', 0.5, 0.47950012218695346],
    ['erfc', 5, 1.5374597944280349e-12],
    ['erfc', 26, 5.6631924088561428e-296],
    ['erfc', -3, 1.9999779095030014],
    ['erfinv', 0.5, 0.47693627620446987],
    ['erfinv', -0.999999, -3.4589107372754988],
    ['erfinv', 1e-12, 8.8622692545275801e-13],
    ['lgamma', 0.1, 2.252712651734206],
    ['lgamma', 1.001, -0.00057639359828330615],
    ['lgamma', 7.5, 7.5343642367587329],
    ['lgamma', -2.5, -0.056243716497674054],
    ['lgamma', 1e5, 1051287.7089736569],
    ['digamma', 0.25, -4.2274535333762654],
    ['digamma', 20, 2.9705239922421491],
    ['digamma', -1.5, 0.70315664064524319],
  ];
  it.each(golden)('%s(%d) is accurate to 2e-15', (name, x, expected) => {
    expect(Math.abs(value(name, x) / expected - 1)).toBeLessThan(name === 'erfinv' ? 3e-15 : 2e-15);
  });

  it('polygamma and zeta agree with known closed forms', () => {
    expect(value('polygamma', 1, 1)).toBeCloseTo(Math.PI ** 2 / 6, 14);
    expect(value('polygamma', 3, 0.5)).toBeCloseTo(Math.PI ** 4, 11);
    expect(value('zeta', 4, 1)).toBeCloseTo(Math.PI ** 4 / 90, 14);
    expect(value('zeta', 2, -3)).toBe(Infinity);
    expect(value('zeta', 0.5, 1)).toBeNaN();
  });

  it('rounding goes to even and keeps the sign of zero', () => {
    expect(
      [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 2 ** 52 + 1].map((x) => value('round', x)),
    ).toEqual([0, 2, 2, -0, -2, 0, 2 ** 52 + 1]);
  });

  it('remainder has the sign of the divisor, fmod that of the dividend', () => {
    expect([value('remainder', 5, -3), value('remainder', -5, 3), value('remainder', -0, 2)]).toEqual([
      -1, 1, -0,
    ]);
    expect([value('fmod', 5, -3), value('fmod', -5, 3)]).toEqual([2, -2]);
    expect(value('remainder', 1, 0)).toBeNaN();
  });

  it('floor division agrees with floor where division is exact, and at the edges', () => {
    expect([value('floorDiv', 5, -3), value('floorDiv', -5, 3), value('floorDiv', -6, 3)]).toEqual([
      -2, -2, -2,
    ]);
    expect([value('floorDiv', 1, 0), value('floorDiv', -1, 0), value('floorDiv', -1, Infinity)]).toEqual([
      Infinity,
      -Infinity,
      -1,
    ]);
    expect(value('floorDiv', 1, 0.1)).toBe(9);
  });

  it('powers, extremes, signs and sigmoid follow IEEE 754 and PyTorch at the edges', () => {
    expect([
      value('pow', 1, NaN),
      value('pow', -1, Infinity),
      value('pow', NaN, 0),
      value('pow', 0, -1),
    ]).toEqual([1, 1, 1, Infinity]);
    expect([value('min', NaN, 1), value('max', 1, NaN), value('max', -0, 0)]).toEqual([NaN, NaN, 0]);
    expect([value('sign', NaN), value('sign', -3), value('sign', 0)]).toEqual([0, -1, 0]);
    expect([value('sigmoid', -800), value('sigmoid', 800), value('sigmoid', -40)]).toEqual([
      0, 1, 4.248354255291589e-18,
    ]);
    expect([value('lgamma', 0), value('lgamma', -1), value('digamma', 0), value('digamma', -1)]).toEqual([
      Infinity,
      Infinity,
      -Infinity,
      NaN,
    ]);
    expect([value('erfinv', 1), value('erfinv', -1), value('erfinv', 1.5), value('erfc', 40)]).toEqual([
      Infinity,
      -Infinity,
      NaN,
      0,
    ]);
  });
});
