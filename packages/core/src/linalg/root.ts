import { ValueError } from '../errors.ts';
import { checkOptions, described, none } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';
import * as choleskyFamily from './cholesky.ts';
import { eigh, type EigenParts } from './eigen.ts';
import * as luFamily from './lu.ts';
import { qr as decomposeQr, type QrParts } from './qr.ts';
import { svd as decomposeSvd } from './svd.ts';
import type { LowRankParts } from './low-rank.ts';

export { choleskyInverse, choleskySolve } from './cholesky.ts';
export { det, logdet, slogdet } from './determinant.ts';
export { pcaLowrank, svdLowrank, type LowRankOptions, type LowRankParts, type PcaOptions } from './low-rank.ts';
export { luUnpack, type LuUnpackOptions } from './lu.ts';
export { chainMatmul, matrixExp, matrixPower } from './matrix-functions.ts';
export { pinverse } from './pseudo-inverse.ts';
export { geqrf, householderProduct as orgqr, ormqr, type OrmqrOptions } from './qr.ts';
export { inv as inverse } from './solve.ts';
export { triangularSolve, type TriangularSolution, type TriangularSolveOptions } from './triangular.ts';

/** The Cholesky factor; the older form of `linalg.cholesky`. @source torch.cholesky */
export function cholesky(a: Tensor, options: choleskyFamily.TriangleOption = none): Tensor {
  return choleskyFamily.cholesky(a, options);
}

/** The factors of A = Q R; the older form of `linalg.qr`. @param some reduced (default) or complete @source torch.qr */
export function qr(a: Tensor, some = true): QrParts {
  if (typeof some !== 'boolean') throw new ValueError(`qr: some must be true or false, given by position; got ${described(some)}`, { op: 'qr' });
  return decomposeQr(a, some ? 'reduced' : 'complete');
}

/** The older form of `linalg.svd`, with the right singular vectors as columns. */
export interface SvdOptions {
  /** min(m, n) columns (default), or square matrices. */
  some?: boolean | undefined;
}

/** The decomposition A = U diag(S) Vᵀ; the older form of `linalg.svd`. @source torch.svd */
export function svd(a: Tensor, options: SvdOptions = none): LowRankParts {
  checkOptions('svd', options, { some: 1 });
  const { U, S, Vh } = decomposeSvd(a, { fullMatrices: options.some === false });
  return { U, S, V: Vh.mT };
}

/** Which triangle `symeig` reads. */
export interface SymeigOptions {
  /** Whether eigenvectors are wanted; else they are empty. Default false. */
  eigenvectors?: boolean | undefined;
  /** Read the upper triangle (default) or the lower one. */
  upper?: boolean | undefined;
}

/** Eigenvalues and eigenvectors of symmetric matrices; the older form of `linalg.eigh`. @source torch.symeig */
export function symeig(a: Tensor, options: SymeigOptions = none): EigenParts {
  checkOptions('symeig', options, { eigenvectors: 1, upper: 1 });
  const { eigenvalues, eigenvectors } = eigh(a, options.upper === false ? 'L' : 'U');
  return { eigenvalues, eigenvectors: options.eigenvectors === true ? eigenvectors : a.newEmpty([0]) };
}

/** Whether `lu` returns a status too. */
export interface LuOptions extends luFamily.PivotOption {
  /** Return the status of each matrix too: 0, or the number of its first zero pivot; default false. */
  getInfos?: boolean | undefined;
}

/**
 * The packed factors of A = P L U, also of singular matrices; the older form of `linalg.luFactorEx`.
 * @source torch.lu
 */
export function lu(a: Tensor, options: LuOptions = none): [LU: Tensor, pivots: Tensor, info?: Tensor] {
  checkOptions('lu', options, { pivot: 1, getInfos: 1 });
  const { LU, pivots, info } = luFamily.luFactorEx(a, { pivot: options.pivot });
  return options.getInfos === true ? [LU, pivots, info] : [LU, pivots];
}

/** The solution of A X = B from packed factors; the older form of `linalg.luSolve`. @source torch.lu_solve */
export function luSolve(b: Tensor, LU: Tensor, pivots: Tensor): Tensor {
  return luFamily.luSolve(LU, pivots, b);
}
