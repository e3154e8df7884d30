import { describe, expect, it } from '@jest/globals';
import { matmul, rand, type Tensor } from '../src/index.ts';
import { addressOf } from '../src/storage.ts';

describe('a matrix product', () => {
  const shapes = [[32, 256, 512], [3, 300, 200], [64, 100, 33], [130, 260, 70], [5, 7, 9], [20, 800, 40], [1, 64, 500]] as const;
  it.each(shapes)('of %i × %i by %i writes only to its result and to scratch memory of its own', (m, k, n) => {
    const operands: [Tensor, Tensor][] = [
      [rand([m, k]), rand([k, n])],
      [rand([m, k]), rand([n, k]).t()],
      [rand([k, m]).t(), rand([k, n])],
      [rand([k, m]).t(), rand([n, k]).t()],
    ];
    for (const [a, b] of operands) {
      const expected = matmul(a, b).toTypedArray();
      // Whatever scratch memory lies around is in use by now; mark everything that is free.
      const guards = Array.from({ length: 40 }, (_, i) => rand([16 << i % 12]));
      guards.forEach((guard) => addressOf(guard.storage));
      const values = guards.map((guard) => guard.toTypedArray());
      const again = matmul(a, b);
      expect(Array.from(again.toTypedArray())).toEqual(Array.from(expected));
      guards.forEach((guard, i) => expect(Array.from(guard.toTypedArray())).toEqual(Array.from(values[i]!)));
    }
  });
});
