import { custom, type CustomOperation } from '../define/rules.ts';
import { ShapeError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { factorCholesky } from './host/cholesky.ts';
import { solveTriangle } from './host/triangular.ts';
import {
  broadcastBatches, checkStatus, integersLike, matricesOf, newMatrices, requireMatrices, requireSameDType,
  requireSquare, tensorOf, type Matrices,
} from './matrices.ts';
import { solveTriangular } from './triangular.ts';

const factored = custom<null>('linalg_cholesky_ex', {
  results: 2,
  forward: ([a]) => {
    const matrices = matricesOf(a!);
    const status = Int32Array.from(matrices.all, (matrix) => factorCholesky(matrix, matrices.rows));
    return [tensorOf(a!, matrices), integersLike(a!, status, matrices.batch)];
  },
  savesOutputs: [0],
  vjp(node, [g]) {
    if (!g) return [null];
    const lower = node.output(0);
    const inner = lower.mT.matmul(g);
    // The derivative by a symmetric matrix: what the lower triangle gets, half of it is the upper one's.
    const halved = inner.tril().add(inner.tril(-1).mT).mul(0.5);
    const left = solveTriangular(lower.mT, halved, { upper: true });
    return [solveTriangular(lower, left, { upper: false, left: false })];
  },
});

/** Which triangle is read and returned. */
export interface TriangleOption {
  /** Read the upper triangle and return the upper factor; default false. */
  upper?: boolean | undefined;
}

/** Whether a failure is an error; without that it is a status. */
export interface CheckErrorsOption {
  /** Throw where the status is not 0; default false. */
  checkErrors?: boolean | undefined;
}

/**
 * As `linalg.cholesky`, with a status instead of an error: 0, or the order of the first leading minor that is not positive.
 * @source torch.linalg.cholesky_ex
 */
export function choleskyEx(a: Tensor, options: TriangleOption & CheckErrorsOption = none): Factored {
  checkOptions('choleskyEx', options, { upper: 1, checkErrors: 1 });
  return factorize('choleskyEx', a, options);
}

/** A factor of a symmetric matrix, and the status of each. */
interface Factored {
  readonly L: Tensor;
  readonly info: Tensor;
}

function factorize(op: string, a: Tensor, options: TriangleOption & CheckErrorsOption): Factored {
  const { upper = false, checkErrors = false } = options;
  requireSquare(op, a);
  const [lower, info] = factored([upper ? a.mT : a], null);
  if (checkErrors) {
    checkStatus(op, info!, (order) => {
      return (
        `is not positive-definite: its leading minor of order ${order} is not positive. Add a small multiple of the ` +
        'identity, or check that it is symmetric'
      );
    });
  }
  return { L: upper ? lower!.mT : lower!, info: info! };
}

/**
 * The lower triangular L with L Lᵀ = A for a symmetric positive-definite A, of which one triangle is read.
 * @shape [..., n, n] -> [..., n, n]
 * @derivative symmetric, although only one triangle is read
 * @numerics in float64, whatever the dtype
 * @throws LinAlgError naming the batch element that is not positive-definite
 * @example
 * const a = tg.tensor([[4, 2], [2, 5]]);
 * console.log(tg.linalg.cholesky(a).toArray()); // → [ [ 2, 0 ], [ 1, 2 ] ]
 * @source torch.linalg.cholesky
 */
export function cholesky(a: Tensor, options: TriangleOption = none): Tensor {
  checkOptions('cholesky', options, { upper: 1 });
  return factorize('cholesky', a, { ...options, checkErrors: true }).L;
}

/** Overwrites b by (L Lᵀ)⁻¹ b. */
function solveWithFactor(l: Matrices, b: Matrices): void {
  const { rows: n } = l;
  b.all.forEach((x, i) => {
    const lower = l.all[i]!;
    solveTriangle(lower, n, x, b.columns, { upper: false, unit: false });
    const upper = new Float64Array(n * n);
    for (let r = 0; r < n; r++) for (let c = 0; c <= r; c++) upper[c * n + r] = lower[r * n + c]!;
    solveTriangle(upper, n, x, b.columns, { upper: true, unit: false });
  });
}

const solvedByFactor: CustomOperation<null> = custom('cholesky_solve', {
  forward: ([b, l]) => {
    const right = matricesOf(b!);
    solveWithFactor(matricesOf(l!), right);
    return [tensorOf(b!, right)];
  },
  savesInputs: [1],
  savesOutputs: [0],
  vjp(node, [g]) {
    const lower = node.input(1);
    const toB = solvedByFactor([g!, lower], null)[0]!;
    if (!node.needs(1)) return [toB, null];
    const common = toB.matmul(node.output(0).mT);
    return [toB, common.add(common.mT).matmul(lower).neg()];
  },
});

/**
 * The solution X of A X = B from the Cholesky factor of A. Batches broadcast.
 * @shape B [..., n, k], L [..., n, n] -> [..., n, k]
 * @derivative for the factor, that of (L Lᵀ)⁻¹ B by all elements of L
 * @throws ShapeError when the factor does not fit
 * @source torch.cholesky_solve
 */
export function choleskySolve(b: Tensor, factor: Tensor, options: TriangleOption = none): Tensor {
  checkOptions('choleskySolve', options, { upper: 1 });
  const op = 'choleskySolve';
  requireMatrices(op, b, 'B');
  requireSquare(op, factor, 'factor');
  requireSameDType(op, b, factor);
  if (b.shape.at(-2) !== factor.shape.at(-1)) {
    throw new ShapeError(
      `${op}: B is ${shapeString(b.shape)}, but the factor ${shapeString(factor.shape)} asks for ${factor.shape.at(-1)} rows`,
      { op, shapes: [b.shape, factor.shape] },
    );
  }
  return solvedByFactor(broadcastBatches(op, b, options.upper === true ? factor.mT : factor), null)[0]!;
}

const inverted = custom<null>('cholesky_inverse', {
  forward: ([l]) => {
    const lower = matricesOf(l!);
    const { batch, rows: n } = lower;
    const inverse = newMatrices(batch, n, n);
    for (const matrix of inverse.all) for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
    solveWithFactor(lower, inverse);
    return [tensorOf(l!, inverse)];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g]) {
    const inverse = node.output(0);
    return [inverse.matmul(g!.add(g!.mT)).matmul(inverse).matmul(node.input(0)).neg()];
  },
});

/**
 * The inverse of A from its Cholesky factor.
 * @shape [..., n, n] -> [..., n, n]
 * @derivative that of (L Lᵀ)⁻¹ by all elements of L
 * @source torch.cholesky_inverse
 */
export function choleskyInverse(factor: Tensor, options: TriangleOption = none): Tensor {
  checkOptions('choleskyInverse', options, { upper: 1 });
  requireSquare('choleskyInverse', factor, 'factor');
  return inverted([options.upper === true ? factor.mT : factor], null)[0]!;
}
