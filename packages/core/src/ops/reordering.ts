import { gatherTranspose } from '../define/gathering.ts';
import { custom, linear } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { IndexError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { normalizeDim, shapeString, withEntry } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extrema.ts';

const reversed = linear<readonly number[]>('flip', {
  forward: ([x], dims) => {
    const { storage, shape, strides, dtype } = x!;
    const out = empty(shape, dtype);
    // The copy kernel walks backwards where a stride is negative.
    const offset = dims.reduce((at, d) => at + Math.max(shape[d]! - 1, 0) * strides[d]!, x!.offset);
    kernels().copy(out, { storage, offset, shape, strides: strides.map((s, d) => (dims.includes(d) ? -s : s)), dtype });
    return out;
  },
  transpose: (g, dims) => g.flip(dims),
});

/**
 * The elements in reverse order along dimensions.
 * @throws IndexError when a dimension is out of range or named twice
 * @source torch.flip
 */
export function flip(x: Tensor, ...dims: number[] | [dims: readonly number[]]): Tensor {
  const order = dims.flat().map((d) => normalizeDim('flip', d, x.ndim));
  const twice = order.find((d, i) => order.indexOf(d) !== i);
  if (twice !== undefined) throw new IndexError(`flip: dim ${twice} appears twice in the list of dimensions`, { op: 'flip' });
  return order.length === 0 || x.ndim === 0 ? x.clone() : reversed([x], order);
}

/** The columns of a matrix in reverse order. @throws ShapeError for fewer than 2 dimensions @source torch.fliplr */
export function fliplr(x: Tensor): Tensor {
  if (x.ndim < 2) {
    throw new ShapeError(
      `fliplr: the input must have at least 2 dimensions, got ${shapeString(x.shape)}`,
      { op: 'fliplr' },
    );
  }
  return x.flip(1);
}

/** The rows of a matrix in reverse order. @throws ShapeError for a scalar @source torch.flipud */
export function flipud(x: Tensor): Tensor {
  if (x.ndim < 1) throw new ShapeError('flipud: the input must have at least 1 dimension, got a scalar', { op: 'flipud' });
  return x.flip(0);
}

/**
 * A plane turned by quarters of a circle, from its first dimension towards its second.
 * @param k how many quarters; negative numbers turn back. Default 1.
 * @throws ValueError when there are not two different dimensions
 * @source torch.rot90
 */
export function rot90(x: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor {
  if (dims.length !== 2 || x.ndim < 2 || !Number.isInteger(k)) {
    throw new ValueError(
      `rot90: a whole number of turns of two dimensions is asked for, got ${k} turns of dims [${dims.join(', ')}] of ` +
        `${shapeString(x.shape)}`,
      { op: 'rot90', argument: 'dims', shapes: [x.shape] },
    );
  }
  const [a, b] = dims.map((d) => normalizeDim('rot90', d, x.ndim)) as [number, number];
  if (a === b) {
    throw new ValueError(
      `rot90: the two dims must be different, got ${dims[0]} and ${dims[1]}`,
      { op: 'rot90', argument: 'dims' },
    );
  }
  switch (((k % 4) + 4) % 4) {
    case 1:
      return x.flip(b).transpose(a, b);
    case 2:
      return x.flip(a, b);
    case 3:
      return x.flip(a).transpose(a, b);
    default:
      return x.clone();
  }
}

const rolled = linear<{ dim: number; shift: number }>('roll', {
  forward: ([x], { dim, shift }) => {
    const { storage, shape, strides, dtype } = x!;
    const out = empty(shape, dtype);
    const size = shape[dim]!;
    const move = (from: number, to: number, length: number): void => {
      const part = withEntry(shape, dim, length);
      const target = { storage: out.storage, offset: to * out.strides[dim]!, shape: part, strides: out.strides, dtype };
      kernels().copy(target, { storage, offset: x!.offset + from * strides[dim]!, shape: part, strides, dtype });
    };
    if (shift > 0) move(size - shift, 0, shift);
    move(0, shift, size - shift);
    return out;
  },
  transpose: (g, { dim, shift }) => g.roll(-shift, dim),
});

/**
 * The elements moved on along dimensions; what falls off the end comes in at the start. Without `dims` the tensor is
 * rolled as if it were flat.
 * @throws ShapeError when there are not as many shifts as dimensions
 * @source torch.roll
 */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[] | null): Tensor {
  const by = [shifts].flat();
  if (by.length === 0) throw new ShapeError('roll: shifts are required', { op: 'roll', argument: 'shifts' });
  const along = dims === undefined || dims === null ? [] : [dims].flat();
  if (along.length === 0 && by.length === 1) return x.reshape([-1]).roll(by, [0]).reshape(x.shape);
  if (along.length !== by.length) {
    throw new ShapeError(`roll: shifts and dims must align, got ${by.length} shifts and ${along.length} dims`, {
      op: 'roll',
      shapes: [x.shape],
    });
  }
  let out = x;
  along.forEach((d, i) => {
    const dim = normalizeDim('roll', d, x.ndim);
    const size = x.shape[dim] ?? 0;
    const shift = size === 0 ? 0 : ((by[i]! % size) + size) % size;
    if (shift !== 0) out = rolled([out], { dim, shift });
  });
  return out === x ? x.clone() : out;
}

/** Options of sorting. */
export interface SortOptions {
  /** Largest first; default false. */
  descending?: boolean | undefined;
  /** Equal elements always keep their order; the option exists for PyTorch's sake. */
  stable?: boolean | undefined;
}

const sortNames: OptionNames<SortOptions> = { descending: 1, stable: 1 };

const sorted = custom<{ dim: number; descending: boolean }>('sort', {
  results: 2,
  forward: ([x], { dim, descending }) => {
    const values = empty(x!.shape, x!.dtype);
    const indices = empty(x!.shape, 'int32');
    kernels().sort(values, indices, x!, dim, descending);
    return [values, indices];
  },
  savesOutputs: [1],
  vjp: (node, [g], { dim }) => [gatherTranspose(g!, node.output(1), dim, g!.shape)],
});

/**
 * The elements in rising or falling order along a dimension, and where each came from. NaN counts as the largest.
 * @derivative to the element that each came from
 * @source torch.sort
 */
export function sort(x: Tensor, dim = -1, options: SortOptions = none): ValuesAndIndices {
  checkOptions('sort', options, sortNames);
  const d = normalizeDim('sort', dim, x.ndim);
  const [values, indices] = sorted([x.ndim === 0 ? x.reshape([1]) : x], { dim: d, descending: options.descending === true });
  if (x.ndim === 0) return { values: values!.reshape([]), indices: indices!.reshape([]) };
  return { values: values!, indices: indices! };
}

/** Where the elements in rising or falling order come from. @source torch.argsort */
export function argsort(x: Tensor, dim = -1, options: SortOptions = none): Tensor {
  checkOptions('argsort', options, sortNames);
  return x.detach().sort(dim, options).indices;
}

/** Options of `topk`. */
export interface TopkOptions {
  /** The largest elements (default) or the smallest. */
  largest?: boolean | undefined;
  /** The result is always sorted; the option exists for PyTorch's sake. */
  sorted?: boolean | undefined;
}

const topkNames: OptionNames<TopkOptions> = { largest: 1, sorted: 1 };

/**
 * The k largest (or smallest) elements along a dimension, sorted, and where they stand.
 * @derivative to the chosen elements
 * @throws ValueError when there are fewer than k
 * @source torch.topk
 */
export function topk(x: Tensor, k: number, dim = -1, options: TopkOptions = none): ValuesAndIndices {
  checkOptions('topk', options, topkNames);
  const d = normalizeDim('topk', dim, x.ndim);
  const size = x.ndim === 0 ? 1 : x.shape[d]!;
  if (!Number.isInteger(k) || k < 0 || k > size) {
    throw new ValueError(`topk: k is ${k}, but dim ${dim} of ${shapeString(x.shape)} has ${size} elements`, {
      op: 'topk',
      argument: 'k',
      shapes: [x.shape],
    });
  }
  const { values, indices } = x.sort(d, { descending: options.largest !== false });
  if (x.ndim === 0) return { values, indices };
  return { values: values.narrow(d, 0, k), indices: indices.narrow(d, 0, k) };
}
