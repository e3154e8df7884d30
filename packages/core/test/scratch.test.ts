import { describe, expect, it } from '@jest/globals';
import { linear, rand } from '../src/index.ts';
import { poisonFreedMemory } from '../src/storage.ts';

describe('memory that a backward pass frees', () => {
  it('is not that of kernels, which use theirs again in the next pass', () => {
    poisonFreedMemory(true);
    const w = rand([300, 200], { requiresGrad: true });
    const b = rand([300], { requiresGrad: true });
    const x = rand([64, 200]);
    const sums = [1, 2, 3].map(() => {
      w.grad = null;
      b.grad = null;
      linear(x, w, b).relu().sum().backward();
      return [w.grad!.sum().item(), b.grad!.sum().item()];
    });
    poisonFreedMemory(false);
    expect(sums[1]).toEqual(sums[0]);
    expect(sums[2]).toEqual(sums[0]);
    expect(sums[0]!.every(Number.isFinite)).toBe(true);
  });
});
