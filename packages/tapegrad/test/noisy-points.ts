import { randn, tensor, type Tensor } from '@tapegrad/core';
import type { Dataset } from '@tapegrad/data';

/** Points with a number that says on which side of a line they are; each comes with noise of its own every time. */
export default function noisyPoints({ length }: { length: number }): Dataset<[Tensor, Tensor]> {
  const points = randn([length, 2]);
  return {
    length,
    get: (i) => {
      const point = points.select(0, i);
      return [point.add(randn([2]).mul(0.1)), tensor(point.sum().item() > 0 ? 1 : 0, { dtype: 'int32' })];
    },
  };
}
