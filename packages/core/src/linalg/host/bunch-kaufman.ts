import { swapRows } from './lu.ts';

/** With this bound the elements grow least: (1 + √17) / 8. */
const ALPHA = (1 + Math.sqrt(17)) / 8;

/** Exchanges as LAPACK counts them from 1; negative, twice, for a 2 × 2 block of D. `info` is the first zero block, 0 if none. */
export interface DiagonalPivoting {
  readonly pivots: Int32Array;
  readonly info: number;
}

/**
 * Overwrites the lower triangle of a symmetric n × n matrix by the factors of L D Lᵀ, where D has blocks of size 1 and 2:
 * Bunch and Kaufman's diagonal pivoting. The strict upper triangle becomes 0.
 */
export function factorLdl(a: Float64Array, n: number): DiagonalPivoting {
  const pivots = new Int32Array(n);
  let info = 0;
  for (let k = 0; k < n; ) {
    const { row, size } = choosePivot(a, n, k);
    if (row < 0) info ||= k + 1;
    const target = k + size - 1;
    const partner = row < 0 ? k : row;
    if (partner !== target) exchange(a, n, k, target, partner, size);
    if (row >= 0) {
      if (size === 1) eliminateOne(a, n, k);
      else eliminateTwo(a, n, k);
    }
    pivots.fill(size === 1 ? partner + 1 : -(partner + 1), k, k + size);
    k += size;
  }
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
  return { pivots, info };
}

/** Which row to bring to the end of the block at k, and the size of the block; row −1 if the whole column is 0. */
function choosePivot(a: Float64Array, n: number, k: number): { row: number; size: 1 | 2 } {
  const size = (i: number, j: number): number => Math.abs(a[i * n + j]!);
  let largest = k + 1;
  for (let i = k + 2; i < n; i++) if (size(i, k) > size(largest, k)) largest = i;
  const own = size(k, k);
  const column = largest < n ? size(largest, k) : 0;
  if (Math.max(own, column) === 0) return { row: -1, size: 1 };
  if (own >= ALPHA * column) return { row: k, size: 1 };
  let across = 0;
  for (let j = k; j < largest; j++) across = Math.max(across, size(largest, j));
  for (let i = largest + 1; i < n; i++) across = Math.max(across, size(i, largest));
  if (own >= ALPHA * column * (column / across)) return { row: k, size: 1 };
  return { row: largest, size: size(largest, largest) >= ALPHA * across ? 1 : 2 };
}

/** Exchanges rows and columns `target` and `partner` of the part that is still symmetric. */
function exchange(a: Float64Array, n: number, k: number, target: number, partner: number, size: 1 | 2): void {
  const swap = (i: number, j: number, p: number, q: number): void => {
    [a[i * n + j], a[p * n + q]] = [a[p * n + q]!, a[i * n + j]!];
  };
  for (let i = partner + 1; i < n; i++) swap(i, target, i, partner);
  for (let j = target + 1; j < partner; j++) swap(j, target, partner, j);
  swap(target, target, partner, partner);
  if (size === 2) swap(k + 1, k, partner, k);
}

function eliminateOne(a: Float64Array, n: number, k: number): void {
  const inverse = 1 / a[k * n + k]!;
  for (let j = k + 1; j < n; j++) {
    const factor = inverse * a[j * n + k]!;
    for (let i = j; i < n; i++) a[i * n + j]! -= factor * a[i * n + k]!;
  }
  for (let i = k + 1; i < n; i++) a[i * n + k]! *= inverse;
}

function eliminateTwo(a: Float64Array, n: number, k: number): void {
  const beside = a[(k + 1) * n + k]!;
  const [first, second] = [a[(k + 1) * n + k + 1]! / beside, a[k * n + k]! / beside];
  const scale = 1 / (first * second - 1) / beside;
  for (let j = k + 2; j < n; j++) {
    const [p, q] = [a[j * n + k]!, a[j * n + k + 1]!];
    const [x, y] = [scale * (first * p - q), scale * (second * q - p)];
    for (let i = j; i < n; i++) a[i * n + j]! -= a[i * n + k]! * x + a[i * n + k + 1]! * y;
    a[j * n + k] = x;
    a[j * n + k + 1] = y;
  }
}

/** Overwrites b (n × columns) by the solution of the system whose factors `factorLdl` found. */
export function solveLdl(a: Float64Array, n: number, pivots: ArrayLike<number>, b: Float64Array, columns: number): void {
  const subtract = (target: number, factor: number, source: number): void => {
    for (let j = 0; j < columns; j++) b[target * columns + j]! -= factor * b[source * columns + j]!;
  };
  const starts: number[] = [];
  for (let k = 0; k < n; k += pivots[k]! > 0 ? 1 : 2) starts.push(k);
  for (const k of starts) {
    const [size, partner] = [pivots[k]! > 0 ? 1 : 2, Math.abs(pivots[k]!) - 1];
    swapRows(b, columns, k + size - 1, partner);
    for (let i = k + size; i < n; i++) for (let s = 0; s < size; s++) subtract(i, a[i * n + k + s]!, k + s);
    solveBlock(a, n, k, size, b, columns);
  }
  for (const k of starts.reverse()) {
    const [size, partner] = [pivots[k]! > 0 ? 1 : 2, Math.abs(pivots[k]!) - 1];
    for (let i = k + size; i < n; i++) for (let s = 0; s < size; s++) subtract(k + s, a[i * n + k + s]!, i);
    swapRows(b, columns, k + size - 1, partner);
  }
}

/** Solves with one block of D. */
function solveBlock(a: Float64Array, n: number, k: number, size: number, b: Float64Array, columns: number): void {
  const own = a[k * n + k]!;
  if (size === 1) {
    for (let j = 0; j < columns; j++) b[k * columns + j]! /= own;
    return;
  }
  const beside = a[(k + 1) * n + k]!;
  const [first, second] = [own / beside, a[(k + 1) * n + k + 1]! / beside];
  const denominator = first * second - 1;
  for (let j = 0; j < columns; j++) {
    const [p, q] = [b[k * columns + j]! / beside, b[(k + 1) * columns + j]! / beside];
    b[k * columns + j] = (second * p - q) / denominator;
    b[(k + 1) * columns + j] = (first * q - p) / denominator;
  }
}
