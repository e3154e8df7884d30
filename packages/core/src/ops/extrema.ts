import { gatherTranspose } from '../define/gathering.ts';
import { custom } from '../define/rules.ts';
import { shareOfTies } from '../define/ties.ts';
import { emptyReduced, kernels } from '../dispatch.ts';
import { IndexError, ValueError } from '../errors.ts';
import { checkOptions, keepdimName, none } from '../option-names.ts';
import { normalizeDim, normalizeDims, reducedShape, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import type { Dims, KeepdimOption } from './reduction.ts';

type Kind = 'max' | 'min';

/** Chosen values, and where along the dimension they stand. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  /** int32 positions along the dimension. */
  readonly indices: Tensor;
}

/** `max` and `min` as methods: over all elements, along a dimension, or of two tensors. */
export interface ExtremumMethod {
  (): Tensor;
  (dim: number, options?: KeepdimOption): ValuesAndIndices;
  (other: Tensor): Tensor;
}

function refuseEmpty(op: string, x: Tensor, dims: readonly number[]): void {
  const empty = dims.find((d) => x.shape[d] === 0);
  if (empty === undefined) return;
  throw new IndexError(
    `${op}: expected the reduced dim ${empty} of ${shapeString(x.shape)} to have a non-zero size; no element is the ` +
      'extreme of none',
    { op, shapes: [x.shape] },
  );
}

function foldOver(
  kind: Kind,
): (inputs: readonly Tensor[], attrs: { dims: readonly number[]; keepdim: boolean }) => Tensor[] {
  return custom(`a${kind}`, {
    forward: ([x], { dims, keepdim }) => {
      const { out, kept } = emptyReduced(x!.shape, dims, keepdim, x!.dtype);
      kernels().reduce(kind, kept, x!, dims);
      return [out];
    },
    savesInputs: [0],
    savesOutputs: [0],
    vjp(node, [g], { dims }, [meta]) {
      const kept = reducedShape(meta!.shape, dims, true);
      return [g!.reshape(kept).mul(shareOfTies(node.input(0), node.output(0).reshape(kept), dims))];
    },
  });
}

const folds = { max: foldOver('max'), min: foldOver('min') } as const;

function fold(op: string, kind: Kind, x: Tensor, dim: Dims | undefined, options: KeepdimOption): Tensor {
  checkOptions(op, options, keepdimName);
  const dims = normalizeDims(op, dim, x.ndim);
  refuseEmpty(op, x, dims);
  return dims.length === 0 ? x.clone() : folds[kind]([x], { dims, keepdim: options.keepdim === true })[0]!;
}

/**
 * The largest element over dimensions, all by default; NaN wins.
 * @derivative shared evenly among equal largest elements
 * @throws IndexError over a dimension of size 0
 * @source torch.amax
 */
export function amax(x: Tensor, dim?: Dims, options: KeepdimOption = none): Tensor {
  return fold('amax', 'max', x, dim, options);
}

/**
 * The smallest element over dimensions, all by default; NaN wins.
 * @derivative shared evenly among equal smallest elements
 * @throws IndexError over a dimension of size 0
 * @source torch.amin
 */
export function amin(x: Tensor, dim?: Dims, options: KeepdimOption = none): Tensor {
  return fold('amin', 'min', x, dim, options);
}

/** The smallest and the largest element along a dimension, or of all. @source torch.aminmax */
export function aminmax(x: Tensor, dim?: number | null, options: KeepdimOption = none): { min: Tensor; max: Tensor } {
  checkOptions('aminmax', options, keepdimName);
  // The dimension of a scalar is kept as one of size 1, which reductions of one result do not do.
  if (x.ndim === 0 && typeof dim === 'number' && options.keepdim === true) return aminmax(x.reshape([1]), dim, options);
  return { min: fold('aminmax', 'min', x, dim, options), max: fold('aminmax', 'max', x, dim, options) };
}

function pickAlong(
  kind: Kind,
): (inputs: readonly Tensor[], attrs: { dim: number; keepdim: boolean }) => Tensor[] {
  return custom(kind, {
    results: 2,
    forward: ([x], { dim, keepdim }) => locate(kind, x!, dim, keepdim),
    savesOutputs: [1],
    vjp(node, [g], { dim }, [meta]) {
      const { shape } = meta!;
      const kept = reducedShape(shape, [dim], true);
      return [gatherTranspose(g!.reshape(kept), node.output(1).reshape(kept), dim, shape)];
    },
  });
}

function locate(kind: Kind, x: Tensor, dim: number, keepdim: boolean): [values: Tensor, indices: Tensor] {
  const values = emptyReduced(x.shape, [dim], keepdim, x.dtype);
  const indices = emptyReduced(x.shape, [dim], keepdim, 'int32');
  kernels().extremum(kind, values.kept, indices.kept, x, dim);
  return [values.out, indices.out];
}

const picks = { max: pickAlong('max'), min: pickAlong('min') } as const;

function extremum(kind: Kind, x: Tensor, by: number | Tensor | undefined, options: KeepdimOption): Tensor | ValuesAndIndices {
  checkOptions(kind, options, keepdimName);
  if (!(x instanceof Tensor)) {
    throw new ValueError(`${kind}: the first argument must be a Tensor, got ${typeof x}; Math.${kind} takes numbers`, { op: kind });
  }
  if (options.keepdim === true && typeof by !== 'number') {
    throw new ValueError(`${kind}: keepdim goes with a dim, as in ${kind}(0, { keepdim: true }); over all dimensions use a${kind}`, { op: kind });
  }
  if (by === undefined) return fold(kind, kind, x, null, {});
  if (by instanceof Tensor) return kind === 'max' ? x.maximum(by) : x.minimum(by);
  const dim = normalizeDim(kind, by, x.ndim);
  const keepdim = options.keepdim === true && x.ndim > 0;
  refuseEmpty(kind, x, x.ndim === 0 ? [] : [dim]);
  const [values, indices] = picks[kind]([x.ndim === 0 ? x.reshape([1]) : x], { dim, keepdim });
  return { values: values!, indices: indices! };
}

/**
 * The largest of all elements, or, given a dimension, the largest along it and where it stands (the first of equals);
 * given a tensor, the larger elements of the two. NaN wins.
 * @derivative over all elements, shared evenly among equals; along a dimension, to the chosen element only
 * @throws IndexError over no elements
 * @source torch.max
 */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, dim: number, options?: KeepdimOption): ValuesAndIndices;
export function max(x: Tensor, other: Tensor): Tensor;
export function max(x: Tensor, by?: number | Tensor, options: KeepdimOption = none): Tensor | ValuesAndIndices {
  return extremum('max', x, by, options);
}

/**
 * The smallest of all elements, or, given a dimension, the smallest along it and where it stands (the first of
 * equals); given a tensor, the smaller elements of the two. NaN wins.
 * @derivative over all elements, shared evenly among equals; along a dimension, to the chosen element only
 * @throws IndexError over no elements
 * @source torch.min
 */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, dim: number, options?: KeepdimOption): ValuesAndIndices;
export function min(x: Tensor, other: Tensor): Tensor;
export function min(x: Tensor, by?: number | Tensor, options: KeepdimOption = none): Tensor | ValuesAndIndices {
  return extremum('min', x, by, options);
}

function position(kind: Kind, x: Tensor, dim: number | null | undefined, options: KeepdimOption): Tensor {
  checkOptions(`arg${kind}`, options, keepdimName);
  const op = `arg${kind}`;
  const isFlat = dim === null || dim === undefined || x.ndim === 0;
  const d = isFlat ? 0 : normalizeDim(op, dim, x.ndim);
  if (!isFlat || x.numel() === 0) refuseEmpty(op, x, isFlat ? x.shape.map((_, k) => k) : [d]);
  const source = isFlat ? x.detach().reshape([-1]) : x.detach();
  const indices = locate(kind, source, d, options.keepdim === true && !isFlat)[1];
  return isFlat && options.keepdim === true ? indices.reshape(x.shape.map(() => 1)) : indices;
}

/** Where the largest element stands (the first of equals), along a dimension or among all in row-major order. @source torch.argmax */
export function argmax(x: Tensor, dim?: number | null, options: KeepdimOption = none): Tensor {
  return position('max', x, dim, options);
}

/** Where the smallest element stands (the first of equals), along a dimension or among all in row-major order. @source torch.argmin */
export function argmin(x: Tensor, dim?: number | null, options: KeepdimOption = none): Tensor {
  return position('min', x, dim, options);
}

