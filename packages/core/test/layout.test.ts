import { describe, expect, it } from '@jest/globals';
import { alike, denseLayout, Layout } from '../src/layout.ts';
import { empty, full, ones, tensor } from '../src/index.ts';

describe('layouts', () => {
  it('say what follows from shape, strides and dtype', () => {
    const dense = denseLayout([2, 3], 'float64');
    expect(dense).toMatchObject({ strides: [3, 1], numel: 6, byteLength: 48, isContiguous: true, isPlain: true });
    expect(new Layout([2, 3], [1, 2], 'float32')).toMatchObject({ numel: 6, isContiguous: false, isPlain: false });
    expect(denseLayout([4], 'int32')).toMatchObject({ isContiguous: true, isPlain: false });
  });

  it('become one when equal ones meet: the oldest of all', () => {
    const [a, b, c] = [ones([2, 3]), ones([2, 3]), ones([2, 3])];
    const oldest = a.layout;
    expect(new Set([a, b, c].map(({ layout }) => layout)).size).toBe(3);
    c.mul(b);
    expect(c.layout).toBe(b.layout);
    const d = a.add(c);
    b.sub(c);
    for (const x of [a, b, c, d]) expect(x.layout).toBe(oldest);
  });

  it('stay apart where anything differs', () => {
    const x = ones([2, 3]);
    for (const other of [ones([3, 2]), ones([6]), ones([2, 3], { dtype: 'float64' }), ones([2, 3], { dtype: 'int32' }), ones([3, 2]).t()]) {
      expect(alike(x, other)).toBe(false);
      expect(other.layout).not.toBe(x.layout);
    }
  });

  it('leave strides that do not matter as they are', () => {
    const x = ones([1, 3]);
    const row = ones([2, 3]).slice(0, 0, 1).asStrided([1, 3], [7, 1]);
    expect(alike(x, row)).toBe(true);
    expect(row.stride()).toEqual([7, 1]);
    expect(x.stride()).toEqual([3, 1]);
    expect(row.add(x).toArray()).toEqual([[2, 2, 2]]);
  });

  it('of results have the shape of all operands, and are that of the first where they can be', () => {
    const x = ones([2, 3]);
    expect(x.add(ones([3])).layout).toBe(x.layout);
    expect(ones([1, 1]).add(ones([3])).shape).toEqual([1, 3]);
    expect(ones([3]).add(ones([1, 1])).shape).toEqual([1, 3]);
    expect(ones([2, 1]).add(ones([1, 3])).shape).toEqual([2, 3]);
  });

  it('of transposed tensors are alike and take the long way', () => {
    const [x, y] = [tensor([[1, 2], [3, 4]]).t(), tensor([[10, 20], [30, 40]]).t()];
    expect(alike(x, y)).toBe(true);
    expect(x.add(y).toArray()).toEqual([[11, 33], [22, 44]]);
  });

  it('give small results a place in the heap at once, and large ones when they are needed', () => {
    expect(full([3], 1).add(1).storage.block.address).toBeGreaterThan(0);
    expect(empty([3]).storage.block.address).toBeGreaterThan(0);
    expect(empty([5000]).storage.block.address).toBe(0);
    expect(empty([0]).storage.block.address).toBe(0);
  });
});
