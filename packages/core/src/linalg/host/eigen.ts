import { norm2 } from './householder.ts';

/** Real eigenvalues, and eigenvectors of length 1 as columns. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * The eigenvalues and eigenvectors of an n × n matrix whose elements are finite: reflections to Hessenberg form, QR steps
 * with double shifts to triangular form, then substitution. Overwrites a.
 * @returns 'complex' when an eigenvalue is not real, null when the iteration did not converge
 */
export function realEigen(a: Float64Array, n: number): Eigen | 'complex' | null {
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  const matrix: Similar = { a, basis, n };
  for (let k = 0; k < n - 2; k++) {
    reflectBothSides(matrix, k + 1, columnBelow(a, n, k), 0);
    for (let i = k + 2; i < n; i++) a[i * n + k] = 0;
  }
  const outcome = triangularize(matrix);
  if (outcome !== 'done') return outcome;
  const values = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  return { values, vectors: vectorsOf(matrix) };
}

/** A matrix that similarity transformations change, and the product of these. */
interface Similar {
  readonly a: Float64Array;
  readonly basis: Float64Array;
  readonly n: number;
}

function columnBelow(a: Float64Array, n: number, k: number): Float64Array {
  return Float64Array.from({ length: n - k - 1 }, (_, i) => a[(k + 1 + i) * n + k]!);
}

/**
 * Reflects rows and columns `at`, `at + 1`, … such that `direction` comes to lie along the first of them. Rows are
 * changed from column `from` on.
 */
function reflectBothSides({ a, basis, n }: Similar, at: number, direction: Float64Array, from: number): void {
  const size = direction.length;
  const length = norm2(direction, 0, size);
  if (length === 0) return;
  const v = direction.slice();
  v[0]! += v[0]! < 0 ? -length : length;
  const scale = 2 / norm2(v, 0, size) ** 2;
  for (let j = from; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += v[i]! * a[(at + i) * n + j]!;
    for (let i = 0; i < size; i++) a[(at + i) * n + j]! -= scale * sum * v[i]!;
  }
  for (const target of [a, basis]) {
    for (let i = 0; i < n; i++) {
      const row = i * n + at;
      let sum = 0;
      for (let j = 0; j < size; j++) sum += target[row + j]! * v[j]!;
      for (let j = 0; j < size; j++) target[row + j]! -= scale * sum * v[j]!;
    }
  }
}

/** Steps per eigenvalue after which the iteration is given up. */
const MOST_STEPS = 60;

/** QR steps from the end of a Hessenberg matrix until it is triangular. */
function triangularize(matrix: Similar): 'done' | 'complex' | null {
  const { a, n } = matrix;
  let last = n - 1;
  let steps = 0;
  while (last > 0) {
    let first = last;
    while (first > 0 && !isNegligible(a, n, first)) first--;
    if (first > 0) a[first * n + first - 1] = 0;
    if (first === last) {
      last--;
      steps = 0;
    } else if (first === last - 1) {
      if (!splitPair(matrix, first)) return 'complex';
      last -= 2;
      steps = 0;
    } else {
      if (++steps > MOST_STEPS) return null;
      doubleStep(matrix, first, last, steps % 10 === 0);
    }
  }
  return 'done';
}

function isNegligible(a: Float64Array, n: number, i: number): boolean {
  const neighbours = Math.abs(a[i * n + i]!) + Math.abs(a[(i - 1) * n + i - 1]!);
  return Math.abs(a[i * n + i - 1]!) <= Number.EPSILON * (neighbours || norm2(a, 0, n * n));
}

/** Turns the 2 × 2 block at `at` into a triangle, if its eigenvalues are real. */
function splitPair(matrix: Similar, at: number): boolean {
  const { a, n } = matrix;
  const [p, q] = [a[at * n + at]!, a[at * n + at + 1]!];
  const [r, s] = [a[(at + 1) * n + at]!, a[(at + 1) * n + at + 1]!];
  const half = (p - s) / 2;
  const discriminant = half * half + q * r;
  if (discriminant < 0) return false;
  // The eigenvector (λ − s, r) of the eigenvalue λ that is further from s comes to lie along the first axis.
  const distance = half + (half < 0 ? -1 : 1) * Math.sqrt(discriminant);
  reflectBothSides(matrix, at, Float64Array.of(distance, r), 0);
  a[(at + 1) * n + at] = 0;
  return true;
}

/** One QR step with both eigenvalues of the last 2 × 2 block as shifts, which chases a bulge down the subdiagonal. */
function doubleStep(matrix: Similar, first: number, last: number, exceptional: boolean): void {
  const { a, n } = matrix;
  const at = (i: number, j: number): number => a[i * n + j]!;
  let [x, y, w] = [at(last, last), at(last - 1, last - 1), at(last, last - 1) * at(last - 1, last)];
  if (exceptional) {
    const size = Math.abs(at(last, last - 1)) + Math.abs(at(last - 1, last - 2));
    x = y = at(last, last) + 0.75 * size;
    w = -0.4375 * size * size;
  }
  // The first column of (A − one shift)(A − the other) for the part of A from k on, divided by an element below the diagonal.
  const firstColumn = (k: number): Float64Array => {
    const corner = at(k, k);
    return Float64Array.of(
      ((x - corner) * (y - corner) - w) / at(k + 1, k) + at(k, k + 1),
      at(k + 1, k + 1) - corner - (x - corner) - (y - corner),
      at(k + 2, k + 1),
    );
  };
  // The step starts where what it would leave to the left is negligible: further up, rounding would blur the shifts.
  let start = last - 2;
  let bulge = firstColumn(start);
  while (start > first) {
    const [p, q, r] = bulge as unknown as [number, number, number];
    const around = Math.abs(at(start - 1, start - 1)) + Math.abs(at(start, start)) + Math.abs(at(start + 1, start + 1));
    if (Math.abs(at(start, start - 1)) * (Math.abs(q) + Math.abs(r)) <= Number.EPSILON * Math.abs(p) * around) break;
    bulge = firstColumn(--start);
  }
  for (let k = start; k < last; k++) {
    reflectBothSides(matrix, k, bulge, Math.max(k - 1, 0));
    if (k > first) for (let i = k + 1; i <= Math.min(k + 2, last); i++) a[i * n + k - 1] = 0;
    bulge = Float64Array.from({ length: Math.min(3, last - k) }, (_, i) => at(k + 1 + i, k));
  }
}

/** Eigenvectors of a triangular matrix by substitution, taken back to the original basis. */
function vectorsOf({ a, basis, n }: Similar): Float64Array {
  const vectors = new Float64Array(n * n);
  const smallest = Number.EPSILON * norm2(a, 0, n * n) || Number.MIN_VALUE;
  const x = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    x[k] = 1;
    for (let i = k - 1; i >= 0; i--) {
      let sum = 0;
      for (let j = i + 1; j <= k; j++) sum += a[i * n + j]! * x[j]!;
      const gap = a[k * n + k]! - a[i * n + i]!;
      x[i] = sum / (Math.abs(gap) < smallest ? smallest : gap);
    }
    const column = Float64Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let j = 0; j <= k; j++) sum += basis[i * n + j]! * x[j]!;
      return sum;
    });
    const length = norm2(column, 0, n);
    for (let i = 0; i < n; i++) vectors[i * n + k] = column[i]! / length;
  }
  return vectors;
}
