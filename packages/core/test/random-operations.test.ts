import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { ints } from './each-backend.ts';
import { t } from './notation.ts';

// What PyTorch draws after manual_seed(3).
function seeded(draw: () => tg.Tensor): unknown {
  tg.manualSeed(3);
  return draw().toArray();
}

describe.each(['float32', 'float64'] as const)('random operations draw as PyTorch does (%s)', (dtype) => {
  const of = (values: tg.TensorData): tg.Tensor => tg.tensor(values, { dtype });
  const close = (actual: unknown, expected: readonly number[]): void => {
    (actual as number[]).flat().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, dtype === 'float32' ? 6 : 14));
  };

  it('multinomial, with and without replacement', () => {
    const weights = of([
      [0.1, 0.2, 0.3, 0.4],
      [5, 1, 1, 0],
    ]);
    expect(seeded(() => tg.multinomial(weights, 3))).toEqual([
      [0, 3, 1],
      [2, 0, 1],
    ]);
    expect(seeded(() => tg.multinomial(weights, 1))).toEqual([[0], [2]]);
    expect(seeded(() => tg.multinomial(weights, 5, { replacement: true }))).toEqual([
      [0, 1, 3, 1, 3],
      [0, 0, 0, 0, 1],
    ]);
  });

  it('normal, with a tensor for the mean, the deviation or both', () => {
    close(
      seeded(() => tg.normal(of([1, 2, 3]), of([0.1, 1, 10]))),
      [1.080327607809635, 2.1748333932791035, 3.8897809502587894],
    );
    close(
      seeded(() => tg.normal(of([[1], [2]]), 2)),
      [2.606552156192701, 2.349666786558207],
    );
    close(
      seeded(() => tg.normal(0.5, of([1, 2]))),
      [1.3032760780963506, 0.849666786558207],
    );
  });

  it('numbers in the shape of another tensor', () => {
    expect(seeded(() => tg.randintLike(of([0, 0, 0, 0]), 3, 9))).toEqual([7, 5, 4, 6]);
    tg.manualSeed(3);
    tg.randintLike(of([0, 0, 0, 0]), 3, 9);
    close(
      tg.randLike(of([0, 0])).toArray(),
      dtype === 'float32' ? [0.47161436, 0.060116291] : [0.7729149443285843, 0.17492702928129467],
    );
    expect([tg.randnLike(of([0, 0])).dtype, tg.randnLike(of([0, 0])).shape]).toEqual([dtype, [2]]);
  });
});

describe('random operations refuse', () => {
  it.each([
    [
      'more than there are',
      () => tg.multinomial(t([1, 1]), 3),
      'multinomial: 3 different indices cannot be drawn from 2; use { replacement: true }',
    ],
    ['none', () => tg.multinomial(t([1, 1]), 0), 'multinomial: count must be a whole number of at least 1, got 0'],
    ['negative weights', () => tg.multinomial(t([1, -1]), 1), 'multinomial: the weights must be finite and not negative'],
    [
      'only zeros',
      () =>
        tg.multinomial(
          t([
            [1, 1],
            [0, 0],
          ]),
          1,
        ),
      'multinomial: at least one weight of each row must be positive',
    ],
    ['a cube of weights', () => tg.multinomial(t([[[1]]]), 1), 'multinomial: the weights must have 1 or 2 dimensions, got [1, 1, 1]'],
    ['integers', () => tg.randLike(ints([1])), 'rand: the dtype must be floating-point, got int32'],
    ['negative deviations', () => tg.normal(t([1]), t([-1])), 'normal: the standard deviation must not be negative'],
    [
      'a range the wrong way round',
      () => t([1]).uniform_(3, -1),
      'uniform: expected finite bounds with from <= to, got from = 3 and to = -1.',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(tg.TapegradError);
  });
});
