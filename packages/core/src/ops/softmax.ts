import { rowProgram, type RowProgram } from '../define/row-program.ts';
import { isFloating, type DTypeName } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { checkOptions, dtypeName, none } from '../option-names.ts';
import { normalizeDim } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Options of softmax and its logarithm. */
export interface SoftmaxOptions {
  /** Cast to this dtype first. */
  dtype?: DTypeName | undefined;
}

const shares = rowProgram('softmax', ['element'], (row, x) => {
  const power = x.sub(row.max(x)).exp();
  const total = row.sum(power);
  return {
    outputs: [{ sort: 'element', value: power.mul(total.reciprocal()) }],
    known: (y) => [[power, y.mul(total)]],
  };
});

const logShares = rowProgram('log_softmax', ['element'], (row, x) => {
  const centred = x.sub(row.max(x));
  const total = row.sum(centred.exp());
  return {
    outputs: [{ sort: 'element', value: centred.sub(total.log()) }],
    known: (y) => [[centred.exp(), y.exp().mul(total)]],
  };
});

function normalized(op: string, program: RowProgram, x: Tensor, dim: number, options: SoftmaxOptions): Tensor {
  checkOptions(op, options, dtypeName);
  const d = normalizeDim(op, dim, x.ndim);
  const source = options.dtype === undefined ? x : x.to(options.dtype);
  if (!isFloating(source.dtype)) {
    throw new DTypeError(`${op}: the input must be floating-point, got ${source.dtype}; use x.to('float32').${op}(dim)`, {
      op,
      dtypes: [source.dtype],
    });
  }
  if (x.ndim > 0) return program.apply([source], x.shape, d)[0]!;
  return program.apply([source.reshape([1])], [1], 0)[0]!.reshape([]);
}

/**
 * Exponentials as shares of their sum along a dimension.
 * @derivative y (g − Σ g y)
 * @numerics the largest element is taken off first; NaN where all elements are −∞
 * @throws DTypeError for integers
 * @source torch.softmax
 */
export function softmax(x: Tensor, dim: number, options: SoftmaxOptions = none): Tensor {
  return normalized('softmax', shares, x, dim, options);
}

/**
 * The logarithm of softmax, computed without forming it.
 * @derivative g − softmax(x) Σ g
 * @throws DTypeError for integers
 * @source torch.log_softmax
 */
export function logSoftmax(x: Tensor, dim: number, options: SoftmaxOptions = none): Tensor {
  return normalized('logSoftmax', logShares, x, dim, options);
}

/** softmax(−x). @source torch.nn.functional.softmin */
export function softmin(x: Tensor, dim: number, options: SoftmaxOptions = none): Tensor {
  checkOptions('softmin', options, dtypeName);
  return x.neg().softmax(dim, options);
}
