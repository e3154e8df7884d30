import { describe, expect, it } from '@jest/globals';
import { allocate, blockSize, release, views } from '../src/heap.ts';

describe('small blocks of the heap', () => {
  const limit = 2 ** 31;
  const sizes = [16, 112, 640, 20_000, 32_768];

  it.each(sizes)('of %i bytes never overlap, also where a slab ends within one', (bytes) => {
    const size = blockSize(bytes);
    const addresses = Array.from({ length: Math.ceil((3 * 2 ** 18) / size) }, () => allocate(bytes, limit));
    const sorted = addresses.toSorted((a, b) => a - b);
    expect(sorted.every((address, k) => address % 16 === 0 && (k === 0 || address - sorted[k - 1]! >= size))).toBe(true);
    expect(sorted.at(-1)! + size).toBeLessThanOrEqual(views.u8.length);
    const other = allocate(2 ** 20, limit);
    expect(sorted.every((address) => address + size <= other || address >= other + 2 ** 20)).toBe(true);
    for (const address of addresses) release(address, bytes);
  });

  it('are used again before fresh ones', () => {
    const address = allocate(48, limit);
    release(address, 48);
    expect(allocate(40, limit)).toBe(address);
  });
});
