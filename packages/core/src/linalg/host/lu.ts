/** What partial pivoting did: row k was exchanged with row `pivots[k]`; `info` is the number of the first zero pivot, 0 if none. */
export interface Pivoting {
  readonly pivots: Int32Array;
  readonly info: number;
}

/**
 * Overwrites an m × n matrix by its factors: the unit lower one below the diagonal, the upper one on and above it.
 * Gaussian elimination row by row, with the largest element of each column as the pivot.
 */
export function factorLu(a: Float64Array, m: number, n: number, pivot = true): Pivoting {
  const count = Math.min(m, n);
  const pivots = new Int32Array(count);
  let info = 0;
  for (let k = 0; k < count; k++) {
    let best = k;
    if (pivot) for (let i = k + 1; i < m; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[best * n + k]!)) best = i;
    pivots[k] = best;
    if (best !== k) swapRows(a, n, k, best);
    const diagonal = a[k * n + k]!;
    if (diagonal === 0) {
      info ||= k + 1;
      continue;
    }
    for (let i = k + 1; i < m; i++) {
      const factor = a[i * n + k]! / diagonal;
      a[i * n + k] = factor;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!;
    }
  }
  return { pivots, info };
}

/** Exchanges two rows of a matrix with n columns. */
export function swapRows(a: Float64Array, n: number, i: number, k: number): void {
  for (let j = 0; j < n; j++) {
    const value = a[i * n + j]!;
    a[i * n + j] = a[k * n + j]!;
    a[k * n + j] = value;
  }
}

/** The order of rows that exchanges lead to: row i of the result is row `order[i]` of the original. */
export function orderOf(pivots: ArrayLike<number>, m: number): Int32Array {
  const order = Int32Array.from({ length: m }, (_, i) => i);
  for (let k = 0; k < pivots.length; k++) {
    const other = pivots[k]!;
    [order[k], order[other]] = [order[other]!, order[k]!];
  }
  return order;
}
