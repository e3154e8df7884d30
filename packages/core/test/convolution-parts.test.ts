import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';

/** Whole numbers, whose sums are exact in whatever order they are taken. */
function wholeNumbers(shape: readonly number[]): Tensor {
  return tg.randint(-3, 4, shape).to('float32');
}

function filterGradient(x: Tensor, g: Tensor, shape: readonly number[], groups: number): Tensor {
  const w = tg.zeros(shape).requiresGrad_();
  tg.conv2d(x, w, null, { groups }).mul(g).sum().backward();
  return w.grad!;
}

describe('gradients of filters, which are summed over parts of the images', () => {
  it.each([
    [33, 6, 16, 14, 5, 1],
    [32, 1, 6, 28, 5, 1],
    [17, 8, 40, 12, 3, 1],
    [33, 6, 16, 14, 5, 2],
    [130, 4, 8, 12, 3, 4],
    [600, 16, 32, 4, 3, 1],
  ])('are those of all %d images of %d channels', (images, channels, filters, size, kernel, groups) => {
    const shape = [filters, channels / groups, kernel, kernel];
    const x = wholeNumbers([images, channels, size, size]);
    const g = wholeNumbers([images, filters, size - kernel + 1, size - kernel + 1]);
    const expected = tg.zeros(shape);
    for (let n = 0; n < images; n++) {
      expected.add_(filterGradient(x.narrow(0, n, 1), g.narrow(0, n, 1), shape, groups));
    }
    expect(filterGradient(x, g, shape, groups).toTypedArray()).toEqual(expected.toTypedArray());
  });
});
