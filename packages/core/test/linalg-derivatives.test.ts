import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { positiveDefinite, random, symmetric, wellConditioned } from './matrix-inputs.ts';
import { useAnyBackend } from './notation.ts';

useAnyBackend();
beforeAll(() => void tg.manualSeed(3));

const { linalg } = tg;

/** A function with its inputs, which are made when the test runs. Functions of vectors use them so that signs do not matter. */
type Line = [f: (...inputs: Tensor[]) => unknown, inputs: () => Tensor[]];

/** A leaf that is a square matrix of lower rank. */
const ofRank = (rank: number, n: number): Tensor => random(n, rank).detach().matmul(random(rank, n).detach()).requiresGrad_();

const square = (): Tensor[] => [wellConditioned(2, 3, 3)];
const tall = (): Tensor[] => [random(2, 4, 3)];
const wide = (): Tensor[] => [random(2, 3, 4)];

const lines: Record<string, Line> = {
  cholesky: [(x) => linalg.cholesky(positiveDefinite(x)), square],
  'cholesky, upper': [(x) => linalg.cholesky(positiveDefinite(x), { upper: true }), square],
  choleskyInverse: [(x) => tg.choleskyInverse(linalg.cholesky(positiveDefinite(x))), square],
  choleskySolve: [(b, x) => tg.choleskySolve(b, linalg.cholesky(positiveDefinite(x))), () => [random(3, 2), wellConditioned(2, 3, 3)]],
  inv: [(x) => linalg.inv(x), square],
  solve: [(a, b) => linalg.solve(a, b), () => [wellConditioned(2, 3, 3), random(3, 2)]],
  'solve, vector': [(a, b) => linalg.solve(a, b), () => [wellConditioned(3, 3), random(3)]],
  'solve, right': [(a, b) => linalg.solve(a, b, { left: false }), () => [wellConditioned(3, 3), random(2, 2, 3)]],
  'solveTriangular, upper': [(a, b) => linalg.solveTriangular(a, b, { upper: true }), () => [wellConditioned(2, 3, 3), random(3, 2)]],
  'solveTriangular, unit, right': [
    (a, b) => linalg.solveTriangular(a, b, { upper: false, left: false, unitriangular: true }),
    () => [wellConditioned(3, 3), random(2, 2, 3)],
  ],
  det: [(x) => linalg.det(x), square],
  'det of matrices of rank 3': [(x) => linalg.det(x), () => [ofRank(3, 4)]],
  'det of matrices of rank 2': [(x) => linalg.det(x), () => [ofRank(2, 4)]],
  'det of matrices of rank 1': [(x) => linalg.det(x), () => [ofRank(1, 3)]],
  slogdet: [(x) => linalg.slogdet(x).logabsdet, square],
  logdet: [(x) => tg.logdet(positiveDefinite(x)), square],
  'luFactor, square': [(x) => linalg.luFactor(x).LU, square],
  'luFactor, tall': [(x) => linalg.luFactor(x).LU, tall],
  'luFactor, wide': [(x) => linalg.luFactor(x).LU, wide],
  lu: [(x) => Object.values(linalg.lu(x)).slice(1), tall],
  luSolve: [
    (x, b) => {
      const { LU, pivots } = linalg.luFactor(x);
      return [linalg.luSolve(LU, pivots, b), linalg.luSolve(LU, pivots, b.mT, { left: false, adjoint: true })];
    },
    () => [wellConditioned(2, 3, 3), random(3, 3)],
  ],
  'qr, tall': [(x) => linalg.qr(x), tall],
  'qr, wide': [(x) => linalg.qr(x), wide],
  householderProduct: [(a, tau) => linalg.householderProduct(a, tau), () => [random(2, 4, 3), random(2, 2)]],
  ormqr: [(a, tau, c) => tg.ormqr(a, tau, c, { left: false, transpose: true }), () => [random(2, 4, 3), random(2, 3), random(2, 2, 4)]],
  eigvalsh: [(x) => linalg.eigvalsh(symmetric(x)), square],
  eigh: [
    (x) => {
      const { eigenvalues, eigenvectors } = linalg.eigh(symmetric(x));
      return eigenvectors.square().mul(eigenvalues.unsqueeze(-1));
    },
    square,
  ],
  'eig, real': [
    (x, d) => {
      const { eigenvalues, eigenvectors } = linalg.eig(linalg.solve(x, d.unsqueeze(-1).mul(x)));
      return [eigenvalues, eigenvectors.square()];
    },
    () => [wellConditioned(3, 3), tg.tensor([1, 2.5, 4], { dtype: 'float64', requiresGrad: true })],
  ],
  svdvals: [(x) => linalg.svdvals(x), tall],
  'svd, tall': [
    (x) => {
      const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
      return [U.square(), S, Vh.square(), U.mul(S.square().unsqueeze(-2)).matmul(Vh)];
    },
    tall,
  ],
  'svd, wide, some': [
    (x) => {
      const { U, S, V } = tg.svd(x);
      return [U.square(), V.square().mul(S.unsqueeze(-2))];
    },
    wide,
  ],
  'pinv, tall': [(x) => linalg.pinv(x), tall],
  'pinv of rank 2': [(x, y) => linalg.pinv(x.matmul(y)), () => [random(4, 2), random(2, 3)]],
  'pinv, hermitian': [(x) => linalg.pinv(symmetric(x), { hermitian: true }), square],
  'lstsq, tall': [(a, b) => linalg.lstsq(a, b).solution, () => [random(2, 4, 3), random(2, 4, 2)]],
  'lstsq, wide, vector': [(a, b) => linalg.lstsq(a, b).solution, () => [random(2, 4), random(2)]],
  matrixExp: [(x) => tg.matrixExp(x), () => [random(2, 3, 3)]],
  'matrixPower, negative': [(x) => linalg.matrixPower(x, -3), square],
  'nuclear norm': [(x) => linalg.matrixNorm(x, 'nuc'), wide],
  'condition number': [(x) => [linalg.cond(x), linalg.cond(x, 'fro')], square],
  multiDot: [(a, b, c) => linalg.multiDot([a, b, c]), () => [random(2, 3), random(3, 4), random(4)]],
  tensorsolve: [(a, b) => linalg.tensorsolve(a.reshape([2, 2, 4]), b), () => [wellConditioned(4, 4), random(2, 2)]],
  vander: [(x) => linalg.vander(x, { N: 4 }), () => [random(2, 3)]],
};

describe('derivatives in linear algebra agree with differences, at first and second order', () => {
  it.each(Object.entries(lines))('%s', (_, [f, inputs]) => {
    const made = inputs();
    expect(tg.gradcheck(f, made)).toBe(true);
    expect(tg.gradgradcheck(f, made)).toBe(true);
  });
});

describe('derivatives that need care', () => {
  const leaf = (values: tg.TensorData): Tensor => tg.tensor(values, { dtype: 'float64', requiresGrad: true });
  const gradient = (y: Tensor, x: Tensor): unknown => tg.grad(y, x)[0]!.toArray();

  it('of the determinant are the cofactors, where the rank is less by one and by two, at every order', () => {
    const once = leaf([[1, 2, 3], [2, 4, 6], [1, 0, 1]]);
    const [cofactors] = tg.grad(linalg.det(once), once);
    const expected = [[4, 4, -4], [-2, -2, 2], [0, 0, 0]];
    expect(cofactors!.sub(tg.tensor(expected, { dtype: 'float64' })).abs().max().item()).toBeLessThan(1e-12);
    const twice = leaf([[0, 0, 0], [0, 0, 0], [0, 0, 5]]);
    const [first] = tg.grad(linalg.det(twice), twice, { createGraph: true });
    const [second] = tg.grad(first!.at(0, 0), twice, { createGraph: true });
    expect(second!.at(1, 1).item()).toBeCloseTo(5, 12);
    const [third] = tg.grad(second!.at(1, 1), twice);
    expect(third!.at(2, 2).item()).toBeCloseTo(1, 12);
  });

  it('of the symmetric decompositions are symmetric, although one triangle is read', () => {
    const a = leaf([[4, 100], [1, 3]]);
    const weights = tg.tensor([[1, 0], [2, 3]], { dtype: 'float64' });
    const [g] = tg.grad(linalg.cholesky(a).mul(weights).sum(), a);
    expect(g!.sub(g!.mT).abs().max().item()).toBeLessThan(1e-15);
    [0.18153338, 0.27386649, 0.90453403].forEach((value, i) => expect(g!.flatten().at([0, 1, 3]).at(i).item()).toBeCloseTo(value, 8));
  });

  it('of eigenvectors are symmetric too', () => {
    const a = leaf([[4, 1, 0], [1, 3, 2], [0, 2, 1]]);
    const [g] = tg.grad(linalg.eigh(a).eigenvectors.square().at(0).mul(tg.tensor([1, 5, 2])).sum(), a);
    expect(g!.sub(g!.mT).abs().max().item()).toBeLessThan(1e-15);
  });

  it('of singular values and eigenvalues alone are finite where these are equal', () => {
    const eye = leaf([[1, 0], [0, 1]]);
    expect(gradient(linalg.svdvals(eye).sum(), eye)).toEqual([[1, 0], [0, 1]]);
    expect(gradient(linalg.eigvalsh(eye).sum(), eye)).toEqual([[1, 0], [0, 1]]);
  });

  it('share evenly among equal extremes', () => {
    const a = leaf([[1, 2], [2, 1]]);
    expect(gradient(linalg.matrixNorm(a, 1), a)).toEqual([[0.5, 0.5], [0.5, 0.5]]);
    const v = leaf([3, -3, 1]);
    expect(gradient(linalg.norm(v, Infinity), v)).toEqual([0.5, -0.5, 0]);
  });

  it('of norms are 0 at 0', () => {
    const zeros = leaf([[0, 0], [0, 0]]);
    expect(gradient(linalg.matrixNorm(zeros), zeros)).toEqual([[0, 0], [0, 0]]);
    expect(gradient(linalg.norm(zeros), zeros)).toEqual([[0, 0], [0, 0]]);
    expect(gradient(zeros.vectorNorm(1.5), zeros)).toEqual([[0, 0], [0, 0]]);
  });

  it('of norms at 0 exist once: what would depend on the second is NaN, except for orders above 2', () => {
    const second = (order: number): unknown => {
      const zeros = leaf([0, 0]);
      const [first] = tg.grad(zeros.vectorNorm(order), zeros, { createGraph: true });
      return gradient(first!.sum(), zeros);
    };
    expect([2, 1.5, -2, 3].map(second)).toEqual([[NaN, NaN], [NaN, NaN], [NaN, NaN], [0, 0]]);
  });

  it('are refused where there is none', () => {
    const a = random(4, 3);
    expect(() => tg.grad(linalg.qr(a, 'complete').Q.sum(), a)).toThrow(/qr: the derivative is not implemented.*mode 'reduced'/);
    expect(() => tg.grad(linalg.qr(a, 'r').R.sum(), a)).toThrow(tg.GradError);
    expect(() => tg.grad(tg.geqrf(a).a.sum(), a)).toThrow(/linalg.qr has one/);
  });

  it('svd refuses gradients of vectors that the matrix does not determine', () => {
    const x = tg.tensor([[1, 2], [3, 4], [5, 7]], { dtype: 'float64', requiresGrad: true });
    const { U, S } = linalg.svd(x);
    expect(() => U.square().sum().backward()).toThrow(/vectors of U beyond the singular values/);
    const [g] = tg.grad(linalg.svd(x).U.narrow(-1, 0, 2).abs().sum().add(S.sum()), x);
    expect(g!.isfinite().all().item()).toBe(1);
  });
});
