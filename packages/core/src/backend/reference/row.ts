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

/** Exponentials of each line as shares of their sum; the largest is taken off first, so none overflows. */
export const softmax: Kernels['softmax'] = (out, x, dim, log) => {
  const [view, result] = [lineView(x), lineView(out)];
  eachLine(view.shape, dim, (start) => {
    const line = readLine(view, start, dim);
    const largest = Math.max(...line);
    const sum = line.reduce((total, value) => total + Math.exp(value - largest), 0);
    const share = (value: number): number => Math.exp(value - largest) / sum;
    const logarithm = (value: number): number => value - largest - Math.log(sum);
    writeLine(result, start, dim, line.map(log ? logarithm : share));
  });
};
