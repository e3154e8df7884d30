import { constant, Expr } from './expr.ts';
import { primitives } from './primitives.ts';
import { nodesOf } from './walk.ts';

/**
 * The partial derivative of an expression with respect to a leaf (an input's index stands for that input), by
 * the forward chain rule over the shared graph: its size stays linear in the size of the expression, and
 * whatever the expression computes already (the exponential in exp′) is reused as the same node. Factors that
 * are exactly 0 or 1 vanish; a choice differentiates into the choice between the derivatives.
 */
export function partial(expr: Expr, leaf: number | Expr): Expr {
  const tangents = new Map<Expr, Expr>();
  for (const node of nodesOf(expr)) {
    const tangent = isLeaf(node, leaf) ? constant(1) : tangentOf(node, tangents);
    if (tangent !== undefined) tangents.set(node, tangent);
  }
  return tangents.get(expr) ?? constant(0);
}

function isLeaf(node: Expr, leaf: number | Expr): boolean {
  return typeof leaf === 'number' ? node.name === 'input' && node.value === leaf : node === leaf;
}

/** The derivative of a node from those of its arguments; undefined for zero. */
function tangentOf(node: Expr, tangents: ReadonlyMap<Expr, Expr>): Expr | undefined {
  if (node.args.length === 0 || node.kind === 'mask') return undefined;
  const [a, b, c] = node.args as [Expr, Expr, Expr];
  if (node.name === 'where') {
    const yes = tangents.get(b);
    const no = tangents.get(c);
    return yes === undefined && no === undefined ? undefined : a.where(yes ?? 0, no ?? 0);
  }
  const { partials = [] } = primitives[node.name as keyof typeof primitives];
  let sum: Expr | undefined;
  for (let k = 0; k < partials.length; k++) {
    const tangent = tangents.get(node.args[k]!);
    if (tangent === undefined) continue;
    const rule = partials[k]!(node, a, b, c);
    const term = product(typeof rule === 'number' ? constant(rule) : rule, tangent);
    if (isZero(term)) continue;
    sum = sum === undefined ? term : sum === term ? scale(term, 2) : sum.add(term);
  }
  return sum;
}

/** Whether an expression is the constant 0, as a derivative is that does not depend on the leaf. */
export function isZero(expr: Expr): boolean {
  return expr.name === 'constant' && expr.value === 0;
}

/**
 * A product as derivatives want it: zero annihilates even what may be infinite, constants are gathered, signs
 * move outwards, and multiplying by a reciprocal divides once. Use it for `g · ∂f/∂x`.
 */
export function product(a: Expr, b: Expr): Expr {
  if (isZero(a) || isZero(b)) return constant(0);
  if (a.name === 'neg') return product(a.args[0]!, b).neg();
  if (b.name === 'neg') return product(a, b.args[0]!).neg();
  if (a.name === 'constant') return scale(b, a.value);
  if (b.name === 'constant') return scale(a, b.value);
  if (b.name === 'div' && b.args[0]!.isConstant()) return scale(a, b.args[0]!.value).div(b.args[1]!);
  if (a.name === 'div' && a.args[0]!.isConstant()) return scale(b, a.args[0]!.value).div(a.args[1]!);
  return a.mul(b);
}

function scale(expr: Expr, factor: number): Expr {
  if (expr.name === 'mul') {
    const [a, b] = expr.args as [Expr, Expr];
    if (a.name === 'constant') return scale(b, a.value * factor);
    if (b.name === 'constant') return scale(a, b.value * factor);
  }
  if (expr.name === 'div' && expr.args[0]!.isConstant())
    return scale(expr.args[0]!, factor).div(expr.args[1]!);
  return factor < 0 && factor !== -1 ? expr.mul(-factor).neg() : expr.mul(factor);
}
