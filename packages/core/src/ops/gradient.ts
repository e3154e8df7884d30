import { followedBy } from '../define/framing.ts';
import { getDefaultDType, isFloating } from '../dtype.ts';
import { IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Options of `gradient`. */
export interface GradientOptions {
  /** The distance between neighbours, one for all dimensions or one for each, or per dimension where the values were taken; default 1. */
  spacing?: number | readonly number[] | readonly Tensor[] | null | undefined;
  /** Default: all. */
  dim?: number | readonly number[] | null | undefined;
  /** 1 or 2: the order of the estimate at the two ends; default 1. */
  edgeOrder?: number | undefined;
}

const gradientNames: OptionNames<GradientOptions> = { spacing: 1, dim: 1, edgeOrder: 1 };

/**
 * An estimate of the derivatives of a function from its values on a grid, one tensor per dimension.
 * @numerics central differences of second order inside, also where the spacing varies
 * @throws ValueError when the spacing does not fit the dimensions or `edgeOrder` is not 1 or 2
 * @throws IndexError for a dimension named twice
 * @throws ShapeError for fewer than edgeOrder + 1 values along a dimension
 * @source torch.gradient
 */
export function gradient(x: Tensor, options: GradientOptions = none): Tensor[] {
  checkOptions('gradient', options, gradientNames);
  const { dim, edgeOrder = 1 } = options;
  const spacing = options.spacing ?? 1;
  const dims =
    dim === undefined || dim === null ? x.shape.map((_, d) => d) : [dim].flat().map((d) => normalizeDim('gradient', d, x.ndim));
  const twice = dims.find((d, i) => dims.indexOf(d) !== i);
  if (twice !== undefined)
    throw new IndexError(`gradient: dim ${twice} appears twice in the list of dimensions`, { op: 'gradient', argument: 'dim' });
  if (edgeOrder !== 1 && edgeOrder !== 2) {
    throw new ValueError(`gradient: edgeOrder must be 1 or 2, got ${String(edgeOrder)}`, { op: 'gradient', argument: 'edgeOrder' });
  }
  const distances: readonly (number | Tensor)[] = typeof spacing === 'number' ? dims.map(() => spacing) : spacing;
  if (distances.length !== dims.length) {
    throw new ValueError(`gradient: there must be one spacing for each of the ${dims.length} dimensions, got ${distances.length}`, {
      op: 'gradient',
      argument: 'spacing',
    });
  }
  const short = dims.find((d) => x.shape[d]! < edgeOrder + 1);
  if (short !== undefined) {
    throw new ShapeError(
      `gradient: dim ${short} of ${shapeString(x.shape)} must have at least edgeOrder + 1 = ${edgeOrder + 1} values`,
      {
        op: 'gradient',
        shapes: [x.shape],
      },
    );
  }
  const values = isFloating(x.dtype) ? x : x.to(getDefaultDType());
  return dims.map((d, i) => slopesAlong(values, d, gapsAlong(values, d, distances[i]!), edgeOrder));
}

/** The distances between neighbours along a dimension. */
function gapsAlong(x: Tensor, dim: number, spacing: number | Tensor): Tensor {
  const size = x.shape[dim]!;
  const shape = x.shape.map((_, d) => (d === dim ? size - 1 : 1));
  if (!(spacing instanceof Tensor)) return x.newZeros(shape).add(spacing);
  if (spacing.ndim !== 1 || spacing.shape[0] !== size) {
    throw new ShapeError(`gradient: the coordinates along dim ${dim} must be a vector of ${size}, got ${shapeString(spacing.shape)}`, {
      op: 'gradient',
      argument: 'spacing',
      shapes: [spacing.shape],
    });
  }
  return spacing.diff().reshape(shape);
}

function slopesAlong(x: Tensor, dim: number, gaps: Tensor, edgeOrder: 1 | 2): Tensor {
  const size = x.shape[dim]!;
  const slopes = x.diff(1, dim).div(gaps);
  const [first, last] = [slopes.narrow(dim, 0, 1), slopes.narrow(dim, size - 2, 1)];
  if (size === 2) return followedBy(first, last, dim);
  // Inside, the slopes on both sides, each weighted by the other's distance.
  const [before, after] = [gaps.narrow(dim, 0, size - 2), gaps.narrow(dim, 1, size - 2)];
  const [left, right] = [slopes.narrow(dim, 0, size - 2), slopes.narrow(dim, 1, size - 2)];
  const total = before.add(after);
  const inside = left.mul(after).add(right.mul(before)).div(total);
  // At an end, the parabola through three points goes on as steeply as it bends.
  const bend = right.sub(left).div(total);
  const at = (place: number): Tensor => bend.narrow(dim, place, 1);
  const start = edgeOrder === 1 ? first : first.sub(at(0).mul(gaps.narrow(dim, 0, 1)));
  const end = edgeOrder === 1 ? last : last.add(at(size - 3).mul(gaps.narrow(dim, size - 2, 1)));
  return followedBy(followedBy(start, inside, dim), end, dim);
}
