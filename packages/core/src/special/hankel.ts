/**
 * The terms aₖ(ν) / xᵏ of Hankel's asymptotic series, down to the rounding or the smallest.
 * @source Abramowitz and Stegun, 9.2.9 and 9.7.1
 */
export function hankelTerms(order: number, x: number): readonly number[] {
  const terms = [1];
  for (let k = 1; k < 2 * x; k++) {
    const odd = 2 * k - 1;
    const term = (terms[k - 1]! * (4 * order * order - odd * odd)) / (8 * k * x);
    terms.push(term);
    if (Math.abs(term) < 1e-17) break;
  }
  return terms;
}
