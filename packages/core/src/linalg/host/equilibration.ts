/** Powers of two by which rows and columns were multiplied. */
export interface Equilibration {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** The logarithm to base 2 of the product of all of them. */
  readonly exponent: number;
}

/**
 * Scales the rows and then the columns of an n × n matrix so that the largest magnitude of each is near 1, without
 * rounding. What is still nearly singular then is so for other reasons than its units.
 */
export function equilibrate(a: Float64Array, n: number): Equilibration {
  const [rows, columns] = [new Float64Array(n), new Float64Array(n)];
  let exponent = 0;
  const scaleLine = (start: number, step: number): number => {
    let largest = 0;
    for (let k = 0; k < n; k++) largest = Math.max(largest, Math.abs(a[start + k * step]!));
    const power = largest > 0 && largest < Infinity ? -Math.floor(Math.log2(largest)) : 0;
    exponent += power;
    for (let k = 0; k < n; k++) a[start + k * step]! *= 2 ** power;
    return 2 ** power;
  };
  for (let i = 0; i < n; i++) rows[i] = scaleLine(i * n, 1);
  for (let j = 0; j < n; j++) columns[j] = scaleLine(j, n);
  return { rows, columns, exponent };
}
