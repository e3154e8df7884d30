import type { Strided } from '../backend/types.ts';
import { dtypeInfo, getDefaultDType, isFloating, type DType } from '../dtype.ts';
import { broadcastView, checkCastable, checkWritable, commitWrite, edgesOf, empty, emptyOf, FIRST_SLOTS, isRecording, kernels, NO_OUTPUTS, record } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { input, isZero, output, partial, product as multiply, replaceSubexpression, substitute, usesInput, usesOutput, type Expr } from '../expr/index.ts';
import { alike } from '../layout.ts';
import { modes } from '../modes.ts';
import { broadcastShapes, sameShape, shapeString, type Shape } from '../shape.ts';
import { Node, type Gradient, type Receiver, type Rule } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { resultType } from './promotion.ts';

/** How a program's result dtype follows from its inputs: theirs, made floating, bool, or that of the first alone. */
export type ResultKind = 'same' | 'float' | 'bool' | 'first';

/** What a program needs to know beside its expression. */
export interface ProgramOptions {
  readonly result: ResultKind;
  /** Partials given by hand, in terms of inputs, parameters and the output; null entries are derived. */
  readonly partials: readonly (Expr | null)[];
  /** Inputs that are conditions: they keep their dtype and have no gradient. */
  readonly masks: readonly boolean[];
}

/** One input's part in the backward pass. */
interface InputGradient {
  readonly input: number;
  /** What computes it; null where it is the gradient itself, or 0. */
  readonly program: Program | null;
  readonly isZero: boolean;
  /** Positions of the saved values that the program reads after the gradient: inputs, then the output. */
  readonly reads: readonly number[];
}

type Operand = Tensor | null;

/** What a backward pass does for the inputs that need a gradient. */
interface BackwardPlan {
  readonly steps: readonly InputGradient[];
  /** Positions of all that is read, one bit each: inputs, then the output. */
  readonly reads: number;
  /** What the tape keeps of a call without numbers whose inputs have the shape of the result. */
  readonly plain: CallAttrs;
}

/** What the tape keeps of a call: what to do, the plain numbers, and the shapes to which gradients are summed. */
interface CallAttrs {
  readonly plan: BackwardPlan;
  readonly params: readonly number[];
  /** Null when all inputs have the shape of the result. */
  readonly shapes: readonly Shape[] | null;
}

/**
 * One elementwise computation over tensors and runtime parameters. Its derivative with respect to an input, already
 * multiplied by the incoming gradient, is again a program: one fused kernel, on the tape like any other, so that every
 * order comes out of the same mechanism.
 */
export class Program implements Rule {
  readonly name: string;
  readonly expr: Expr;
  readonly inputCount: number;
  readonly options: ProgramOptions;
  private readonly inPlaceName: string;
  /** Whether operands of one floating-point dtype give a result of that dtype. */
  private readonly isPlain: boolean;
  /** By the inputs that need a gradient, one bit each. */
  private readonly plans: (BackwardPlan | undefined)[] = [];
  /** The expression plus one more input. */
  private accumulating: Expr | null = null;
  private readonly gradients: (InputGradient | undefined)[] = [];

  constructor(name: string, expr: Expr, inputCount: number, options: ProgramOptions) {
    this.name = name;
    this.inPlaceName = `${name}_`;
    this.expr = expr;
    this.inputCount = inputCount;
    this.options = options;
    this.isPlain = options.result !== 'bool' && !options.masks.includes(true);
  }

  /** The backward step of input `i`, derived on first use. */
  gradient(i: number): InputGradient {
    return (this.gradients[i] ??= this.derive(i));
  }

  private derive(i: number): InputGradient {
    const { options, inputCount, expr } = this;
    const zero: InputGradient = { input: i, program: null, isZero: true, reads: [] };
    if (options.result === 'bool' || options.masks[i]) return zero;
    const symbolic = options.partials[i] ?? replaceSubexpression(partial(expr, i), expr, output());
    const product = slopeTimes(input(inputCount), symbolic);
    if (product === input(inputCount)) return { ...zero, isZero: false };
    if (isZero(symbolic)) return zero;
    // The gradient becomes input 0, the saved values follow in order.
    const reads: number[] = [];
    for (let k = 0; k < inputCount; k++) if (usesInput(product, k)) reads.push(k);
    if (usesOutput(product)) reads.push(inputCount);
    const inputs = Array.from({ length: inputCount + 1 }, (_, k) => {
      return k === inputCount ? input(0) : input(1 + Math.max(reads.indexOf(k), 0));
    });
    const place = reads.indexOf(inputCount);
    const program = new Program(
      `${this.name}_backward`,
      substitute(product, place < 0 ? { inputs } : { inputs, output: input(1 + place) }),
      1 + reads.length,
      {
        result: 'same',
        partials: [],
        masks: [false, ...reads.map((k) => k < inputCount && (options.masks[k] ?? false))],
      },
    );
    return { input: i, program, isZero: false, reads };
  }

  private planFor(edges: Edges): BackwardPlan {
    return this.planOf(edges.reduce((needs, edge, i) => (edge === null ? needs : needs | (1 << i)), 0));
  }

  private planOf(needs: number): BackwardPlan {
    return this.plans[needs] ?? this.makePlan(needs);
  }

  private makePlan(needs: number): BackwardPlan {
    const steps: InputGradient[] = [];
    for (let i = 0; i < this.inputCount; i++) if ((needs & (1 << i)) !== 0) steps.push(this.gradient(i));
    const reads = steps.flatMap((step) => step.reads).reduce((bits, k) => bits | (1 << k), 0);
    const plan: { -readonly [K in keyof BackwardPlan]: BackwardPlan[K] } = { steps, reads, plain: null! };
    plan.plain = { plan, params: NO_NUMBERS, shapes: null };
    return (this.plans[needs] = plan);
  }

  vjp(node: Node, gradients: readonly Gradient[]): Gradient[] {
    const results = node.inputs.map((): Gradient => null);
    this.push(node, gradients[0]!, { receive: (_, i, gradient) => (results[i] = gradient) });
    return results;
  }

  push(node: Node, gradient: Tensor, receiver: Receiver): void {
    const { steps } = (node.attrs as CallAttrs).plan;
    // What is computed last may take the place of the incoming gradient, unless that is on its way itself.
    let last: InputGradient | null = null;
    for (let k = 0; k < steps.length; k++) {
      const step = steps[k]!;
      if (step.program === null) receiver.receive(node, step.input, passOn(node, step, gradient));
      else if (!addToSum(node, step, gradient)) {
        if (last !== null) receiver.receive(node, last.input, pullBack(node, last, gradient, false));
        last = step;
      }
    }
    if (last !== null) receiver.receive(node, last.input, pullBack(node, last, gradient, node.mayOverwrite(gradient)));
  }

  /** Whether operands (null for none) need no thought: one floating-point dtype, one shape, elements side by side. */
  fits(x: Tensor, y: Operand, z: Operand, w: Operand): boolean {
    return (
      this.isPlain &&
      x.layout.isPlain &&
      (y === null || alike(x, y)) &&
      (z === null || alike(x, z)) &&
      (w === null || alike(x, w))
    );
  }

  /** Writes the result for operands that fit to a tensor like them, which may be one of them; off the tape. */
  compute(out: Tensor, x: Tensor, y: Operand, z: Operand, params: readonly number[]): void {
    kernels(this.name).dense(this.expr, out.layout.numel, out, x, y, z, null, params);
  }

  /** Adds the result for operands that fit to a sum like them in place, off the tape. */
  accumulate(sum: Tensor, x: Tensor, y: Operand, z: Operand, params: readonly number[]): void {
    const expr = (this.accumulating ??= input(this.inputCount).add(this.expr));
    const { numel } = sum.layout;
    if (y === null) kernels(this.name).dense(expr, numel, sum, x, sum, null, null, params);
    else if (z === null) kernels(this.name).dense(expr, numel, sum, x, y, sum, null, params);
    else kernels(this.name).dense(expr, numel, sum, x, y, z, sum, params);
    sum.storage.version++;
  }

  /** Runs the program on tensors (broadcast against each other) and numbers, and records it. */
  apply(tensors: readonly Tensor[], params: readonly number[]): Tensor {
    if (tensors.length > 3) return this.applyMixed(tensors, params);
    return this.applyFew(tensors[0]!, tensors.length > 1 ? tensors[1]! : null, tensors.length > 2 ? tensors[2]! : null, params);
  }

  /** The same for one to three tensors, without a list. */
  applyFew(x: Tensor, y: Operand, z: Operand, params: readonly number[]): Tensor {
    if (!this.fits(x, y, z, null)) return this.applyMixed(z !== null ? [x, y!, z] : y !== null ? [x, y] : [x], params);
    const out = emptyOf(x.layout);
    this.compute(out, x, y, z, params);
    if (modes.grad) this.note(out, x, y, z, params);
    return out;
  }

  /** Puts a call with operands that fit on the tape. */
  private note(out: Tensor, x: Tensor, y: Operand, z: Operand, params: readonly number[]): void {
    const first = x.edge();
    const second = y === null ? null : y.edge();
    const third = z === null ? null : z.edge();
    const needs = (first === null ? 0 : 1) | (second === null ? 0 : 2) | (third === null ? 0 : 4);
    if (needs === 0) return;
    const plan = this.planOf(needs);
    const { reads } = plan;
    const attrs = params.length === 0 ? plan.plain : { plan, params, shapes: null };
    let edges, saved, slots;
    if (y === null) {
      edges = [first];
      saved = reads === 0 ? NOTHING_SAVED : [reads & 1 ? x : null, reads & 2 ? out : null];
      slots = x.slot === 0 ? FIRST_SLOTS : [x.slot];
    } else if (z === null) {
      edges = [first, second];
      saved = reads === 0 ? NOTHING_SAVED : [reads & 1 ? x : null, reads & 2 ? y : null, reads & 4 ? out : null];
      slots = (x.slot | y.slot) === 0 ? FIRST_SLOTS : [x.slot, y.slot];
    } else {
      edges = [first, second, third];
      saved = [reads & 1 ? x : null, reads & 2 ? y : null, reads & 4 ? z : null, reads & 8 ? out : null];
      slots = [x.slot, y.slot, z.slot];
    }
    out.node = new Node(this, attrs, edges, slots, NO_OUTPUTS, saved);
  }

  /** Any operands: promoted to one dtype, broadcast to one shape. */
  private applyMixed(tensors: readonly Tensor[], params: readonly number[]): Tensor {
    const { compute, result } = this.dtypes(tensors, params);
    const inputs = this.cast(tensors, compute);
    const first = inputs[0]!;
    let { shape } = first;
    for (let i = 1; i < inputs.length; i++) {
      if (inputs[i]!.shape !== shape) shape = broadcastShapes(this.name, shape, inputs[i]!.shape);
    }
    const { layout } = first;
    const out = first.shape === shape && layout.isContiguous && layout.dtype === result ? emptyOf(layout) : empty(shape, result);
    this.run(out, inputs, params, compute);
    const edges = result === 'bool' ? null : edgesOf(inputs);
    if (edges !== null) {
      const plan = this.planFor(edges);
      record(this, attrsOf(plan, inputs, params, shape), inputs, out, savedOf(plan, inputs, out), edges);
    }
    return out;
  }

  /**
   * Runs the program with its first input as the place of the result.
   * @throws before anything is written, if shapes, dtypes or the tape forbid it
   */
  applyInPlace(target: Tensor, tensors: readonly Tensor[], params: readonly number[]): Tensor {
    const name = this.inPlaceName;
    const { compute, result } = this.dtypes(tensors, params);
    checkCastable(name, result, target.dtype);
    const sources = this.cast(tensors, compute);
    for (let i = 0; i < tensors.length; i++) this.checkFits(target, tensors[i]!.shape);
    checkWritable(name, target, isRecording(tensors));
    const inputs = sources.some((x) => overlaps(x, target)) ? sources.map((x) => (overlaps(x, target) ? x.clone() : x)) : sources;
    const edges = edgesOf(inputs);
    const plan = edges === null ? null : this.planFor(edges);
    let saved = NOTHING_SAVED;
    if (plan !== null) {
      // The rule may want the target's old value, which is about to be overwritten.
      const isRead = inputs[0] === target && (plan.reads & 1) !== 0;
      saved = savedOf(plan, isRead ? [target.detach().clone(), ...inputs.slice(1)] : inputs, target);
    }
    this.run(target, inputs, params, compute);
    const node = plan === null ? null : record(this, attrsOf(plan, inputs, params, target.shape), inputs, null, saved, edges!);
    commitWrite(target, node);
    node?.refreshVersion(this.inputCount);
    return target;
  }

  private checkFits(target: Tensor, shape: Shape): void {
    if (sameShape(shape, target.shape)) return;
    const result = broadcastShapes(this.inPlaceName, target.shape, shape);
    if (sameShape(result, target.shape)) return;
    throw new ShapeError(
      `${this.inPlaceName}: the result would have shape ${shapeString(result)}, but an in-place operation cannot change the ` +
        `shape of its target ${shapeString(target.shape)} (the expanded size must match the existing size)`,
      { op: this.inPlaceName, shapes: [target.shape, shape] },
    );
  }

  private run(out: Tensor, inputs: readonly Tensor[], params: readonly number[], compute: DType): void {
    let views: Strided[] | readonly Tensor[] = inputs;
    for (let i = 0; i < inputs.length; i++) {
      if (!sameShape(inputs[i]!.shape, out.shape)) {
        views = inputs.map((x) => broadcastView(x, out.shape));
        break;
      }
    }
    const numbers = this.options.result === 'first' && !isFloating(compute) ? params.map((p) => asWhole(p, compute)) : params;
    kernels(this.name).elementwise(this.expr, out, views, numbers, compute);
  }

  private dtypes(tensors: readonly Tensor[], params: readonly number[]): { compute: DType; result: DType } {
    const { masks, result } = this.options;
    const operands = masks.length === 0 ? tensors : tensors.filter((_, i) => !masks[i]);
    let compute = result === 'first' ? tensors[0]!.dtype : resultType(operands, params);
    if (result === 'float' && dtypeInfo[compute].category < 2) compute = getDefaultDType();
    return { compute, result: result === 'bool' ? 'bool' : compute };
  }

  private cast(tensors: readonly Tensor[], compute: DType): readonly Tensor[] {
    const { masks } = this.options;
    for (let i = 0; i < tensors.length; i++) {
      if (tensors[i]!.dtype !== compute && !masks[i]) {
        return tensors.map((x, k) => (x.dtype === compute || masks[k] ? x : x.to(compute)));
      }
    }
    return tensors;
  }
}

/** The gradient of an input that takes no kernel. */
function passOn(node: Node, { input, isZero }: InputGradient, gradient: Tensor): Tensor {
  const { shapes } = node.attrs as CallAttrs;
  const shape = shapes === null ? gradient.shape : shapes[input]!;
  return isZero ? empty(shape, gradient.dtype).zero_() : fitted(gradient, shape);
}

/** Adds the gradient of an input to the sum that waits for it, if it may and if that takes no more than a kernel; says whether. */
function addToSum(node: Node, step: InputGradient, gradient: Tensor): boolean {
  const sum = node.ownSum(step.input);
  const { reads } = step;
  if (sum === null || reads.length > 2) return false;
  const y = reads.length > 0 ? node.savedTensor(reads[0]!) : null;
  const z = reads.length > 1 ? node.savedTensor(reads[1]!) : null;
  const program = step.program!;
  if (!program.fits(gradient, y, z, sum)) return false;
  program.accumulate(sum, gradient, y, z, (node.attrs as CallAttrs).params);
  return true;
}

/** The gradient of an input, in place of the incoming one if that is free and of one kind with all that is read. */
function pullBack(node: Node, step: InputGradient, gradient: Tensor, isFree: boolean): Tensor {
  const { params, shapes } = node.attrs as CallAttrs;
  const { reads } = step;
  const program = step.program!;
  let value = gradient;
  if (reads.length > 2) value = program.apply([gradient, ...reads.map((k) => node.savedTensor(k))], params);
  else {
    const y = reads.length > 0 ? node.savedTensor(reads[0]!) : null;
    const z = reads.length > 1 ? node.savedTensor(reads[1]!) : null;
    if (isFree && program.fits(gradient, y, z, null)) program.compute(gradient, gradient, y, z, params);
    else value = program.applyFew(gradient, y, z, params);
  }
  return shapes === null ? value : fitted(value, shapes[step.input]!);
}

function attrsOf(plan: BackwardPlan, inputs: readonly Tensor[], params: readonly number[], shape: Shape): CallAttrs {
  for (let i = 0; i < inputs.length; i++) {
    if (!sameShape(inputs[i]!.shape, shape)) return { plan, params, shapes: inputs.map((x) => x.shape) };
  }
  return params.length === 0 ? plan.plain : { plan, params, shapes: null };
}

/** Inputs and output at their positions, null where no gradient that is needed reads them. */
function savedOf({ reads }: BackwardPlan, inputs: readonly Tensor[], out: Tensor): (Tensor | null)[] {
  if (reads === 0) return NOTHING_SAVED;
  const first = (reads & 1) === 0 ? null : inputs[0]!;
  const count = inputs.length;
  const last = reads >> count === 0 ? null : out;
  if (count === 1) return [first, last];
  const second = (reads & 2) === 0 ? null : inputs[1]!;
  if (count === 2) return [first, second, last];
  const saved = [first, second];
  for (let i = 2; i < count; i++) saved.push((reads & (1 << i)) === 0 ? null : inputs[i]!);
  saved.push(last);
  return saved;
}

/** gradient · slope. Where the slope is chosen to be 0, the gradient has no part in it, even if it is infinite or NaN. */
function slopeTimes(gradient: Expr, slope: Expr): Expr {
  if (slope.name !== 'where') return multiply(gradient, slope);
  const [condition, yes, no] = slope.args as [Expr, Expr, Expr];
  if (!isZero(yes) && !isZero(no)) return multiply(gradient, slope);
  return condition.where(slopeTimes(gradient, yes), slopeTimes(gradient, no));
}

type Edges = readonly (Node | null)[];

const NOTHING_SAVED: (Tensor | null)[] = [];
/** For calls without plain numbers. */
export const NO_NUMBERS: readonly number[] = [];

/** A gradient summed to the shape of what was broadcast. */
function fitted(gradient: Tensor, shape: Shape): Tensor {
  return sameShape(gradient.shape, shape) ? gradient : gradient.sumToSize(shape);
}

/** A number as an integer or bool element holds it. */
function asWhole(value: number, dtype: DType): number {
  return dtype === 'bool' ? Number(value !== 0) : Math.trunc(value);
}

/** Whether two tensors over one storage may touch the same bytes without being element by element the same. */
function overlaps(x: Tensor, target: Tensor): boolean {
  if (x === target || x.storage !== target.storage) return false;
  return x.offset !== target.offset || !sameShape(x.shape, target.shape) || !sameShape(x.strides, target.strides);
}
