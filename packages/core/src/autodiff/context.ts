import { GradError } from '../errors.ts';
import type { Node } from '../tape.ts';
import { Tensor } from '../tensor.ts';

/** What a context knows beside the attributes that its user puts on it. */
export interface ContextState {
  /** What is to be saved, until the node has it. */
  saved: readonly (Tensor | null)[];
  /** Which of the saved places hold a tensor. */
  present: readonly boolean[];
  readonly dirty: Set<Tensor>;
  readonly nonDifferentiable: Set<Tensor>;
  materializeGrads: boolean;
  /** The recorded call, once there is one. */
  node: Node | null;
}

/** Saved tensors for taking apart by position; a position at which null was saved holds null. */
export type SavedTensors = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, ...Tensor[]];

/** Carries what `forward` of a custom Function wants its `backward` to know. */
export class Context {
  /** For each argument of forward, whether it is a tensor that needs a gradient. */
  readonly needsInputGrad: readonly boolean[];
  readonly #state: ContextState = {
    saved: [],
    present: [],
    dirty: new Set(),
    nonDifferentiable: new Set(),
    materializeGrads: true,
    node: null,
  };

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** What is not for the user of a context. @internal */
  static stateOf(ctx: Context): ContextState {
    return ctx.#state;
  }

  /**
   * Keeps tensors for backward: inputs, outputs or whatever forward made. They are checked for in-place changes and
   * released after backward. Anything that is not a tensor goes on the context as a property.
   * @throws GradError for what is neither a tensor nor null
   */
  saveForBackward(...tensors: (Tensor | null | undefined)[]): void {
    tensors.forEach((value, i) => {
      if (value !== null && value !== undefined && !(value instanceof Tensor)) {
        throw new GradError(
          `saveForBackward can only save tensors, but argument ${i} is of type ${typeof value}. Put it on ctx as a ` +
            'property: ctx.scale = scale',
        );
      }
    });
    this.#state.saved = tensors.map((value) => value ?? null);
  }

  /**
   * What `saveForBackward` was given, with its graph.
   * @throws GradError when it was released by an earlier backward pass, or changed in place since
   */
  get savedTensors(): SavedTensors {
    const { node, saved, present } = this.#state;
    const tensors = node === null ? saved : present.map((there, k) => (there ? node.output(k) : null));
    return tensors as unknown as SavedTensors;
  }

  /** Declares that an output has no gradient; the one that backward gets for it is zero. */
  markNonDifferentiable(...outputs: Tensor[]): void {
    for (const output of outputs) this.#state.nonDifferentiable.add(output);
  }

  /** Declares that forward changed an input in place; it must be among the outputs. */
  markDirty(...inputs: Tensor[]): void {
    for (const input of inputs) this.#state.dirty.add(input);
  }

  /** Whether backward gets zeros (default) or null for outputs whose gradient is not needed. */
  setMaterializeGrads(value: boolean): void {
    this.#state.materializeGrads = value;
  }
}

/**
 * The context of a custom Function, and the properties that it puts there: `FunctionContext<{ scale: number }>`.
 * @source torch.autograd.function.FunctionCtx
 */
export type FunctionContext<A extends object = Record<string, unknown>> = Context & A;
