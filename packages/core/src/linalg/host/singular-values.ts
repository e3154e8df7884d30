import { factorQr, norm2, orthogonalOf } from './householder.ts';
import { rotateRows } from './symmetric-eigen.ts';

/** u (m × columns), singular values in falling order, and vᵀ (rows × n). */
export interface Svd {
  readonly u: Float64Array;
  readonly s: Float64Array;
  readonly vh: Float64Array;
}

/**
 * The singular value decomposition of an m × n matrix, whose elements must be finite; null if it did not converge.
 * A QR factorization, then rotations of pairs of rows of R until all are orthogonal (one-sided Jacobi), which finds small
 * singular values to high relative accuracy.
 * @param full whether u and vᵀ are square; else they have min(m, n) columns and rows
 */
export function decomposeSvd(a: Float64Array, m: number, n: number, full: boolean): Svd | null {
  if (m < n) {
    const flipped = decomposeSvd(transposed(a, m, n), n, m, full);
    if (flipped === null) return null;
    const columns = full ? n : m;
    return { u: transposed(flipped.vh, m, m), s: flipped.s, vh: transposed(flipped.u, n, columns) };
  }
  // Elements near 1, so that squares neither overflow nor vanish; a power of two rounds nothing.
  const scale = scaleOf(a);
  const reflections = a.map((value) => value / scale);
  const taus = factorQr(reflections, m, n);
  const columns = full ? m : n;
  const q = orthogonalOf(reflections, m, n, taus, columns);
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows.set(reflections.subarray(i * n + i, (i + 1) * n), i * n + i);
  const turns = orthogonalizeRows(rows, n);
  if (turns === null) return null;
  // turns R = Σ vᵀ, so a = q R = (q turnsᵀ) Σ vᵀ.
  const lengths = Float64Array.from({ length: n }, (_, i) => norm2(rows, i * n, (i + 1) * n));
  const order = Array.from(lengths.keys()).sort((i, k) => lengths[k]! - lengths[i]!);
  const s = Float64Array.from(order, (i) => lengths[i]! * scale);
  const vh = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let j = 0; j < n; j++) vh[to * n + j] = rows[from * n + j]! / (lengths[from] || 1);
  });
  completeRows(vh, n, order.findIndex((i) => lengths[i] === 0));
  return { u: rotated(q, m, columns, turns, n, order), s, vh };
}

/** The power of two below the largest magnitude; 1 for zeros. */
function scaleOf(a: Float64Array): number {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)), -1000);
}

function transposed(a: Float64Array, m: number, n: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j]!;
  return out;
}

/** The first n columns of q times turnsᵀ, in the given order; further columns stay. */
function rotated(
  q: Float64Array, m: number, columns: number, turns: Float64Array, n: number, order: readonly number[],
): Float64Array {
  const u = q.slice();
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0, x = i * columns, y = order[j]! * n; k < n; k++, x++, y++) sum += q[x]! * turns[y]!;
      u[i * columns + j] = sum;
    }
  }
  return u;
}

/** Sweeps over all pairs after which the iteration is given up; ten are usual. */
const MOST_SWEEPS = 100;

/** The square of a length, relative to elements near 1, below which a row counts as zero. */
const VANISHING = 1e-290;

/** Rotates the rows of an n × n matrix until they are orthogonal to each other; returns the product of the rotations. */
function orthogonalizeRows(a: Float64Array, n: number): Float64Array | null {
  const turns = new Float64Array(n * n);
  for (let i = 0; i < n; i++) turns[i * n + i] = 1;
  const state: Rows = { a, turns, n, squares: new Float64Array(n), threshold: Number.EPSILON * Math.sqrt(n) };
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    for (let i = 0; i < n; i++) state.squares[i] = inner(a, n, i, i);
    let quiet = true;
    for (let i = 0; i < n - 1; i++) {
      for (let k = i + 1; k < n; k++) if (orthogonalizePair(state, i, k)) quiet = false;
    }
    if (quiet) return turns;
  }
  return null;
}

/** Rows on their way to be orthogonal. */
interface Rows {
  readonly a: Float64Array;
  readonly turns: Float64Array;
  readonly n: number;
  /** Squared lengths of the rows, kept up to date by what each rotation moves. */
  readonly squares: Float64Array;
  readonly threshold: number;
}

function inner(a: Float64Array, n: number, i: number, k: number): number {
  let sum = 0;
  for (let j = 0, x = i * n, y = k * n; j < n; j++, x++, y++) sum += a[x]! * a[y]!;
  return sum;
}

/** Rotates two rows so that they are orthogonal; false if they already were. */
function orthogonalizePair({ a, turns, n, squares, threshold }: Rows, i: number, k: number): boolean {
  for (const row of [i, k]) {
    if (squares[row]! >= VANISHING) continue;
    a.fill(0, row * n, (row + 1) * n);
    return false;
  }
  const [own, other] = [squares[i]!, squares[k]!];
  const both = inner(a, n, i, k);
  if (Math.abs(both) <= threshold * Math.sqrt(own) * Math.sqrt(other)) return false;
  const cotangent = (other - own) / (2 * both);
  const t = (cotangent < 0 ? -1 : 1) / (Math.abs(cotangent) + Math.hypot(1, cotangent));
  const c = 1 / Math.hypot(1, t);
  rotateRows(a, n, i, k, c, c * t);
  rotateRows(turns, n, i, k, c, c * t);
  // Close to zero the update would leave rounding errors only.
  const [less, more] = [own - t * both, other + t * both];
  squares[i] = less > own * 1e-3 ? less : inner(a, n, i, i);
  squares[k] = more > other * 1e-3 ? more : inner(a, n, k, k);
  return true;
}

/** Fills the rows from `first` on (none if −1) so that all n rows are orthonormal. */
function completeRows(rows: Float64Array, n: number, first: number): void {
  if (first < 0) return;
  let axis = 0;
  for (let r = first; r < n; r++) {
    for (let length = 0; length < 0.5 / Math.sqrt(n); axis++) {
      const row = rows.subarray(r * n, (r + 1) * n).fill(0);
      row[axis % n] = 1;
      // Twice, since the first time rounding leaves something.
      for (let pass = 0; pass < 2; pass++) {
        for (let k = 0; k < r; k++) {
          let inner = 0;
          for (let j = 0; j < n; j++) inner += rows[k * n + j]! * row[j]!;
          for (let j = 0; j < n; j++) row[j]! -= inner * rows[k * n + j]!;
        }
        if (pass === 0) length = norm2(row, 0, n);
      }
      const size = norm2(row, 0, n);
      for (let j = 0; j < n; j++) row[j]! /= size || 1;
    }
  }
}
