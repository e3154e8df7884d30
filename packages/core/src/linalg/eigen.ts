import { custom } from '../define/rules.ts';
import { LinAlgError, ValueError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { realEigen } from './host/eigen.ts';
import { symmetricEigen } from './host/symmetric-eigen.ts';
import {
  batchPlace, constantLike, diagonalMask, matricesOf, newMatrices, notConverged, requireFinite, requireSquare,
  tensorOf, type Matrices,
} from './matrices.ts';
import { solve } from './solve.ts';

/** Eigenvalues, and eigenvectors as columns. */
export interface EigenParts {
  readonly eigenvalues: Tensor;
  readonly eigenvectors: Tensor;
}

/** Which triangle of a symmetric matrix is read. */
export type Uplo = 'L' | 'U';

/** The matrices with one triangle mirrored onto the other. */
function mirrored(a: Tensor, uplo: Uplo): Matrices {
  const matrices = matricesOf(a);
  const n = matrices.rows;
  for (const matrix of matrices.all) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        if (uplo === 'L') matrix[j * n + i] = matrix[i * n + j]!;
        else matrix[i * n + j] = matrix[j * n + i]!;
      }
    }
  }
  return matrices;
}

/** A change of eigenvalues and eigenvectors, in the basis of the eigenvectors. */
function inEigenbasis(values: Tensor, gL: Tensor | null | undefined, turning: Tensor | null): Tensor | null {
  const n = values.shape.at(-1)!;
  const isDiagonal = diagonalMask(values, n);
  const gaps = values.unsqueeze(-2).sub(values.unsqueeze(-1)).maskedFill(isDiagonal, 1);
  const turn = turning?.div(gaps).maskedFill(isDiagonal, 0) ?? null;
  const scale = gL ? gL.diagEmbed() : null;
  return turn !== null && scale !== null ? turn.add(scale) : (turn ?? scale);
}

const symmetric = custom<Uplo>('linalg_eigh', {
  results: 2,
  forward: ([a], uplo) => {
    const matrices = mirrored(a!, uplo);
    requireFinite('eigh', matrices);
    const { batch, rows: n } = matrices;
    const [values, vectors] = [newMatrices(batch, n, 1), newMatrices(batch, n, n)];
    matrices.all.forEach((matrix, i) => {
      const parts = symmetricEigen(matrix, n);
      if (parts === null) throw notConverged('eigh', batch, i);
      values.all[i]!.set(parts.values);
      vectors.all[i]!.set(parts.vectors);
    });
    return [constantLike(a!, values.values, [...batch, n]), tensorOf(a!, vectors).mT];
  },
  savesOutputs: [0, 1],
  vjp(node, [gL, gV]) {
    const [values, vectors] = [node.output(0), node.output(1)];
    const turning = gV ? vectors.mT.matmul(gV) : null;
    // Orthonormal vectors turn by skew matrices, so that only the skew part matters.
    const inner = inEigenbasis(values, gL, turning?.sub(turning.mT).mul(0.5) ?? null);
    return [inner === null ? null : vectors.matmul(inner).matmul(vectors.mT)];
  },
});

function checkUplo(op: string, uplo: string): Uplo {
  const upper = uplo.toUpperCase();
  if (upper === 'L' || upper === 'U') return upper;
  throw new ValueError(`${op}: UPLO must be 'L' or 'U', got '${uplo}'`, { op, argument: 'UPLO' });
}

/**
 * The eigenvalues of symmetric matrices in rising order, and orthonormal eigenvectors as columns.
 * @shape [..., n, n] -> [..., n], [..., n, n]
 * @param uplo which triangle is read: 'L' (default) or 'U'
 * @derivative by A as a symmetric matrix; not finite where eigenvalues are equal and eigenvectors are used; of functions
 * that do not depend on the signs of the eigenvectors
 * @numerics QL iteration in float64, whatever the dtype
 * @throws LinAlgError naming the batch element that has NaN or infinite elements
 * @example
 * console.log(tg.linalg.eigvalsh(tg.tensor([[2, 1], [1, 2]])).toArray()); // → [ 1, 3 ]
 * @source torch.linalg.eigh
 */
export function eigh(a: Tensor, uplo: Uplo = 'L'): EigenParts {
  requireSquare('eigh', a);
  const [eigenvalues, eigenvectors] = symmetric([a], checkUplo('eigh', uplo));
  return { eigenvalues: eigenvalues!, eigenvectors: eigenvectors! };
}

/**
 * The eigenvalues of symmetric matrices in rising order.
 * @shape [..., n, n] -> [..., n]
 * @derivative V diag(g) Vᵀ, finite for equal eigenvalues too
 * @source torch.linalg.eigvalsh
 */
export function eigvalsh(a: Tensor, uplo: Uplo = 'L'): Tensor {
  requireSquare('eigvalsh', a);
  return symmetric([a], checkUplo('eigvalsh', uplo))[0]!;
}

const general = custom<string>('linalg_eig', {
  results: 2,
  forward: ([a], op) => {
    const matrices = matricesOf(a!);
    requireFinite(op, matrices);
    const { batch, rows: n } = matrices;
    const [values, vectors] = [newMatrices(batch, n, 1), newMatrices(batch, n, n)];
    matrices.all.forEach((matrix, i) => {
      const parts = realEigen(matrix, n);
      if (parts === null) throw notConverged(op, batch, i);
      if (parts === 'complex') {
        throw new LinAlgError(
          `${op}: the input${batchPlace(batch, i)} has eigenvalues that are not real, and there are no complex tensors; ` +
            'for symmetric matrices use eigh, for singular values svd',
          { op, argument: 'input' },
        );
      }
      values.all[i]!.set(parts.values);
      vectors.all[i]!.set(parts.vectors);
    });
    return [constantLike(a!, values.values, [...batch, n]), tensorOf(a!, vectors)];
  },
  savesOutputs: [0, 1],
  vjp(node, [gL, gV]) {
    const [values, vectors] = [node.output(0), node.output(1)];
    const inner = vectors.mT;
    let turning: Tensor | null = null;
    if (gV) {
      // Eigenvectors keep the length 1: what would change it is taken off.
      const along = inner.matmul(gV);
      turning = along.sub(inner.matmul(vectors).mul(along.diagonal(0, -2, -1).unsqueeze(-2)));
    }
    const change = inEigenbasis(values, gL, turning);
    return [change === null ? null : solve(inner, change.matmul(inner))];
  },
});

/**
 * The eigenvalues of matrices, and eigenvectors of length 1 as columns, if all eigenvalues are real.
 * @shape [..., n, n] -> [..., n], [..., n, n]
 * @derivative not finite where eigenvalues are equal; of functions that do not depend on the signs of the eigenvectors
 * @numerics QR iteration in float64, whatever the dtype; in the order in which they are found
 * @throws LinAlgError naming the batch element that has complex eigenvalues, or elements that are not finite
 * @source torch.linalg.eig
 */
export function eig(a: Tensor): EigenParts {
  requireSquare('eig', a);
  const [eigenvalues, eigenvectors] = general([a], 'eig');
  return { eigenvalues: eigenvalues!, eigenvectors: eigenvectors! };
}

/** The eigenvalues of matrices, if all are real. @throws LinAlgError when some are complex @source torch.linalg.eigvals */
export function eigvals(a: Tensor): Tensor {
  requireSquare('eigvals', a);
  return general([a], 'eigvals')[0]!;
}
