import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { describeOnEachBackend, ints, slope } from './each-backend.ts';
import { distance, random } from './matrix-inputs.ts';
import { p, t } from './notation.ts';

const rows = (pieces: Tensor[]): unknown[] => pieces.map((x) => x.toArray());

describeOnEachBackend('diagonals', () => {
  it('are taken out and put in, above and below', () => {
    expect(t([1, 2]).diag(1).toArray()).toEqual([[0, 1, 0], [0, 0, 2], [0, 0, 0]]);
    expect(t([[1, 2, 3], [4, 5, 6]]).diag(-1).toArray()).toEqual([4]);
    expect(t([[1, 2], [3, 4]]).diagEmbed().at(1).toArray()).toEqual([[3, 0], [0, 4]]);
    expect(t([[1, 2, 3]]).diagEmbed(-1, 0, 2).shape).toEqual([4, 1, 4]);
    expect(t([[1, 2], [3, 4]]).diagflat().diagonal().toArray()).toEqual([1, 2, 3, 4]);
    expect(t([[1, 2], [3, 4]]).trace().item()).toBe(5);
    const x = random(2, 3).detach();
    for (const [offset, a, b] of [[0, -2, -1], [1, 0, 1], [-2, 2, 0]] as const) {
      expect(distance(x.diagEmbed(offset, a, b).diagonal(offset, a, b), x)).toBe(0);
    }
  });

  it('give their gradient back to where it came from', () => {
    expect(slope((x) => x.diag(1), [[1, 2], [3, 4]])).toEqual([[0, 1], [0, 0]]);
    expect(slope((x) => x.diagEmbed().mul(t([[1, 2], [3, 4]])), [1, 2])).toEqual([1, 4]);
    expect(slope((x) => x.trace(), [[1, 2], [3, 4]])).toEqual([[1, 0], [0, 1]]);
  });

  it('are refused where there is none', () => {
    expect(() => t(1).diag()).toThrow(/expected a vector or a matrix, got \[\]/);
    expect(() => tg.zeros([2, 2, 2]).trace()).toThrow(/x\.diagonal\(0, -2, -1\)\.sum\(-1\)/);
    expect(() => t([1]).diagEmbed(0, 1, 1)).toThrow(/cannot be the same/);
    expect(() => t([1]).diagEmbed(0, 0, 5)).toThrow(tg.IndexError);
    expect(() => t(1).diagEmbed()).toThrow(/use diagflat/);
  });
});

describeOnEachBackend('splitting', () => {
  it('cuts at positions, also odd ones, or into nearly equal pieces', () => {
    const x = ints([0, 1, 2, 3, 4]);
    expect(rows(x.tensorSplit(3))).toEqual([[0, 1], [2, 3], [4]]);
    expect(rows(x.tensorSplit([1, 3]))).toEqual([[0], [1, 2], [3, 4]]);
    expect(rows(x.tensorSplit([3, 1, -1]))).toEqual([[0, 1, 2], [], [1, 2, 3], [4]]);
    expect(rows(x.tensorSplit(ints([2, 9])))).toEqual([[0, 1], [2, 3, 4], []]);
    expect(rows(x.tensorSplit(ints(2)))).toEqual([[0, 1, 2], [3, 4]]);
    expect(x.tensorSplit(7).map((piece) => piece.numel())).toEqual([1, 1, 1, 1, 1, 0, 0]);
  });

  it('cuts along the dimension that the name says', () => {
    const x = tg.zeros([2, 4, 6]);
    expect([x.vsplit(2), x.hsplit(2), x.dsplit([1])].map(([piece]) => piece!.shape)).toEqual([[1, 4, 6], [2, 2, 6], [2, 4, 1]]);
    expect(rows(ints([1, 2, 3, 4]).hsplit(2))).toEqual([[1, 2], [3, 4]]);
    expect(slope((v) => v.hsplit([1])[1]!, [1, 2, 3])).toEqual([0, 1, 1]);
  });

  it('refuses what does not divide, and what is no number', () => {
    expect(() => tg.zeros([3]).hsplit(2)).toThrow(/dim 0 of \[3\] does not divide into 2 equal pieces; tensorSplit/);
    expect(() => tg.zeros([3]).hsplit(0)).toThrow(tg.ValueError);
    expect(() => tg.zeros([3]).tensorSplit(0)).toThrow(/must be at least 1, got 0/);
    expect(() => tg.zeros([3]).vsplit(1)).toThrow(/at least 2 dimensions, got \[3\]/);
    expect(() => tg.zeros([3, 3]).dsplit(1)).toThrow(tg.ShapeError);
    expect(() => t(1).tensorSplit(1)).toThrow(/scalar/);
    expect(() => tg.zeros([3]).hsplit('abc' as unknown as number)).toThrow(/whole number or an array of them, got "abc"/);
    expect(() => tg.zeros([3]).tensorSplit(t([1]))).toThrow(tg.DTypeError);
  });
});

describeOnEachBackend('replacing pieces of a copy', () => {
  it('leaves the original, and divides the gradient', () => {
    const [x, src] = [p([[1, 2], [3, 4]]), p([10, 20])];
    const y = x.selectScatter(src, 0, -1);
    expect([y.toArray(), x.toArray()]).toEqual([[[1, 2], [10, 20]], [[1, 2], [3, 4]]]);
    const [gx, gs] = tg.grad(y.mul(t([[1, 2], [3, 4]])).sum(), [x, src]);
    expect([gx!.toArray(), gs!.toArray()]).toEqual([[[1, 2], [0, 0]], [3, 4]]);
    expect(x.detach().diagonalScatter(t([7, 8])).toArray()).toEqual([[7, 2], [3, 8]]);
    expect(x.detach().sliceScatter(t([[9], [9]]), 1, 0, null, 2).toArray()).toEqual([[9, 2], [9, 4]]);
    expect(x.detach().T.asStridedScatter(t([5, 6, 7]), [3], [1], 1).toArray()).toEqual([[1, 5], [6, 7]]);
    expect(t([0, 0]).asStridedScatter(t([[1, 2], [3, 4]]), [2, 2], [0, 1]).toArray()).toEqual([3, 4]);
    expect(tg.gradgradcheck((a: Tensor, b: Tensor) => a.diagonalScatter(b.square(), 1).square(), [random(3, 3), random(2)])).toBe(true);
  });

  it('refuses sources that do not fit exactly', () => {
    expect(() => tg.zeros([2, 2]).selectScatter(tg.zeros([1]), 0, 0)).toThrow(/must have the shape of what it replaces, \[2\], got \[1\]/);
    expect(() => tg.zeros([2]).asStridedScatter(tg.zeros([3]), [3], [1])).toThrow(/within the 2 elements of x/);
    expect(() => tg.zeros([2]).selectScatter(tg.zeros([]), 0, 2)).toThrow(tg.IndexError);
  });

  it('copies a part, and resizes in place', () => {
    const x = t([1, 2, 3, 4]);
    const part = x.narrowCopy(0, 1, 2);
    expect([part.toArray(), part.storage === x.storage]).toEqual([[2, 3], false]);
    expect(x.resize_(2, 2)).toBe(x);
    expect(x.toArray()).toEqual([[1, 2], [3, 4]]);
    expect(x.resizeAs_(tg.zeros([3])).toArray()).toEqual([1, 2, 3]);
    expect(x.resize_([6]).toArray()).toEqual([1, 2, 3, 4, 0, 0]);
    expect(x.resize_([6])).toBe(x);
    expect(() => p([1]).resize_(2)).toThrow(/cannot be resized in place/);
    expect(() => t([1]).resize_(-1)).toThrow(tg.ShapeError);
  });
});

describeOnEachBackend('turning and sliding', () => {
  it('turns a plane by quarters', () => {
    const x = t([[1, 2], [3, 4]]);
    const turns = [1, 2, 3, 4, -1].map((k) => x.rot90(k).toArray());
    expect(turns).toEqual([[[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]], [[1, 2], [3, 4]], [[3, 1], [4, 2]]]);
    expect(x.rot90(1, [1, 0]).toArray()).toEqual(x.rot90(3).toArray());
    expect(slope((v) => v.rot90().mul(t([[1, 2], [3, 4]])), [[1, 2], [3, 4]])).toEqual([[3, 1], [4, 2]]);
    expect(() => x.rot90(1, [0])).toThrow(tg.ValueError);
    expect(() => x.rot90(1, [1, -1])).toThrow(/must be different/);
  });

  it('shows windows without copying, and adds up where they overlap', () => {
    const x = t([1, 2, 3, 4, 5]);
    const windows = x.unfold(0, 3, 2);
    expect([windows.toArray(), windows.storage === x.storage]).toEqual([[[1, 2, 3], [3, 4, 5]], true]);
    expect(slope((v) => v.unfold(0, 3, 1).mul(t([[1, 2, 3], [4, 5, 6], [7, 8, 9]])), [1, 2, 3, 4, 5])).toEqual([1, 6, 15, 14, 9]);
    expect(tg.gradgradcheck((v: Tensor) => v.unfold(1, 2, 1).square(), random(2, 4))).toBe(true);
    expect(t(5).unfold(0, 1, 1).toArray()).toEqual([5]);
    expect(x.unfold(0, 0, 1).shape).toEqual([6, 0]);
    expect(() => x.unfold(0, 6, 1)).toThrow(/windows of 6 elements do not fit into dim 0 of \[5\]/);
    expect(() => x.unfold(0, 2, 0)).toThrow(/at least 1, got 0/);
  });

  it('transposes, joins and widens', () => {
    const x = t([[1, 2], [3, 4]]);
    for (const y of [x.H, x.mH, x.adjoint()]) expect(y.toArray()).toEqual([[1, 3], [2, 4]]);
    expect(t(1).mT.item()).toBe(1);
    expect(() => tg.zeros([1, 1, 1]).H).toThrow(/use mH/);
    expect(() => t([1]).mT).toThrow(tg.ShapeError);
    expect([tg.atleast1d(t(1)), tg.atleast2d(t([1, 2])), tg.atleast3d(t([1, 2]))].map((y) => y.shape)).toEqual([[1], [1, 2], [1, 2, 1]]);
    expect(tg.atleast2d([t(1), x]).map((y) => y.shape)).toEqual([[1, 1], [2, 2]]);
    expect(tg.blockDiag([x, t([5, 6]), t(7)]).toArray()).toEqual([[1, 2, 0, 0, 0], [3, 4, 0, 0, 0], [0, 0, 5, 6, 0], [0, 0, 0, 0, 7]]);
    expect(() => tg.blockDiag([tg.zeros([1, 1, 1])])).toThrow(/more than 2 dimensions/);
  });
});
