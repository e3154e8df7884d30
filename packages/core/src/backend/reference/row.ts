import type { Kernels } from '../types.ts';
import { beats } from './arithmetic.ts';
import { eachLine, lineView, readLine, writeLine } from './line.ts';

/** Sorts each line; equal elements keep their order in both directions. */
export const sort: Kernels['sort'] = (values, indices, x, dim, descending) => {
  const [view, sorted, where] = [lineView(x), lineView(values), lineView(indices)];
  const direction = descending ? -1 : 1;
  eachLine(view.shape, dim, (start) => {
    const line = readLine(view, start, dim);
    // NaN beats every number, so it is the largest; Array.prototype.sort is stable.
    const compare = (a: number, b: number): number => Number(beats('max', a, b)) - Number(beats('max', b, a));
    const order = line.map((_, i) => i).sort((i, j) => direction * compare(line[i]!, line[j]!));
    writeLine(
      sorted,
      start,
      dim,
      order.map((i) => line[i]!),
    );
    writeLine(where, start, dim, order);
  });
};
