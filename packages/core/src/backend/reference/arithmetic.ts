import { isFloating, type DType } from '../../dtype.ts';

/** Addition and multiplication as a dtype knows them: floats in float64, integers modulo 2^32. */
export interface Arithmetic {
  add(a: number, b: number): number;
  mul(a: number, b: number): number;
}

const floating: Arithmetic = { add: (a, b) => a + b, mul: (a, b) => a * b };
const integral: Arithmetic = { add: (a, b) => (a + b) | 0, mul: Math.imul };

/** The arithmetic whose results, once stored in this dtype, are right. */
export function arithmeticOf(dtype: DType): Arithmetic {
  return isFloating(dtype) ? floating : integral;
}

/** Whether `x` replaces `best`: it is more extreme, or the first NaN. */
export function beats(kind: 'max' | 'min', x: number, best: number): boolean {
  if (Number.isNaN(best)) return false;
  return Number.isNaN(x) || (kind === 'max' ? x > best : x < best);
}
