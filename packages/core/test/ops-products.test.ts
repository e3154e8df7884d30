import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { describeOnEachBackend, ints } from './each-backend.ts';
import { distance, random } from './matrix-inputs.ts';
import { p, t } from './notation.ts';

describeOnEachBackend('einsum', () => {
  const [a, b] = [t([[1, 2], [3, 4]]), t([[5, 6], [7, 8]])];

  it.each<[string, Tensor[], () => Tensor]>([
    ['ij,jk->ik', [a, b], () => a.mm(b)],
    ['ij,jk', [a, b], () => a.mm(b)],
    ['ba', [a], () => a.T],
    ['ij->', [a], () => a.sum()],
    ['ij->j', [a], () => a.sum(0)],
    ['ii', [a], () => a.trace()],
    ['ii->i', [a], () => a.diagonal()],
    ['ij,ij->ij', [a, b], () => a.mul(b)],
    ['i,j->ij', [t([1, 2]), t([3, 4, 5])], () => t([1, 2]).outer(t([3, 4, 5]))],
    ['i,ij,j', [t([1, 2]), a, t([3, 4])], () => t([1, 2]).matmul(a).dot(t([3, 4]))],
    ['ij,kl->ikl', [a, b], () => a.sum(1).reshape([2, 1, 1]).mul(b)],
    ['  i j , jk -> k i', [a, b], () => a.mm(b).T],
    ['...ij,...jk->...ik', [tg.stack([a, b]), b], () => tg.stack([a, b]).matmul(b)],
    ['i...->...', [tg.stack([a, b])], () => a.add(b)],
    ['...,...', [tg.stack([a, b]), t([2, 3])], () => tg.stack([a, b]).mul(t([2, 3]))],
    ['aBc,c', [tg.stack([a, b]), t([1, 1])], () => tg.stack([a, b]).sum(-1).T],
    ['ij,j->i', [a, t([2])], () => a.sum(1).mul(2)],
    ['iji->j', [tg.stack([a, b])], () => t([1 + 6, 3 + 8])],
    ['ij,->ij', [a, t(2)], () => a.mul(2)],
    ['i,ijk->i', [t([1, 2]), tg.stack([a, b])], () => t([10, 52])],
    ['ij,jk,kl,lm->im', [a, b, a, b], () => a.mm(b).mm(a).mm(b)],
    ['ij,ik->jk', [tg.zeros([0, 2], { dtype: 'float64' }), tg.zeros([0, 3], { dtype: 'float64' })], () => tg.zeros([2, 3])],
  ])('%s', (equation, operands, expected) => {
    const wanted = expected();
    for (const result of [tg.einsum(equation, ...operands), tg.einsum(equation, operands)]) {
      expect(result.toArray()).toEqual(wanted.toArray());
    }
  });

  it('takes lists of subscripts', () => {
    expect(tg.einsum(a, [0, 1], b, [1, 2], [0, 2]).toArray()).toEqual(a.mm(b).toArray());
    expect(tg.einsum(a, [0, 1], b, [1, 2]).toArray()).toEqual(a.mm(b).toArray());
    expect(tg.einsum(a, ['...', 26], [26, '...']).toArray()).toEqual(a.T.toArray());
    expect(tg.einsum(a, [51, 51], []).item()).toBe(5);
  });

  it('has derivatives of first and second order', () => {
    const inputs = [random(2, 3, 3), random(3, 4), random(4, 1)];
    const f = (x: Tensor, y: Tensor, z: Tensor): Tensor => tg.einsum('bii,ij,j...->b...j', x, y, z);
    expect(tg.gradcheck(f, inputs as [Tensor, Tensor, Tensor])).toBe(true);
    expect(tg.gradgradcheck(f, inputs as [Tensor, Tensor, Tensor])).toBe(true);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['terms without operands', () => tg.einsum('ij,jk', a), /2 terms on the left, but 1 operands/],
    ['too many subscripts', () => tg.einsum('ijk', a), /'ijk' has 3 subscripts for an operand of 2 dimensions, \[2, 2\]/],
    ['too few subscripts', () => tg.einsum('i', a), /'\.\.\.' stands for those not named/],
    ['other characters', () => tg.einsum('i1', a), /letters from a to z or A to Z, got '1'/],
    ['lonely dots', () => tg.einsum('i.', a), /has a dot that is not part of one ellipsis/],
    ['two ellipses', () => tg.einsum('...i...', a), /not part of one ellipsis/],
    ['two arrows', () => tg.einsum('ij->i->j', a), /more than one arrow/],
    ['an output that no operand has', () => tg.einsum('ij->k', a), /subscript k, which no operand has/],
    ['an output named twice', () => tg.einsum('ij->ii', a), /subscript i twice/],
    ['sizes that differ', () => tg.einsum('ij,jk', a, t([[1, 2], [3, 4], [5, 6]])), /subscript j has size 2 in one operand and 3 in another/],
    ['diagonals of what is not square', () => tg.einsum('ii', t([[1, 2, 3], [4, 5, 6]])), /subscript i is repeated for dimensions of sizes 2 and 3/],
    ['ellipses that do not broadcast', () => tg.einsum('...i,...i', t([[1], [2]]), t([[1], [2], [3]])), /dimension -1 of the ellipsis/],
    ['lists that do not alternate', () => tg.einsum(a, b, [0, 1]), /must alternate/],
    ['subscripts out of range', () => tg.einsum(a, [0, 52]), /from 0 to 51/],
    ['operands that are no tensors', () => tg.einsum('ij'), /must be tensors/],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(tg.TapegradError);
    expect(run).toThrow(message);
  });
});

describeOnEachBackend('products', () => {
  it('sum over pairs of dimensions', () => {
    const [x, y] = [random(2, 3, 4).detach(), random(4, 3, 5).detach()];
    expect(distance(x.tensordot(y, [[2, 1], [0, 1]]), tg.einsum('aij,jik->ak', x, y))).toBeLessThan(1e-12);
    expect(x.tensordot(y, 1).shape).toEqual([2, 3, 3, 5]);
    expect(x.tensordot(y, 0).shape).toEqual([2, 3, 4, 4, 3, 5]);
    expect(t([[1, 2]]).tensordot(t([[3], [4]]), [[0], [0]]).toArray()).toEqual([[7], [14]]);
    expect(x.inner(random(5, 4)).shape).toEqual([2, 3, 5]);
    expect(t(3).inner(t([1, 2])).toArray()).toEqual([3, 6]);
    expect(t([1, 2]).vdot(t([3, 4])).item()).toBe(11);
    expect(() => x.tensordot(y, 2)).toThrow(/dim 1 of \[2, 3, 4\] and dim 0 of \[4, 3, 5\].*sizes are 3 and 4/);
    expect(() => x.tensordot(y, [[0, 0], [1, 1]])).toThrow(/name a dimension twice/);
    expect(() => x.inner(y)).toThrow(/last dimensions of \[2, 3, 4\] and \[4, 3, 5\] must be equal/);
  });

  it('weigh a product and what it is added to, and expand no product', () => {
    const [batch, other] = [t([[[1, 2]], [[3, 4]]]), t([[[1], [1]], [[2], [0]]])];
    expect(t([[10]]).addbmm(batch, other, { beta: 2, alpha: 3 }).toArray()).toEqual([[20 + 3 * 9]]);
    expect(t(1).addmv(t([[1, 2], [3, 4]]), t([1, 1])).toArray()).toEqual([4, 8]);
    expect(t([NaN]).addr(t([1, 2]), t([3, 4]), { beta: 0 }).toArray()).toEqual([[3, 4], [6, 8]]);
    expect(() => t([[1], [2]]).addmv(t([[1, 2]]), t([1, 1]))).toThrow(/^addmv: \[2, 1\] cannot be expanded to \[1\]/);
    expect(() => tg.zeros([3, 2, 2]).addmm(tg.zeros([2, 2]), tg.zeros([2, 2]))).toThrow(tg.ShapeError);
  });

  it('of Kronecker repeat one factor by the other', () => {
    expect(t([[1, 2]]).kron(t([[1], [10]])).toArray()).toEqual([[1, 2], [10, 20]]);
    expect(t([1, 2]).kron(t([[1, 3]])).toArray()).toEqual([[1, 3, 2, 6]]);
    expect(tg.gradcheck((x: Tensor, y: Tensor) => x.kron(y), [random(2, 3), random(2)])).toBe(true);
  });

  it('across vectors are orthogonal to both, in the first dimension of size 3 or another', () => {
    expect(t([1, 2, 3]).cross(t([4, 5, 6])).toArray()).toEqual([-3, 6, -3]);
    expect(tg.zeros([2, 3, 3]).cross(tg.ones([2, 3, 3])).shape).toEqual([2, 3, 3]);
    const [x, y] = [random(3, 4).detach(), random(3, 1).detach()];
    expect(distance(x.cross(y), x.T.cross(y.T, 1).T)).toBe(0);
    expect(() => t([[1, 2]]).cross(t([[1, 2]]))).toThrow(/no dimension of \[1, 2\] has size 3/);
    expect(() => t([[1], [2], [3]]).cross(t([[1], [2], [3]]), 1)).toThrow(/dim 1 must have size 3/);
  });
});

describe('cdist', () => {
  it('agrees with norms of differences, for every order and both ways', () => {
    const [x, y] = [random(2, 30, 3).detach(), random(40, 3).detach()];
    const differences = x.unsqueeze(-2).sub(y);
    for (const order of [0, 0.5, 1, 2, 3, Infinity]) {
      expect(distance(tg.cdist(x, y, order), differences.vectorNorm(order, -1))).toBeLessThan(1e-12);
    }
    const exact = tg.cdist(x, y, 2, { computeMode: 'donot_use_mm_for_euclid_dist' });
    expect(distance(tg.cdist(x, y, 2), exact)).toBeLessThan(1e-12);
    expect(exact.shape).toEqual([2, 30, 40]);
  });

  it('has derivative 0 between equal points, whichever way it is computed', () => {
    for (const computeMode of ['use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'] as const) {
      const x = p([[1, 2], [3, 5]]);
      const distances = tg.cdist(x, t([[1, 2]]), 2, { computeMode });
      expect(distances.toArray()).toEqual([[0], [Math.sqrt(13)]]);
      const gradient = tg.grad(distances.sum(), x)[0]!;
      expect(distance(gradient, t([[0, 0], [2 / Math.sqrt(13), 3 / Math.sqrt(13)]]))).toBeLessThan(1e-15);
    }
  });

  it('refuses points of different spaces and negative orders', () => {
    expect(() => tg.cdist(tg.zeros([2, 3]), tg.zeros([2, 4]))).toThrow(/equally many columns/);
    expect(() => tg.cdist(tg.zeros([3]), tg.zeros([3]))).toThrow(tg.ShapeError);
    expect(() => tg.cdist(tg.zeros([2, 3]), tg.zeros([2, 3]), -1)).toThrow(/p must be at least 0, got -1/);
    expect(() => tg.cdist(tg.zeros([2, 3]), tg.zeros([2, 3]), 2, { computeMode: 'mm' as 'use_mm_for_euclid_dist' })).toThrow(/computeMode/);
  });
});

describe('combinations', () => {
  it('choose elements in order, with and without repeating', () => {
    expect(tg.combinations(ints([1, 2, 3])).toArray()).toEqual([[1, 2], [1, 3], [2, 3]]);
    expect(tg.combinations(ints([1, 2]), 2, { withReplacement: true }).toArray()).toEqual([[1, 1], [1, 2], [2, 2]]);
    expect(tg.combinations(ints([1]), 2).shape).toEqual([0, 2]);
    expect(tg.combinations(ints([1, 2]), 0).shape).toEqual([0]);
    expect(() => tg.combinations(ints([[1]]))).toThrow(tg.ShapeError);
    expect(() => tg.combinations(ints([1]), -1)).toThrow(tg.ValueError);
  });

  it('pair all elements of several vectors', () => {
    expect(tg.cartesianProd([ints([1, 2]), ints([3, 4])]).toArray()).toEqual([[1, 3], [1, 4], [2, 3], [2, 4]]);
    expect(tg.cartesianProd([ints([1, 2])]).toArray()).toEqual([1, 2]);
    expect(() => tg.cartesianProd([t(1)])).toThrow(/argument 0 must be a vector, got \[\]/);
  });
});
