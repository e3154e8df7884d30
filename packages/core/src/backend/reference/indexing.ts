import ops from 'ndarray-ops';
import type { Kernels } from '../types.ts';
import { arithmeticOf } from './arithmetic.ts';
import { lineView, withLine } from './line.ts';
import { eachIndex, store, temporary } from './ndarray.ts';

/** Reads where the index says. */
export const gather: Kernels['gather'] = (out, x, index, dim) => {
  const [result, view, pointers] = [lineView(out), lineView(x), lineView(index)];
  eachIndex(result.shape, (place) => {
    const source = [...place];
    source[dim] = pointers.get(...place);
    result.set(...place, view.get(...source));
  });
};

/** Writes, or adds, where the index says. */
export const scatter: Kernels['scatter'] = (out, index, src, dim, accumulate) => {
  const [view, pointers] = [lineView(src), lineView(index)];
  const { add } = arithmeticOf(out.dtype);
  const result = temporary(withLine(out).shape);
  ops.assign(result, lineView(out));
  eachIndex(view.shape, (place) => {
    const target = [...place];
    target[dim] = pointers.get(...place);
    const value = view.get(...place);
    result.set(...target, accumulate ? add(result.get(...target), value) : value);
  });
  store(withLine(out), result);
};
