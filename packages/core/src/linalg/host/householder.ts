/** The 2-norm of elements `from`, `from + step`, … before `to`, without overflow. */
export function norm2(a: Float64Array, from: number, to: number, step = 1): number {
  let largest = 0;
  for (let i = from; i < to; i += step) {
    const size = Math.abs(a[i]!);
    // Not a comparison that NaN would slip through.
    if (!(size <= largest)) largest = size;
  }
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = from; i < to; i += step) sum += (a[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/**
 * Overwrites an m × n matrix by its factor R on and above the diagonal and, below it, by the vectors of the reflections
 * I − τ v vᵀ (with a first element 1 that is not stored) whose product is Q. Returns the τ. As in LAPACK a column
 * that needs no reflection gets τ = 0, and the diagonal of R the sign opposite to what it replaces.
 */
export function factorQr(a: Float64Array, m: number, n: number): Float64Array {
  const count = Math.min(m, n);
  const taus = new Float64Array(count);
  const sums = new Float64Array(n);
  for (let k = 0; k < count; k++) {
    const below = norm2(a, (k + 1) * n + k, m * n, n);
    if (below === 0) continue;
    const alpha = a[k * n + k]!;
    const beta = -(alpha < 0 || Object.is(alpha, -0) ? -1 : 1) * Math.hypot(alpha, below);
    taus[k] = (beta - alpha) / beta;
    for (let i = k + 1; i < m; i++) a[i * n + k]! /= alpha - beta;
    a[k * n + k] = beta;
    reflect(a, n, k, m, taus[k]!, a, n, k + 1, sums);
  }
  return taus;
}

/** Applies reflection k, stored in the columns of `v`, to the columns of c from `from` on. */
function reflect(
  v: Float64Array, vColumns: number, k: number, m: number, tau: number,
  c: Float64Array, columns: number, from: number, sums: Float64Array,
): void {
  for (let j = from, x = k * columns + from; j < columns; j++, x++) sums[j] = c[x]!;
  for (let i = k + 1; i < m; i++) {
    const weight = v[i * vColumns + k]!;
    for (let j = from, x = i * columns + from; j < columns; j++, x++) sums[j]! += weight * c[x]!;
  }
  for (let j = from, x = k * columns + from; j < columns; j++, x++) c[x]! -= tau * sums[j]!;
  for (let i = k + 1; i < m; i++) {
    const weight = tau * v[i * vColumns + k]!;
    for (let j = from, x = i * columns + from; j < columns; j++, x++) c[x]! -= weight * sums[j]!;
  }
}

/** The first `columns` columns of the m × m matrix Q whose reflections `factorQr` left in an m × n matrix. */
export function orthogonalOf(a: Float64Array, m: number, n: number, taus: Float64Array, columns: number): Float64Array {
  const q = new Float64Array(m * columns);
  for (let i = 0; i < Math.min(m, columns); i++) q[i * columns + i] = 1;
  const sums = new Float64Array(columns);
  // Before reflection k the first k columns are still those of the identity.
  for (let k = taus.length - 1; k >= 0; k--) if (taus[k] !== 0) reflect(a, n, k, m, taus[k]!, q, columns, k, sums);
  return q;
}
