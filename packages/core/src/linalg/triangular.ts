import { custom, type CustomOperation } from '../define/rules.ts';
import { ShapeError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { solveTriangle, type Triangle } from './host/triangular.ts';
import { broadcastBatches, matricesOf, requireMatrices, requireSameDType, requireSquare, tensorOf } from './matrices.ts';

const solved: CustomOperation<Triangle> = custom('linalg_solve_triangular', {
  forward: ([a, b], triangle) => {
    const [left, right] = [matricesOf(a!), matricesOf(b!)];
    right.all.forEach((x, i) => solveTriangle(left.all[i]!, left.rows, x, right.columns, triangle));
    return [tensorOf(b!, right)];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g], { upper, unit }) {
    const toB = solved([node.input(0).mT, g!], { upper: !upper, unit })[0]!;
    if (!node.needs(0)) return [null, toB];
    const toA = toB.matmul(node.output(0).mT).neg();
    const skipped = unit ? 1 : 0;
    return [upper ? toA.triu(skipped) : toA.tril(-skipped), toB];
  },
});

/** Which triangle `solveTriangular` reads, and on which side the matrix stands. */
export interface SolveTriangularOptions {
  /** Whether the upper triangle is read; else the lower one. */
  upper: boolean;
  /** Solve A X = B (default), or X A = B. */
  left?: boolean | undefined;
  /** Take the diagonal for ones without reading it; default false. */
  unitriangular?: boolean | undefined;
}

/**
 * The solution of A X = B for a triangular A; the other triangle is not read. Batches broadcast.
 * @shape [..., n, n], [..., n, k] -> [..., n, k]
 * @derivative A⁻ᵀ g for B, −(A⁻ᵀ g) Xᵀ for A, within its triangle
 * @numerics a zero on the diagonal gives infinities or NaN
 * @throws ShapeError when A is not square or does not fit B
 * @source torch.linalg.solve_triangular
 */
export function solveTriangular(a: Tensor, b: Tensor, options: SolveTriangularOptions): Tensor {
  checkOptions('solveTriangular', options, { upper: 1, left: 1, unitriangular: 1 });
  const op = 'solveTriangular';
  const { upper, left = true, unitriangular = false } = options;
  requireSquare(op, a, 'A');
  requireMatrices(op, b, 'B');
  requireSameDType(op, a, b);
  if (b.shape.at(left ? -2 : -1) !== a.shape.at(-1)) {
    throw new ShapeError(
      `${op}: A is ${shapeString(a.shape)} and B is ${shapeString(b.shape)}; ` +
        `${left ? 'A X = B needs as many rows' : 'X A = B needs as many columns'} ` +
        `in B as A has, ${a.shape.at(-1)}`,
      { op, shapes: [a.shape, b.shape] },
    );
  }
  const [wideA, wideB] = broadcastBatches(op, a, b);
  if (left) return solved([wideA, wideB], { upper, unit: unitriangular })[0]!;
  return solved([wideA.mT, wideB.mT], { upper: !upper, unit: unitriangular })[0]!.mT;
}

/** Options of `triangularSolve`. */
export interface TriangularSolveOptions {
  /** Whether the upper triangle is read (default) or the lower one. */
  upper?: boolean | undefined;
  /** Solve with Aᵀ; default false. */
  transpose?: boolean | undefined;
  /** Take the diagonal for ones without reading it; default false. */
  unitriangular?: boolean | undefined;
}

/** A solution, and the matrix that it belongs to. */
export interface TriangularSolution {
  readonly solution: Tensor;
  readonly clonedCoefficient: Tensor;
}

/**
 * The solution of A X = B for a triangular A, and A itself; the older form of `linalg.solveTriangular`.
 * @source torch.triangular_solve
 */
export function triangularSolve(b: Tensor, a: Tensor, options: TriangularSolveOptions = none): TriangularSolution {
  checkOptions('triangularSolve', options, { upper: 1, transpose: 1, unitriangular: 1 });
  const { upper = true, transpose = false, unitriangular = false } = options;
  requireSquare('triangularSolve', a, 'A');
  const [matrix, reads] = transpose ? [a.mT, !upper] : [a, upper];
  return { solution: solveTriangular(matrix, b, { upper: reads, unitriangular }), clonedCoefficient: a.clone() };
}
