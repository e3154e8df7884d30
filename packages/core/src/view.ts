import { GradError } from './errors.ts';
import type { Shape, Strides } from './shape.ts';
import { hooksOf, Node, type Rule } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** How a view came to be, which decides whether it may be written to. */
export type ViewOrigin = 'op' | 'multiple' | 'noGrad' | 'function';

/** What a view remembers: the tensor that owns the elements, and when its place on the tape was last right. */
export interface ViewInfo {
  /** The root of a chain of views. */
  readonly base: Tensor;
  readonly origin: ViewOrigin;
  /** Version of the storage at which the view's node was right. */
  version: number;
}

/** Where a view's elements lie inside those of its base. */
export interface ViewGeometry {
  readonly shape: Shape;
  readonly strides: Strides;
  readonly offset: number;
}

/** What the tape keeps of a view: its geometry and that of its base. */
export interface StridedAttrs {
  readonly base: ViewGeometry;
  readonly geometry: ViewGeometry;
}

/** Picks elements of a base by geometry; its transpose adds them up into zeros of the base's shape. */
export const asStridedRule: Rule = {
  name: 'as_strided',
  vjp(node, [gradient]) {
    const { base, geometry } = node.attrs as StridedAttrs;
    return [gradient!.stridedScatter(base, geometry)];
  },
};

/**
 * After an in-place change of the base or of a sibling, a view's history is a piece of the base's new one. A view
 * taken without recording stays outside of the graph.
 * @throws GradError for a view that a custom Function made, whose rule knows nothing of the change
 */
export function regenerateView(tensor: Tensor): void {
  const view = tensor.viewInfo!;
  if (view.origin === 'function' && tensor.node !== null) {
    throw new GradError(
      `this view was created inside a custom Function (${tensor.node.name}), and its base or another view of it has been ` +
        'modified inplace since; the backward of the Function does not know of that. clone() the output of the Function',
    );
  }
  view.version = tensor.storage.version;
  if (view.origin === 'noGrad') return;
  const { base } = view;
  const edge = base.edge();
  if (edge === null) {
    // The base was cut from its graph, and what the view shows has changed since its own history was right.
    tensor.node = null;
    return;
  }
  const { shape, dtype } = tensor;
  const attrs: StridedAttrs = { base: geometryOf(base), geometry: geometryOf(tensor) };
  const node = new Node(asStridedRule, attrs, [edge], [base.slot], [{ shape, dtype }], []);
  if (tensor.retainsGrad) {
    tensor.node?.hooks?.retain.delete(tensor.slot);
    hooksOf(node).retain.set(0, tensor);
  }
  tensor.leafRequiresGrad = false;
  tensor.node = node;
  tensor.slot = 0;
}

/** The geometry alone, without the memory. */
export function geometryOf({ shape, strides, offset }: ViewGeometry): ViewGeometry {
  return { shape, strides, offset };
}
