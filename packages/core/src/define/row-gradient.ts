import type { RowFold, RowOutput, RowSort } from '../backend/types.ts';
import {
  constant, input, isZero, nodesOf, param, partial, product, replaceSubexpression, substitute, type Expr,
} from '../expr/index.ts';
import { summandsOf, sumOf, termOf } from './row-terms.ts';

/** A fold with the earlier folds in which its derivative is known to be 0. */
export interface DifferentiableFold extends RowFold {
  readonly still: readonly Expr[];
}

/** An input of a row program. */
export interface RowInput {
  readonly sort: RowSort;
  /** Whether it has no gradient: labels, and extremes that only keep numbers in range. */
  readonly isConstant: boolean;
}

/** Neighbours among inputs or outputs that lie side by side in one tensor. */
export interface Span {
  readonly start: number;
  readonly count: number;
}

/** Spans of these lengths, one after the other. */
export function spansOf(counts: readonly number[]): Span[] {
  let end = 0;
  return counts.map((count) => ({ start: (end += count) - count, count }));
}

/** What a row program computes, numbered like a `RowComputation`. */
export interface RowFormula {
  readonly inputs: readonly RowInput[];
  /** The tensors that are given, each with its inputs. */
  readonly operands: readonly Span[];
  readonly folds: readonly DifferentiableFold[];
  readonly outputs: readonly RowOutput[];
  /** The tensors that are made, each with its outputs. */
  readonly results: readonly Span[];
  /** Expressions that derivatives contain, each with what it equals in terms of the first output: `output()`. */
  readonly known: readonly (readonly [Expr, Expr])[];
}

/** Gradients as a formula. */
export interface RowGradient {
  readonly formula: RowFormula;
  /** Positions of the results whose gradients come first among its operands. */
  readonly gradients: readonly number[];
  /** Positions of the saved values that follow: operands, then results. */
  readonly reads: readonly number[];
  /** Per operand of the original the position of its gradient among the results; −1 where it has none. */
  readonly results: readonly number[];
  /** Folds of the original that the formula needs as outputs and does not find there. */
  readonly missing: readonly number[];
}

/**
 * Reverse mode over the folds of a formula: for the inputs that need it, the gradients as a formula again. The adjoint of
 * a sum r is a sum too, of g ∂f/∂r and of the later adjoints times what they depend on r with.
 * @param needs which operands want a gradient
 * @param present which results have one
 */
export function rowGradient(formula: RowFormula, needs: readonly boolean[], present: readonly boolean[]): RowGradient {
  return new Derivation(formula, present).run(needs);
}

class Derivation {
  private readonly formula: RowFormula;
  /** First leaves beyond those of the formula: gradients, values of outputs, new folds. */
  private readonly base: number;
  private readonly folds: Expr[] = [];
  /** Adjoints of the folds, null for those that are constants. */
  private readonly adjoints: (Expr | null)[];
  /** Per output whether it has a gradient. */
  private readonly present: readonly boolean[];
  private readonly varying = new Map<Expr, boolean>();

  constructor(formula: RowFormula, present: readonly boolean[]) {
    this.formula = formula;
    this.present = formula.results.flatMap(({ count }, r) => new Array<boolean>(count).fill(present[r]!));
    this.base = formula.inputs.length + 1 + formula.folds.length;
    this.adjoints = formula.folds.map(() => null);
  }

  private gradientLeaf(o: number): Expr {
    return input(this.base + o);
  }

  private valueLeaf(o: number): Expr {
    return input(this.base + this.formula.outputs.length + o);
  }

  private newFoldLeaf(k: number): Expr {
    return input(this.base + 2 * this.formula.outputs.length + k);
  }

  private foldLeaf(k: number): Expr {
    return input(this.formula.inputs.length + 1 + k);
  }

  run(needs: readonly boolean[]): RowGradient {
    const { inputs, operands, folds } = this.formula;
    for (let k = folds.length - 1; k >= 0; k--) {
      if (folds[k]!.kind === 'sum') this.adjoints[k] = this.summed(this.foldLeaf(k));
    }
    const outputs: RowOutput[] = [];
    const spans: Span[] = [];
    const results = operands.map((operand, i) => {
      const leaves = leavesOf(operand);
      const { sort, isConstant } = inputs[operand.start]!;
      const values = leaves.map((leaf) => (needs[i]! && !isConstant ? this.adjoint(input(leaf), sort) : constant(0)));
      if (values.every(isZero)) return -1;
      // Operands that only occur as their sum have one gradient.
      const same = spans.findIndex(({ start, count }) => {
        const [given, { sort: other }] = [outputs.slice(start, start + count), outputs[start]!];
        return sort === other && count === values.length && given.every(({ value }, k) => value === values[k]);
      });
      if (same >= 0) return same;
      spans.push({ start: outputs.length, count: values.length });
      for (const value of values) outputs.push({ sort, value });
      return spans.length - 1;
    });
    return { ...this.numbered(outputs, spans), results };
  }

  private adjoint(leaf: Expr, sort: RowSort): Expr {
    return sort === 'row' ? this.summed(leaf) : sumOf(this.elementTerms(leaf));
  }

  /** What one element adds to the adjoint of a leaf. */
  private elementTerms(leaf: Expr): Expr[] {
    const { outputs, folds } = this.formula;
    const terms: Expr[] = [];
    const add = (adjoint: Expr, value: Expr): void => {
      const derivative = this.inKnownTerms(partial(value, leaf));
      if (!isZero(derivative)) terms.push(product(adjoint, derivative));
    };
    outputs.forEach(({ sort, value }, o) => this.present[o] && sort !== 'row' && add(this.gradientLeaf(o), value));
    folds.forEach(({ value, still }, k) => {
      const adjoint = this.adjoints[k];
      if (adjoint && !isZero(adjoint) && !still.includes(leaf)) add(adjoint, value);
    });
    const varies = (node: Expr): boolean => this.varies(node);
    return terms
      .flatMap(summandsOf)
      .map((summand) => termOf(summand, varies))
      .map(({ common, own }) => product(common, own))
      .filter((term) => !isZero(term));
  }

  /** The adjoint of something that belongs to a row: sums over the elements, and what outputs per row add. */
  private summed(leaf: Expr): Expr {
    const groups = new Map<Expr, Expr[]>();
    for (const term of this.elementTerms(leaf)) {
      const { common, own } = termOf(term, (node) => this.varies(node));
      groups.set(common, [...(groups.get(common) ?? []), own]);
    }
    const sums = [...groups].map(([common, own]) => product(common, this.sumOverRow(sumOf(own))));
    this.formula.outputs.forEach(({ sort, value }, o) => {
      if (!this.present[o] || sort !== 'row') return;
      const derivative = this.inKnownTerms(partial(value, leaf));
      if (!isZero(derivative)) sums.push(product(this.gradientLeaf(o), derivative));
    });
    return sumOf(sums);
  }

  /** A new fold; of something that does not vary, a multiple of the number of columns, which is parameter 0. */
  private sumOverRow(value: Expr): Expr {
    if (!this.varies(value)) return product(value, param(0));
    const found = this.folds.indexOf(value);
    return this.newFoldLeaf(found >= 0 ? found : this.folds.push(value) - 1);
  }

  /** Reads outputs instead of computing them anew. */
  private inKnownTerms(expr: Expr): Expr {
    let result = expr;
    this.formula.outputs.forEach(({ sort, value }, o) => {
      if (sort !== 'column' && value.name !== 'constant') result = replaceSubexpression(result, value, this.valueLeaf(o));
    });
    for (const [found, same] of this.formula.known) {
      result = replaceSubexpression(result, found, substitute(same, { output: this.valueLeaf(0) }));
    }
    return result;
  }

  private varies(expr: Expr): boolean {
    for (const node of nodesOf(expr)) {
      if (this.varying.has(node)) continue;
      const isOwn = node.name === 'input' && this.leafSort(node.value) !== 'row';
      this.varying.set(node, isOwn || node.args.some((arg) => this.varying.get(arg)!));
    }
    return this.varying.get(expr)!;
  }

  private leafSort(leaf: number): RowSort {
    const { inputs, outputs } = this.formula;
    if (leaf <= inputs.length) return inputs[leaf]?.sort ?? 'column';
    const place = leaf - this.base;
    return place < 0 || place >= 2 * outputs.length ? 'row' : outputs[place % outputs.length]!.sort;
  }

  /** The formula in a numbering of its own: gradients, then what is read, then the folds. */
  private numbered(results: readonly RowOutput[], spans: readonly Span[]): Omit<RowGradient, 'results'> {
    const { formula, base } = this;
    const mentioned = new Set<number>();
    for (const value of [...this.folds, ...results.map((result) => result.value)]) {
      for (const node of nodesOf(value)) if (node.name === 'input') mentioned.add(node.value);
    }
    const count = formula.outputs.length;
    const renamed: Expr[] = [];
    const inputs: RowInput[] = [];
    const counts: number[] = [];
    /** Takes over the tensors that are mentioned, with all that lies in them; returns their positions. */
    const take = (tensors: readonly Span[], first: number, describe: (leaf: number) => RowInput): number[] =>
      tensors.flatMap((tensor, position) => {
        const leaves = leavesOf(tensor);
        if (!leaves.some((leaf) => mentioned.has(first + leaf))) return [];
        counts.push(leaves.length);
        for (const leaf of leaves) {
          renamed[first + leaf] = input(inputs.length);
          inputs.push(describe(leaf));
        }
        return [position];
      });
    const { operands, outputs } = formula;
    const gradients = take(formula.results, base, (o) => ({ sort: outputs[o]!.sort, isConstant: false }));
    const given = take(operands, 0, (i) => formula.inputs[i]!);
    const made = take(formula.results, base + count, (o) => ({
      sort: outputs[o]!.sort,
      isConstant: this.isExtreme(outputs[o]!.value),
    }));
    renamed[formula.inputs.length] = input(inputs.length);
    this.folds.forEach((_, k) => (renamed[base + 2 * count + k] = input(inputs.length + 1 + k)));
    const rename = (value: Expr): Expr => substitute(value, { inputs: renamed });
    return {
      formula: {
        inputs,
        operands: spansOf(counts),
        folds: this.folds.map((value) => ({ kind: 'sum', value: rename(value), still: [] })),
        outputs: results.map(({ sort, value }) => ({ sort, value: rename(value) })),
        results: spans,
        known: [],
      },
      gradients,
      reads: [...given, ...made.map((r) => operands.length + r)],
      missing: formula.folds.flatMap((_, k) => (mentioned.has(formula.inputs.length + 1 + k) ? [k] : [])),
    };
  }

  private isExtreme(value: Expr): boolean {
    const fold = value.name === 'input' ? this.formula.folds[value.value - this.formula.inputs.length - 1] : undefined;
    return fold !== undefined && fold.kind !== 'sum';
  }
}

function leavesOf({ start, count }: Span): number[] {
  return Array.from({ length: count }, (_, k) => start + k);
}
