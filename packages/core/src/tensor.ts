import { accumulateGrad } from './accumulate.ts';
import type { Strided } from './backend/types.ts';
import { dtypeInfo, isFloating, type DType, type TypedArray } from './dtype.ts';
import { DTypeError, GradError, ShapeError, ValueError } from './errors.ts';
import { formatTensor } from './print.ts';
import type { Layout } from './layout.ts';
import { sameShape, shapeString, type Shape, type Strides } from './shape.ts';
import { freeStorage, hostArray, ownerOf, type Storage } from './storage.ts';
import { Node } from './tape.ts';
import { regenerateView, type ViewInfo } from './view.ts';
import { warnOnce } from './warnings.ts';
import { checkSum } from './walked-losses.ts';

const NONE: readonly never[] = [];

/** Values nested as deeply as a tensor has dimensions. */
export type NestedArray<T = number | boolean> = T | NestedArray<T>[];

/** What the engine keeps of a leaf, or of a tensor that retains its gradient. */
class AutogradMeta {
  /** The flag of a leaf; `requiresGrad` of the tensor is the answer for any. */
  requiresGrad = false;
  /** Whether a non-leaf stores its gradient. */
  retainsGrad = false;
  /** The raw gradient; reading `grad` marks it as seen. */
  gradient: Tensor | null = null;
  /** Whether `gradient` may be in somebody else's hands; if not, clearing it frees its memory at once. */
  gradientSeen = false;
  /** The node that adds to `gradient`, made when a leaf is first used. */
  accumulator: Node | null = null;
}

/**
 * An n-dimensional array that remembers how it was computed. Elements live in a storage, which views share; offset
 * and strides (in elements) say where. The operations are methods too: see the pages of the operators.
 * @source torch.Tensor
 */
export class Tensor implements Strided {
  readonly storage: Storage;
  readonly offset: number;
  /** How the elements lie; may be exchanged for an equal one. @internal */
  layout: Layout;
  /** The node that made this tensor; use `gradFn`, which brings a view up to date first. @internal */
  node: Node | null = null;
  /** Which output of `node` this is. @internal */
  slot = 0;
  /** What only leaves have, and tensors that retain their gradient; made when it is needed. @internal */
  autograd: AutogradMeta | null = null;
  /** What this tensor is a view of, if it is one. @internal */
  viewInfo: ViewInfo | null = null;
  /** Shared by all tensors of a large storage, which may be given back when they are gone. @internal */
  readonly owner: object | null;

  constructor(storage: Storage, offset: number, layout: Layout) {
    this.storage = storage;
    this.offset = offset;
    this.layout = layout;
    this.owner = ownerOf(storage);
  }

  /** Sizes per dimension; `[]` for a scalar. */
  get shape(): Shape {
    return this.layout.shape;
  }

  /** Distance between neighbours per dimension, in elements. */
  get strides(): Strides {
    return this.layout.strides;
  }

  /** The type of the elements. */
  get dtype(): DType {
    return this.layout.dtype;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of dimensions, as PyTorch's method. */
  dim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  numel(): number {
    return this.layout.numel;
  }

  /**
   * The shape, or the size of one dimension (negative counts from the end).
   * @throws ShapeError when the dimension is out of range
   */
  size(): Shape;
  size(dim: number): number;
  size(dim?: number): Shape | number {
    if (dim === undefined) return this.shape;
    const size = this.shape.at(dim);
    if (size === undefined) {
      throw new ShapeError(`size: dim ${dim} is out of range for the shape ${shapeString(this.shape)}`);
    }
    return size;
  }

  /** Distance between neighbours per dimension, in elements. */
  stride(): Strides {
    return this.strides;
  }

  /** Whether the elements lie densely in row-major order. */
  isContiguous(): boolean {
    return this.layout.isContiguous;
  }

  /** Whether the dtype is floating-point. */
  isFloatingPoint(): boolean {
    return isFloating(this.dtype);
  }

  /** How often these bytes were changed in place. */
  get version(): number {
    return this.storage.version;
  }

  /** Whether operations on this tensor are recorded. Setting it is for leaves. */
  get requiresGrad(): boolean {
    return this.leafRequiresGrad || this.gradFn !== null;
  }

  set requiresGrad(value: boolean) {
    if (this.gradFn !== null) {
      throw new GradError(
        'you can only change requiresGrad flags of leaf variables. To use a computed tensor without its graph, take ' +
          'x.detach()',
      );
    }
    if (value && !isFloating(this.dtype)) throw notDifferentiable(this.dtype);
    this.leafRequiresGrad = value;
  }

  /** The flag of a leaf; `requiresGrad` is the answer for any tensor. @internal */
  get leafRequiresGrad(): boolean {
    return this.autograd !== null && this.autograd.requiresGrad;
  }

  set leafRequiresGrad(value: boolean) {
    if (value || this.autograd !== null) this.meta().requiresGrad = value;
  }

  /** Whether a non-leaf stores its gradient. */
  get retainsGrad(): boolean {
    return this.autograd !== null && this.autograd.retainsGrad;
  }

  /** The raw gradient; reading `grad` marks it as seen. @internal */
  get gradient(): Tensor | null {
    return this.autograd === null ? null : this.autograd.gradient;
  }

  set gradient(value: Tensor | null) {
    this.meta().gradient = value;
  }

  /** What the engine keeps of a leaf, made if need be. @internal */
  meta(): AutogradMeta {
    return (this.autograd ??= new AutogradMeta());
  }

  /**
   * Starts or stops recording operations on a leaf, and returns it.
   * @throws GradError when switched off on a tensor that was computed
   * @throws DTypeError for dtypes that are not floating-point
   */
  requiresGrad_(value = true): this {
    if (!value || !this.requiresGrad) this.requiresGrad = value;
    return this;
  }

  /** Whether this tensor was not computed by a recorded operation. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** The node of the tape that made this tensor; null for a leaf. */
  get gradFn(): Node | null {
    if (this.viewInfo !== null && this.viewInfo.version !== this.storage.version) regenerateView(this);
    return this.node;
  }

  /**
   * The gradient that backward passes have added up for this leaf, null before the first.
   * Setting it checks shape and dtype.
   */
  get grad(): Tensor | null {
    if (this.autograd?.gradient) this.autograd.gradientSeen = true;
    else if (this.node !== null && !this.retainsGrad) {
      warnOnce(
        'grad of a non-leaf',
        'the .grad of a tensor that is not a leaf was read; backward() does not fill it. Call retainGrad() on it ' +
          'before backward(), or ask for it with grad(loss, [x]).',
      );
    }
    return this.gradient;
  }

  set grad(value: Tensor | null) {
    if (value !== null) {
      if (value === this) throw new GradError("a tensor can't be its own gradient: can't assign it to itself");
      if (!(value instanceof Tensor)) throw new GradError('grad must be a Tensor or null');
      if (!sameShape(value.shape, this.shape)) {
        throw new ShapeError(
          `grad: the gradient has shape ${shapeString(value.shape)}, but the tensor has ${shapeString(this.shape)}; ` +
            'a gradient always has the shape of its variable',
          { shapes: [value.shape, this.shape] },
        );
      }
      if (value.dtype !== this.dtype) {
        throw new DTypeError(`grad: the gradient is ${value.dtype}, but the tensor is ${this.dtype}`);
      }
    }
    if (value === null && this.autograd === null) return;
    const meta = this.meta();
    if (meta.gradient !== null && !meta.gradientSeen) freeStorage(meta.gradient.storage);
    meta.gradient = value;
    meta.gradientSeen = value !== null;
  }

  /** The node that a gradient of this tensor goes to: its own, or that of a leaf which adds it to `.grad`. @internal */
  edge(): Node | null {
    const node = this.gradFn;
    if (node !== null) return node;
    const { autograd } = this;
    if (autograd === null || !autograd.requiresGrad) return null;
    return (autograd.accumulator ??= new Node(accumulateGrad, this, NONE, NONE, NONE, []));
  }

  /** A tensor of the same elements with another graph. @internal */
  withGraph(node: Node | null, slot: number): Tensor {
    const alias = new Tensor(this.storage, this.offset, this.layout);
    alias.node = node;
    alias.slot = slot;
    return alias;
  }

  /** The same elements without a graph. Shares memory and the version counter, so that in-place changes are noticed. */
  detach(): Tensor {
    return this.withGraph(null, 0);
  }

  /**
   * Cuts this tensor from its graph, so that it becomes a leaf.
   * @throws GradError on a view
   */
  detach_(): this {
    if (this.viewInfo !== null) throw new GradError("Can't detach views in-place. Use detach() instead.");
    this.node?.hooks?.retain.delete(this.slot);
    this.node = null;
    this.slot = 0;
    if (this.autograd !== null) this.autograd.requiresGrad = this.autograd.retainsGrad = false;
    return this;
  }

  /**
   * The value of a tensor of one element.
   * @throws ValueError when it has more or fewer
   */
  item(): number {
    if (this.numel() !== 1) {
      throw new ValueError(
        `item: a Tensor with ${this.numel()} elements cannot be converted to a scalar; its shape is ` +
          `${shapeString(this.shape)}. Reduce it first (sum, mean) or read it with toArray()`,
        { op: 'item', shapes: [this.shape] },
      );
    }
    if (this.node !== null) checkSum(this.node);
    return hostArray(this.storage, this.dtype)[this.offset]!;
  }

  /** The elements in row-major order, copied into a new typed array. */
  toTypedArray(): TypedArray {
    const source = hostArray(this.storage, this.dtype);
    const count = this.numel();
    const { array: TypedArrayOf, bytes } = dtypeInfo[this.dtype];
    const copy = new TypedArrayOf(new ArrayBuffer(count * bytes), 0, count);
    if (this.isContiguous()) copy.set(source.subarray(this.offset, this.offset + count));
    else if (count > 0) gatherElements(this, source, copy);
    return copy;
  }

  /** The elements as nested arrays of numbers (booleans for dtype bool); a plain value for a scalar. */
  toArray(): NestedArray {
    const flat = this.toTypedArray();
    const { shape } = this;
    const isBool = this.dtype === 'bool';
    let next = 0;
    const build = (d: number): NestedArray => {
      if (d === shape.length) return isBool ? flat[next++] !== 0 : flat[next++]!;
      return Array.from({ length: shape[d]! }, () => build(d + 1));
    };
    return build(0);
  }

  /** As `toArray`, under PyTorch's name. */
  tolist(): NestedArray {
    return this.toArray();
  }

  /** As `toArray`, for JSON.stringify, which writes null for NaN and infinities. */
  toJSON(): NestedArray {
    return this.toArray();
  }

  /**
   * Takes over the elements of another tensor, whatever its shape and dtype, and stays the same object. For leaves;
   * `other` must be fresh. Graphs that saved the old elements notice the change.
   * @internal
   */
  setData(other: Tensor): void {
    other.storage.version = Math.max(other.storage.version, this.storage.version) + 1;
    other.storage.kept ||= this.storage.kept;
    const { storage, offset, layout, owner } = other;
    Object.assign(this, { storage, offset, layout, owner });
    if (this.autograd !== null) this.autograd.accumulator = null;
  }

  /** Gives the memory back now instead of later. Reading this tensor or any view of it afterwards is an error. */
  dispose(): void {
    freeStorage(this.storage);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Values, shape, dtype and graph as PyTorch prints them. */
  toString(): string {
    return formatTensor(this);
  }

  /** Refuses arithmetic by JavaScript's operators, which cannot be recorded. @internal */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new ValueError(
      'JavaScript operators do not work on tensors, since they cannot be recorded. Use methods: a.add(b), a.lt(b); ' +
        'read the number of a one-element tensor with x.item()',
    );
  }
}

/** The error for asking a gradient of integers. */
export function notDifferentiable(dtype: DType): DTypeError {
  return new DTypeError(
    `only Tensors of floating point dtype can require gradients, and this one is ${dtype}. Convert it first: ` +
      "x.to('float32')",
    { dtypes: [dtype] },
  );
}

function gatherElements(t: Tensor, source: TypedArray, copy: TypedArray): void {
  const { shape, strides } = t;
  const rank = shape.length;
  const index = new Array<number>(rank).fill(0);
  let at = t.offset;
  for (let i = 0; i < copy.length; i++) {
    copy[i] = source[at]!;
    for (let d = rank - 1; d >= 0; d--) {
      at += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
}
