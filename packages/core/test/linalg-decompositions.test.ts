import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { describeOnEachBackend, ints } from './each-backend.ts';
import { distance, positiveDefinite, random, skewness, symmetric, wellConditioned } from './matrix-inputs.ts';
import { t, useAnyBackend } from './notation.ts';

const { linalg } = tg;
const options = { dtype: 'float64' } as const;

const shapes: number[][] = [[1, 1], [5, 5], [7, 3], [3, 7], [2, 1, 4, 4], [3, 6, 2], [0, 3, 3], [2, 0, 0], [2, 3, 0], [2, 0, 3]];
const squares = shapes.filter((shape) => shape.at(-1) === shape.at(-2));

describeOnEachBackend('factors multiply up to the matrix', () => {
  it.each(shapes)('svd, reduced and full, [%s, %s, …]', (...shape) => {
    const a = random(...shape).detach();
    for (const fullMatrices of [false, true]) {
      const { U, S, Vh } = linalg.svd(a, { fullMatrices });
      const k = S.shape.at(-1)!;
      expect(distance(U.narrow(-1, 0, k).mul(S.unsqueeze(-2)).matmul(Vh.narrow(-2, 0, k)), a)).toBeLessThan(1e-13);
      expect(skewness(U) + skewness(Vh.mT)).toBeLessThan(1e-13);
      expect(distance(S, S.sort(-1, { descending: true }).values)).toBe(0);
      if (fullMatrices) expect([U.shape.at(-1), Vh.shape.at(-2)]).toEqual(shape.slice(-2));
    }
  });

  it.each(shapes)('qr and its reflections, [%s, %s, …]', (...shape) => {
    const a = random(...shape).detach();
    for (const mode of ['reduced', 'complete'] as const) {
      const { Q, R } = linalg.qr(a, mode);
      expect(distance(Q.matmul(R), a)).toBeLessThan(1e-13);
      expect(skewness(Q)).toBeLessThan(1e-13);
      expect(distance(R, R.triu())).toBe(0);
    }
    const packed = tg.geqrf(a);
    expect(distance(packed.a.triu().narrow(-2, 0, Math.min(...shape.slice(-2))), linalg.qr(a, 'r').R)).toBe(0);
    if (shape.at(-2)! < shape.at(-1)!) return;
    expect(distance(linalg.householderProduct(packed.a, packed.tau), linalg.qr(a).Q)).toBeLessThan(1e-13);
    expect(distance(tg.ormqr(packed.a, packed.tau, packed.a.triu()), a)).toBeLessThan(1e-13);
  });

  it.each(shapes)('lu, [%s, %s, …]', (...shape) => {
    const a = random(...shape).detach();
    for (const pivot of [true, false]) {
      const { P, L, U } = linalg.lu(a, { pivot });
      const back = P.matmul(L).matmul(U);
      expect(distance(back, a)).toBeLessThan(pivot ? 1e-13 : 1e-9);
      expect([distance(L, L.tril()), distance(U, U.triu()), pivot ? L.abs().gt(1).any().item() : 0]).toEqual([0, 0, 0]);
    }
  });

  it.each(squares)('cholesky, eigh, ldl and eig, [%s, %s, …]', (...shape) => {
    const a = positiveDefinite(random(...shape).detach());
    for (const upper of [false, true]) {
      const factor = linalg.cholesky(a, { upper });
      expect(distance(upper ? factor.mT.matmul(factor) : factor.matmul(factor.mT), a)).toBeLessThan(1e-12);
      const { eigenvalues, eigenvectors } = linalg.eigh(upper ? a.triu() : a.tril(), upper ? 'U' : 'L');
      expect(distance(eigenvectors.mul(eigenvalues.unsqueeze(-2)).matmul(eigenvectors.mT), a)).toBeLessThan(1e-12);
      expect(skewness(eigenvectors)).toBeLessThan(1e-13);
    }
    const indefinite = symmetric(random(...shape).detach());
    const { LD, pivots } = linalg.ldlFactor(indefinite);
    const b = random(...shape).detach();
    expect(distance(indefinite.matmul(linalg.ldlSolve(LD, pivots, b)), b)).toBeLessThan(1e-9);
    const general = wellConditioned(...shape).detach();
    const similar = linalg.solve(general, a.matmul(general));
    const { eigenvalues, eigenvectors } = linalg.eig(similar);
    expect(distance(similar.matmul(eigenvectors), eigenvectors.mul(eigenvalues.unsqueeze(-2)))).toBeLessThan(1e-11);
    expect(distance(eigenvalues.sort().values, linalg.eigvalsh(a))).toBeLessThan(1e-11);
  });

  it.each(squares)('solutions and inverses, [%s, %s, …]', (...shape) => {
    const a = wellConditioned(...shape).detach();
    const b = random(...shape).detach();
    expect(distance(a.matmul(linalg.solve(a, b)), b)).toBeLessThan(1e-12);
    expect(distance(linalg.solve(a, b, { left: false }).matmul(a), b)).toBeLessThan(1e-12);
    expect(distance(linalg.inv(a).matmul(b), linalg.solve(a, b))).toBeLessThan(1e-12);
    const { LU, pivots } = linalg.luFactor(a);
    expect(distance(a.mT.matmul(linalg.luSolve(LU, pivots, b, { adjoint: true })), b)).toBeLessThan(1e-12);
    expect(distance(linalg.luSolve(LU, pivots, b, { left: false }).matmul(a), b)).toBeLessThan(1e-12);
    const factor = linalg.cholesky(positiveDefinite(a));
    expect(distance(positiveDefinite(a).matmul(tg.choleskySolve(b, factor)), b)).toBeLessThan(1e-11);
    expect(distance(tg.choleskyInverse(factor.mT, { upper: true }).matmul(b), tg.choleskySolve(b, factor))).toBeLessThan(1e-12);
    for (const upper of [true, false]) {
      const triangle = upper ? a.triu() : a.tril();
      expect(distance(triangle.matmul(linalg.solveTriangular(a, b, { upper })), b)).toBeLessThan(1e-11);
    }
  });
});

describe('difficult matrices', () => {
  useAnyBackend();
  const relative = (x: Tensor, y: Tensor): number => distance(x, y) / y.abs().max().item();
  const matrices: [string, () => Tensor][] = [
    ['zeros', () => tg.zeros([4, 3], options)],
    ['equal elements', () => tg.ones([6, 6], options)],
    ['zero columns in between', () => random(6, 4).detach().mul(t([1, 0, 1, 0]))],
    ['rank 2', () => random(6, 2).detach().matmul(random(2, 5).detach())],
    ['columns from 1 to 1e-40', () => random(6, 6).detach().mul(tg.logspace(0, -40, 6, 10, options))],
    ['elements near 1e200', () => random(5, 5).detach().mul(1e200)],
    ['elements near 1e-200', () => random(5, 5).detach().mul(1e-200)],
    ['the Hilbert matrix', () => t(Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (__, j) => 1 / (i + j + 1))))],
  ];

  it.each(matrices)('svd and eigh take %s', (_, make) => {
    const a = make();
    const { U, S, Vh } = linalg.svd(a, { fullMatrices: false });
    if (a.any().item() === 1) expect(relative(U.mul(S).matmul(Vh), a)).toBeLessThan(1e-14);
    expect(skewness(U) + skewness(Vh.mT)).toBeLessThan(1e-13);
    const s = a.shape[0] === a.shape[1] ? symmetric(a) : tg.eye(3, 3, options);
    const { eigenvalues, eigenvectors } = linalg.eigh(s);
    expect(relative(eigenvectors.mul(eigenvalues).matmul(eigenvectors.mT), s)).toBeLessThan(1e-14);
  });

  it('finds small singular values to all digits', () => {
    const scales = [1, 1e-20, 1e-60];
    const { S } = linalg.svd(wellConditioned(3, 3).detach().add(3).tril().mul(0).add(tg.diag(t(scales))));
    scales.forEach((scale, i) => expect(S.at(i).item() / scale).toBeCloseTo(1, 14));
  });

  it('finds the eigenvalues of matrices of 40 rows with real and close eigenvalues', () => {
    const n = 40;
    const basis = wellConditioned(n, n).detach();
    const values = tg.arange(0, n, 1, options).div(n).add(1);
    const { eigenvalues } = linalg.eig(linalg.solve(basis, values.unsqueeze(-1).mul(basis)));
    expect(distance(eigenvalues.sort().values, values)).toBeLessThan(1e-10);
    expect(linalg.eigvals(t([[1, 1, 0], [0, 1, 1], [0, 0, 1]])).toArray()).toEqual([1, 1, 1]);
  });

  it('finds the eigenvalues of many matrices', () => {
    const batch = symmetric(random(20, 30, 30).detach());
    expect(distance(linalg.eigvals(batch).sort().values, linalg.eigvalsh(batch))).toBeLessThan(1e-12);
  });

  it('computes in float64 whatever the dtype, and gives back the dtype', () => {
    const a = wellConditioned(5, 5).detach().float();
    const { U, S, Vh } = linalg.svd(a);
    expect([U.dtype, S.dtype, Vh.dtype, linalg.inv(a).dtype, linalg.det(a).dtype]).toEqual(new Array(5).fill('float32'));
    expect(distance(linalg.inv(a), linalg.inv(a.double()).float())).toBe(0);
  });

  it('reads views, whatever their strides', () => {
    const a = wellConditioned(4, 4).detach();
    expect(distance(linalg.inv(a.T), linalg.inv(a.T.clone()))).toBe(0);
    expect(distance(linalg.solve(a, a.slice(1, 0, 4, 2)), linalg.solve(a, a.slice(1, 0, 4, 2).clone()))).toBe(0);
  });

  it('broadcasts batches of systems, and takes vectors', () => {
    const a = wellConditioned(2, 1, 3, 3).detach();
    const b = random(4, 3, 2).detach();
    expect(linalg.solve(a, b).shape).toEqual([2, 4, 3, 2]);
    expect(linalg.solve(a.at(0, 0), b.at(0, ':', 0)).shape).toEqual([3]);
    expect(linalg.solve(a.squeeze(1), b.at(':2', ':', 0)).shape).toEqual([2, 3]);
    expect(linalg.solveTriangular(a, b, { upper: true }).shape).toEqual([2, 4, 3, 2]);
  });

  it('gives statuses instead of errors where asked', () => {
    const singular = t([[[1, 0], [0, 1]], [[1, 2], [2, 4]]]);
    expect(linalg.invEx(singular).info.toArray()).toEqual([0, 2]);
    expect(linalg.solveEx(singular, t([[1], [1]])).info.toArray()).toEqual([0, 2]);
    expect(linalg.luFactorEx(singular).info.toArray()).toEqual([0, 2]);
    expect(linalg.choleskyEx(singular.neg()).info.toArray()).toEqual([1, 1]);
    expect(linalg.ldlFactorEx(tg.zeros([2, 2], options)).info.item()).toBe(1);
  });

  it('exchanges rows and columns for blocks of size 2', () => {
    const a = t([[0, 1, 2], [1, 0, 3], [2, 3, 0]]);
    const { LD, pivots } = linalg.ldlFactor(a);
    expect(pivots.lt(0).any().item()).toBe(1);
    expect(distance(a.matmul(linalg.ldlSolve(LD, pivots, t([[1], [2], [3]]))), t([[1], [2], [3]]))).toBeLessThan(1e-14);
  });

  it('keeps the older forms', () => {
    const a = positiveDefinite(wellConditioned(3, 3).detach());
    expect(distance(tg.symeig(a, { eigenvectors: true }).eigenvalues, linalg.eigvalsh(a))).toBe(0);
    expect(tg.symeig(a).eigenvectors.shape).toEqual([0]);
    expect(tg.svd(random(4, 2), { some: false }).U.shape).toEqual([4, 4]);
    expect(tg.qr(random(4, 2), false).Q.shape).toEqual([4, 4]);
    const [LU, pivots, info] = tg.lu(a, { getInfos: true });
    expect(info!.item()).toBe(0);
    expect(distance(tg.luSolve(a, LU, pivots), tg.eye(3, 3, options))).toBeLessThan(1e-12);
    expect(tg.lu(t([[0, 0], [0, 2]]), { getInfos: true })[2]!.item()).toBe(1);
    expect(tg.lu(t([[0, 0], [0, 2]]))[0].toArray()).toEqual([[0, 0], [0, 2]]);
    expect(tg.luUnpack(LU, ints([1, 2, 3]), { unpackData: false }).L.shape).toEqual([0]);
    const { solution } = tg.triangularSolve(a, a, { upper: false, transpose: true });
    expect(distance(a.tril().T.matmul(solution), a)).toBeLessThan(1e-12);
  });
});
