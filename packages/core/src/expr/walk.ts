import { Expr, type ExprLike, lift } from './expr.ts';
import { type PrimitiveName, primitives } from './primitives.ts';

/** All nodes of an expression, arguments before the nodes that use them, each once. */
export function nodesOf(expr: Expr): Expr[] {
  const seen = new Set<Expr>([expr]);
  // A set's iteration reaches what is added on the way.
  for (const node of seen) for (const arg of node.args) seen.add(arg);
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Whether the expression reads the i-th input. */
export function usesInput(expr: Expr, i: number): boolean {
  return i < expr.inputCount && nodesOf(expr).some((node) => node.name === 'input' && node.value === i);
}

/** Whether the expression mentions the forward result. */
export function usesOutput(expr: Expr): boolean {
  return expr.hasOutput;
}

/** The expression with nodes replaced: what `replace` gives stands for a node, undefined keeps it. */
function rewrite(expr: Expr, replace: (node: Expr) => Expr | undefined): Expr {
  const images = new Map<Expr, Expr>();
  for (const node of nodesOf(expr)) {
    let image = replace(node);
    if (image === undefined) {
      const args = node.args.map((arg) => images.get(arg)!);
      const same = args.every((arg, k) => arg === node.args[k]);
      image = same ? node : Expr.apply(node.name as PrimitiveName, args);
    }
    images.set(node, image);
  }
  return images.get(expr)!;
}

/** What to put in the place of leaves; those that are not named stay. */
export interface Substitution {
  readonly inputs?: readonly (ExprLike | undefined)[];
  readonly params?: readonly (ExprLike | undefined)[];
  readonly output?: ExprLike;
}

/** The expression with leaves replaced by other expressions, all at once. */
export function substitute(expr: Expr, by: Substitution): Expr {
  return rewrite(expr, (node) => {
    let image: ExprLike | undefined;
    if (node.name === 'input') image = by.inputs?.[node.value];
    else if (node.name === 'param') image = by.params?.[node.value];
    else if (node.name === 'output') image = by.output;
    return image === undefined ? undefined : lift(image);
  });
}

/**
 * The expression with every occurrence of `target` replaced. With the forward expression as target and
 * `output()` as replacement, a derivative that contains the forward expression reads its result instead.
 */
export function replaceSubexpression(expr: Expr, target: Expr, replacement: Expr): Expr {
  return rewrite(expr, (node) => (node === target ? replacement : undefined));
}

/**
 * The value of an expression in double precision: what every backend is tested against. Masks give 0 or 1.
 * @throws RangeError if an input, a parameter or the output is used but not given
 */
export function evaluate(
  expr: Expr,
  inputs: readonly number[],
  params: readonly number[] = [],
  output?: number,
): number {
  const leaves = { input: inputs, param: params, output: output === undefined ? [] : [output] };
  const values = new Map<Expr, number>();
  for (const node of nodesOf(expr)) {
    if (node.name === 'constant') values.set(node, node.value);
    else if (node.name === 'input' || node.name === 'param' || node.name === 'output') {
      const value = leaves[node.name][node.value];
      if (value === undefined)
        throw new RangeError(`evaluate: ${node.name} ${node.value} is used but not given`);
      values.set(node, value);
    } else {
      const [a = 0, b = 0, c = 0] = node.args.map((arg) => values.get(arg)!);
      values.set(node, primitives[node.name].js(a, b, c));
    }
  }
  return values.get(expr)!;
}
