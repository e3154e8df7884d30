/**
 * Overwrites the lower triangle of a symmetric n × n matrix by its Cholesky factor, and the upper one by zeros. Only
 * the lower triangle is read. Returns the number of the first leading minor that is not positive, 0 if all are.
 */
export function factorCholesky(a: Float64Array, n: number): number {
  let info = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i && info === 0; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (j < i) a[i * n + j] = sum / a[j * n + j]!;
      else if (sum > 0) a[i * n + i] = Math.sqrt(sum);
      else info = i + 1;
    }
    a.fill(0, i * n + i + 1, (i + 1) * n);
  }
  return info;
}
