import { custom } from '../define/rules.ts';
import { IndexError, ShapeError } from '../errors.ts';
import { requireIntegers } from '../define/bounds.ts';
import { cat } from '../ops/joining.ts';
import { checkOptions, none } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { CheckErrorsOption } from './cholesky.ts';
import { factorLu, orderOf } from './host/lu.ts';
import {
  broadcastBatches, checkStatus, identityLike, integersLike, matricesOf, newMatrices, requireMatrices,
  requireSameDType, requireSquare, tensorOf,
} from './matrices.ts';
import { solveTriangular } from './triangular.ts';

/** Unit lower and upper factor of an m × n matrix, packed into one, and their exchanges of rows, counted from 1. */
export interface LuFactors {
  readonly LU: Tensor;
  readonly pivots: Tensor;
}

/** The same, with 0 or the number of the first pivot that is 0 per matrix. */
export interface LuStatus extends LuFactors {
  readonly info: Tensor;
}

/** A matrix whose columns are the unit vectors in the order that the exchanges lead to. */
function permutationOf(like: Tensor, pivots: ArrayLike<number>, count: number, m: number, batch: readonly number[]): Tensor {
  const permutations = newMatrices(batch, m, m);
  permutations.all.forEach((p, i) => {
    const own = Array.from({ length: count }, (_, k) => pivots[i * count + k]! - 1);
    orderOf(own, m).forEach((row, k) => (p[row * m + k] = 1));
  });
  return tensorOf(like, permutations);
}

/** The factors of a packed matrix: m × k with ones on the diagonal, and k × n. */
function unpacked(lu: Tensor): { L: Tensor; U: Tensor } {
  const [m, n] = lu.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  return { L: lu.narrow(-1, 0, k).tril(-1).add(identityLike(lu, m, k)), U: lu.narrow(-2, 0, k).triu() };
}

const factored = custom<boolean>('linalg_lu_factor_ex', {
  results: 3,
  forward: ([a], pivot) => {
    const matrices = matricesOf(a!);
    const { batch, rows: m, columns: n } = matrices;
    const count = Math.min(m, n);
    const pivotings = matrices.all.map((matrix) => factorLu(matrix, m, n, pivot));
    const pivots = Int32Array.from(pivotings.flatMap((pivoting) => Array.from(pivoting.pivots, (row) => row + 1)));
    const status = Int32Array.from(pivotings, ({ info }) => info);
    return [
      tensorOf(a!, matrices),
      integersLike(a!, pivots, [...batch, count]),
      integersLike(a!, status, batch),
      permutationOf(a!, pivots, count, m, batch),
    ];
  },
  savesOutputs: [0, 3],
  vjp(node, [g]) {
    if (!g) return [null];
    const [lu, permutation] = [node.output(0), node.output(3)];
    const [m, n] = g.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    // Blocks of the leading k × k part, and of what is left of a tall L (2) or a wide U (2).
    const { L, U } = unpacked(lu);
    const [gL, gU] = [g.narrow(-1, 0, k).tril(-1), g.narrow(-2, 0, k).triu()];
    const [L1, L2] = [L.narrow(-2, 0, k), L.narrow(-2, k, m - k)];
    const [U1, U2] = [U.narrow(-1, 0, k), U.narrow(-1, k, n - k)];
    const [gL1, gL2] = [gL.narrow(-2, 0, k), gL.narrow(-2, k, m - k)];
    const [gU1, gU2] = [gU.narrow(-1, 0, k), gU.narrow(-1, k, n - k)];
    const below = L1.mT.matmul(gL1).sub(gU2.matmul(U2.mT)).tril(-1);
    const above = gU1.matmul(U1.mT).sub(L2.mT.matmul(gL2)).triu();
    const byL = (x: Tensor): Tensor => solveTriangular(L1.mT, x, { upper: true, unitriangular: true });
    const byU = (x: Tensor): Tensor => solveTriangular(U1.mT, x, { upper: false, left: false });
    const leading = byU(byL(below.add(above)));
    const rows = m > n ? cat([leading, byU(gL2)], -2) : cat([leading, byL(gU2)], -1);
    return [permutation.matmul(rows)];
  },
});

/** Whether rows are exchanged. */
export interface PivotOption {
  /** Exchange rows so that the largest element of each column divides (default). Without, small pivots spoil the result. */
  pivot?: boolean | undefined;
}

function factors(op: string, a: Tensor, { pivot, checkErrors }: PivotOption & CheckErrorsOption): LuStatus {
  requireMatrices(op, a);
  const [LU, pivots, info] = factored([a], pivot !== false);
  if (checkErrors === true) {
    checkStatus(op, info!, (k) => `is singular: U[${k}, ${k}], counted from 1, is zero, and a solution would divide by it`);
  }
  return { LU: LU!, pivots: pivots!, info: info! };
}

/**
 * As `luFactor`, with a status instead of an error: 0, or the number of the first pivot that is 0.
 * @source torch.linalg.lu_factor_ex
 */
export function luFactorEx(a: Tensor, options: PivotOption & CheckErrorsOption = none): LuStatus {
  checkOptions('luFactorEx', options, { pivot: 1, checkErrors: 1 });
  return factors('luFactorEx', a, options);
}

/**
 * The factors of A = P L U, packed: L below the diagonal (its own is ones), U on and above it. For `luSolve`.
 * @shape [..., m, n] -> LU [..., m, n], pivots [..., min(m, n)] (int32, exchanges of rows, counted from 1)
 * @throws LinAlgError when a matrix is singular; `luFactorEx` has a status instead
 * @source torch.linalg.lu_factor
 */
export function luFactor(a: Tensor, options: PivotOption = none): LuFactors {
  checkOptions('luFactor', options, { pivot: 1 });
  const { LU, pivots } = factors('luFactor', a, { pivot: options.pivot, checkErrors: true });
  return { LU, pivots };
}

/** A permutation and the triangular factors with P L U = A. */
export interface LuDecomposition {
  readonly P: Tensor;
  readonly L: Tensor;
  readonly U: Tensor;
}

/** The factors of A = P L U. @shape [..., m, n] -> [..., m, m], [..., m, min(m, n)], [..., min(m, n), n] @source torch.linalg.lu */
export function lu(a: Tensor, options: PivotOption = none): LuDecomposition {
  checkOptions('lu', options, { pivot: 1 });
  requireMatrices('lu', a);
  const { LU, pivots } = luFactorEx(a, options);
  return luUnpack(LU, pivots);
}

function checkedPermutation(op: string, LU: Tensor, pivots: Tensor): Tensor {
  requireIntegers(op, pivots, 'pivots');
  const [m, n] = LU.shape.slice(-2) as [number, number];
  const [batch, count] = [LU.shape.slice(0, -2), Math.min(m, n)];
  if (!sameShape(pivots.shape, [...batch, count])) {
    throw new ShapeError(
      `${op}: the pivots of ${shapeString(LU.shape)} must have the shape ${shapeString([...batch, count])}, got ` +
        `${shapeString(pivots.shape)}`,
      { op, argument: 'pivots', shapes: [LU.shape, pivots.shape] },
    );
  }
  const rows = pivots.toTypedArray();
  const bad = rows.findIndex((row) => row < 1 || row > m);
  if (bad >= 0) {
    throw new IndexError(
      `${op}: pivots are numbers of rows from 1 to ${m}, got ${rows[bad]}`,
      { op, argument: 'pivots' },
    );
  }
  return permutationOf(LU, rows, count, m, batch);
}

/** Which parts `luUnpack` computes. */
export interface LuUnpackOptions {
  /** L and U; else they are empty. Default true. */
  unpackData?: boolean | undefined;
  /** P; else it is empty. Default true. */
  unpackPivots?: boolean | undefined;
}

/**
 * The permutation and the factors that `luFactor` packed.
 * @throws IndexError for pivots that are no rows
 * @source torch.lu_unpack
 */
export function luUnpack(LU: Tensor, pivots: Tensor, options: LuUnpackOptions = none): LuDecomposition {
  checkOptions('luUnpack', options, { unpackData: 1, unpackPivots: 1 });
  requireMatrices('luUnpack', LU, 'LU');
  const none = LU.newEmpty([0]);
  const P = options.unpackPivots === false ? none : checkedPermutation('luUnpack', LU, pivots);
  return options.unpackData === false ? { P, L: none, U: none } : { P, ...unpacked(LU) };
}

/** On which side the matrix stands, and whether it is transposed. */
export interface LuSolveOptions {
  /** Solve A X = B (default), or X A = B. */
  left?: boolean | undefined;
  /** Solve with Aᵀ; default false. */
  adjoint?: boolean | undefined;
}

/**
 * The solution of A X = B from the factors that `luFactor` made. Batches broadcast.
 * @shape LU [..., n, n], B [..., n, k] -> [..., n, k]
 * @throws ShapeError when they do not fit
 * @source torch.linalg.lu_solve
 */
export function luSolve(LU: Tensor, pivots: Tensor, b: Tensor, options: LuSolveOptions = none): Tensor {
  checkOptions('luSolve', options, { left: 1, adjoint: 1 });
  const op = 'luSolve';
  const { left = true, adjoint = false } = options;
  requireSquare(op, LU, 'LU');
  requireMatrices(op, b, 'B');
  requireSameDType(op, LU, b);
  const P = checkedPermutation(op, LU, pivots);
  if (!left) return luSolve(LU, pivots, b.mT, { adjoint: !adjoint }).mT;
  if (b.shape.at(-2) !== LU.shape.at(-1)) {
    throw new ShapeError(
      `${op}: LU is ${shapeString(LU.shape)} and B is ${shapeString(b.shape)}; they must have equally many rows`,
      { op, shapes: [LU.shape, b.shape] },
    );
  }
  const [factors, right] = broadcastBatches(op, LU, b);
  if (adjoint) {
    const inner = solveTriangular(factors.mT, right, { upper: false });
    return P.matmul(solveTriangular(factors.mT, inner, { upper: true, unitriangular: true }));
  }
  const inner = solveTriangular(factors, P.mT.matmul(right), { upper: false, unitriangular: true });
  return solveTriangular(factors, inner, { upper: true });
}
