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
