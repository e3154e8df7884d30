import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { ints } from './each-backend.ts';
import { t, useAnyBackend } from './notation.ts';

useAnyBackend();

const { linalg } = tg;
const zeros = (...shape: number[]): tg.Tensor => tg.zeros(shape);
const batch = t([[[1, 0], [0, 1]], [[1, 2], [2, 4]]]);

it.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
  ['a singular matrix of a batch', () => linalg.inv(batch), tg.LinAlgError, /^inv: the input \(batch element \[1\]\) is singular: .*column 2.*pinv and lstsq/],
  ['a singular system', () => linalg.solve(t([[1, 2], [2, 4]]), t([1, 2])), tg.LinAlgError, /^solve: the input is singular/],
  ['a singular power', () => linalg.matrixPower(batch, -1), tg.LinAlgError, /batch element \[1\]/],
  ['a matrix that is not positive-definite', () => linalg.cholesky(batch.sub(2)), tg.LinAlgError, /^cholesky: the input \(batch element \[0\]\) is not positive-definite: its leading minor of order 1/],
  ['the same, checked', () => linalg.choleskyEx(batch.neg(), { checkErrors: true }), tg.LinAlgError, /^choleskyEx/],
  ['NaN', () => linalg.svd(t([[[1]], [[NaN]]])), tg.LinAlgError, /^svd: the input \(batch element \[1\]\) has elements that are not finite/],
  ['infinities', () => linalg.eigh(t([[Infinity]])), tg.LinAlgError, /^eigh: the input has elements that are not finite/],
  ['NaN for cholesky', () => linalg.cholesky(t([[NaN]])), tg.LinAlgError, /not positive-definite/],
  ['complex eigenvalues', () => linalg.eig(t([[0, 1], [-1, 0]])), tg.LinAlgError, /^eig: the input has eigenvalues that are not real, and there are no complex tensors; .*eigh/],
  ['complex eigenvalues alone', () => linalg.eigvals(tg.stack([t([[1, 0], [0, 1]]), t([[0, 1], [-1, 0]])])), tg.LinAlgError, /batch element \[1\]/],
  ['what is not square', () => linalg.inv(zeros(2, 3)), tg.ShapeError, /^inv: the input must be a batch of square matrices, got \[2, 3\]/],
  ['a vector', () => linalg.svd(zeros(3)), tg.ShapeError, /^svd: the input must have at least 2 dimensions, matrices in the last two, got \[3\]/],
  ['integers', () => linalg.det(ints([[1]])), tg.DTypeError, /^det: the input must be floating-point, got int32/],
  ['different dtypes', () => linalg.solve(zeros(2, 2), t([1, 2])), tg.DTypeError, /^solve: both tensors must have the same dtype, got float32 and float64/],
  ['sides that do not fit', () => linalg.solve(zeros(2, 2), zeros(3, 1)), tg.ShapeError, /^solve: A is \[2, 2\] and B is \[3, 1\]; A X = B needs as many rows in B as A has, 2/],
  ['sides that do not fit on the right', () => linalg.solveTriangular(zeros(2, 2), zeros(2, 3), { upper: true, left: false }), tg.ShapeError, /X A = B needs as many columns/],
  ['a vector on the right', () => linalg.solve(zeros(2, 2), zeros(2), { left: false }), tg.ShapeError, /give a matrix for X A = B/],
  ['batches that do not broadcast', () => linalg.solve(zeros(2, 3, 3), zeros(4, 3, 1)), tg.ShapeError, /do not broadcast/],
  ['a factor that does not fit', () => tg.choleskySolve(zeros(3, 1), zeros(2, 2)), tg.ShapeError, /^choleskySolve/],
  ['pivots of another shape', () => linalg.luSolve(zeros(2, 2), ints([1]), zeros(2, 1)), tg.ShapeError, /^luSolve: the pivots of \[2, 2\] must have the shape \[2\], got \[1\]/],
  ['pivots that are no rows', () => tg.luUnpack(zeros(2, 2), ints([0, 1])), tg.IndexError, /^luUnpack: pivots are numbers of rows from 1 to 2, got 0/],
  ['pivots of LDL that are no rows', () => linalg.ldlSolve(zeros(2, 2), ints([0, 1]), zeros(2, 1)), tg.IndexError, /from 1 to 2, or their negatives, got 0/],
  ['pivots that are no integers', () => linalg.luSolve(zeros(1, 1), zeros(1), zeros(1, 1)), tg.DTypeError, /^luSolve: the pivots must hold integers/],
  ['a singular factorization', () => linalg.luFactor(t([[0]])), tg.LinAlgError, /^luFactor: .*U\[1, 1\], counted from 1, is zero/],
  ['another mode of qr', () => linalg.qr(zeros(2, 2), 'full' as 'r'), tg.ValueError, /^qr: mode must be 'reduced', 'complete' or 'r', got 'full'/],
  ['another triangle', () => linalg.eigh(zeros(2, 2), 'X' as 'L'), tg.ValueError, /^eigh: UPLO must be 'L' or 'U', got 'X'/],
  ['too many reflections', () => linalg.householderProduct(zeros(3, 2), zeros(3)), tg.ShapeError, /^householderProduct/],
  ['a matrix that reflections do not fit', () => tg.ormqr(zeros(3, 2), zeros(2), zeros(2, 2)), tg.ShapeError, /^ormqr: Q has 3 rows and columns/],
  ['another norm', () => linalg.matrixNorm(zeros(2, 2), 3 as 1), tg.ValueError, /^matrixNorm: ord must be 'fro', 'nuc', ±1, ±2 or ±Infinity, got 3/],
  ['a norm of matrices for vectors', () => linalg.norm(zeros(2), 'nuc'), tg.ValueError, /^norm: 'nuc' is a norm of matrices/],
  ['an order without dims', () => linalg.norm(zeros(2, 2, 2), 2), tg.ShapeError, /name the dims, or use vectorNorm/],
  ['one dim named twice', () => linalg.matrixNorm(zeros(2, 2), 'fro', [0, -2]), tg.ValueError, /the two dims must be different/],
  ['a broken exponent', () => linalg.matrixPower(zeros(2, 2), 0.5), tg.ValueError, /whole number, got 0.5/],
  ['too few factors', () => linalg.multiDot([zeros(2, 2)]), tg.ValueError, /at least 2 tensors/],
  ['factors that do not fit', () => linalg.multiDot([zeros(2, 3), zeros(2, 3)]), tg.ShapeError, /tensor 0 is \[2, 3\] and tensor 1 is \[2, 3\]; they do not fit/],
  ['a vector in the middle', () => linalg.multiDot([zeros(2), zeros(2), zeros(2)]), tg.ShapeError, /tensor 1 must be a matrix, got \[2\]/],
  ['rows of least squares', () => linalg.lstsq(zeros(3, 2), zeros(2, 1)), tg.ShapeError, /equally many rows/],
  ['another driver', () => linalg.lstsq(zeros(3, 2), zeros(3, 1), { driver: 'gelsx' as 'gels' }), tg.ValueError, /driver must be one of gels/],
  ['a tensor without an inverse', () => linalg.tensorinv(zeros(2, 3, 5)), tg.ShapeError, /multiply up to 6, and the others to 5/],
  ['a tensor that fits no right side', () => linalg.tensorsolve(zeros(2, 3, 5), zeros(2, 3)), tg.ShapeError, /square matrix with 6 rows/],
  ['too few powers', () => linalg.vander(zeros(2), { N: 1 }), tg.ValueError, /at least 2, got 1/],
  ['a rank beyond the sizes', () => tg.svdLowrank(zeros(3, 2), 3), tg.ValueError, /from 0 to 2/],
  ['vectors of two components', () => linalg.cross(zeros(2), zeros(2)), tg.ShapeError, /must have size 3/],
])('refuses %s', (_, run, kind, message) => {
  expect(run).toThrow(kind);
  expect(run).toThrow(message);
});
