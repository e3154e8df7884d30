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

/** What a row program computes, numbered like a `RowComputation`. */
export interface RowFormula {
  readonly inputs: readonly RowInput[];
  readonly folds: readonly DifferentiableFold[];
  readonly outputs: readonly RowOutput[];
  /** Expressions that derivatives contain, each with what it equals in terms of the first output: `output()`. */
  readonly known: readonly (readonly [Expr, Expr])[];
}

/** Gradients as a formula. */
export interface RowGradient {
  readonly formula: RowFormula;
  /** Positions of the outputs whose gradients come first among its inputs. */
  readonly gradients: readonly number[];
  /** Positions of the saved values that follow: inputs, then outputs. */
  readonly reads: readonly number[];
  /** Per input of the original the position of its gradient among the results; −1 where it has none. */
  readonly results: readonly number[];
  /** Folds of the original that the formula needs as outputs and does not find there. */
  readonly missing: readonly number[];
}

/**
 * Reverse mode over the folds of a formula: for the inputs that need it, the gradients as a formula again. The adjoint of
 * a sum r is a sum too, of g ∂f/∂r and of the later adjoints times what they depend on r with.
 * @param needs which inputs want a gradient
 * @param present which outputs have one
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
  private readonly present: readonly boolean[];
  private readonly varying = new Map<Expr, boolean>();

  constructor(formula: RowFormula, present: readonly boolean[]) {
    this.formula = formula;
    this.present = present;
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
    const { inputs, folds } = this.formula;
    for (let k = folds.length - 1; k >= 0; k--) {
      if (folds[k]!.kind === 'sum') this.adjoints[k] = this.summed(this.foldLeaf(k));
    }
    const results: number[] = [];
    const outputs: RowOutput[] = [];
    inputs.forEach(({ sort, isConstant }, i) => {
      const wanted = needs[i]! && !isConstant;
      const value = !wanted ? constant(0) : sort === 'row' ? this.summed(input(i)) : sumOf(this.elementTerms(input(i)));
      results.push(isZero(value) ? -1 : outputs.length);
      if (!isZero(value)) outputs.push({ sort, value });
    });
    return { ...this.numbered(outputs), results };
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
  private numbered(results: readonly RowOutput[]): Omit<RowGradient, 'results'> {
    const { inputs, folds, outputs } = this.formula;
    const mentioned = new Set<number>();
    for (const value of [...this.folds, ...results.map((result) => result.value)]) {
      for (const node of nodesOf(value)) if (node.name === 'input') mentioned.add(node.value);
    }
    const count = outputs.length;
    const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
    const gradients = range(count).filter((o) => mentioned.has(this.base + o));
    const reads = [
      ...range(inputs.length).filter((i) => mentioned.has(i)),
      ...range(count).filter((o) => mentioned.has(this.base + count + o)).map((o) => inputs.length + o),
    ];
    const renamed: Expr[] = [];
    const newInputs: RowInput[] = [];
    for (const o of gradients) {
      renamed[this.base + o] = input(newInputs.length);
      newInputs.push({ sort: outputs[o]!.sort, isConstant: false });
    }
    for (const position of reads) {
      const o = position - inputs.length;
      renamed[o < 0 ? position : this.base + count + o] = input(newInputs.length);
      newInputs.push(o < 0 ? inputs[position]! : { sort: outputs[o]!.sort, isConstant: this.isExtreme(outputs[o]!.value) });
    }
    renamed[inputs.length] = input(newInputs.length);
    this.folds.forEach((_, k) => (renamed[this.base + 2 * count + k] = input(newInputs.length + 1 + k)));
    const rename = (value: Expr): Expr => substitute(value, { inputs: renamed });
    return {
      formula: {
        inputs: newInputs,
        folds: this.folds.map((value) => ({ kind: 'sum', value: rename(value), still: [] })),
        outputs: results.map(({ sort, value }) => ({ sort, value: rename(value) })),
        known: [],
      },
      gradients,
      reads,
      missing: range(folds.length).filter((k) => mentioned.has(inputs.length + 1 + k)),
    };
  }

  private isExtreme(value: Expr): boolean {
    const fold = value.name === 'input' ? this.formula.folds[value.value - this.formula.inputs.length - 1] : undefined;
    return fold !== undefined && fold.kind !== 'sum';
  }
}

