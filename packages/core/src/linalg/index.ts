export { cholesky, choleskyEx, type CheckErrorsOption, type TriangleOption } from './cholesky.ts';
export { det, slogdet, type SignAndLog } from './determinant.ts';
export { eig, eigh, eigvals, eigvalsh, type EigenParts, type Uplo } from './eigen.ts';
export { ldlFactor, ldlFactorEx, ldlSolve, type LdlFactors } from './ldl.ts';
export {
  lu, luFactor, luFactorEx, luSolve, type LuDecomposition, type LuFactors, type LuSolveOptions, type LuStatus, type PivotOption,
} from './lu.ts';
export {
  cross, diagonal, matmul, matrixExp, matrixPower, multiDot, tensorinv, tensorsolve, vander, vecdot, type DiagonalOptions,
} from './matrix-functions.ts';
export { cond, matrixNorm, norm, vectorNorm, type MatrixOrder } from './norm.ts';
export {
  lstsq, matrixRank, pinv, type LstsqDriver, type LstsqOptions, type LstsqResult, type ToleranceOptions,
} from './pseudo-inverse.ts';
export { householderProduct, qr, type QrMode, type QrParts } from './qr.ts';
export { inv, invEx, solve, solveEx, type SolveOptions } from './solve.ts';
export { svd, svdvals, type FullMatricesOption, type SvdParts } from './svd.ts';
export { solveTriangular, type SolveTriangularOptions } from './triangular.ts';
