import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { describeOnEachBackend } from './each-backend.ts';
import { distance, random, symmetric, wellConditioned } from './matrix-inputs.ts';
import { p, t } from './notation.ts';

const { linalg } = tg;
const options = { dtype: 'float64' } as const;
const A = t([[4, 1], [1, 3]]);
const B = [[2, 1], [0.5, 3]];
const G = t([[1, 0], [2, 3]]);

/** Compares to the printed digits. */
function expectClose(x: Tensor, expected: tg.TensorData): void {
  expect(distance(x, t(expected))).toBeLessThan(5e-8);
}

describeOnEachBackend('values worked out by hand', () => {
  it.each<[string, (b: Tensor) => Tensor, tg.TensorData, tg.TensorData]>([
    ['inv', (b) => linalg.inv(b).mul(G), [[0.54545455, 0], [-0.18181818, 1.09090909]], [[-0.24793388, 0.1322314], [-0.09917355, -0.34710744]]],
    ['det', (b) => linalg.det(b), 5.5, [[3, -0.5], [-1, 2]]],
    ['slogdet', (b) => linalg.slogdet(b).logabsdet, Math.log(5.5), [[0.54545455, -0.09090909], [-0.18181818, 0.36363636]]],
    ['solve', (b) => linalg.solve(b, t([1, 2])), [0.18181818, 0.63636364], [[-0.08264463, -0.2892562], [-0.03305785, -0.11570248]]],
    ['svdvals', (b) => linalg.svdvals(b).mul(t([1, 2])), [3.41385672, 3.22216218], [[1.76990588, -0.26676957], [-0.56528073, 1.21520569]]],
    ['nuclear norm', (b) => linalg.matrixNorm(b, 'nuc'), 5.02493781, [[0.99503719, 0.09950372], [-0.09950372, 0.99503719]]],
    ['matrixExp', (b) => tg.matrixExp(b), [[10.16197019, 13.76344158], [6.88172079, 23.92541177]], [[18.84442668, 22.28528707], [30.80713256, 35.88811766]]],
  ])('%s', (_, f, value, gradient) => {
    const b = p(B);
    const y = f(b);
    expectClose(y, value);
    expectClose(tg.grad(y.sum(), b)[0]!, gradient);
  });

  it('eigenvalues of a symmetric matrix', () => {
    const a = A.detach().clone().requiresGrad_();
    const values = linalg.eigvalsh(a);
    expectClose(values, [2.38196601, 4.61803399]);
    expectClose(tg.grad(values.mul(t([1, 2])).sum(), a)[0]!, [[1.7236068, 0.4472136], [0.4472136, 1.2763932]]);
  });

  it('the pseudo-inverse', () => {
    expectClose(linalg.pinv(t([[1, 2], [3, 4], [5, 7]])), [[-2.07142857, 0.78571429, 0.14285714], [1.5, -0.5, 0]]);
    const a = random(5, 3).detach().matmul(random(3, 4).detach());
    const inverse = linalg.pinv(a);
    expect(distance(a.matmul(inverse).matmul(a), a) + distance(inverse.matmul(a).matmul(inverse), inverse)).toBeLessThan(1e-12);
    expect(linalg.pinv(t([[3, 0], [0, 1e-3]]), { atol: 0.1 }).at(1, 1).item()).toBe(0);
    expect(tg.pinverse(t([[3, 0], [0, 1]]), 0.5).at(1, 1).item()).toBe(0);
  });

  it('ranks, with tolerances for each matrix', () => {
    const a = tg.stack([tg.diag(t([4, 2, 1e-20])), tg.diag(t([1, 0, 0]))]);
    expect(linalg.matrixRank(a).toArray()).toEqual([2, 1]);
    expect(linalg.matrixRank(a, { hermitian: true, rtol: 0.6 }).toArray()).toEqual([1, 1]);
    expect(linalg.matrixRank(a, { atol: t([3, 2]) }).toArray()).toEqual([1, 0]);
    expect(linalg.matrixRank(tg.zeros([0, 3])).item()).toBe(0);
  });
});

describeOnEachBackend('functions of matrices', () => {
  it('powers multiply, negative ones invert', () => {
    const a = wellConditioned(2, 3, 3).detach();
    expect(distance(linalg.matrixPower(a, 5), a.matmul(a).matmul(a).matmul(a).matmul(a))).toBeLessThan(1e-10);
    expect(distance(linalg.matrixPower(a, -2).matmul(a).matmul(a), tg.eye(3, 3, options).expand([2, 3, 3]))).toBeLessThan(1e-12);
    expect(linalg.matrixPower(a, 0).toArray()).toEqual([tg.eye(3).toArray(), tg.eye(3).toArray()]);
    expect(linalg.matrixPower(a, 1).storage).not.toBe(a.storage);
  });

  it('exponentials of matrices of very different norms in one batch', () => {
    const s = symmetric(random(4, 4).detach());
    const batch = tg.stack([s.mul(1e-6), s, s.mul(10)]);
    const { eigenvalues, eigenvectors } = linalg.eigh(batch);
    const expected = eigenvectors.mul(eigenvalues.exp().unsqueeze(-2)).matmul(eigenvectors.mT);
    tg.matrixExp(batch).unbind().forEach((x, i) => expect(distance(x, expected.at(i)) / expected.at(i).abs().max().item()).toBeLessThan(1e-13));
    expectClose(tg.matrixExp(t([[0, 1], [0, 0]])), [[1, 1], [0, 1]]);
    expect(tg.matrixExp(tg.zeros([2, 0, 0])).shape).toEqual([2, 0, 0]);
    expect(tg.matrixExp(t([[NaN]])).item()).toBeNaN();
  });

  it('norms of matrices, in any two dimensions', () => {
    const a = t([[1, -2], [3, 4]]);
    const values = ([1, -1, Infinity, -Infinity, 'fro'] as const).map((ord) => linalg.matrixNorm(a, ord).item());
    expect(values).toEqual([6, 4, 7, 3, Math.sqrt(30)]);
    const [largest, smallest] = linalg.svdvals(a).toArray() as number[];
    expect([linalg.norm(a, 2).item(), linalg.norm(a, -2).item(), linalg.norm(a, 'nuc').item()]).toEqual([largest, smallest, largest! + smallest!]);
    expect(linalg.cond(a).item()).toBeCloseTo(largest! / smallest!, 12);
    expect(linalg.cond(a, 1).item()).toBeCloseTo(6 * linalg.inv(a).abs().sum(0).max().item(), 12);
    const batch = random(2, 3, 4).detach();
    expect(linalg.matrixNorm(batch, 1, [2, 0], { keepdim: true }).shape).toEqual([1, 3, 1]);
    expect(distance(linalg.matrixNorm(batch, 1, [2, 0]), linalg.matrixNorm(batch.permute(1, 2, 0), 1))).toBe(0);
    expect(linalg.norm(batch, Infinity, 1).shape).toEqual([2, 4]);
    expect(linalg.norm(batch).item()).toBeCloseTo(linalg.vectorNorm(batch).item(), 14);
  });

  it('products of many matrices, whatever the order of multiplication', () => {
    const [a, b, c, d] = [random(10, 2), random(2, 30), random(30, 3), random(3)].map((x) => x.detach());
    expect(distance(linalg.multiDot([a!, b!, c!]), a!.mm(b!).mm(c!))).toBeLessThan(1e-12);
    expect(linalg.multiDot([a!, b!, c!, d!]).shape).toEqual([10]);
    expect(linalg.multiDot([d!, c!.T, b!.T]).shape).toEqual([2]);
    expect(linalg.multiDot([d!, d!]).shape).toEqual([]);
    expect(tg.chainMatmul([a!])).toBe(a);
  });

  it('least squares: the residual is orthogonal to the columns, and what was found is returned', () => {
    const [a, b] = [random(5, 3).detach(), random(5, 2).detach()];
    const { solution, residuals, rank, singularValues } = linalg.lstsq(a, b, { driver: 'gelsd' });
    const rest = a.matmul(solution).sub(b);
    expect(distance(a.T.matmul(rest), tg.zeros([3, 2], options))).toBeLessThan(1e-13);
    expect(distance(residuals, rest.square().sum(0))).toBeLessThan(1e-13);
    expect([rank.item(), singularValues.shape]).toEqual([3, [3]]);
    const deficient = linalg.lstsq(t([[1, 0], [0, 0], [0, 0]]), t([[1], [2], [3]]), { driver: 'gelss' });
    expect([deficient.rank.item(), deficient.residuals.shape, deficient.solution.toArray()]).toEqual([1, [0], [[1], [0]]]);
  });

  it('inverses and solutions of tensors', () => {
    const a = wellConditioned(6, 6).detach().reshape([2, 3, 6]);
    const inverse = linalg.tensorinv(a);
    expect(inverse.shape).toEqual([6, 2, 3]);
    expect(distance(inverse.tensordot(a, 2), tg.eye(6, 6, options))).toBeLessThan(1e-12);
    const b = random(2, 3).detach();
    expect(distance(a.tensordot(linalg.tensorsolve(a, b), 1), b)).toBeLessThan(1e-12);
    const turned = a.movedim(2, 0);
    expect(distance(linalg.tensorsolve(turned, b, { dims: [0] }), linalg.tensorsolve(a, b))).toBe(0);
  });

  it('powers of elements, products of vectors and diagonals', () => {
    expect(linalg.vander(t([2, 0])).toArray()).toEqual([[1, 2], [1, 0]]);
    expect(linalg.vander(t([2, 3]), { N: 4 }).toArray()).toEqual([[1, 2, 4, 8], [1, 3, 9, 27]]);
    expect(linalg.vecdot(t([[1, 2], [3, 4]]), t([1, 1])).toArray()).toEqual([3, 7]);
    expect(linalg.cross(t([1, 0, 0]), t([0, 1, 0])).toArray()).toEqual([0, 0, 1]);
    expect(linalg.diagonal(t([[[1, 2], [3, 4]]])).toArray()).toEqual([[1, 4]]);
    expect(linalg.matmul(A, A).toArray()).toEqual([[17, 7], [7, 10]]);
  });

  it('determinants of singular and empty matrices', () => {
    expect(linalg.det(tg.zeros([3, 0, 0])).toArray()).toEqual([1, 1, 1]);
    expect(linalg.slogdet(t([[1, 2], [2, 4]])).sign.item()).toBe(0);
    expect(linalg.slogdet(t([[1, 2], [2, 4]])).logabsdet.item()).toBe(-Infinity);
    expect(tg.logdet(t([[0, 1], [1, 0]])).item()).toBeNaN();
    expect(linalg.det(p([[1, 2], [2, 4]])).item()).toBeCloseTo(0, 14);
    expect(linalg.det(p([[0, 1], [1, 0]])).item()).toBe(-1);
    expect(linalg.det(p([[NaN, 1], [1, 0]])).item()).toBeNaN();
  });

  it('determinants and cofactors of nearly singular matrices of even and odd size', () => {
    for (const n of [1, 2, 3, 4, 5]) {
      const a = random(n, n).detach().mul(tg.logspace(0, -12, n, 10, options)).requiresGrad_();
      const det = linalg.det(a);
      expect(det.item()).toBe(linalg.det(a.detach()).item());
      const [cofactors] = tg.grad(det, a);
      expect(distance(cofactors!.mul(a).sum(0), det.expand([n]))).toBeLessThan(1e-14);
      const last = linalg.det(a.detach().narrow(0, 0, n - 1).narrow(1, 0, n - 1));
      expect(cofactors!.at(-1, -1).item() / last.item()).toBeCloseTo(1, 10);
    }
  });

  it('decompositions of low rank', () => {
    tg.manualSeed(0);
    const a = random(20, 3).detach().matmul(random(3, 12).detach());
    for (const x of [a, a.T]) {
      const { U, S, V } = tg.svdLowrank(x, 3);
      expect(distance(U.mul(S).matmul(V.T), x)).toBeLessThan(1e-11);
      expect(distance(S, linalg.svdvals(x).narrow(0, 0, 3))).toBeLessThan(1e-11);
    }
    expect(distance(tg.svdLowrank(a.add(2), 3, { M: tg.tensor(2, options) }).S, tg.svdLowrank(a, 3).S)).toBeLessThan(1e-11);
    const { S } = tg.pcaLowrank(a.add(5), 3);
    expect(distance(S, linalg.svdvals(a.sub(a.mean(0))).narrow(0, 0, 3))).toBeLessThan(1e-11);
    expect(tg.pcaLowrank(a).S.shape).toEqual([6]);
  });
});
