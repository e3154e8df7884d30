import { Expr, type ExprLike } from './expr.ts';
import { type PartialRule, type Primitive, type PrimitiveName, primitives } from './primitives.ts';

/** A function of one to three numbers, for expressions. */
export type ScalarFunction = (...args: ExprLike[]) => Expr;

/**
 * A primitive outside the table that every page carries: it joins the table when an expression first uses it. Backends
 * call its JavaScript for each element.
 * @param js its value in double precision; it takes as many numbers as it declares
 * @param partials one rule per argument, as in the table
 */
/* @__NO_SIDE_EFFECTS__ */
export function scalarFunction(
  name: string,
  js: (a: number, b: number, c: number) => number,
  ...partials: readonly PartialRule[]
): ScalarFunction {
  return (...args) => {
    const table = primitives as Record<string, Primitive>;
    table[name] ??= { arity: js.length as Primitive['arity'], js, partials };
    return Expr.apply(name as PrimitiveName, args);
  };
}
