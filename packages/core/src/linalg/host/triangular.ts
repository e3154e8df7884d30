/** Which triangle of a matrix is read, and whether its diagonal counts as ones. */
export interface Triangle {
  readonly upper: boolean;
  readonly unit: boolean;
}

/**
 * Overwrites b (n × columns) by the solution x of a x = b for a triangular a (n × n): substitution row by row. A zero
 * on the diagonal gives infinities, as division does.
 */
export function solveTriangle(a: Float64Array, n: number, b: Float64Array, columns: number, { upper, unit }: Triangle): void {
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const row = i * columns;
    const [from, to] = upper ? [i + 1, n] : [0, i];
    for (let k = from; k < to; k++) {
      const factor = a[i * n + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) b[row + j]! -= factor * b[k * columns + j]!;
    }
    if (unit) continue;
    const diagonal = a[i * n + i]!;
    for (let j = 0; j < columns; j++) b[row + j]! /= diagonal;
  }
}
