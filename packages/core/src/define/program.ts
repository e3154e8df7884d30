import type { Strided } from '../backend/types.ts';
import { dtypeInfo, getDefaultDType, isFloating, type DType } from '../dtype.ts';
import { broadcastView, checkCastable, checkWritable, commitWrite, edgesOf, empty, isRecording, kernels, record } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { input, isZero, output, partial, product as multiply, replaceSubexpression, substitute, usesInput, usesOutput, type Expr } from '../expr/index.ts';
import { broadcastShapes, sameShape, shapeString, type Shape } from '../shape.ts';
import type { Gradient, Node, Rule } from '../tape.ts';
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
  /** `zero` and `identity` need no kernel. */
  readonly kind: 'zero' | 'identity' | 'program';
  readonly program: Program | null;
  /** Positions of the saved values that the program reads after the gradient: inputs, then the output. */
  readonly reads: readonly number[];
}

/** What the tape keeps of a call: the plain numbers and the shapes to which gradients are summed. */
interface CallAttrs {
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
  private readonly readsFor: (number | undefined)[] = [];
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
    if (options.result === 'bool' || options.masks[i]) return { kind: 'zero', program: null, reads: [] };
    const symbolic = options.partials[i] ?? replaceSubexpression(partial(expr, i), expr, output());
    const product = slopeTimes(input(inputCount), symbolic);
    if (product === input(inputCount)) return { kind: 'identity', program: null, reads: [] };
    if (isZero(symbolic)) return { kind: 'zero', program: null, reads: [] };
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
    return { kind: 'program', program, reads };
  }

  vjp(node: Node, gradients: readonly Gradient[]): Gradient[] {
    const gradient = gradients[0]!;
    const { params, shapes } = node.attrs as CallAttrs;
    const results = new Array<Gradient>(this.inputCount);
    // The one that is computed last may take the place of the incoming gradient, unless that is handed on itself.
    let last = -1;
    let isHandedOn = false;
    for (let i = 0; i < this.inputCount; i++) {
      results[i] = null;
      if (node.inputs[i] === null) continue;
      const { kind, program } = this.gradient(i);
      if (kind === 'program') {
        const sum = node.ownSum(i);
        if (sum !== null && program!.addTo(sum, this.operands(node, i, gradient, sum), params)) continue;
        if (last >= 0) results[last] = this.pullBack(node, last, gradient, false);
        last = i;
        continue;
      }
      if (kind === 'zero') results[i] = empty(shapes === null ? gradient.shape : shapes[i]!, gradient.dtype).zero_();
      else {
        isHandedOn = true;
        results[i] = shapes === null ? gradient : fitted(gradient, shapes[i]!);
      }
    }
    if (last >= 0) results[last] = this.pullBack(node, last, gradient, !isHandedOn && node.mayOverwrite(gradient));
    return results;
  }

  /** The gradient of input `i`, in place of the incoming one if that is free and of one kind with all that is read. */
  private pullBack(node: Node, i: number, gradient: Tensor, isFree: boolean): Tensor {
    const { params, shapes } = node.attrs as CallAttrs;
    const program = this.gradient(i).program!;
    const operands = this.operands(node, i, gradient, null);
    if (isFree && program.isPlain && areAlike(operands)) {
      kernels(program.name).elementwise(program.expr, gradient, operands, params, gradient.dtype);
      return shapes === null ? gradient : fitted(gradient, shapes[i]!);
    }
    const value = program.apply(operands, params);
    return shapes === null ? value : fitted(value, shapes[i]!);
  }

  /** What the program for the gradient of input `i` takes: the incoming gradient, saved values, and a sum if it adds to one. */
  private operands(node: Node, i: number, gradient: Tensor, sum: Tensor | null): Tensor[] {
    const { reads } = this.gradient(i);
    const count = reads.length;
    const operands = new Array<Tensor>(sum === null ? count + 1 : count + 2);
    operands[0] = gradient;
    for (let r = 0; r < count; r++) operands[r + 1] = node.savedTensor(reads[r]!);
    if (sum !== null) operands[count + 1] = sum;
    return operands;
  }

  /**
   * Adds what `apply` would return to a tensor in place, off the tape, if that takes no more than one kernel.
   * @param operands those of the program, then the sum itself
   */
  private addTo(sum: Tensor, operands: readonly Tensor[], params: readonly number[]): boolean {
    if (!this.isPlain || !areAlike(operands)) return false;
    this.accumulating ??= input(this.inputCount).add(this.expr);
    kernels(this.name).elementwise(this.accumulating, sum, operands, params, sum.dtype);
    sum.storage.version++;
    return true;
  }

  /** Runs the program on tensors (broadcast against each other) and numbers, and records it. */
  apply(tensors: readonly Tensor[], params: readonly number[]): Tensor {
    if (!this.isPlain || !areAlike(tensors)) return this.applyMixed(tensors, params);
    const { shape, strides, dtype } = tensors[0]!;
    const out = empty(shape, dtype, strides);
    kernels(this.name).elementwise(this.expr, out, tensors, params, dtype);
    const edges = edgesOf(tensors);
    if (edges !== null) {
      const attrs = params.length === 0 ? PLAIN : { params, shapes: null };
      record(this, attrs, tensors, out, this.saved(edges, tensors, out), edges);
    }
    return out;
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
    const out = first.shape === shape && first.isContiguous() ? empty(shape, result, first.strides) : empty(shape, result);
    this.run(out, inputs, params, compute);
    const edges = result === 'bool' ? null : edgesOf(inputs);
    if (edges !== null) record(this, this.attrs(inputs, params, shape), inputs, out, this.saved(edges, inputs, out), edges);
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
    let saved = NOTHING_SAVED;
    if (edges !== null) {
      // The rule may want the target's old value, which is about to be overwritten.
      const kept = inputs.map((x, i) => (i === 0 && x === target && this.savesInput(edges, 0) ? x.detach().clone() : x));
      saved = this.saved(edges, kept, target);
    }
    this.run(target, inputs, params, compute);
    const node = edges === null ? null : record(this, this.attrs(inputs, params, target.shape), inputs, null, saved, edges);
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

  private attrs(inputs: readonly Tensor[], params: readonly number[], shape: Shape): CallAttrs {
    for (let i = 0; i < inputs.length; i++) {
      if (!sameShape(inputs[i]!.shape, shape)) return { params, shapes: inputs.map((x) => x.shape) };
    }
    return params.length === 0 ? PLAIN : { params, shapes: null };
  }

  private savesInput(edges: Edges, k: number): boolean {
    return (this.reads(edges) & (1 << k)) !== 0;
  }

  /** The positions, one bit each, that the needed gradients read: inputs, then the output. */
  private reads(edges: Edges): number {
    let needs = 0;
    for (let i = 0; i < edges.length; i++) if (edges[i] !== null) needs |= 1 << i;
    return (this.readsFor[needs] ??= this.deriveReads(needs));
  }

  private deriveReads(needs: number): number {
    let reads = 0;
    for (let i = 0; i < this.inputCount; i++) {
      if ((needs & (1 << i)) !== 0) for (const k of this.gradient(i).reads) reads |= 1 << k;
    }
    return reads;
  }

  /** Inputs and output at their positions, null where no gradient that is needed reads them. */
  private saved(edges: Edges, inputs: readonly Tensor[], out: Tensor): (Tensor | null)[] {
    const reads = this.reads(edges);
    if (reads === 0) return NOTHING_SAVED;
    const count = inputs.length;
    const saved = new Array<Tensor | null>(count + 1);
    for (let i = 0; i < count; i++) saved[i] = (reads & (1 << i)) === 0 ? null : inputs[i]!;
    saved[count] = reads >> count === 0 ? null : out;
    return saved;
  }
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
const PLAIN: CallAttrs = { params: [], shapes: null };

/** A gradient summed to the shape of what was broadcast. */
function fitted(gradient: Tensor, shape: Shape): Tensor {
  return sameShape(gradient.shape, shape) ? gradient : gradient.sumToSize(shape);
}

/** Whether operands need no thought: one floating-point dtype, one shape, elements side by side. */
function areAlike(tensors: readonly Tensor[]): boolean {
  const first = tensors[0]!;
  const { shape, strides, dtype } = first;
  if ((dtype !== 'float32' && dtype !== 'float64') || !first.isContiguous()) return false;
  for (let i = 1; i < tensors.length; i++) {
    const other = tensors[i]!;
    if (other.dtype !== dtype || !sameShape(other.shape, shape)) return false;
    if (other.strides !== strides && !other.isContiguous()) return false;
  }
  return true;
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
