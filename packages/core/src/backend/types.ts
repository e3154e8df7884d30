import type { DType } from '../dtype.ts';
import type { CompiledSlot, Expr } from '../expr/index.ts';
import type { Shape, Strides } from '../shape.ts';
import type { Storage } from '../storage.ts';

/** A place where backends keep an operand in a form of their own. */
export interface FormSlot {
  form: object | null;
}

/** What a kernel sees of a tensor: elements of a storage, addressed by offset and strides, both in elements. */
export interface Strided {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: Strides;
  readonly dtype: DType;
  /** What shows that the elements are still wanted; what is made from a tensor passes it on. */
  readonly owner?: object | null;
  /** For the right operand of many products, which does not change between them: where its form for products is kept. */
  readonly formSlot?: FormSlot | null;
}

/** Ways to fold many elements into one. `any` and `all` read and write bool; the others keep the dtype of `out`. */
export type Reduction = 'sum' | 'prod' | 'max' | 'min' | 'any' | 'all';

/** Running folds along one dimension. */
export type Scan = 'sum' | 'prod' | 'max' | 'min';

/** Where a window slides: one entry per spatial dimension, outermost first. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** Rows of padding before the first element (what comes after follows from the output size). */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** A convolution's geometry. */
export interface ConvolutionWindow extends Window {
  readonly groups: number;
}

/** A pooling average: how the divisor of each window is found. */
export interface AverageWindow extends Window {
  readonly countIncludePad: boolean;
  /** Padding after the last element; windows may overhang it in ceil mode, which never counts. */
  readonly paddingAfter: readonly number[];
  readonly divisor: number | null;
}

/** What a number belongs to in a computation along rows: an element, a column (the same in all rows), or a row. */
export type RowSort = 'element' | 'column' | 'row';

/** A fold over a row. A sum starts at 0; max and min start at −∞ and ∞ and pass NaN over. */
export interface RowFold {
  readonly kind: 'sum' | 'max' | 'min';
  readonly value: Expr;
}

/** A result: a value per element, its sum over all rows per column, or a value per row (of folds and inputs per row). */
export interface RowOutput {
  readonly sort: RowSort;
  readonly value: Expr;
}

/**
 * Folds over rows and what follows from them. Among n inputs, `input(i)` with i < n is one of them, `input(n)` the
 * number of the column, and `input(n + 1 + k)` the result of fold k, for the folds after it and the outputs.
 */
export interface RowComputation {
  readonly inputCount: number;
  readonly folds: readonly RowFold[];
  readonly outputs: readonly RowOutput[];
  /** A place where backends keep what they compiled from this computation. */
  readonly compiled: CompiledSlot;
}

/** New elements of several tensors, each an expression over the old ones: targets are the first inputs. */
export interface UpdateComputation {
  readonly values: readonly Expr[];
  readonly paramCount: number;
  /** A place where backends keep what they compiled from this computation. */
  readonly compiled: CompiledSlot;
}

/**
 * All that a backend must be able to do: a closed set, so that a missing kernel does not compile. `out` is
 * allocated by the caller with its final shape and dtype, may have any strides, and never overlaps an input unless
 * stated. No kernel checks its arguments: rules do that before.
 */
export interface Kernels {
  /**
   * out = expr(inputs, params), element by element. Inputs have out's shape (0 strides where they were broadcast)
   * and any dtype; `compute` is the dtype in which the expression is evaluated. An input may be `out` itself.
   */
  elementwise(expr: Expr, out: Strided, inputs: readonly Strided[], params: readonly number[], compute: DType): void;
  /**
   * The same for one to four floating-point operands of one dtype that lie side by side: so many elements from each one's
   * offset on. They are no list, since there are few and calls are many.
   */
  dense(
    expr: Expr,
    count: number,
    out: Strided,
    x: Strided,
    y: Strided | null,
    z: Strided | null,
    w: Strided | null,
    params: readonly number[],
  ): void;
  /**
   * targets[i] = values[i](targets, inputs, params) in one pass: every value sees the old elements. All operands have
   * one shape and one floating-point dtype, and no target overlaps another operand.
   */
  update(computation: UpdateComputation, targets: readonly Strided[], inputs: readonly Strided[], params: readonly number[]): void;
  /** out = x in out's dtype; x has out's shape, any strides. Floats become integers by truncation, bools by != 0. */
  copy(out: Strided, x: Strided): void;
  /** Folds `dims` (rising). out has x's rank with size 1 at the folded dims. Max and min let NaN win; empty sum 0, prod 1. */
  reduce(kind: Reduction, out: Strided, x: Strided, dims: readonly number[]): void;
  /** Along `dim`: the extreme value and the int32 index of its first occurrence; NaN wins. Outputs have size 1 at dim. */
  extremum(kind: 'max' | 'min', values: Strided, indices: Strided, x: Strided, dim: number): void;
  /** out[..., m, n] = a[..., m, k] b[..., k, n]; batch dims are already equal (0 strides where broadcast). Any strides; floats may be added to what out holds. */
  matmul(out: Strided, a: Strided, b: Strided, add?: boolean): void;
  /** out[N, O, *] = x[N, C, *] * w[O, C/groups, *] (cross-correlation), 1 to 3 spatial dims. */
  convolution(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void;
  /** Its transpose in x: out[N, C, *] = Σ g[N, O, *] w[O, C/groups, *]. */
  convolutionInput(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void;
  /** Its transpose in w: out[O, C/groups, *] = Σ g[N, O, *] x[N, C, *]. */
  convolutionWeight(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void;
  /** Windows over the trailing spatial dims of [N, C, *]; indices are int32, flat within the spatial dims of x; first of equals, NaN wins. */
  maxPool(out: Strided, indices: Strided, x: Strided, window: Window): void;
  /** Means over windows; padding counts as 0 in the sum. */
  averagePool(out: Strided, x: Strided, window: AverageWindow): void;
  /** Its transpose: out has x's shape, g the pooled shape. */
  averagePoolTranspose(out: Strided, g: Strided, window: AverageWindow): void;
  /** out[i…] = x[…, index[i…], …] along dim; index is int32 of out's shape, valid (0 ≤ index < size), any strides. */
  gather(out: Strided, x: Strided, index: Strided, dim: number): void;
  /** out[…, index[i…], …] (+)= src[i…] along dim; out holds initial values; index and src have equal shapes; in row-major order, so that the last write wins. */
  scatter(out: Strided, index: Strided, src: Strided, dim: number, accumulate: boolean): void;
  /** Running fold along dim, with the int32 position of the extreme (last of equals) for max and min when indices is given. */
  scan(kind: Scan, out: Strided, indices: Strided | null, x: Strided, dim: number): void;
  /** Stable sort along dim; NaN counts as largest; indices int32. */
  sort(values: Strided, indices: Strided, x: Strided, dim: number, descending: boolean): void;
  /**
   * A computation along the rows of `shape`, which lie in its last dimension. Inputs have this shape (0 strides where
   * they were broadcast) and any dtype. Outputs have one floating-point dtype, in which all is computed, and this
   * shape with size 1 in the last dimension for values per row, in all others for sums per column.
   */
  rows(computation: RowComputation, shape: Shape, outs: readonly Strided[], inputs: readonly Strided[], params: readonly number[]): void;
}

/** A way to run kernels. */
export interface Backend {
  readonly name: string;
  readonly kernels: Kernels;
}
