import { checkIndex } from '../define/bounds.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * Copies of the tensor beside each other, so many per dimension; more numbers than dimensions add dimensions in front.
 * @derivative the sum over the copies
 * @throws ShapeError when there are fewer numbers than dimensions
 * @source torch.Tensor.repeat
 */
export function repeat(x: Tensor, ...times: number[] | [times: readonly number[]]): Tensor {
  const counts = times.flat();
  const lead = counts.length - x.ndim;
  if (lead < 0 || counts.some((n) => !(Number.isInteger(n) && n >= 0))) {
    throw new ShapeError(
      `repeat: [${counts.join(', ')}] must have a whole number of at least 0 for each of the ${x.ndim} dimensions of ` +
        shapeString(x.shape),
      { op: 'repeat', shapes: [x.shape] },
    );
  }
  if (counts.length === 0) return x.clone();
  const sizes = counts.map((_, d) => (d < lead ? 1 : x.shape[d - lead]!));
  const interleaved = sizes.flatMap((n) => [1, n]);
  const expanded = sizes.flatMap((n, d) => [counts[d]!, n]);
  const out = x.reshape(interleaved).expand(expanded).reshape(sizes.map((n, d) => n * counts[d]!));
  return out.storage === x.storage ? out.clone() : out;
}

/** As `repeat`, but numbers missing in front count as 1. @source torch.tile */
export function tile(x: Tensor, ...times: number[] | [times: readonly number[]]): Tensor {
  const counts = times.flat();
  return x.repeat([...new Array<number>(Math.max(x.ndim - counts.length, 0)).fill(1), ...counts]);
}

/**
 * Each element of a dimension repeated in place, all equally often or each by a number of its own; without `dim` the
 * tensor is flat.
 * @derivative the sum over the copies
 * @throws ValueError when a number is negative or there are not as many as elements
 * @source torch.repeat_interleave
 */
export function repeatInterleave(x: Tensor, repeats: number | Tensor, dim?: number | null): Tensor {
  if (dim === undefined || dim === null) return x.reshape([x.numel()]).repeatInterleave(repeats, 0);
  const d = normalizeDim('repeatInterleave', dim, x.ndim);
  if (x.ndim === 0) return x.reshape([1]).repeatInterleave(repeats, 0);
  const size = x.shape[d]!;
  const counts = repeats instanceof Tensor ? [...checkIndex('repeatInterleave', repeats, Infinity, 0, 'repeats').toTypedArray()] : [repeats];
  if (counts.some((n) => !(Number.isInteger(n) && n >= 0)) || (counts.length !== 1 && counts.length !== size)) {
    throw new ValueError(
      `repeatInterleave: repeats must be one whole number of at least 0, or ${size}, one for each element of dim ${dim} of ` +
        `${shapeString(x.shape)}; got [${counts.join(', ')}]`,
      { op: 'repeatInterleave', argument: 'repeats', shapes: [x.shape] },
    );
  }
  if (counts.length === 1) {
    const [count] = counts as [number];
    const shape = [...x.shape];
    shape[d] = size * count;
    return x.unsqueeze(d + 1).expand([...x.shape.slice(0, d + 1), count, ...x.shape.slice(d + 1)]).reshape(shape);
  }
  const index = Int32Array.from(counts.flatMap((count, i) => new Array<number>(count).fill(i)));
  return x.indexSelect(d, x.detach().newFrom(index, 'int32', [index.length]));
}
