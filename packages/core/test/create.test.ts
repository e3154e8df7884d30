import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('factories', () => {
  it('make powers at equal distances of their exponents', () => {
    expect(tg.logspace(0, 3, 4).toArray()).toEqual([1, 10, 100, 1000]);
    expect(tg.logspace(3, 0, 4, 2).toArray()).toEqual([8, 4, 2, 1]);
    expect(tg.logspace(0, 3, 0).shape).toEqual([0]);
    expect(tg.logspace(1, 3, 1).toArray()).toEqual([10]);
    expect(() => tg.logspace(0, 1, -1)).toThrow(tg.ShapeError);
  });

  /** How many float32 numbers lie between the elements and the rounded exact ones. */
  const roundings = (x: tg.Tensor, exact: (i: number) => number): number[] => {
    const bits = (values: ArrayLike<number>): Int32Array => new Int32Array(Float32Array.from(values).buffer);
    const wanted = bits(Float64Array.from({ length: x.numel() }, (_, i) => exact(i)));
    return Array.from(bits(x.toTypedArray()), (value, i) => value - wanted[i]!);
  };

  it('make sequences of float32 with the bits of PyTorch', () => {
    expect(roundings(tg.linspace(-0.7, 12.3, 37), (i) => -0.7 + (i * 13) / 36)).toEqual([
      0, 0, -1, -2, 0, 0, -2, -1, 0, 0, -1, -1, -1, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0,
    ]);
    expect(roundings(tg.arange(0.1, 11.5, 0.3), (i) => 0.1 + i * 0.3)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
    ]);
    expect(roundings(tg.logspace(-1.1, 2.3, 12), (i) => 10 ** (-1.1 + (i * 3.4) / 11))).toEqual([0, -1, 0, 0, 0, 1, -2, -3, -2, -2, -2, -1]);
  });

  it('make sequences of integers from ends and steps that were cut to integers', () => {
    const options = { dtype: 'int32' } as const;
    expect(tg.linspace(0.5, 10.7, 5, options).toArray()).toEqual([0, 2, 5, 7, 10]);
    expect(tg.linspace(-2.5, 2.9, 4, options).toArray()).toEqual([-2, 0, 0, 2]);
    expect(tg.logspace(0.5, 2.7, 4, 10, options).toArray()).toEqual([1, 4, 21, 100]);
    expect(tg.arange(0.9, 5.1, 1.5, options).toArray()).toEqual([0, 1, 2]);
    expect(tg.linspace(2, 5, 1).toArray()).toEqual([2]);
    expect(tg.linspace(0, 1, 0).shape).toEqual([0]);
  });

  it('list the positions of triangles', () => {
    expect(tg.trilIndices(2, 3).toArray()).toEqual([[0, 1, 1], [0, 0, 1]]);
    expect(tg.triuIndices(2, 3, 1).toArray()).toEqual([[0, 0, 1], [1, 2, 2]]);
    expect(tg.trilIndices(3, 2, -3).shape).toEqual([2, 0]);
    expect(tg.triuIndices(0, 5).shape).toEqual([2, 0]);
    expect(tg.triuIndices(1, 1).dtype).toBe('int32');
    expect(() => tg.trilIndices(-1, 2)).toThrow(tg.ShapeError);
  });

  it('refuse sizes that are not in one array', () => {
    const second = 3 as unknown as object;
    expect(() => tg.zeros(2, second)).toThrow('sizes of several dimensions go in an array, as in zeros([2, 3]); got 3');
    expect(() => tg.empty(2, second)).toThrow(tg.ValueError);
    expect(() => tg.rand(2, second)).toThrow('rand: sizes of several dimensions go in an array, as in rand([2, 3]); got 3');
  });

  it('refuse negative sizes with an error that says so', () => {
    expect(() => tg.eye(-1)).toThrow(/eye: sizes must be whole numbers of at least 0, got \[-1, -1\]/);
    expect(() => t([1]).newZeros([-1])).toThrow(tg.ShapeError);
  });

  it('take the dtype of another tensor', () => {
    const x = t([1]);
    expect(x.newFull([2], 5).toArray()).toEqual([5, 5]);
    expect([x.newOnes(2).dtype, x.newZeros([2], { dtype: 'int32' }).dtype, x.newEmpty([2, 3]).shape]).toEqual(['float64', 'int32', [2, 3]]);
    expect(x.newOnes([1], { requiresGrad: true }).isLeaf).toBe(true);
    const strided = x.newEmptyStrided([2, 3], [1, 2], { requiresGrad: true });
    expect([strided.strides, strided.requiresGrad, strided.isLeaf]).toEqual([[1, 2], true, true]);
    expect(() => x.newEmptyStrided([2], [1, 1])).toThrow(/needs as many strides/);
  });

  it('draw random numbers in the shape and dtype of another tensor', () => {
    const x = tg.zeros([3, 2], { dtype: 'float64' });
    const draw = (make: () => tg.Tensor): unknown => {
      tg.manualSeed(5);
      const drawn = make();
      expect([drawn.shape, drawn.dtype]).toEqual([[3, 2], 'float64']);
      return drawn.toArray();
    };
    expect(draw(() => tg.randnLike(x))).toEqual(draw(() => tg.randn([3, 2], { dtype: 'float64' })));
    expect(draw(() => tg.randLike(x))).toEqual(draw(() => tg.rand([3, 2], { dtype: 'float64' })));
    expect(draw(() => tg.randintLike(x, 2, 9))).toEqual(draw(() => tg.randint(2, 9, [3, 2], { dtype: 'float64' })));
  });
});

it('is written as nested arrays by JSON.stringify, with null for what JSON does not know', () => {
  expect(JSON.stringify({ x: tg.tensor([[1, 2], [3, NaN]]), isLeaf: tg.tensor(true) })).toBe('{"x":[[1,2],[3,null]],"isLeaf":true}');
});
