import { checkWritable, commitWrite, empty, isRecording, record } from '../dispatch.ts';
import { isFloating } from '../dtype.ts';
import { GradError, ShapeError } from '../errors.ts';
import { modes, noGrad } from '../modes.ts';
import { sameShape, shapeString } from '../shape.ts';
import { Node, type Gradient, type OutputMeta, type Rule } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { Context, type ContextState } from './context.ts';

const { stateOf } = Context;

/** What a subclass of `Function` provides: static methods. */
export interface FunctionClass {
  readonly name: string;
  /** Computes the outputs, without recording. Gets the context first, unless there is a `setupContext`. */
  forward(...args: never[]): unknown;
  /** One gradient (or null) for each argument of forward, from the gradients of the outputs. */
  backward(ctx: never, ...gradients: never[]): unknown;
  /** Fills the context after forward, which then gets no context. */
  setupContext?(ctx: never, inputs: never, output: never): void;
}

/** The arguments that `apply` takes: those of `forward` after the context. */
export type FunctionArguments<F extends FunctionClass> = F extends { setupContext: unknown }
  ? Parameters<F['forward']>
  : Parameters<F['forward']> extends [unknown, ...infer A]
    ? A
    : [];

/** What a node of a custom Function keeps of one call. */
interface Call {
  readonly ctx: Context;
  readonly state: ContextState;
  /** For each argument the place among the tensors, -1 for others. */
  readonly places: readonly number[];
  readonly inputs: readonly OutputMeta[];
  /** For each output, null where it is not a tensor. */
  readonly outputs: readonly (OutputMeta | null)[];
}

/**
 * An operation with a derivative of your own. Subclass it with two static methods, and call it by `apply`:
 *
 * ```ts
 * class Exp extends tg.Function {
 *   static forward(ctx: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
 *     const y = x.exp();
 *     ctx.saveForBackward(y);
 *     return y;
 *   }
 *   static backward(ctx: tg.FunctionContext, gradient: tg.Tensor): tg.Tensor {
 *     const [y] = ctx.savedTensors;
 *     return gradient.mul(y);
 *   }
 * }
 * const y = Exp.apply(x);
 * ```
 *
 * `forward` runs without recording. `backward` gives one gradient per argument of `forward`, null for those that are
 * not tensors or need none. If it is written in operations of tensors, derivatives of any order work.
 * @source torch.autograd.Function
 */
class CustomFunction {
  constructor() {
    throw new GradError(
      `${new.target.name}: a Function has no instances. Define static forward(ctx, …) and static backward(ctx, …), and ` +
        `call ${new.target.name}.apply(…)`,
    );
  }

  /**
   * Runs `forward` and records it as one node.
   * @throws GradError when `forward` marks tensors that it may not mark
   */
  static apply<F extends FunctionClass>(this: F, ...args: FunctionArguments<F>): ReturnType<F['forward']> {
    return applyFunction(this, args) as ReturnType<F['forward']>;
  }
}

export { CustomFunction as Function };

type Callable = (...args: unknown[]) => unknown;

function applyFunction(custom: FunctionClass, args: readonly unknown[]): unknown {
  if (typeof custom.forward !== 'function') throw missing(custom, 'forward');
  const inputs = args.filter((arg) => arg instanceof Tensor);
  const ctx = new Context(args.map((arg) => arg instanceof Tensor && arg.requiresGrad));
  const result = noGrad(() => runForward(custom, ctx, args));
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  checkDirty(custom, stateOf(ctx), inputs, outputs);
  const wrapped = isRecording(inputs) ? recordCall(custom, ctx, args, inputs, outputs) : outputs.map((output) => {
    // Returned as it came, without a graph here: the caller's tensor must not change.
    const isInput = inputs.includes(output as Tensor) && !stateOf(ctx).dirty.has(output as Tensor);
    return isInput && (output as Tensor).requiresGrad ? (output as Tensor).detach() : output;
  });
  return Array.isArray(result) ? wrapped : wrapped[0];
}

function runForward(custom: FunctionClass, ctx: Context, args: readonly unknown[]): unknown {
  if (custom.setupContext === undefined) return (custom.forward as Callable)(ctx, ...args);
  const result = (custom.forward as Callable)(...args);
  (custom.setupContext as Callable)(ctx, args, result);
  return result;
}

function missing({ name }: FunctionClass, method: string): GradError {
  return new GradError(`${name}: a custom Function must define the static method ${method}(ctx, …)`);
}

function checkDirty({ name }: FunctionClass, { dirty }: ContextState, inputs: readonly Tensor[], outputs: readonly unknown[]): void {
  for (const x of dirty) {
    if (!inputs.includes(x)) throw new GradError(`${name}: markDirty only accepts tensors that are arguments of forward`);
    if (!outputs.includes(x)) {
      throw new GradError(
        `${name}: some elements marked as dirty during the forward method were not returned as output. The inputs that ` +
          'are modified inplace must all be outputs of the Function',
      );
    }
    if (!modes.grad) continue;
    checkWritable(name, x, isRecording(inputs));
    if (x.viewInfo !== null && outputs.length > 1 && isRecording(inputs)) {
      throw new GradError(`${name}: a Function that changes a view in place must return exactly one output`);
    }
  }
}

function recordCall(
  custom: FunctionClass,
  ctx: Context,
  args: readonly unknown[],
  inputs: readonly Tensor[],
  outputs: readonly unknown[],
): unknown[] {
  const state = stateOf(ctx);
  let place = 0;
  const call: Call = {
    ctx,
    state,
    places: args.map((arg) => (arg instanceof Tensor ? place++ : -1)),
    inputs: inputs.map(({ shape, dtype }) => ({ shape, dtype })),
    outputs: outputs.map((output) => (output instanceof Tensor ? { shape: output.shape, dtype: output.dtype } : null)),
  };
  const saved = [...inputs.map(() => null), ...state.saved];
  const node = record(ruleOf(custom), call, inputs, [], saved);
  state.node = node;
  state.present = state.saved.map((value) => value !== null);
  state.saved = [];
  const tensors = outputs.filter((output) => output instanceof Tensor);
  const done = new Map<Tensor, Tensor>();
  const wrapped = outputs.map((output, slot) => {
    if (!(output instanceof Tensor)) return output;
    const before = done.get(output);
    if (before !== undefined) return before;
    const result = attach(output, node, slot, state, inputs, tensors);
    done.set(output, result);
    return result;
  });
  // What was changed in place was saved after the change.
  state.present.forEach((_, k) => node.refreshVersion(inputs.length + k));
  return wrapped;
}

/** Makes one output a result of the node, or an alias of it where the tensor itself has a history of its own. */
function attach(
  output: Tensor,
  node: Node,
  slot: number,
  state: ContextState,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Tensor {
  if (state.nonDifferentiable.has(output) || !isFloating(output.dtype)) {
    return output.requiresGrad ? output.detach() : output;
  }
  if (state.dirty.has(output)) {
    commitWrite(output, node, slot);
    return output;
  }
  const hasHistory = inputs.includes(output) || output.requiresGrad;
  const result = hasHistory ? output.withGraph(node, slot) : output;
  result.node = node;
  result.slot = slot;
  const sharer = inputs.find((x) => x.storage === output.storage) ?? (hasHistory ? output : undefined);
  const shares = sharer !== undefined || outputs.some((other) => other !== output && other.storage === output.storage);
  const base = output.viewInfo?.base ?? sharer?.viewInfo?.base ?? sharer ?? null;
  // A view of something that only forward knew is as good as a tensor of its own.
  result.viewInfo = shares && base !== null ? { base, origin: 'function', version: output.version } : null;
  return result;
}

const rules = new WeakMap<FunctionClass, Rule>();

function ruleOf(custom: FunctionClass): Rule {
  let rule = rules.get(custom);
  if (rule === undefined) {
    const { name } = custom;
    rule = { name, title: `${name}Backward`, trusted: false, vjp: (node, gradients) => runBackward(custom, node, gradients) };
    rules.set(custom, rule);
  }
  return rule;
}

function runBackward(custom: FunctionClass, node: Node, gradients: readonly Gradient[]): Gradient[] {
  const call = node.attrs as Call;
  if (typeof custom.backward !== 'function') throw missing(custom, 'backward');
  const given = call.outputs.map((meta, slot) => {
    const gradient = gradients[slot] ?? null;
    if (gradient !== null || meta === null || !call.state.materializeGrads) return gradient;
    return empty(meta.shape, meta.dtype).zero_();
  });
  const result = (custom.backward as Callable)(call.ctx, ...given);
  const list: unknown[] = Array.isArray(result) ? result : [result];
  const expected = call.places.length;
  const surplus = list.slice(expected).some((value) => value !== null && value !== undefined);
  if (list.length < expected || surplus) {
    throw new GradError(
      `function ${node.name} returned an incorrect number of gradients (expected ${expected}, got ${list.length}); backward ` +
        'returns one for each argument of forward, null where there is none',
      { op: custom.name },
    );
  }
  const results: Gradient[] = call.inputs.map(() => null);
  call.places.forEach((place, i) => {
    const gradient = checkGradient(node, i, list[i], place < 0 ? null : call.inputs[place]!);
    if (place >= 0 && node.needs(place)) results[place] = gradient;
  });
  return results;
}

/** The gradient for argument `i` in its shape and dtype. */
function checkGradient(node: Node, i: number, value: unknown, meta: OutputMeta | null): Gradient {
  if (value === null || value === undefined) return null;
  if (!(value instanceof Tensor)) {
    throw new GradError(`function ${node.name}: expected a Tensor or null as gradient ${i}, got ${typeof value}`);
  }
  if (meta === null) {
    throw new GradError(
      `function ${node.name} returned a gradient different from null at position ${i}, but the argument of forward there ` +
        'was not a Tensor',
    );
  }
  const cast = value.dtype === meta.dtype ? value : value.to(meta.dtype);
  if (sameShape(cast.shape, meta.shape)) return cast;
  const lead = cast.ndim - meta.shape.length;
  if (lead < 0 || meta.shape.some((n, d) => n !== 1 && n !== cast.shape[lead + d])) {
    throw new ShapeError(
      `Function ${node.name} returned an invalid gradient at index ${i} - got ${shapeString(cast.shape)} but expected shape ` +
        `compatible with ${shapeString(meta.shape)}; a gradient always has the shape of its variable`,
      { op: node.rule.name, shapes: [cast.shape, meta.shape] },
    );
  }
  return cast.sumToSize(meta.shape);
}

/** At the end of a gradient that must not be differentiated again. */
const onceRule: Rule = {
  name: 'once_differentiable',
  vjp() {
    throw new GradError(
      'trying to differentiate twice a function that was marked with onceDifferentiable: its backward is not written in ' +
        'operations that can be recorded',
    );
  },
};

/**
 * Wraps the `backward` of a custom Function that is not written in recorded operations: it runs without recording, and
 * differentiating its result raises an error instead of being silently wrong.
 * @example
 * class Round extends tg.Function {
 *   static forward(ctx: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
 *     return x.round();
 *   }
 *   static backward = tg.onceDifferentiable((ctx: tg.FunctionContext, gradient: tg.Tensor) => gradient.clone());
 * }
 * @source torch.autograd.function.once_differentiable
 */
export function onceDifferentiable<C extends Context, G extends unknown[], R>(
  backward: (ctx: C, ...gradients: G) => R,
): (ctx: C, ...gradients: G) => R {
  return (ctx, ...gradients) => {
    const result = noGrad(() => backward(ctx, ...gradients));
    const { node } = stateOf(ctx);
    if (!modes.grad || node === null) return result;
    const seal = (value: unknown): unknown => {
      if (!(value instanceof Tensor) || !isFloating(value.dtype)) return value;
      const edges = gradients.filter((gradient) => gradient instanceof Tensor);
      const inputs = [...node.inputs, ...edges.map((gradient) => gradient.edge())];
      const slots = [...node.slots.slice(0, node.inputs.length), ...edges.map((gradient) => gradient.slot)];
      return value.withGraph(new Node(onceRule, null, inputs, slots, [], []), 0);
    };
    return (Array.isArray(result) ? result.map(seal) : seal(result)) as R;
  };
}
