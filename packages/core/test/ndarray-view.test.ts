import { describe, expect, it } from '@jest/globals';
import ndarray, { type NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import * as tg from '../src/index.ts';
import { p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

type View = NdArray<Float64Array>;

/** Every way of looking at a part of an array. */
const looks: Record<string, (a: View) => View> = {
  whole: (a) => a,
  transposed: (a) => a.transpose(2, 0, 1),
  lo: (a) => a.lo(0, 1, 2),
  hi: (a) => a.hi(1, 2, 3),
  stepped: (a) => a.step(1, 2, 3),
  backwards: (a) => a.step(-1, 1, -2),
  picked: (a) => a.pick(1, null as unknown as number),
  scalar: (a) => a.pick(1, 2, 3),
  combined: (a) => a.lo(1, 1, 0).step(1, -1, 2).transpose(1, 0, 2).pick(0),
};

const values = Float64Array.from({ length: 24 }, (_, i) => i * 1.5);
const real = (): View => ndarray(Float64Array.from(values), [2, 3, 4]);

function elementsOf(a: View): number[] {
  const out: number[] = [];
  const visit = (at: number[]): void => {
    if (at.length === a.shape.length) out.push(a.get(...at));
    else for (let i = 0; i < a.shape[at.length]!; i++) visit([...at, i]);
  };
  visit([]);
  return out;
}

describe('exchange with ndarray', () => {
  it('reads ndarrays of any strides', () => {
    for (const [name, look] of Object.entries(looks)) {
      const view = look(real());
      const x = tg.tensor(view);
      expect([name, x.shape, [...x.toTypedArray()]]).toEqual([name, view.shape, elementsOf(view)]);
      expect(x.dtype).toBe('float64');
    }
  });

  it('reads any kind of storage', () => {
    expect(tg.tensor(ndarray(new Uint8Array([1, 2, 3, 4]), [2, 2])).dtype).toBe('uint8');
    expect(tg.tensor(ndarray(new Int16Array([1, -2]))).toArray()).toEqual([1, -2]);
    expect(tg.tensor(ndarray([1, 2, 3, 4], [2, 2])).dtype).toBe('float32');
    const lazy = { length: 3, get: (i: number) => i * i, set: () => {} };
    expect(tg.tensor(ndarray(lazy, [3])).toArray()).toEqual([0, 1, 4]);
    expect(tg.tensor(ndarray(values, [2, 3, 4]), { dtype: 'float32', requiresGrad: true }).requiresGrad).toBe(true);
  });

  it('copies', () => {
    const source = real();
    const x = tg.tensor(source);
    source.set(0, 0, 0, 99);
    expect(x.select(0, 0).select(0, 0).select(0, 0).item()).toBe(0);
    const out = x.toNdarray();
    out.set(0, 0, 0, -1);
    expect(x.select(0, 0).select(0, 0).select(0, 0).item()).toBe(0);
  });

  it('gives what looks and behaves like an ndarray', () => {
    for (const [name, look] of Object.entries(looks)) {
      const [mine, other] = [look(tg.tensor(real()).toNdarray() as View), look(real())];
      expect([name, elementsOf(mine)]).toEqual([name, elementsOf(other)]);
      for (const field of ['shape', 'stride', 'offset', 'size', 'order', 'dimension', 'dtype'] as const) {
        expect([name, field, mine[field]]).toEqual([name, field, other[field]]);
      }
    }
  });

  it('goes through the functions of ndarray-ops', () => {
    const a = t([[1, 2, 3], [4, 5, 6]]).toNdarray();
    const b = t([[10, 20], [30, 40], [50, 60]]).toNdarray().transpose(1, 0);
    const sum = ndarray(new Float64Array(6), [2, 3]);
    ops.add(sum, a, b);
    expect(tg.tensor(sum).toArray()).toEqual([[11, 32, 53], [24, 45, 66]]);
    ops.mulseq(a.pick(0), 100);
    expect(tg.tensor(a).toArray()).toEqual([[100, 200, 300], [4, 5, 6]]);
    expect(ops.sum(a.step(1, -2))).toBe(100 + 300 + 4 + 6);
  });

  it('gives every dtype and any strides', () => {
    for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
      const nd = tg.tensor([[1, 2], [3, 4]], { dtype }).T.toNdarray();
      expect([nd.dtype, [...nd.data]]).toEqual([dtype, [1, 3, 2, 4]]);
      expect(tg.tensor(nd).dtype).toBe(dtype);
    }
    const bools = tg.tensor([true, false]).toNdarray();
    expect([bools.dtype, [...bools.data]]).toEqual(['uint8', [1, 0]]);
    expect(t(5).toNdarray().get()).toBe(5);
    expect(tg.zeros([0, 3]).toNdarray().shape).toEqual([0, 3]);
    expect(t([1, 2]).expand(2, 2).toNdarray().get(1, 1)).toBe(2);
  });

  it('refuses what requires grad', () => {
    expect(() => p([1]).toNdarray()).toThrow(/detach\(\)/);
  });
});
