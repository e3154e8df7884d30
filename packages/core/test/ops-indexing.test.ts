import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('picking and scattering', () => {
  it('gathers, and adds up where an element was taken twice', () => {
    const index = ints([[0, 0], [1, 0]]);
    expect(t([[1, 2], [3, 4]]).gather(0, index).toArray()).toEqual([[1, 2], [3, 2]]);
    expect(slope((x) => x.gather(1, index), [[1, 2], [3, 4]])).toEqual([[2, 0], [1, 1]]);
  });

  it('scatters: the target keeps its gradient elsewhere, the source gets it where it was written', () => {
    const x = p([1, 2, 3]);
    const src = p([10, 20]);
    const y = x.scatter(0, ints([2, 0]), src);
    expect(y.toArray()).toEqual([20, 2, 10]);
    const [gx, gs] = tg.grad(y.mul(t([1, 2, 4])).sum(), [x, src]);
    expect([gx!.toArray(), gs!.toArray()]).toEqual([[0, 2, 0], [4, 1]]);
    expect(x.detach().scatterAdd(0, ints([1, 1]), t([5, 6])).toArray()).toEqual([1, 13, 3]);
  });

  it('adds, replaces and fills slices', () => {
    const x = t([[1, 1], [2, 2], [3, 3]]);
    expect(x.indexSelect(0, ints([2, 0])).toArray()).toEqual([[3, 3], [1, 1]]);
    expect(x.indexAdd(0, ints([0, 0]), t([[1, 2], [3, 4]]), { alpha: 2 }).toArray()).toEqual([[9, 13], [2, 2], [3, 3]]);
    expect(x.indexCopy(0, ints([1]), t([[9, 9]])).toArray()).toEqual([[1, 1], [9, 9], [3, 3]]);
    const value = p(7);
    const filled = x.indexFill(0, ints([0, 0]), value);
    expect(filled.toArray()).toEqual([[7, 7], [2, 2], [3, 3]]);
    expect(tg.grad(filled.sum(), value)[0]!.item()).toBe(2);
  });

  it('changes a tensor in place with the name that ends in an underscore', () => {
    const x = p([1, 2, 3]).mul(1);
    expect(x.indexAdd_(0, ints([0]), t([10]))).toBe(x);
    expect(x.toArray()).toEqual([11, 2, 3]);
    expect(() => p([1, 2]).indexFill_(0, ints([0]), 0)).toThrow(tg.GradError);
  });

  it('selects by masks and finds what is not zero', () => {
    const mask = tg.tensor([[true, false], [false, true]]);
    expect(slope((x) => x.maskedSelect(mask), [[1, 2], [3, 4]])).toEqual([[1, 0], [0, 1]]);
    expect(t([[0, 5], [6, 0]]).nonzero().toArray()).toEqual([[0, 1], [1, 0]]);
    expect(t([[3, 1], [2, 4]]).takeAlongDim(ints([[0], [1]]), 1).toArray()).toEqual([[3], [4]]);
  });

  it('names the wrong index, its position, the dimension and its size, and changes nothing', () => {
    const x = t([1, 2, 3]);
    expect(() => x.gather(0, ints([0, 7]))).toThrow('gather: index 7 at position [1] is out of bounds for dimension 0 with size 3');
    expect(() => x.scatter_(0, ints([1, -1]), 5)).toThrow(tg.IndexError);
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(() => x.gather(0, t([0]))).toThrow(/must hold integers/);
    expect(() => x.indexSelect(0, ints([[0]]))).toThrow(tg.IndexError);
  });

  it('notices an index that was changed between forward and backward', () => {
    const x = p([1, 2, 3]);
    const index = ints([0, 1]);
    const y = x.gather(0, index).sum();
    index.add_(1);
    expect(() => y.backward()).toThrow(/modified by an inplace operation/);
  });
});

describeOnEachBackend('embedding', () => {
  it('adds rows up, and leaves the padding row without a gradient', () => {
    const table = [[1, 2], [3, 4], [5, 6]];
    const ids = ints([1, 1, 2]);
    expect(tg.embedding(ids, t(table)).toArray()).toEqual([[3, 4], [3, 4], [5, 6]]);
    expect(slope((w) => tg.embedding(ids, w, { paddingIdx: -1 }), table)).toEqual([[0, 0], [2, 2], [0, 0]]);
    expect(slope((w) => tg.embedding(ids, w, { scaleGradByFreq: true }), table)).toEqual([[0, 0], [1, 1], [1, 1]]);
  });

  it('names an id that has no row', () => {
    expect(() => tg.embedding(ints([[0, 5]]), t([[1], [2]]))).toThrow('embedding: ids 5 at position [0, 1] is out of bounds for dimension 0 with size 2');
  });

  it('writes labels as unit vectors', () => {
    expect(tg.oneHot(ints([2, 0])).toArray()).toEqual([[0, 0, 1], [1, 0, 0]]);
    expect(tg.oneHot(ints([1]), 4).shape).toEqual([1, 4]);
    expect(() => tg.oneHot(ints([4]), 3)).toThrow(tg.IndexError);
  });
});

const grid = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]];

describeOnEachBackend('subscripts', () => {
  it('reads numbers, slices, ellipses and new dimensions as views', () => {
    const x = t(grid);
    expect(x.at(1).toArray()).toEqual([4, 5, 6, 7]);
    expect(x.at(-1, -1).item()).toBe(11);
    expect(x.at('1:', '::2').toArray()).toEqual([[4, 6], [8, 10]]);
    expect(x.at({ start: -2 }, ':2').toArray()).toEqual([[4, 5], [8, 9]]);
    expect(x.at('...', 0).toArray()).toEqual([0, 4, 8]);
    expect(x.at(null, 0, null).shape).toEqual([1, 1, 4]);
    expect(x.at(0).storage).toBe(x.storage);
  });

  it('picks with arrays, tensors and masks', () => {
    const x = t(grid);
    expect(x.at([0, -1]).toArray()).toEqual([grid[0], grid[2]]);
    expect(x.at([0, 2], [1, 3]).toArray()).toEqual([1, 11]);
    expect(x.at(':', ints([[0, 1], [2, 3]])).shape).toEqual([3, 2, 2]);
    expect(x.at(x.gt(8)).toArray()).toEqual([9, 10, 11]);
    expect(x.at([true, false, true], 1).toArray()).toEqual([1, 9]);
    expect(x.at(ints(2)).toArray()).toEqual(grid[2]);
    expect(x.at(true).shape).toEqual([1, 3, 4]);
    expect(x.at(false).shape).toEqual([0, 3, 4]);
  });

  it('puts picked dimensions where they stood if they are neighbours, else in front', () => {
    const x = tg.zeros([2, 3, 4, 5]);
    expect(x.at(':', [0, 1], [1, 2]).shape).toEqual([2, 2, 5]);
    expect(x.at([0, 1], ':', [1, 2]).shape).toEqual([2, 3, 5]);
    expect(x.at(':', [0, 1], ':', [[1], [2], [3]]).shape).toEqual([3, 2, 2, 4]);
  });

  it('adds gradients up where an element was picked twice', () => {
    expect(slope((x) => x.at([0, 0, 2]), [1, 2, 3])).toEqual([2, 0, 1]);
  });

  it('writes through subscripts, and gives the gradient to the value', () => {
    const x = t(grid);
    x.setAt([0, '1:3'], 50);
    x.setAt([[1, 2], 0], t([60, 70]));
    x.setAt(x.lt(7), 0);
    expect(x.toArray()).toEqual([[0, 50, 50, 0], [60, 0, 0, 7], [70, 9, 10, 11]]);
    const v = p([1, 2]);
    const y = t([1, 2, 3]).mul(1);
    y.setAt([[0, 2]], v);
    expect(tg.grad(y.mul(t([1, 10, 100])).sum(), v)[0]!.toArray()).toEqual([1, 100]);
  });

  it('gives every value its gradient where positions repeat without adding', () => {
    const v = p([5, 6]);
    const y = t([1, 2]).indexPut([ints([0, 0])], v);
    expect(tg.grad(y.mul(t([3, 4])).sum(), v)[0]!.toArray()).toEqual([3, 3]);
    expect(t([1, 2]).indexPut([ints([0, 0])], t([5, 6]), { accumulate: true }).toArray()).toEqual([12, 2]);
  });

  it('refuses what does not fit before anything changes', () => {
    const x = t(grid);
    expect(() => x.at(3)).toThrow(tg.IndexError);
    expect(() => x.at(0, 0, 0)).toThrow(/too many indices: 3 for a tensor of 2 dimensions/);
    expect(() => x.at([0, 4])).toThrow('at: index 4 at position [1] is out of bounds for dimension 0 with size 3');
    expect(() => x.at(tg.tensor([true, false]))).toThrow(/shape of the mask \[2\]/);
    expect(() => x.at('1;2')).toThrow(/not a subscript/);
    expect(() => x.at('...', '...')).toThrow(/only once/);
    expect(() => x.setAt([[0, 9]], 1)).toThrow(tg.IndexError);
    expect(x.toArray()).toEqual(grid);
  });
});
