import { gatherTranspose } from '../define/gathering.ts';
import { custom, linear } from '../define/rules.ts';
import { extended, followedBy } from '../define/framing.ts';
import { empty, kernels } from '../dispatch.ts';
import { isFloating, toDType, type DTypeName } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { checkOptions, dtypeName, none } from '../option-names.ts';
import { normalizeDim } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extrema.ts';

/** Options of running sums and products. */
export interface ScanOptions {
  /** Cast to this dtype first. */
  dtype?: DTypeName | undefined;
}

function accumulated(x: Tensor, { dtype }: ScanOptions): Tensor {
  if (dtype !== undefined) return x.to(toDType(dtype));
  return isFloating(x.dtype) ? x : x.to('int32');
}

const runningSum = linear<number>('cumsum', {
  forward: ([x], dim) => {
    const out = empty(x!.shape, x!.dtype);
    kernels().scan('sum', out, null, x!, dim);
    return out;
  },
  transpose: (g, dim) => g.flip(dim).cumsum(dim).flip(dim),
});

/** The sums of the first 1, 2, 3, … elements along a dimension. @source torch.cumsum */
export function cumsum(x: Tensor, dim: number, options: ScanOptions = none): Tensor {
  checkOptions('cumsum', options, dtypeName);
  const d = normalizeDim('cumsum', dim, x.ndim);
  const source = accumulated(x, options);
  return x.ndim === 0 ? source.clone() : runningSum([source], d);
}

const runningProduct = custom<number>('cumprod', {
  forward: ([x], dim) => {
    const out = empty(x!.shape, x!.dtype);
    kernels().scan('prod', out, null, x!, dim);
    return [out];
  },
  savesInputs: [0],
  vjp(node, [g], dim) {
    const x = node.input(0);
    const size = x.shape[dim]!;
    if (size === 0) return [g!];
    const before = extended(x.narrow(dim, 0, size - 1).cumprod(dim), dim, [1, 0], 1);
    return [before.mul(suffixRecurrence(g!, x, dim))];
  },
});

/**
 * s[i] = g[i] + x[i + 1] · s[i + 1], solved from the end by doubling: no division, so that zeros do no harm, and every
 * step is recorded, so that any order of derivative is right.
 */
function suffixRecurrence(g: Tensor, x: Tensor, dim: number): Tensor {
  const size = x.shape[dim]!;
  const later = (t: Tensor, step: number): Tensor => extended(t.narrow(dim, step, size - step), dim, [0, step]);
  let sum = g;
  let factor = later(x, 1);
  for (let step = 1; step < size; step *= 2) {
    sum = sum.add(factor.mul(later(sum, step)));
    factor = factor.mul(later(factor, step));
  }
  return sum;
}

/**
 * The products of the first 1, 2, 3, … elements along a dimension.
 * @derivative right where elements are 0, at every order
 * @source torch.cumprod
 */
export function cumprod(x: Tensor, dim: number, options: ScanOptions = none): Tensor {
  checkOptions('cumprod', options, dtypeName);
  const d = normalizeDim('cumprod', dim, x.ndim);
  const source = accumulated(x, options);
  return x.ndim === 0 ? source.clone() : runningProduct([source], d)[0]!;
}

type RunningExtremum = (inputs: readonly Tensor[], dim: number) => Tensor[];

function runningExtremum(kind: 'max' | 'min'): RunningExtremum {
  return custom<number>(`cum${kind}`, {
    results: 2,
    forward: ([x], dim) => {
      const values = empty(x!.shape, x!.dtype);
      const indices = empty(x!.shape, 'int32');
      kernels().scan(kind, values, indices, x!, dim);
      return [values, indices];
    },
    savesOutputs: [1],
    vjp: (node, [g], dim) => [gatherTranspose(g!, node.output(1), dim, g!.shape)],
  });
}

const runningMax = runningExtremum('max');
const runningMin = runningExtremum('min');

function extremaSoFar(run: RunningExtremum, op: string, x: Tensor, dim: number): ValuesAndIndices {
  const d = normalizeDim(op, dim, x.ndim);
  const [values, indices] = run([x.ndim === 0 ? x.reshape([1]) : x], d);
  return { values: values!.reshape(x.shape), indices: indices!.reshape(x.shape) };
}

/** The largest of the first 1, 2, 3, … elements along a dimension, and where it stands (the last of equals). @source torch.cummax */
export function cummax(x: Tensor, dim: number): ValuesAndIndices {
  return extremaSoFar(runningMax, 'cummax', x, dim);
}

/** The smallest of the first 1, 2, 3, … elements along a dimension, and where it stands (the last of equals). @source torch.cummin */
export function cummin(x: Tensor, dim: number): ValuesAndIndices {
  return extremaSoFar(runningMin, 'cummin', x, dim);
}

/**
 * The logarithms of the sums of e^x over the first 1, 2, 3, … elements along a dimension.
 * @numerics the largest element is taken off first; then sums of neighbours, of neighbouring pairs and so on, in logarithms, so
 * that small elements are not lost beside large ones that come later
 * @throws DTypeError for integers
 * @source torch.logcumsumexp
 */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  const d = normalizeDim('logcumsumexp', dim, x.ndim);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`logcumsumexp: the input must be floating-point, got ${x.dtype}; use x.to('float32')`, {
      op: 'logcumsumexp',
      dtypes: [x.dtype],
    });
  }
  const size = x.shape[d] ?? 1;
  if (x.ndim === 0 || size < 2) return x.clone();
  const largest = x.detach().amax(d, { keepdim: true });
  const shift = largest.maskedFill(largest.isfinite().logicalNot(), 0);
  let sums = x.sub(shift);
  for (let step = 1; step < size; step *= 2) {
    const later = sums.narrow(d, step, size - step).logaddexp(sums.narrow(d, 0, size - step));
    sums = followedBy(sums.narrow(d, 0, step), later, d);
  }
  return sums.add(shift);
}
