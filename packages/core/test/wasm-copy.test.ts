import { describe, expect, it } from '@jest/globals';
import type { DType } from '../src/dtype.ts';
import { copy } from '../src/backend/wasm/copy.ts';
import {
  broadcast,
  difference,
  fill,
  gapsAreUntouched,
  generator,
  layouts,
  random,
  run,
  strided,
  values,
} from './strided.ts';

const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
const shapes = [
  [],
  [1],
  [7],
  [0, 3],
  [3, 5],
  [33, 70],
  [2, 3, 4],
  [3, 1, 5],
  [2, 3, 4, 5],
  [2, 2, 3, 2, 3],
  [5, 68, 9],
];

/** What a number becomes in another dtype. */
function cast(value: number, from: DType, to: DType): number {
  if (to === 'bool') return value === 0 ? 0 : 1;
  if (to === 'float64') return value;
  if (to === 'float32') return Math.fround(value);
  return to === 'uint8' ? value & 255 : value | 0;
}

describe('copy', () => {
  it('moves elements between any layouts, and nothing else', () => {
    const next = generator(1);
    for (const shape of shapes) {
      for (const dtype of dtypes) {
        for (const from of layouts) {
          for (const to of layouts) {
            const x = random(shape, next, dtype, from);
            const out = strided(shape, dtype, to);
            run(() => copy(out, x));
            expect(difference(values(out), values(x))).toBeNull();
            expect(gapsAreUntouched(out)).toBe(true);
          }
        }
      }
    }
  });

  it('casts between all dtypes', () => {
    const next = generator(2);
    for (const from of dtypes) {
      for (const to of dtypes) {
        const x = random([3, 11], next, from, 'transposed');
        for (const layout of layouts) {
          const out = strided([3, 11], to, layout);
          run(() => copy(out, x));
          expect(values(out)).toEqual(values(x).map((value) => cast(value, from, to)));
        }
      }
    }
  });

  it('repeats broadcast elements', () => {
    for (const dtype of dtypes) {
      const row = fill(strided([37], dtype), (k) => k % 2);
      const out = strided([4, 37], dtype);
      run(() => copy(out, broadcast(row, 4)));
      expect(values(out)).toEqual([0, 1, 2, 3].flatMap(() => values(row)));
      const columns = strided([37, 9], dtype);
      const repeated = { ...row, shape: [37, 9], strides: [1, 0] };
      run(() => copy(columns, repeated));
      expect(values(columns)).toEqual(values(row).flatMap((value) => new Array<number>(9).fill(value)));
    }
  });

  it('keeps NaN, infinities and the sign of zero, and makes NaN true', () => {
    const x = fill(strided([4]), (k) => [NaN, Infinity, -0, 0][k]!);
    const double = strided([4], 'float64');
    run(() => copy(double, x));
    expect(values(double)).toEqual([NaN, Infinity, -0, 0]);
    const flags = strided([4], 'bool');
    run(() => copy(flags, x));
    expect(values(flags)).toEqual([1, 1, 0, 0]);
  });
});
