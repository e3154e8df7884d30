import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { columnSigns, eigenvectors, singularColumns, singularVectors } from './freedom.ts';
import type { Adapter, Signature } from './signature.ts';

const { linalg } = tg;

/** Functions of the namespace that take the input alone, under PyTorch's names. */
const plain = (...names: string[]): Record<string, Signature> => {
  return Object.fromEntries(names.map((name) => [`linalg.${name}`, `tg.linalg.${name}(x)`]));
};

/** The samples of low rank have the factors of the matrix as inputs; random numbers are recorded with the seed 42. */
const ofProduct = (operation: (product: Tensor, options: Record<string, unknown>) => unknown): Adapter => {
  return ({ input, args, kwargs }) => {
    tg.manualSeed(42);
    return operation((input as Tensor).matmul((args[0] as Tensor).mT), kwargs as Record<string, unknown>);
  };
};

const pinv = 'rcond, hermitian, atol, rtol => tg.linalg.pinv(x, { atol, rtol, hermitian })';
const matrixRank = 'tol, hermitian, atol, rtol => tg.linalg.matrixRank(x, { atol, rtol, hermitian })';
const norm = 'ord, dim, keepdim, dtype => tg.linalg.norm(x, ord, dim, { keepdim, dtype })';
const lstsq = 'b, rcond, driver => tg.linalg.lstsq(x, b, { rcond, driver })';

/** Linear algebra: PyTorch's operators in our words. */
export const linalgSignatures: Readonly<Record<string, Signature>> = {
  ...plain('det', 'inv', 'slogdet', 'svdvals', 'eig', 'eigvals'),
  'linalg.cholesky': 'upper => tg.linalg.cholesky(x, { upper })',
  'linalg.cholesky_ex': 'upper, check_errors => tg.linalg.choleskyEx(x, { upper, check_errors })',
  'linalg.cond': 'p => tg.linalg.cond(x, p)',
  'linalg.cross': 'other, dim => tg.linalg.cross(x, other, dim)',
  'linalg.det/singular': 'tg.linalg.det(x)',
  'linalg.eigh': { call: 'UPLO => tg.linalg.eigh(x, UPLO)', free: eigenvectors },
  'linalg.eigvalsh': 'UPLO => tg.linalg.eigvalsh(x, UPLO)',
  'linalg.householder_product': 'tau => tg.linalg.householderProduct(x, tau)',
  'linalg.inv_ex': 'check_errors => tg.linalg.invEx(x, { check_errors })',
  'linalg.ldl_factor': 'hermitian => tg.linalg.ldlFactor(x)',
  'linalg.ldl_factor_ex': 'hermitian, check_errors => tg.linalg.ldlFactorEx(x, { check_errors })',
  'linalg.ldl_solve': 'pivots, b, hermitian => tg.linalg.ldlSolve(x, pivots, b)',
  'linalg.lstsq': lstsq,
  // This variant returns the solution alone.
  'linalg.lstsq/grad_oriented': ({ input, args, kwargs }) => linalg.lstsq(input as Tensor, args[0] as Tensor, kwargs).solution,
  'linalg.lu': 'pivot => tg.linalg.lu(x, { pivot })',
  'linalg.lu_factor': 'pivot => tg.linalg.luFactor(x, { pivot })',
  'linalg.lu_factor_ex': 'pivot, check_errors => tg.linalg.luFactorEx(x, { pivot, check_errors })',
  'linalg.lu_solve': 'pivots, b, left, adjoint => tg.linalg.luSolve(x, pivots, b, { left, adjoint })',
  'linalg.matrix_norm': 'ord, dim, keepdim, dtype => tg.linalg.matrixNorm(x, ord, dim, { keepdim, dtype })',
  'linalg.matrix_power': 'n => tg.linalg.matrixPower(x, n)',
  'linalg.matrix_rank': matrixRank,
  'linalg.matrix_rank/hermitian': matrixRank,
  'linalg.multi_dot': 'tg.linalg.multiDot(x)',
  'linalg.norm': norm,
  'linalg.norm/subgradients_at_zero': norm,
  'linalg.pinv': pinv,
  'linalg.pinv/hermitian': pinv,
  'linalg.pinv/singular': ofProduct((a, options) => linalg.pinv(a, options)),
  'linalg.qr': 'mode => tg.linalg.qr(x, mode)',
  'linalg.solve': 'b, left => tg.linalg.solve(x, b, { left })',
  'linalg.solve_ex': 'b, left, check_errors => tg.linalg.solveEx(x, b, { left, check_errors })',
  'linalg.solve_triangular': 'b, upper, left, unitriangular => tg.linalg.solveTriangular(x, b, { upper, left, unitriangular })',
  'linalg.svd': { call: 'full_matrices => tg.linalg.svd(x, { full_matrices })', free: singularVectors },
  'linalg.tensorinv': 'ind => tg.linalg.tensorinv(x, ind)',
  'linalg.tensorsolve': 'b, dims => tg.linalg.tensorsolve(x, b, { dims })',
  'linalg.vander': 'N => tg.linalg.vander(x, { N })',
  'linalg.vecdot': 'other, dim => tg.linalg.vecdot(x, other, dim)',
  'norm/nuc': "p, dim, keepdim => tg.linalg.matrixNorm(x, p, dim, { keepdim })",

  // The older forms.
  cholesky: 'upper => tg.cholesky(x, { upper })',
  cholesky_inverse: 'upper => tg.choleskyInverse(x, { upper })',
  cholesky_solve: 'factor, upper => tg.choleskySolve(x, factor, { upper })',
  geqrf: 'tg.geqrf(x)',
  logdet: 'tg.logdet(x)',
  lu: 'pivot, get_infos => tg.lu(x, { pivot, get_infos })',
  lu_solve: 'LU, pivots => tg.luSolve(x, LU, pivots)',
  lu_unpack: 'pivots, unpack_data, unpack_pivots => tg.luUnpack(x, pivots, { unpack_data, unpack_pivots })',
  matrix_exp: 'tg.matrixExp(x)',
  ormqr: 'tau, other, left, transpose => tg.ormqr(x, tau, other, { left, transpose })',
  pca_lowrank: {
    call: ofProduct((a, { q, ...options }) => tg.pcaLowrank(a, q as number, options)),
    free: columnSigns,
  },
  pinverse: 'rcond => tg.pinverse(x, rcond)',
  qr: 'some => tg.qr(x, some)',
  svd: { call: 'some, compute_uv => tg.svd(x, { some })', free: singularColumns },
  svd_lowrank: {
    call: ofProduct((a, { q, ...options }) => tg.svdLowrank(a, q as number, options)),
    free: columnSigns,
  },
  symeig: { call: 'eigenvectors, upper => tg.symeig(x, { eigenvectors, upper })', free: eigenvectors },
  triangular_solve: 'a, upper, transpose, unitriangular => tg.triangularSolve(x, a, { upper, transpose, unitriangular })',
};
