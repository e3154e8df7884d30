import type { RowComputation, RowOutput, RowSort, Strided } from '../backend/types.ts';
import { edgesOf, empty, kernels, record } from '../dispatch.ts';
import type { DType } from '../dtype.ts';
import { input, output, param, type Expr } from '../expr/index.ts';
import { withEntry, type Shape } from '../shape.ts';
import type { Gradient, Node, Rule } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { rowGradient, spansOf, type DifferentiableFold, type RowFormula, type RowGradient, type Span } from './row-gradient.ts';

/** How the formula of a row program is written down. */
export interface RowBuilder {
  /** The number of elements in a row. */
  readonly count: Expr;
  /** The number of the column, from 0. */
  readonly column: Expr;
  /** The i-th number that is given with a call. */
  param(i: number): Expr;
  /**
   * Σ over the row.
   * @param still earlier folds on which the sum does not depend to first order, as a sum of squares around the mean
   */
  sum(value: Expr, still?: readonly Expr[]): Expr;
  /** The largest element, NaN passed over. For derivatives it is a constant: use it to keep numbers in range. */
  max(value: Expr): Expr;
}

/** What a row program gives. */
export interface RowResults {
  readonly outputs: readonly RowOutput[];
  /** Expressions that derivatives contain, each with an equal one in terms of the first output. */
  readonly known?: (result: Expr) => readonly (readonly [Expr, Expr])[];
}

/** What the tape keeps of a call. */
interface CallAttrs {
  readonly shape: Shape;
  readonly dim: number;
  readonly params: readonly number[];
}

/**
 * A computation along one dimension: folds over rows, and values per element or row that follow from them. Its derivative
 * is derived, and is again such a program: one kernel, on the tape like any other, so that every order comes out of the
 * same mechanism.
 */
export class RowProgram implements Rule {
  readonly name: string;
  private readonly write: () => RowFormula;
  private written: { readonly formula: RowFormula; readonly computation: RowComputation } | null = null;
  private readonly recording = new Map<number, Recorded>();
  private readonly derived = new Map<number, Derived>();

  /** @param write gives the formula, when it is first needed */
  constructor(name: string, write: () => RowFormula) {
    this.name = name;
    this.write = write;
  }

  private get formula(): RowFormula {
    return this.content.formula;
  }

  private get content(): { readonly formula: RowFormula; readonly computation: RowComputation } {
    if (this.written === null) {
      const formula = this.write();
      const { inputs, folds, outputs } = formula;
      this.written = { formula, computation: { inputCount: inputs.length, folds, outputs, compiled: { kernels: null } } };
    }
    return this.written;
  }

  /**
   * Runs the program and records it.
   * @param tensors one per operand, all of one floating-point dtype except those that have no gradient: per element of
   * this shape (n times its size at `dim` where n inputs lie side by side), per row with size 1 at `dim`, per column a vector
   * @param shape the shape that the rows make up, at least one dimension
   * @param dim the dimension along which they lie
   * @returns one tensor per result, shaped like the operands
   */
  apply(tensors: readonly Tensor[], shape: Shape, dim: number, params: readonly number[] = NO_NUMBERS): Tensor[] {
    return this.run(tensors, { shape, dim, params: [shape[dim]!, ...params] });
  }

  private run(tensors: readonly Tensor[], attrs: CallAttrs): Tensor[] {
    const edges = this.edges(tensors);
    if (edges === null) return this.execute(tensors, attrs);
    const { program, reads } = this.recorded(edges);
    const outs = program.execute(tensors, attrs);
    const saved: (Tensor | null)[] = [...tensors, ...outs];
    for (let i = 0; i < saved.length; i++) if (!reads.includes(i)) saved[i] = null;
    record(program, attrs, tensors, outs.length === 1 ? outs[0]! : outs, saved, edges);
    return outs.length === this.formula.results.length ? outs : outs.slice(0, this.formula.results.length);
  }

  /** Where gradients go; null where none is wanted. */
  private edges(tensors: readonly Tensor[]): (Node | null)[] | null {
    const edges = edgesOf(tensors);
    if (edges === null) return null;
    const { inputs, operands } = this.formula;
    let isWanted = false;
    for (let i = 0; i < edges.length; i++) {
      if (inputs[operands[i]!.start]!.isConstant) edges[i] = null;
      else if (edges[i] !== null) isWanted = true;
    }
    return isWanted ? edges : null;
  }

  // Loops rather than closures here and below: what the engine compiles for a closure goes with it.

  private execute(tensors: readonly Tensor[], { shape, dim, params }: CallAttrs): Tensor[] {
    const { inputs, operands, outputs, results } = this.formula;
    const rows = toLast(shape, dim);
    const from = new Array<Strided>(inputs.length);
    let dtype: DType | null = null;
    for (let i = 0; i < tensors.length; i++) {
      const span = operands[i]!;
      const { sort, isConstant } = inputs[span.start]!;
      if (!isConstant) dtype ??= tensors[i]!.dtype;
      if (span.count > 1) partsAlongLast(tensors[i]!, rows, dim, from, span);
      else from[span.start] = alongLast(tensors[i]!, sort, rows, dim, 0);
    }
    const outs = new Array<Tensor>(results.length);
    const to = new Array<Strided>(outputs.length);
    for (let r = 0; r < results.length; r++) {
      const span = results[r]!;
      const { sort } = outputs[span.start]!;
      outs[r] = empty(span.count > 1 ? withEntry(shape, dim, span.count * shape[dim]!) : sortShape(shape, dim, sort), dtype!);
      if (span.count > 1) partsAlongLast(outs[r]!, rows, dim, to, span);
      else to[span.start] = alongLast(outs[r]!, sort, rows, dim, 1);
    }
    kernels(this.name).rows(this.content.computation, rows, to, from, params);
    return outs;
  }

  /** The program that is put on the tape: this one, with the folds that gradients read as further outputs. */
  private recorded(edges: readonly (Node | null)[]): Recorded {
    let key = 0;
    for (let i = 0; i < edges.length; i++) if (edges[i] !== null) key += 2 ** i;
    let found = this.recording.get(key);
    if (found === undefined) {
      found = this.derive(edges.map((edge) => edge !== null));
      this.recording.set(key, found);
    }
    return found;
  }

  private derive(needs: readonly boolean[]): Recorded {
    const { inputs, outputs, results } = this.formula;
    const { reads, missing } = rowGradient(this.formula, needs, results.map(() => true));
    if (missing.length === 0) return { program: this, reads };
    const folds = missing.map((k): RowOutput => ({ sort: 'row', value: input(inputs.length + 1 + k) }));
    const further = missing.map((_, k) => ({ start: outputs.length + k, count: 1 }));
    const formula = { ...this.formula, outputs: [...outputs, ...folds], results: [...results, ...further] };
    return new RowProgram(this.name, () => formula).derive(needs);
  }

  vjp(node: Node, gradients: readonly Gradient[]): Gradient[] {
    const { program, plan } = this.gradient(node, gradients);
    const wanted = new Array<Gradient>(plan.results.length).fill(null);
    if (program === null) return wanted;
    const operands: Tensor[] = [];
    for (const o of plan.gradients) operands.push(gradients[o]!);
    for (const position of plan.reads) operands.push(node.savedTensor(position));
    const results = program.run(operands, node.attrs as CallAttrs);
    for (let i = 0; i < wanted.length; i++) if (plan.results[i]! >= 0) wanted[i] = results[plan.results[i]!]!;
    return wanted;
  }

  private gradient(node: Node, gradients: readonly Gradient[]): Derived {
    const { operands, results } = this.formula;
    let key = 0;
    for (let i = 0; i < operands.length; i++) if (node.needs(i)) key += 2 ** i;
    for (let r = 0; r < results.length; r++) if (gradients[r]) key += 2 ** (operands.length + r);
    let found = this.derived.get(key);
    if (found === undefined) {
      const present = results.map((_, r) => Boolean(gradients[r]));
      const plan = rowGradient(this.formula, operands.map((_, i) => node.needs(i)), present);
      const program = plan.formula.outputs.length === 0 ? null : new RowProgram(`${this.name}_backward`, () => plan.formula);
      found = { plan, program };
      this.derived.set(key, found);
    }
    return found;
  }
}

interface Recorded {
  readonly program: RowProgram;
  /** What is saved: positions of operands, then results. */
  readonly reads: readonly number[];
}

interface Derived {
  readonly plan: RowGradient;
  /** Null where no operand has a gradient. */
  readonly program: RowProgram | null;
}

const NO_NUMBERS: readonly number[] = [];

/** The shape of an operand of this sort. */
function sortShape(shape: Shape, dim: number, sort: RowSort): Shape {
  if (sort === 'element') return shape;
  return sort === 'column' ? [shape[dim]!] : withEntry(shape, dim, 1);
}

/** A list per dimension with the entry of `dim` at the end. */
function toLast(list: readonly number[], dim: number): readonly number[] {
  return dim === list.length - 1 ? list : [...list.slice(0, dim), ...list.slice(dim + 1), list[dim]!];
}

/** An operand as the kernel sees it: with the row in the last dimension; results have size 1 where they are folded (`kept`). */
function alongLast(x: Tensor, sort: RowSort, rows: Shape, dim: number, kept: 0 | 1): Strided {
  const last = rows.length - 1;
  if (sort === 'element' && dim === last) return x;
  const { storage, offset, dtype } = x;
  if (sort === 'column') {
    const strides = new Array<number>(rows.length).fill(0);
    strides[last] = x.strides[0]!;
    const ones = new Array<number>(rows.length).fill(1);
    ones[last] = rows[last]!;
    return { storage, offset, shape: kept ? ones : rows, strides, dtype };
  }
  const strides = toLast(x.strides, dim);
  if (sort === 'element') return { storage, offset, shape: rows, strides, dtype };
  return { storage, offset, shape: kept ? withEntry(rows, last, 1) : rows, strides: withEntry(strides, last, 0), dtype };
}

/** The parts of this size that lie side by side in an operand, each as the kernel sees it. */
function partsAlongLast(x: Tensor, rows: Shape, dim: number, to: Strided[], { start, count }: Span): void {
  const { storage, dtype } = x;
  const strides = toLast(x.strides, dim);
  const size = rows[rows.length - 1]! * x.strides[dim]!;
  for (let k = 0; k < count; k++) to[start + k] = { storage, offset: x.offset + k * size, shape: rows, strides, dtype };
}

/** What an operand is: a sort, after which a `!` says that it has no gradient, or sorts of what lies side by side in it. */
export type RowOperand = RowSort | `${RowSort}!` | readonly 'element'[];

/**
 * Declares a computation along a dimension by its formula.
 * @param build gets one expression per input, those that lie side by side in an operand one after the other
 */
/* @__NO_SIDE_EFFECTS__ */
export function rowProgram(
  name: string,
  operands: readonly RowOperand[],
  build: (row: RowBuilder, ...inputs: Expr[]) => RowResults,
): RowProgram {
  return new RowProgram(name, () => writeFormula(operands, build));
}

function writeFormula(
  operands: readonly RowOperand[],
  build: (row: RowBuilder, ...inputs: Expr[]) => RowResults,
): RowFormula {
  const inputs = operands.flat();
  const folds: DifferentiableFold[] = [];
  const fold = (kind: DifferentiableFold['kind'], value: Expr, still: readonly Expr[]): Expr => {
    folds.push({ kind, value, still });
    return input(inputs.length + folds.length);
  };
  const row: RowBuilder = {
    count: param(0),
    column: input(inputs.length),
    param: (i) => param(i + 1),
    sum: (value, still = []) => fold('sum', value, still),
    max: (value) => fold('max', value, []),
  };
  const { outputs, known } = build(row, ...inputs.map((_, i) => input(i)));
  return {
    inputs: inputs.map((sort) => ({ sort: sort.replace('!', '') as RowSort, isConstant: sort.endsWith('!') })),
    operands: spansOf(operands.map((operand) => (typeof operand === 'string' ? 1 : operand.length))),
    folds,
    outputs,
    results: spansOf(outputs.map(() => 1)),
    known: known?.(output()) ?? [],
  };
}
