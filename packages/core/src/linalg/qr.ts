import { custom } from '../define/rules.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { cat } from '../ops/joining.ts';
import { checkOptions, none } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { factorQr, orthogonalOf } from './host/householder.ts';
import {
  broadcastBatches, constantLike, identityLike, matricesOf, newMatrices, noDerivative, requireFloating,
  requireMatrices, requireSameDType, tensorOf,
} from './matrices.ts';
import { solveTriangular } from './triangular.ts';

/** Q with so many columns, and R with so many rows. */
function factors(a: Tensor, columns: number): Tensor[] {
  const source = matricesOf(a);
  const { batch, rows: m, columns: n } = source;
  const [q, r] = [newMatrices(batch, m, columns), newMatrices(batch, columns, n)];
  source.all.forEach((matrix, i) => {
    const taus = factorQr(matrix, m, n);
    q.all[i]!.set(orthogonalOf(matrix, m, n, taus, columns));
    for (let k = 0; k < Math.min(columns, m, n); k++) r.all[i]!.set(matrix.subarray(k * n + k, (k + 1) * n), k * n + k);
  });
  return [tensorOf(a, q), tensorOf(a, r)];
}

/** For matrices with at least as many rows as columns. */
const reduced = custom<null>('linalg_qr', {
  results: 2,
  forward: ([a]) => factors(a!, a!.shape.at(-1)!),
  savesOutputs: [0, 1],
  vjp(node, [gQ, gR]) {
    const [q, r] = [node.output(0), node.output(1)];
    const byR = gR ? gR.matmul(r.mT) : null;
    const byQ = gQ ? q.mT.matmul(gQ).neg() : null;
    const inner = byR && byQ ? byR.add(byQ) : (byR ?? byQ);
    if (!inner) return [null];
    const mirrored = q.matmul(inner.triu().add(inner.triu(1).mT));
    return [solveTriangular(r.mT, gQ ? gQ.add(mirrored) : mirrored, { upper: false, left: false })];
  },
});

const complete = custom<null>('linalg_qr', {
  results: 2,
  forward: ([a]) => factors(a!, a!.shape.at(-2)!),
  vjp: noDerivative('qr', "With mode 'complete' the further columns of Q are arbitrary; use mode 'reduced'"),
});

const onlyR = custom<null>('linalg_qr', {
  forward: ([a]) => [factors(a!, Math.min(...a!.shape.slice(-2)))[1]!],
  vjp: noDerivative('qr', "With mode 'r' it would need Q; use mode 'reduced'"),
});

/** How much of Q is computed: min(m, n) columns, all m, or none. */
export type QrMode = 'reduced' | 'complete' | 'r';

/** An orthogonal and an upper triangular factor. */
export interface QrParts {
  readonly Q: Tensor;
  readonly R: Tensor;
}

/**
 * The factors of A = Q R: Q with orthonormal columns, R upper triangular.
 * @shape [..., m, n] -> [..., m, k], [..., k, n] with k = min(m, n), or m for 'complete'; Q is empty for 'r'
 * @derivative where the first min(m, n) columns are independent; not for 'r', nor for 'complete' with m > n
 * @numerics Householder reflections in float64, whatever the dtype; signs as LAPACK's
 * @throws ValueError for another mode
 * @source torch.linalg.qr
 */
export function qr(a: Tensor, mode: QrMode = 'reduced'): QrParts {
  requireMatrices('qr', a);
  const [m, n] = a.shape.slice(-2) as [number, number];
  switch (mode) {
    case 'r':
      return { Q: a.newEmpty([0]), R: onlyR([a], null)[0]! };
    case 'complete':
    case 'reduced': {
      if (m < n) {
        const { Q, R } = qr(a.narrow(-1, 0, m));
        return { Q, R: cat([R, Q.mT.matmul(a.narrow(-1, m, n - m))], -1) };
      }
      const [Q, R] = (mode === 'complete' && m > n ? complete : reduced)([a], null);
      return { Q: Q!, R: R! };
    }
    default:
      throw new ValueError(`qr: mode must be 'reduced', 'complete' or 'r', got '${String(mode)}'`, { op: 'qr', argument: 'mode' });
  }
}

const packed = custom<null>('geqrf', {
  results: 2,
  forward: ([a]) => {
    const matrices = matricesOf(a!);
    const { batch, rows: m, columns: n } = matrices;
    const taus = newMatrices(batch, Math.min(m, n), 1);
    matrices.all.forEach((matrix, i) => taus.all[i]!.set(factorQr(matrix, m, n)));
    return [tensorOf(a!, matrices), constantLike(a!, taus.values, [...batch, Math.min(m, n)])];
  },
  vjp: noDerivative('geqrf', 'linalg.qr has one'),
});

/**
 * The QR factorization as LAPACK stores it: R on and above the diagonal, below it the vectors of the reflections
 * I − τ v vᵀ, and the τ. For `householderProduct` and `ormqr`.
 * @source torch.geqrf
 */
export function geqrf(a: Tensor): { a: Tensor; tau: Tensor } {
  requireMatrices('geqrf', a);
  const [out, tau] = packed([a], null);
  return { a: out!, tau: tau! };
}

/** The vectors of reflections as columns, with their ones, checked against the τ. */
function reflections(op: string, a: Tensor, tau: Tensor): Tensor {
  requireMatrices(op, a);
  requireFloating(op, tau, 'tau');
  requireSameDType(op, a, tau);
  const [m, n] = a.shape.slice(-2) as [number, number];
  if (m < n || tau.ndim !== a.ndim - 1 || !sameShape(tau.shape.slice(0, -1), a.shape.slice(0, -2)) || tau.shape.at(-1)! > n) {
    throw new ShapeError(
      `${op}: the input must have at least as many rows as columns, and tau one number for each of the first columns; got ` +
        `${shapeString(a.shape)} and ${shapeString(tau.shape)}`,
      { op, shapes: [a.shape, tau.shape] },
    );
  }
  return a.tril(-1).add(identityLike(a, m, n));
}

/** (I − τ v vᵀ) c for each reflection in the given order. */
function reflected(c: Tensor, vectors: Tensor, tau: Tensor, order: readonly number[]): Tensor {
  return order.reduce((x, k) => {
    const v = vectors.narrow(-1, k, 1);
    return x.sub(v.mul(tau.narrow(-1, k, 1).unsqueeze(-1)).matmul(v.mT.matmul(x)));
  }, c);
}

/** The numbers of the reflections, from the first. */
function numbers(tau: Tensor): number[] {
  return Array.from({ length: tau.shape.at(-1)! }, (_, k) => k);
}

/**
 * The first columns of the product of the reflections that `geqrf` stores.
 * @shape [..., m, n], [..., k] -> [..., m, n]
 * @throws ShapeError when there are more columns than rows or more τ than columns
 * @source torch.linalg.householder_product
 */
export function householderProduct(a: Tensor, tau: Tensor): Tensor {
  const vectors = reflections('householderProduct', a, tau);
  const [m, n] = a.shape.slice(-2) as [number, number];
  return reflected(identityLike(a, m, n).expand(a.shape), vectors, tau, numbers(tau).reverse());
}

/** On which side the product of reflections stands, and whether it is transposed. */
export interface OrmqrOptions {
  /** Q C (default), or C Q. */
  left?: boolean | undefined;
  /** Use Qᵀ; default false. */
  transpose?: boolean | undefined;
}

/**
 * A matrix times the square product Q of the reflections that `geqrf` stores.
 * @shape [..., m, n], [..., k], [..., m, p] (or [..., p, m] on the right) -> the shape of the last one
 * @throws ShapeError when they do not fit
 * @source torch.ormqr
 */
export function ormqr(a: Tensor, tau: Tensor, other: Tensor, options: OrmqrOptions = none): Tensor {
  checkOptions('ormqr', options, { left: 1, transpose: 1 });
  const op = 'ormqr';
  const { left = true, transpose = false } = options;
  requireMatrices(op, a);
  const count = tau.ndim === 0 ? 0 : tau.shape.at(-1)!;
  const vectors = reflections(op, a.narrow(-1, 0, Math.min(count, a.shape.at(-1)!)), tau);
  requireMatrices(op, other, 'other');
  requireSameDType(op, a, other);
  if (other.shape.at(left ? -2 : -1) !== a.shape.at(-2)) {
    throw new ShapeError(
      `${op}: Q has ${a.shape.at(-2)} rows and columns, which do not fit other, ${shapeString(other.shape)}, on the ` +
        `${left ? 'left' : 'right'}`,
      { op, shapes: [a.shape, other.shape] },
    );
  }
  if (!left) return ormqr(a, tau, other.mT, { transpose: !transpose }).mT;
  const [, c] = broadcastBatches(op, vectors, other);
  return reflected(c, vectors, tau, transpose ? numbers(tau) : numbers(tau).reverse());
}
