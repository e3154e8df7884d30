import { followedBy } from '../define/framing.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, notATensor, type OptionNames } from '../option-names.ts';
import { normalizeDim } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Later elements minus earlier ones along a dimension; whether they differ, for bools. */
function stepsAlong(x: Tensor, dim: number): Tensor {
  const size = x.shape[dim]!;
  if (size === 0) return x;
  const [later, earlier] = [x.narrow(dim, 1, size - 1), x.narrow(dim, 0, size - 1)];
  return x.dtype === 'bool' ? later.logicalXor(earlier) : later.sub(earlier);
}

/** What `diff` puts at the ends. */
export interface DiffOptions {
  /** What comes before the first element along the dimension. */
  prepend?: Tensor | null | undefined;
  /** What comes after the last one. */
  append?: Tensor | null | undefined;
}

const diffNames: OptionNames<DiffOptions> = { prepend: 1, append: 1 };

/**
 * The differences between neighbours along a dimension, taken n times.
 * @throws ValueError for a negative n
 * @throws ShapeError for a scalar
 * @source torch.diff
 */
export function diff(x: Tensor, n = 1, dim = -1, options: DiffOptions = none): Tensor {
  checkOptions('diff', options, diffNames);
  if (x.ndim === 0) throw new ShapeError('diff: the input must have at least one dimension, got a scalar', { op: 'diff' });
  if (!(Number.isInteger(n) && n >= 0))
    throw new ValueError(`diff: n must be a whole number of at least 0, got ${n}`, { op: 'diff', argument: 'n' });
  const d = normalizeDim('diff', dim, x.ndim);
  if (n === 0) return x.clone();
  const { prepend, append } = options;
  let result = prepend ? followedBy(prepend, x, d) : x;
  if (append) result = followedBy(result, append, d);
  for (let k = 0; k < n && result.shape[d]! > 0; k++) result = stepsAlong(result, d);
  return result;
}

/** Options of integrals by trapezoids. */
export interface TrapezoidOptions {
  /** The distance between neighbours where no x is given; default 1. */
  dx?: number | undefined;
  /** Default −1. */
  dim?: number | undefined;
}

const trapezoidNames: OptionNames<TrapezoidOptions> = { dx: 1, dim: 1 };

/** The areas between neighbours along a dimension. */
function areas(op: string, y: Tensor, x: Tensor | null, options: TrapezoidOptions): { areas: Tensor; dim: number } {
  checkOptions(op, options, trapezoidNames);
  const { dx = 1, dim = -1 } = options;
  const d = normalizeDim(op, dim, y.ndim);
  const size = y.shape[d] ?? 0;
  if (y.ndim === 0) throw new ShapeError(`${op}: y must have at least one dimension, got a scalar`, { op });
  if (size === 0) return { areas: y, dim: d };
  const heights = y.narrow(d, 1, size - 1).add(y.narrow(d, 0, size - 1));
  if (x === null) return { areas: heights.mul(dx / 2), dim: d };
  if (!(x instanceof Tensor)) throw notATensor(op, 'x', x);
  let points = x;
  if (x.ndim === 1 && y.ndim > 1) points = x.reshape(y.shape.map((_, k) => (k === d ? -1 : 1)));
  else while (points.ndim < y.ndim) points = points.unsqueeze(0);
  if (points.shape[d] !== size) {
    throw new ShapeError(`${op}: x has ${points.shape[d]} points along dim ${d}, but y has ${size}`, {
      op,
      argument: 'x',
      shapes: [x.shape, y.shape],
    });
  }
  return { areas: heights.mul(stepsAlong(points, d)).div(2), dim: d };
}

/**
 * The integral of y along a dimension by the trapezoidal rule.
 * @param x where the values were taken: a vector, or a tensor that broadcasts to y; without it they are `dx` apart
 * @throws ShapeError when x does not have as many points as y
 * @source torch.trapezoid
 */
export function trapezoid(y: Tensor, x: Tensor | null = null, options: TrapezoidOptions = none): Tensor {
  const { areas: parts, dim } = areas('trapezoid', y, x, options);
  return parts.sum(dim);
}

/** As `trapezoid`, under its older name. @source torch.trapz */
export function trapz(y: Tensor, x: Tensor | null = null, options: TrapezoidOptions = none): Tensor {
  return trapezoid(y, x, options);
}

/** The integrals of y up to each point but the first. @source torch.cumulative_trapezoid */
export function cumulativeTrapezoid(y: Tensor, x: Tensor | null = null, options: TrapezoidOptions = none): Tensor {
  const { areas: parts, dim } = areas('cumulativeTrapezoid', y, x, options);
  return parts.cumsum(dim);
}
