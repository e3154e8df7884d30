import { isRecording, record } from '../dispatch.ts';
import type { DType } from '../dtype.ts';
import { modes } from '../modes.ts';
import type { Shape } from '../shape.ts';
import type { Gradient, Node, Rule } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Shape and dtype of an input, which transposes may need. */
export interface Meta {
  readonly shape: Shape;
  readonly dtype: DType;
}

const NOTHING_SAVED: (Tensor | null)[] = [];

interface Recorded<A> {
  readonly attrs: A;
  readonly metas: readonly Meta[];
}

/** Facts for the conformance suite and the pages of the operators. */
export interface OpFacts {
  readonly name: string;
  readonly kind: 'linear' | 'bilinear' | 'custom';
}

/** An operation that is linear in all its tensors together: sum, reshape, cat, gather in its data. */
export interface LinearDefinition<A> {
  /** Runs the kernel, or makes a view. The inputs are already checked. */
  forward(inputs: readonly Tensor[], attrs: A): Tensor;
  /** The gradient of input `i` from that of the output. */
  transpose(gradient: Tensor, attrs: A, meta: Meta, i: number): Tensor;
}

/** Declares a linear operation. Its derivative is its transpose, which saves nothing. */
/* @__NO_SIDE_EFFECTS__ */
export function linear<A>(name: string, definition: LinearDefinition<A>): (inputs: readonly Tensor[], attrs: A) => Tensor {
  const rule: Rule = {
    name,
    vjp(node, [gradient]) {
      const { attrs, metas } = node.attrs as Recorded<A>;
      const results = new Array<Gradient>(metas.length);
      for (let i = 0; i < metas.length; i++) results[i] = node.needs(i) ? definition.transpose(gradient!, attrs, metas[i]!, i) : null;
      return results;
    },
  };
  return (inputs, attrs) => {
    const recording = isRecording(inputs);
    const out = modes.tracer === null ? definition.forward(inputs, attrs) : modes.tracer.forward(name, definition.forward, inputs, attrs);
    if (recording) record(rule, recorded(inputs, attrs), inputs, out, NOTHING_SAVED);
    return out;
  };
}

/** An operation that is linear in each of two tensors: matmul, convolution. */
export interface BilinearDefinition<A> {
  forward(a: Tensor, b: Tensor, attrs: A): Tensor;
  /** The gradient of each input from that of the output and the other input. */
  transposes: readonly [
    (gradient: Tensor, b: Tensor, attrs: A, meta: Meta) => Tensor,
    (gradient: Tensor, a: Tensor, attrs: A, meta: Meta) => Tensor,
  ];
  /** Adds the gradient of the second input to a dense sum of such gradients, by a kernel; off the tape. */
  addSecond?(sum: Tensor, gradient: Tensor, a: Tensor, attrs: A): void;
}

/** Declares a bilinear operation. It saves an input only if the other one needs a gradient. */
/* @__NO_SIDE_EFFECTS__ */
export function bilinear<A>(name: string, definition: BilinearDefinition<A>): (a: Tensor, b: Tensor, attrs: A) => Tensor {
  const rule: Rule = {
    name,
    vjp(node, [gradient]) {
      const { attrs, metas } = node.attrs as Recorded<A>;
      const [toA, toB] = definition.transposes;
      const first = node.needs(0) ? toA(gradient!, node.input(1), attrs, metas[0]!) : null;
      if (!node.needs(1)) return [first, null];
      const sum = definition.addSecond === undefined ? null : node.ownSum(1);
      if (sum === null) return [first, toB(gradient!, node.input(0), attrs, metas[1]!)];
      definition.addSecond!(sum, gradient!, node.input(0), attrs);
      sum.storage.version++;
      return [first, null];
    },
  };
  return (a, b, attrs) => {
    const inputs = [a, b];
    const recording = isRecording(inputs);
    const out = modes.tracer === null ? definition.forward(a, b, attrs) : modes.tracer.forward(name, definition.forward, a, b, attrs);
    if (recording) {
      const saved = [b.requiresGrad ? a : null, a.requiresGrad ? b : null];
      record(rule, recorded(inputs, attrs), inputs, out, saved);
    }
    return out;
  };
}

/** An operation whose derivative is a rule of its own: max over a dimension, sort, softmax, layer norm. */
export interface CustomDefinition<A> {
  /** Results first, then whatever else the rule wants to keep. */
  forward(inputs: readonly Tensor[], attrs: A): readonly Tensor[];
  /** How many of the results are given to the caller; default 1. */
  readonly results?: number | 'all';
  /** Positions of the inputs that the rule reads by `node.input(i)`. */
  readonly savesInputs?: readonly number[];
  /** Positions of the results that it reads by `node.output(i)`. */
  readonly savesOutputs?: readonly number[];
  /** Gradients of the inputs; `gradients` has null where a result was not used. Write it in Tensor methods. */
  vjp(node: Node, gradients: readonly Gradient[], attrs: A, metas: readonly Meta[]): readonly Gradient[];
}

/** The call of an operation with a rule of its own. */
export type CustomOperation<A> = (inputs: readonly Tensor[], attrs: A) => Tensor[];

/** Declares an operation with a rule of its own; the call returns its results. */
/* @__NO_SIDE_EFFECTS__ */
export function custom<A>(name: string, definition: CustomDefinition<A>): CustomOperation<A> {
  const rule: Rule = {
    name,
    vjp(node, gradients) {
      const { attrs, metas } = node.attrs as Recorded<A>;
      return definition.vjp(node, gradients, attrs, metas);
    },
  };
  const { results = 1, savesInputs = [], savesOutputs = [] } = definition;
  return (inputs, attrs) => {
    const recording = isRecording(inputs);
    const produced = modes.tracer === null ? definition.forward(inputs, attrs) : modes.tracer.forward(name, definition.forward, inputs, attrs);
    const outputs = produced.slice(0, results === 'all' ? produced.length : results);
    if (recording) {
      const saved = new Array<Tensor | null>(inputs.length + produced.length).fill(null);
      for (const i of savesInputs) saved[i] = inputs[i]!;
      for (const i of savesOutputs) saved[inputs.length + i] = produced[i]!;
      record(rule, recorded(inputs, attrs), inputs, outputs, saved);
    }
    return outputs;
  };
}

function recorded<A>(inputs: readonly Tensor[], attrs: A): Recorded<A> {
  const metas = new Array<Meta>(inputs.length);
  for (let i = 0; i < inputs.length; i++) metas[i] = { shape: inputs[i]!.shape, dtype: inputs[i]!.dtype };
  return { attrs, metas };
}
