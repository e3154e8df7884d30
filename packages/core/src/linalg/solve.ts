import { custom, type CustomOperation } from '../define/rules.ts';
import { ShapeError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { CheckErrorsOption } from './cholesky.ts';
import { factorLu, orderOf } from './host/lu.ts';
import { solveTriangle } from './host/triangular.ts';
import {
  broadcastBatches, checkStatus, identityLike, integersLike, matricesOf, newMatrices, requireMatrices,
  requireSameDType, requireSquare, tensorOf,
} from './matrices.ts';

const solved: CustomOperation<null> = custom('linalg_solve_ex', {
  results: 2,
  forward: ([a, b]) => {
    const [left, right] = [matricesOf(a!), matricesOf(b!)];
    const { rows: n } = left;
    const { batch, columns } = right;
    const out = newMatrices(batch, n, columns);
    const status = Int32Array.from(left.all, (matrix, i) => {
      const { pivots, info } = factorLu(matrix, n, n);
      const [source, x] = [right.all[i]!, out.all[i]!];
      orderOf(pivots, n).forEach((from, to) => x.set(source.subarray(from * columns, (from + 1) * columns), to * columns));
      solveTriangle(matrix, n, x, columns, { upper: false, unit: true });
      solveTriangle(matrix, n, x, columns, { upper: true, unit: false });
      return info;
    });
    return [tensorOf(b!, out), integersLike(a!, status, batch)];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g]) {
    if (!g) return [null, null];
    const toB = solved([node.input(0).mT, g], null)[0]!;
    return [node.needs(0) ? toB.matmul(node.output(0).mT).neg() : null, toB];
  },
});

/** On which side the matrix of a system stands. */
export interface SolveOptions {
  /** Solve A X = B (default), or X A = B. */
  left?: boolean | undefined;
}

/** A solution, and the status of each system. */
interface Solution {
  readonly result: Tensor;
  readonly info: Tensor;
}

function solveSystem(op: string, a: Tensor, b: Tensor, options: SolveOptions & CheckErrorsOption): Solution {
  const { left = true, checkErrors = false } = options;
  requireSquare(op, a, 'A');
  requireSameDType(op, a, b);
  // As in PyTorch: B is a vector, or a batch of vectors if it has exactly the shape of A without its last dimension.
  const isVector = b.ndim === 1 || (b.ndim === a.ndim - 1 && sameShape(b.shape, a.shape.slice(0, -1)));
  const right = isVector ? b.unsqueeze(-1) : b;
  requireMatrices(op, right, 'B');
  if (isVector && !left) {
    throw new ShapeError(
      `${op}: a vector B is for A x = b only; give a matrix for X A = B`,
      { op, argument: 'B' },
    );
  }
  if (right.shape.at(left ? -2 : -1) !== a.shape.at(-1)) {
    throw new ShapeError(
      `${op}: A is ${shapeString(a.shape)} and B is ${shapeString(b.shape)}; ` +
        `${left ? 'A X = B needs as many rows' : 'X A = B needs as many columns'} ` +
        `in B as A has, ${a.shape.at(-1)}`,
      { op, shapes: [a.shape, b.shape] },
    );
  }
  const pair = broadcastBatches(op, left ? a : a.mT, left ? right : right.mT);
  const [x, info] = solved(pair, null);
  if (checkErrors) checkStatus(op, info!, singular);
  const result = left ? x! : x!.mT;
  return { result: isVector ? result.squeeze(-1) : result, info: info! };
}

function singular(k: number): string {
  return `is singular: elimination met a zero pivot in column ${k}, counted from 1. pinv and lstsq take singular matrices`;
}

/**
 * The solution of A X = B. Batches broadcast; B may be a vector, or a batch of them.
 * @shape [..., n, n], [..., n, k] or [n] -> the shape of B, broadcast
 * @derivative A⁻ᵀ g for B, −(A⁻ᵀ g) Xᵀ for A
 * @numerics LU with partial pivoting in float64, whatever the dtype
 * @throws LinAlgError naming the batch element that is singular; ShapeError when A is not square or does not fit B
 * @example
 * const a = tg.tensor([[2, 1], [0, 4]]);
 * console.log(tg.linalg.solve(a, tg.tensor([4, 8])).toArray()); // → [ 1, 2 ]
 * @source torch.linalg.solve
 */
export function solve(a: Tensor, b: Tensor, options: SolveOptions = none): Tensor {
  checkOptions('solve', options, { left: 1 });
  return solveSystem('solve', a, b, { ...options, checkErrors: true }).result;
}

/** As `solve`, with a status instead of an error: 0, or the number of the first pivot that is 0. @source torch.linalg.solve_ex */
export function solveEx(a: Tensor, b: Tensor, options: SolveOptions & CheckErrorsOption = none): Solution {
  checkOptions('solveEx', options, { left: 1, checkErrors: 1 });
  return solveSystem('solveEx', a, b, options);
}

const inverted = custom<null>('linalg_inv_ex', {
  results: 2,
  forward: ([a]) => solved([a!.detach(), identityLike(a!, a!.shape.at(-1)!).expand(a!.shape)], null),
  savesOutputs: [0],
  vjp(node, [g]) {
    if (!g) return [null];
    const transposed = node.output(0).mT;
    return [transposed.matmul(g).matmul(transposed).neg()];
  },
});

function invert(op: string, a: Tensor, checkErrors: boolean): { inverse: Tensor; info: Tensor } {
  requireSquare(op, a);
  const [inverse, info] = inverted([a], null);
  if (checkErrors) checkStatus(op, info!, singular);
  return { inverse: inverse!, info: info! };
}

/**
 * The inverse of each matrix; to solve a system, `solve` is faster and more exact.
 * @shape [..., n, n] -> [..., n, n]
 * @derivative −A⁻ᵀ g A⁻ᵀ
 * @throws LinAlgError naming the batch element that is singular
 * @source torch.linalg.inv
 */
export function inv(a: Tensor): Tensor {
  return invert('inv', a, true).inverse;
}

/** As `inv`, with a status instead of an error: 0, or the number of the first pivot that is 0. @source torch.linalg.inv_ex */
export function invEx(a: Tensor, options: CheckErrorsOption = none): { inverse: Tensor; info: Tensor } {
  checkOptions('invEx', options, { checkErrors: 1 });
  return invert('invEx', a, options.checkErrors === true);
}
