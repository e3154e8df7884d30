import ops from 'ndarray-ops';
import { isFloating, type DType } from '../../dtype.ts';
import type { Kernels, Reduction, Scan } from '../types.ts';
import { arithmeticOf, beats } from './arithmetic.ts';
import { eachLine, lineView, readLine, writeLine } from './line.ts';
import { eachIndex, store, temporary, viewOf, type View } from './ndarray.ts';

type Step = (accumulated: number, x: number) => number;

function fold(part: View, start: number, step: Step): number {
  let accumulated = start;
  eachIndex(part.shape, (index) => {
    accumulated = step(accumulated, part.get(...index));
  });
  return accumulated;
}

const folds: Readonly<Record<Reduction, (part: View, dtype: DType) => number>> = {
  sum: (part, dtype) => (isFloating(dtype) ? ops.sum(part) : fold(part, 0, arithmeticOf(dtype).add)),
  prod: (part, dtype) => (isFloating(dtype) ? ops.prod(part) : fold(part, 1, arithmeticOf(dtype).mul)),
  max: (part) => fold(part, -Infinity, (best, x) => (beats('max', x, best) ? x : best)),
  min: (part) => fold(part, Infinity, (best, x) => (beats('min', x, best) ? x : best)),
  any: (part) => Number(ops.any(part)),
  all: (part) => Number(ops.all(part)),
};

/** The elements of a view at `index`, where null stands for all along a dimension. */
function partOf(view: View, index: readonly (number | null)[]): View {
  // Of a scalar, ndarray picks nothing.
  return index.length === 0 ? view : view.pick(...index);
}

/** Folds each part of `x` that belongs to one element of `out`. */
export const reduce: Kernels['reduce'] = (kind, out, x, dims) => {
  const view = viewOf(x);
  const result = temporary(out.shape);
  eachIndex(out.shape, (index) => {
    const part = partOf(
      view,
      index.map((i, d) => (dims.includes(d) ? null : i)),
    );
    result.set(...index, folds[kind](part, out.dtype));
  });
  store(out, result);
};

/** Looks along each line for the first element that no later one beats. */
export const extremum: Kernels['extremum'] = (kind, values, indices, x, dim) => {
  const [view, best, where] = [lineView(x), lineView(values), lineView(indices)];
  eachLine(view.shape, dim, (start) => {
    const line = readLine(view, start, dim);
    let at = 0;
    line.forEach((value, i) => {
      if (beats(kind, value, line[at]!)) at = i;
    });
    best.set(...start, line[at]!);
    where.set(...start, at);
  });
};

/** Whether x becomes the running extreme: a later equal one does, and nothing but NaN follows NaN. */
const takes: Readonly<Record<'max' | 'min', (x: number, best: number) => boolean>> = {
  max: (x, best) => Number.isNaN(x) || x >= best,
  min: (x, best) => Number.isNaN(x) || x <= best,
};

const steps: Readonly<Record<Scan, (dtype: DType) => Step>> = {
  sum: (dtype) => arithmeticOf(dtype).add,
  prod: (dtype) => arithmeticOf(dtype).mul,
  max: () => (best, x) => (takes.max(x, best) ? x : best),
  min: () => (best, x) => (takes.min(x, best) ? x : best),
};

/** Folds the beginnings of each line. */
export const scan: Kernels['scan'] = (kind, out, indices, x, dim) => {
  const [view, result] = [lineView(x), lineView(out)];
  const where = indices === null ? null : lineView(indices);
  const step = steps[kind](out.dtype);
  eachLine(view.shape, dim, (start) => {
    const line = readLine(view, start, dim);
    const running: number[] = [];
    line.forEach((value, i) => running.push(i === 0 ? value : step(running[i - 1]!, value)));
    writeLine(result, start, dim, running);
    if (where === null || kind === 'sum' || kind === 'prod') return;
    let at = 0;
    writeLine(
      where,
      start,
      dim,
      line.map((value, i) => (at = takes[kind](value, line[at]!) ? i : at)),
    );
  });
};
