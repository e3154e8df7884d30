import { constant, type Expr } from '../expr/index.ts';

/** A product, taken apart: coefficient · Π above / Π below. */
interface Factors {
  coefficient: number;
  readonly above: Expr[];
  readonly below: Expr[];
}

/** A product of something that is the same in a whole row and something that is not. */
export interface Term {
  readonly common: Expr;
  readonly own: Expr;
}

/** The summands of an expression. */
export function summandsOf(expr: Expr): Expr[] {
  const summands: Expr[] = [];
  const visit = (node: Expr, negative: boolean): void => {
    if (node.name === 'neg') visit(node.args[0]!, !negative);
    else if (node.name === 'add' || node.name === 'sub') {
      visit(node.args[0]!, negative);
      visit(node.args[1]!, negative !== (node.name === 'sub'));
    } else summands.push(negative ? node.neg() : node);
  };
  visit(expr, false);
  return summands;
}

function factorsOf(expr: Expr): Factors {
  const factors: Factors = { coefficient: 1, above: [], below: [] };
  const visit = (node: Expr, inverse: boolean): void => {
    const [a, b] = node.args as [Expr, Expr];
    if (node.name === 'neg') {
      factors.coefficient = -factors.coefficient;
      visit(a, inverse);
    } else if (node.name === 'mul' || node.name === 'div') {
      visit(a, inverse);
      visit(b, inverse !== (node.name === 'div'));
    } else if (node.name === 'constant') {
      if (inverse) factors.coefficient /= node.value;
      else factors.coefficient *= node.value;
    } else (inverse ? factors.below : factors.above).push(node);
  };
  visit(expr, false);
  return factors;
}

function productOf({ coefficient, above, below }: Factors): Expr {
  const top = above.reduce((product, factor) => product.mul(factor), constant(1));
  const ratio = below.length === 0 ? top : top.div(below.reduce((product, factor) => product.mul(factor), constant(1)));
  return coefficient < 0 ? ratio.mul(-coefficient).neg() : ratio.mul(coefficient);
}

/**
 * Takes what is the same in a whole row out of a product, and cancels what stands above and below in it: a row is divided
 * only by folds that are not 0 where the result has a meaning.
 */
export function termOf(expr: Expr, varies: (node: Expr) => boolean): Term {
  const { coefficient, above, below } = factorsOf(expr);
  for (let k = below.length - 1; k >= 0; k--) {
    const match = varies(below[k]!) ? -1 : above.indexOf(below[k]!);
    if (match < 0) continue;
    above.splice(match, 1);
    below.splice(k, 1);
  }
  const common = (list: readonly Expr[]): Expr[] => list.filter((factor) => !varies(factor));
  const own = (list: readonly Expr[]): Expr[] => list.filter((factor) => varies(factor));
  return {
    common: productOf({ coefficient, above: common(above), below: common(below) }),
    own: productOf({ coefficient: 1, above: own(above), below: own(below) }),
  };
}

/** The sum of expressions; 0 for none. */
export function sumOf(expressions: readonly Expr[]): Expr {
  const [first, ...others] = expressions;
  return first === undefined ? constant(0) : others.reduce((sum, expr) => sum.add(expr), first);
}
