/**
 * Turns the first columns of a matrix into an upper triangle by reflections, and the other columns along with them. With
 * [A b] the solution of the triangle is that of min |Ax − b|.
 * @param a rows of `width` numbers; overwritten
 * @param columns how many columns are to become a triangle
 * @numerics Columns of very different sizes do no harm: each is reflected by its own norm.
 * @source Golub and Van Loan (2013), section 5.2
 */
export function triangularize(a: Float64Array, width: number, columns: number): void {
  const rows = a.length / width;
  for (let k = 0; k < Math.min(columns, rows); k++) {
    let norm = 0;
    for (let i = k; i < rows; i++) norm = Math.hypot(norm, a[i * width + k]!);
    if (norm === 0) continue;
    const pivot = k * width + k;
    const diagonal = a[pivot]! > 0 ? -norm : norm;
    // What is reflected along stands where the column was; half its square follows from the norm.
    a[pivot]! -= diagonal;
    const half = -diagonal * a[pivot]!;
    for (let j = k + 1; j < width; j++) {
      let dot = 0;
      for (let i = k; i < rows; i++) dot += a[i * width + k]! * a[i * width + j]!;
      for (let i = k; i < rows; i++) a[i * width + j]! -= (a[i * width + k]! * dot) / half;
    }
    a[pivot] = diagonal;
    for (let i = k + 1; i < rows; i++) a[i * width + k] = 0;
  }
}

/** The solution of the upper triangle in the first columns, with a right side. */
export function solveTriangle(a: Float64Array, width: number, right: Float64Array): Float64Array {
  const n = right.length;
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i]!;
    for (let j = i + 1; j < n; j++) sum -= a[i * width + j]! * x[j]!;
    x[i] = sum / a[i * width + i]!;
  }
  return x;
}

/** The solution of the same triangle transposed. */
export function solveTransposed(a: Float64Array, width: number, right: Float64Array): Float64Array {
  const x = Float64Array.from(right);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) x[i]! -= a[j * width + i]! * x[j]!;
    x[i]! /= a[i * width + i]!;
  }
  return x;
}
