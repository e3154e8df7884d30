import { requireIntegers } from '../define/bounds.ts';
import { custom } from '../define/rules.ts';
import { IndexError, ShapeError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { CheckErrorsOption } from './cholesky.ts';
import { factorLdl, solveLdl } from './host/bunch-kaufman.ts';
import {
  broadcastBatches, checkStatus, integersLike, matricesOf, noDerivative, requireMatrices, requireSameDType, requireSquare, tensorOf,
} from './matrices.ts';

const ADVICE = 'For systems with a derivative use linalg.solve';

const factored = custom<null>('linalg_ldl_factor_ex', {
  results: 3,
  forward: ([a]) => {
    const matrices = matricesOf(a!);
    const { batch, rows: n } = matrices;
    const pivotings = matrices.all.map((matrix) => factorLdl(matrix, n));
    return [
      tensorOf(a!, matrices),
      integersLike(a!, Int32Array.from(pivotings.flatMap(({ pivots }) => [...pivots])), [...batch, n]),
      integersLike(a!, Int32Array.from(pivotings, ({ info }) => info), batch),
    ];
  },
  vjp: noDerivative('ldlFactor', ADVICE),
});

/** The factors of a symmetric matrix, packed, and exchanges of rows and columns as LAPACK counts them. */
export interface LdlFactors {
  readonly LD: Tensor;
  readonly pivots: Tensor;
}

/**
 * As `ldlFactor`, with a status instead of an error: 0, or the number of the first block of D that is 0.
 * @source torch.linalg.ldl_factor_ex
 */
export function ldlFactorEx(a: Tensor, options: CheckErrorsOption = none): LdlFactors & { readonly info: Tensor } {
  checkOptions('ldlFactorEx', options, { checkErrors: 1 });
  requireSquare('ldlFactorEx', a);
  const [LD, pivots, info] = factored([a], null);
  if (options.checkErrors === true) checkStatus('ldlFactorEx', info!, (k) => `is singular: D[${k}, ${k}], counted from 1, is zero`);
  return { LD: LD!, pivots: pivots!, info: info! };
}

/**
 * The factors of A = P L D Lᵀ Pᵀ for symmetric matrices, of which the lower triangle is read. For `ldlSolve`.
 * @shape [..., n, n] -> LD [..., n, n], pivots [..., n] (int32, from 1, negative for blocks of size 2)
 * @numerics Bunch and Kaufman's pivoting, in float64
 * @source torch.linalg.ldl_factor
 */
export function ldlFactor(a: Tensor): LdlFactors {
  requireSquare('ldlFactor', a);
  const { LD, pivots } = ldlFactorEx(a);
  return { LD, pivots };
}

const solved = custom<Tensor>('linalg_ldl_solve', {
  forward: ([factors, b], pivots) => {
    const [left, right] = [matricesOf(factors!), matricesOf(b!)];
    const n = left.rows;
    const exchanges = pivots.expand([...left.batch, n]).toTypedArray();
    right.all.forEach((x, i) => solveLdl(left.all[i]!, n, exchanges.subarray(i * n, (i + 1) * n), x, right.columns));
    return [tensorOf(b!, right)];
  },
  vjp: noDerivative('ldlSolve', ADVICE),
});

/**
 * The solution of A X = B from the factors that `ldlFactor` made. Batches broadcast.
 * @shape LD [..., n, n], pivots [..., n], B [..., n, k] -> [..., n, k]
 * @throws ShapeError when they do not fit; IndexError for pivots that are no rows
 * @source torch.linalg.ldl_solve
 */
export function ldlSolve(LD: Tensor, pivots: Tensor, b: Tensor): Tensor {
  const op = 'ldlSolve';
  requireSquare(op, LD, 'LD');
  requireMatrices(op, b, 'B');
  requireSameDType(op, LD, b);
  requireIntegers(op, pivots, 'pivots');
  const n = LD.shape.at(-1)!;
  if (!sameShape(pivots.shape, LD.shape.slice(0, -1)) || b.shape.at(-2) !== n) {
    throw new ShapeError(
      `${op}: for LD ${shapeString(LD.shape)} the pivots must be ${shapeString(LD.shape.slice(0, -1))} and B must have ` +
        `${n} rows, got ${shapeString(pivots.shape)} and ${shapeString(b.shape)}`,
      { op, shapes: [LD.shape, pivots.shape, b.shape] },
    );
  }
  const bad = pivots.toTypedArray().find((row) => row === 0 || Math.abs(row) > n);
  if (bad !== undefined) {
    throw new IndexError(
      `${op}: pivots are numbers of rows from 1 to ${n}, or their negatives, got ${bad}`,
      { op, argument: 'pivots' },
    );
  }
  return solved(broadcastBatches(op, LD, b), pivots)[0]!;
}
