import type { Kernels } from '../types.ts';
import { arithmeticOf } from './arithmetic.ts';
import { eachIndex, viewOf } from './ndarray.ts';

/** Rows of `a` times columns of `b`. */
export const matmul: Kernels['matmul'] = (out, a, b, isAdded = false) => {
  const [result, left, right] = [viewOf(out), viewOf(a), viewOf(b)];
  const { add, mul } = arithmeticOf(out.dtype);
  const inner = a.shape.at(-1)!;
  eachIndex(out.shape, (index) => {
    const batch = index.slice(0, -2);
    const row = left.pick(...batch, index.at(-2)!, null);
    const column = right.pick(...batch, null, index.at(-1)!);
    let sum = isAdded ? result.get(...index) : 0;
    for (let k = 0; k < inner; k++) sum = add(sum, mul(row.get(k), column.get(k)));
    result.set(...index, sum);
  });
};
