import { norm2 } from './householder.ts';

/** Eigenvalues in rising order, and the eigenvectors as rows. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * The eigenvalues and eigenvectors of a symmetric n × n matrix, whose elements must be finite: reflections to
 * tridiagonal form, then QL steps with implicit shifts. Overwrites a; null if the iteration did not converge.
 */
export function symmetricEigen(a: Float64Array, n: number): SymmetricEigen | null {
  const { diagonal, beside, vectors } = tridiagonal(a, n);
  if (!iterateQl(diagonal, beside, vectors, n)) return null;
  const order = Array.from(diagonal.keys()).sort((i, k) => diagonal[i]! - diagonal[k]!);
  const sorted = new Float64Array(n * n);
  order.forEach((from, to) => sorted.set(vectors.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors: sorted };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Elements beside the diagonal; the last one is 0. */
  readonly beside: Float64Array;
  /** Rows are the vectors in which the matrix is tridiagonal. */
  readonly vectors: Float64Array;
}

/** Reflections from both sides, one per column; their product is collected at the end, from the last one. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const taus = new Float64Array(n);
  const [v, w] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n - 2; k++) {
    const below = norm2(a, (k + 2) * n + k, n * n, n);
    if (below === 0) continue;
    const alpha = a[(k + 1) * n + k]!;
    const beta = -(alpha < 0 ? -1 : 1) * Math.hypot(alpha, below);
    const tau = (beta - alpha) / beta;
    taus[k] = tau;
    v[k + 1] = 1;
    for (let i = k + 2; i < n; i++) v[i] = a[i * n + k]! / (alpha - beta);
    // The rest A becomes A − v wᵀ − w vᵀ with w = τ (A v − τ/2 (vᵀ A v) v).
    let inner = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1, x = i * n + j; j < n; j++, x++) sum += a[x]! * v[j]!;
      w[i] = tau * sum;
      inner += w[i]! * v[i]!;
    }
    for (let i = k + 1; i < n; i++) w[i]! -= (tau / 2) * inner * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const p = v[i]!;
      const q = w[i]!;
      for (let j = k + 1, x = i * n + j; j < n; j++, x++) a[x]! -= p * w[j]! + q * v[j]!;
    }
    a[(k + 1) * n + k] = beta;
    // The vector stays where the column was.
    for (let i = k + 2; i < n; i++) a[i * n + k] = v[i]!;
  }
  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const beside = Float64Array.from({ length: n }, (_, i) => (i < n - 1 ? a[(i + 1) * n + i]! : 0));
  return { diagonal, beside, vectors: collected(a, n, taus) };
}

/** The rows of the transposed product of the reflections that lie below the first subdiagonal of a. */
function collected(a: Float64Array, n: number, taus: Float64Array): Float64Array {
  const rows = new Float64Array(n * n);
  const v = new Float64Array(n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    const tau = taus[k]!;
    if (tau === 0) continue;
    v[k + 1] = 1;
    for (let i = k + 2; i < n; i++) v[i] = a[i * n + k]!;
    for (let r = k + 1; r < n; r++) {
      const row = r * n;
      let sum = 0;
      for (let i = k + 1; i < n; i++) sum += v[i]! * rows[row + i]!;
      sum *= tau;
      for (let i = k + 1; i < n; i++) rows[row + i]! -= sum * v[i]!;
    }
  }
  return rows;
}

/** Steps per eigenvalue after which the iteration is given up; two or three are usual. */
const MOST_STEPS = 60;

/** QL steps until what lies beside the diagonal is negligible; rotates the rows of `vectors` along. */
function iterateQl(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): boolean {
  for (let first = 0; first < n; first++) {
    for (let steps = 0; ; steps++) {
      let last = first;
      while (last < n - 1 && Math.abs(e[last]!) > Number.EPSILON * (Math.abs(d[last]!) + Math.abs(d[last + 1]!))) last++;
      if (last === first) break;
      if (steps === MOST_STEPS) return false;
      stepQl(d, e, vectors, n, first, last);
    }
  }
  return true;
}

function stepQl(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, first: number, last: number): void {
  // The shift is the eigenvalue of the leading 2 × 2 block that is nearer to its corner.
  const half = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  let g = d[last]! - d[first]! + e[first]! / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
  let [sine, cosine, taken] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const radius = Math.hypot(f, g);
    e[i + 1] = radius;
    if (radius === 0) {
      d[i + 1]! -= taken;
      e[last] = 0;
      return;
    }
    sine = f / radius;
    cosine = g / radius;
    g = d[i + 1]! - taken;
    const t = (d[i]! - g) * sine + 2 * cosine * b;
    taken = sine * t;
    d[i + 1] = g + taken;
    g = cosine * t - b;
    rotateRows(vectors, n, i, i + 1, cosine, sine);
  }
  d[first]! -= taken;
  e[first] = g;
  e[last] = 0;
}

/** Rows i and k of a matrix with n columns become c · i − s · k and s · i + c · k. */
export function rotateRows(a: Float64Array, n: number, i: number, k: number, c: number, s: number): void {
  for (let j = 0, x = i * n, y = k * n; j < n; j++, x++, y++) {
    const p = a[x]!;
    const q = a[y]!;
    a[x] = c * p - s * q;
    a[y] = s * p + c * q;
  }
}
