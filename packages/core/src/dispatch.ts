import { active } from './backend/registry.ts';
import type { Kernels, Strided } from './backend/types.ts';
import { dtypeInfo, isFloating, type DType } from './dtype.ts';
import { DTypeError, GradError, ShapeError } from './errors.ts';
import { denseLayout, Layout } from './layout.ts';
import { modes } from './modes.ts';
import { contiguousStrides, reducedShape, sameShape, shapeString, type Shape, type Strides } from './shape.ts';
import { nextTick, resultStorage } from './storage.ts';
import { hooksOf, Node, type OutputMeta, type Rule } from './tape.ts';
import { Tensor } from './tensor.ts';
import { geometryOf, regenerateView, type StridedAttrs, type ViewOrigin } from './view.ts';

/** For nodes with one output. */
export const NO_OUTPUTS: readonly OutputMeta[] = [];

/**
 * The kernels of the current backend, ready for one call. Every kernel call of the engine goes through here.
 * @param caller the operation that calls, where it is none whose forward function runs
 */
export function kernels(caller = ''): Kernels {
  if (modes.tracer !== null) modes.caller = caller;
  nextTick();
  return active.kernels;
}

/** A new dense tensor whose elements are not set yet. */
export function empty(shape: Shape, dtype: DType): Tensor {
  return emptyOf(denseLayout(shape, dtype));
}

/** A new tensor of this layout, which is dense, whose elements are not set yet. */
export function emptyOf(layout: Layout): Tensor {
  return new Tensor(resultStorage(layout), 0, layout);
}

/** A new tensor for the result of a reduction, and the same elements as a kernel fills them: with size 1 where it folds. */
export function emptyReduced(
  shape: Shape,
  dims: readonly number[],
  keepdim: boolean,
  dtype: DType,
): { readonly out: Tensor; readonly kept: Strided } {
  const out = empty(reducedShape(shape, dims, keepdim), dtype);
  if (keepdim) return { out, kept: out };
  const keptShape = reducedShape(shape, dims, true);
  const { storage, owner } = out;
  return { out, kept: { storage, offset: 0, shape: keptShape, strides: contiguousStrides(keptShape), dtype, owner } };
}

/** Whether a call with these inputs goes on the tape. */
export function isRecording(inputs: readonly Tensor[]): boolean {
  if (!modes.grad) return false;
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.requiresGrad) return true;
  return false;
}

/** The nodes that the gradients of the inputs go to, null where none is needed; null altogether if the call is not recorded. */
export function edgesOf(inputs: readonly Tensor[]): (Node | null)[] | null {
  if (!modes.grad) return null;
  const first = inputs[0]!.edge();
  if (inputs.length === 1) return first === null ? null : [first];
  const second = inputs[1]!.edge();
  let recording = first !== null || second !== null;
  if (inputs.length === 2) return recording ? [first, second] : null;
  const edges = [first, second];
  for (let i = 2; i < inputs.length; i++) {
    const edge = inputs[i]!.edge();
    edges.push(edge);
    if (edge !== null) recording = true;
  }
  return recording ? edges : null;
}

/**
 * Puts one call on the tape. `saved` holds inputs at their positions, then outputs and whatever else the rule wants
 * back, null where nothing is kept. Floating-point outputs become its results.
 */
export function record(
  rule: Rule,
  attrs: unknown,
  inputs: readonly Tensor[],
  outputs: Tensor | readonly Tensor[] | null,
  saved: (Tensor | null)[],
  edges: readonly (Node | null)[] = inputs.map(edgeOf),
): Node {
  const slots = slotsOf(inputs, edges);
  if (outputs === null) return new Node(rule, attrs, edges, slots, NO_OUTPUTS, saved);
  if (outputs instanceof Tensor) {
    if (rule.trusted !== false) {
      const node = new Node(rule, attrs, edges, slots, NO_OUTPUTS, saved);
      if (isFloating(outputs.dtype)) outputs.node = node;
      return node;
    }
    outputs = [outputs];
  }
  const keepMeta = outputs.length > 1 || rule.trusted === false;
  const metas = keepMeta ? outputs.map(metaOf) : NO_OUTPUTS;
  const node = new Node(rule, attrs, edges, slots, metas, saved);
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    if (isFloating(output.dtype)) {
      output.node = node;
      output.slot = i;
    }
  }
  return node;
}

const edgeOf = (x: Tensor): Node | null => x.edge();
const metaOf = ({ shape, dtype }: Tensor): OutputMeta => ({ shape, dtype });

/** Which output of its node each input was; nearly always the first of a few, for which one list serves all. */
function slotsOf(inputs: readonly Tensor[], edges: readonly (Node | null)[]): readonly number[] {
  let plain = inputs.length <= FIRST_SLOTS.length;
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.slot !== 0) plain = false;
  return plain ? FIRST_SLOTS : inputs.map((x, i) => (edges[i] === null ? 0 : x.slot));
}

/** Which outputs the inputs of a node are where all are the first. */
export const FIRST_SLOTS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** A tensor that shows elements of `x` in another geometry. Recording it is the caller's business. */
export function viewOf(x: Tensor, shape: Shape, strides: Strides, offset: number, origin: ViewOrigin = 'op'): Tensor {
  const view = new Tensor(x.storage, offset, new Layout(shape, strides, x.dtype));
  const inherited = x.viewInfo?.origin === 'multiple' || x.viewInfo?.origin === 'function' ? x.viewInfo.origin : origin;
  view.viewInfo = {
    base: x.viewInfo?.base ?? x,
    origin: !modes.grad && inherited === 'op' ? 'noGrad' : inherited,
    version: x.storage.version,
  };
  return view;
}

/** `x` as a kernel sees it when it is broadcast to `shape`: strides of 0 where it repeats. */
export function broadcastView(x: Strided, shape: Shape): Strided {
  if (sameShape(x.shape, shape)) return x;
  const strides = new Array<number>(shape.length).fill(0);
  for (let d = shape.length - 1, i = x.shape.length - 1; i >= 0; d--, i--) {
    strides[d] = x.shape[i] === 1 ? 0 : x.strides[i]!;
  }
  return { storage: x.storage, offset: x.offset, shape, strides, dtype: x.dtype, owner: x.owner ?? null };
}

/**
 * Refuses an in-place change that would make the tape wrong, before anything is written.
 * @throws GradError for leaves that require grad and for views whose history cannot be rewritten
 * @throws ShapeError for tensors whose elements share memory
 */
export function checkWritable(op: string, x: Tensor, recording: boolean): void {
  for (let d = 0; d < x.shape.length; d++) {
    if (x.strides[d] === 0 && x.shape[d]! > 1) {
      throw new ShapeError(
        `${op}: unsupported operation: more than one element of the written-to tensor refers to a single memory ` +
          `location (it was expanded to ${shapeString(x.shape)}). clone() it before writing`,
        { op, shapes: [x.shape] },
      );
    }
  }
  if (!modes.grad) return;
  if (x.leafRequiresGrad && x.isLeaf) {
    throw new GradError(
      `${op}: a leaf Variable that requires grad is being used in an in-place operation. Wrap the change in ` +
        'noGrad(() => …) if it is an update of a parameter, or use the operation without the trailing underscore',
      { op },
    );
  }
  if (x.viewInfo === null) return;
  const { base, origin } = x.viewInfo;
  if (base.leafRequiresGrad && base.isLeaf) {
    throw new GradError(
      `${op}: a view of a leaf Variable that requires grad is being used in an in-place operation. Wrap the change in ` +
        'noGrad(() => …), or clone() the leaf first',
      { op },
    );
  }
  if (!recording) return;
  const remedy = refusals[origin];
  if (remedy !== undefined) throw new GradError(`${op}: Output of a view is being modified inplace. ${remedy}`, { op });
  if (!base.isContiguous()) {
    throw new GradError(`${op}: cannot record a change of a view of a detached, non-dense tensor; clone() it first`, { op });
  }
}

const refusals: Readonly<Partial<Record<ViewOrigin, string>>> = {
  multiple:
    'This view is the output of a function that returns multiple views; such functions do not allow their outputs to ' +
    'be modified in place. Replace the in-place operation by an out-of-place one, or clone() the view first',
  noGrad:
    'A view was created in no_grad mode and is being modified inplace with grad mode enabled. Create the view outside ' +
    'noGrad, modify it inside noGrad, or use detach() if the change is not to be recorded',
  function:
    'This view was created inside a custom Function, whose backward does not know of the change. clone() the output',
};

/**
 * Refuses an in-place result of a higher kind than its target.
 * @throws DTypeError as PyTorch does: result type float32 can't be cast to int32
 */
export function checkCastable(op: string, from: DType, to: DType): void {
  if (dtypeInfo[from].category > dtypeInfo[to].category) {
    throw new DTypeError(
      `${op}: result type ${from} can't be cast to the desired output type ${to}. Convert the target first: ` +
        `x = x.to('${from}')`,
      { op, dtypes: [from, to] },
    );
  }
}

/** After the elements of `x` were overwritten: counts the change and, if it was recorded, gives `x` its new history. */
export function commitWrite(x: Tensor, node: Node | null, slot = 0): void {
  x.storage.version++;
  if (node === null) return;
  if (x.viewInfo === null) {
    rebase(x, node, slot);
    return;
  }
  const { base } = x.viewInfo;
  const attrs: StridedAttrs = { base: geometryOf(base), geometry: geometryOf(x) };
  const edge = base.edge();
  const slices = new Node(copySlicesRule, attrs, [edge, node], [base.slot, slot], NO_OUTPUTS, []);
  rebase(base, slices, 0);
  // At once, so that the view keeps this history even if the base is cut from its graph next.
  regenerateView(x);
}

function rebase(x: Tensor, node: Node, slot: number): void {
  if (x.retainsGrad) {
    x.node?.hooks?.retain.delete(x.slot);
    retainAt(node, slot, x);
  }
  x.node = node;
  x.slot = slot;
  x.leafRequiresGrad = false;
}

/** Makes `node` store the gradient of its output `slot` in `x.grad`. */
export function retainAt(node: Node, slot: number, x: Tensor): void {
  hooksOf(node).retain.set(slot, x);
}

/** A base after a piece of it was replaced: outside the piece the gradient is the old base's, inside the new piece's. */
const copySlicesRule: Rule = {
  name: 'copy_slices',
  title: 'CopySlices',
  vjp(node, [gradient]) {
    const { base, geometry } = node.attrs as StridedAttrs;
    const { shape, strides } = geometry;
    const dense = gradient!.contiguous();
    const offset = dense.offset + geometry.offset - base.offset;
    const piece = dense.asStrided(shape, strides, offset);
    if (!node.needs(0)) return [null, piece.clone()];
    const rest = dense.clone();
    rest.asStrided(shape, strides, geometry.offset - base.offset).fill_(0);
    return [rest, node.needs(1) ? piece.clone() : null];
  },
};
