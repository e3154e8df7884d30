import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const { init } = nn;

// What PyTorch gives right after manual_seed, by seed and call.
const recorded = JSON.parse(readFileSync(new URL('data/initial-weights.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, number[][]>
>;

const empty = (): Tensor => tg.empty([3, 5]);
const calls: Record<string, () => readonly Tensor[]> = {
  'nn.Linear(4,3)': () => new nn.Linear(4, 3).parameters(),
  'nn.Conv2d(2,3,3)': () => new nn.Conv2d(2, 3, 3).parameters(),
  'nn.Embedding(5,3)': () => new nn.Embedding(5, 3).parameters(),
  'xavier_uniform[3,5]': () => [init.xavierUniform_(empty())],
  'xavier_normal[3,5]': () => [init.xavierNormal_(empty())],
  'kaiming_normal[3,5]': () => [init.kaimingNormal_(empty(), { nonlinearity: 'relu' })],
  'trunc_normal[6]': () => [init.truncNormal_(tg.empty([6]))],
  'dropout(ones[20],0.4)': () => [new nn.Dropout(0.4)(tg.ones([20]))],
};
/** Where only products and sums are involved; the others take logarithms, cosines or erfinv. */
const exact = new Set(['nn.Linear(4,3)', 'nn.Conv2d(2,3,3)', 'xavier_uniform[3,5]', 'dropout(ones[20],0.4)']);

describe('initial values after manualSeed are those of PyTorch', () => {
  it.each(Object.keys(recorded))('for seed %s', (seed) => {
    for (const [name, call] of Object.entries(calls)) {
      tg.manualSeed(Number(seed));
      const drawn = call().map((x) => [...x.toTypedArray()]);
      const expected = recorded[seed]![name]!.map((values) => values.map(Math.fround));
      if (exact.has(name)) expect([name, drawn]).toEqual([name, expected]);
      else {
        drawn.flat().forEach((value, i) => {
          const wanted = expected.flat()[i]!;
          expect(Math.abs(value - wanted)).toBeLessThanOrEqual(2 ** -22 * Math.abs(wanted));
        });
      }
    }
  });

  it('has the spread of the uniform distribution of 1/√fanIn', () => {
    tg.manualSeed(1);
    const { weight } = new nn.Linear(100, 50);
    const values = [...weight.toTypedArray()];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)).toBeCloseTo(0.1 / Math.sqrt(3), 2);
  });
});

describe('initialisers', () => {
  it('know the gains', () => {
    const gains = (['linear', 'conv2d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu'] as const).map((name) =>
      init.calculateGain(name),
    );
    expect(gains).toEqual([1, 1, 1, 5 / 3, Math.sqrt(2), Math.sqrt(2 / (1 + 0.01 ** 2)), 0.75]);
    expect(init.calculateGain('leaky_relu', 1)).toBe(1);
    expect(() => init.calculateGain('swish' as 'relu')).toThrow(/unknown nonlinearity 'swish'; known are linear/);
  });

  it('count fan-in and fan-out with the window', () => {
    expect(init.fans(tg.empty([4, 3, 2, 5]))).toEqual({ fanIn: 30, fanOut: 40 });
    expect(() => init.xavierUniform_(tg.empty([4]))).toThrow(/at least 2 dimensions/);
  });

  it('fill parameters in place without recording', () => {
    const parameter = new nn.Parameter(tg.empty([2, 2]));
    expect(init.constant_(parameter, 3)).toBe(parameter);
    expect(init.ones_(parameter).toArray()).toEqual([[1, 1], [1, 1]]);
    expect(init.zeros_(parameter).toArray()).toEqual([[0, 0], [0, 0]]);
    expect(init.eye_(parameter).toArray()).toEqual([[1, 0], [0, 1]]);
    expect([parameter.isLeaf, parameter.requiresGrad]).toEqual([true, true]);
    expect(() => init.eye_(tg.empty([2]))).toThrow(/2 dimensions/);
  });

  it('dirac_ passes channels on per group', () => {
    const expected = [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]];
    expect(init.dirac_(tg.empty([4, 2, 3]), 2).toArray()).toEqual([...expected, ...expected]);
    expect(() => init.dirac_(tg.empty([3, 2, 3]), 2)).toThrow(/not divisible by 2 groups/);
    expect(() => init.dirac_(tg.empty([3, 2]))).toThrow(/3 to 5 dimensions/);
  });

  it('orthogonal_ gives rows or columns at right angles, those of PyTorch for the seed', () => {
    tg.manualSeed(0);
    const wide = nn.init.orthogonal_(tg.empty([3, 5]));
    expect([...wide.select(0, 0).toTypedArray()]).toEqual([0.5222, -0.0994, -0.7384, 0.1926, -0.3675].map((v) => expect.closeTo(v, 4)));
    const tall = nn.init.orthogonal_(tg.empty([6, 2, 2]), 2).flatten(1);
    const gram = tall.t().matmul(tall).sub(tg.eye(4).mul(4)).abs().max().item();
    expect(gram).toBeLessThan(1e-5);
    expect(() => nn.init.orthogonal_(tg.empty([3]))).toThrow(/at least 2 dimensions/);
  });

  it('sparse_ puts zeros into each column, as PyTorch does for the seed', () => {
    tg.manualSeed(0);
    const x = init.sparse_(tg.empty([3, 2]), 0.5).toArray() as number[][];
    expect(x.map((row) => row.map((v) => Number(v.toFixed(7))))).toEqual([[0, 0], [-0.0217879, 0], [0, -0.013986]]);
  });

  it('kaimingUniform_ follows the mode and does nothing to no elements', () => {
    tg.manualSeed(3);
    const wide = init.kaimingUniform_(tg.empty([200, 2]), { mode: 'fan_out', nonlinearity: 'relu' });
    const bound = Math.sqrt(3) * Math.sqrt(2 / 200);
    const largest = Math.max(...[...wide.toTypedArray()].map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(bound * 0.95);
    expect(init.kaimingUniform_(tg.empty([0, 3])).shape).toEqual([0, 3]);
    expect(() => init.kaimingNormal_(empty(), { mode: 'fan_avg' as 'fan_in' })).toThrow(/'fan_in' or 'fan_out'/);
  });

  it('truncNormal_ stays inside its bounds and warns of a mean far outside', () => {
    const values = [...init.truncNormal_(tg.empty([500]), 0, 1, { a: -0.5, b: 0.25 }).toTypedArray()];
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.5);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.25);
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    init.truncNormal_(tg.empty([2]), 10, 1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/more than 2 std outside/));
    warn.mockRestore();
  });

  it('draw from a generator of their own', () => {
    const generator = new tg.Generator();
    const draw = (): unknown => init.normal_(tg.empty([4]), 0, 1, { generator: generator.manualSeed(5) }).toArray();
    expect(draw()).toEqual(draw());
  });
});
