import type { Kernels, RowComputation, Strided } from '../src/backend/types.ts';
import { input, param } from '../src/expr/index.ts';

const x = input(0);
const [largest, total] = [input(2), input(3)];
const centred = x.sub(largest);

function shares(log: boolean): RowComputation {
  const value = log ? centred.sub(total.log()) : centred.exp().mul(total.reciprocal());
  return {
    inputCount: 1,
    folds: [
      { kind: 'max', value: x },
      { kind: 'sum', value: centred.exp() },
    ],
    outputs: [{ sort: 'element', value }],
    compiled: { kernels: null },
  };
}

const computations = { true: shares(true), false: shares(false) };

/** exp(x − max) / Σ along a dimension, or its logarithm, by the kernel for rows. */
export function softmax(kernels: Pick<Kernels, 'rows'>, out: Strided, of: Strided, dim: number, log: boolean): void {
  const moved = (t: Strided): Strided => {
    if (t.shape.length === 0) return { ...t, shape: [1], strides: [1] };
    const last = (list: readonly number[]): number[] => [...list.filter((_, d) => d !== dim), list[dim]!];
    return { ...t, shape: last(t.shape), strides: last(t.strides) };
  };
  kernels.rows(computations[`${log}`], moved(of).shape, [moved(out)], [moved(of)], []);
}

/** Sums and means of an input, and sums per column of it times another: one output of each sort. */
export const ofEverySort: RowComputation = {
  inputCount: 2,
  folds: [{ kind: 'sum', value: x }],
  outputs: [
    { sort: 'element', value: x.sub(input(3).div(param(0))) },
    { sort: 'row', value: input(3).div(param(0)) },
    { sort: 'column', value: x.mul(input(1)) },
  ],
  compiled: { kernels: null },
};
