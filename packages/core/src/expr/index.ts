/**
 * Scalar expressions: the language in which elementwise ops are declared.
 *
 * Leaves: `input(i)`, `param(i)` (a scalar given at run time), `output()` (the forward result, only in
 * partials given by hand), `constant(v)`; wherever an expression is expected a number will do. Everything
 * else is a method of `Expr` named as the primitive: `x.mul(y).add(1).tanh()`, `x.gt(0).where(x, 0)`;
 * `where(condition, yes, no)` is also a function. Comparisons and logic give masks; a mask used as a number
 * is 0 or 1, a number used as a mask is `≠ 0`. Equal expressions are one object.
 *
 * - `partial(expr, i)`: the derivative with respect to input i, symbolic; `product(g, partial)` is the
 *   product that a chain rule wants
 * - `usesInput`, `usesOutput`, `isZero`: what a derivative mentions
 * - `substitute`, `replaceSubexpression`: `replaceSubexpression(d, forward, output())` lets a derivative read
 *   the forward result
 * - `evaluate`: double precision, the oracle; `print`: a readable formula
 * - `primitives`: the table with value, derivative and notation of each primitive
 *
 * @example
 * const y = input(0).tanh();
 * const dy = replaceSubexpression(partial(y, 0), y, output());
 * print(dy); // 1 - y * y
 */
export {
  type CompiledSlot,
  constant,
  Expr,
  type ExprKind,
  type ExprLike,
  input,
  type LeafName,
  lift,
  output,
  param,
  where,
} from './expr.ts';
export { type PartialRule, type Primitive, type PrimitiveName, primitives } from './primitives.ts';
export { isZero, partial, product } from './differentiate.ts';
export { type ScalarFunction, scalarFunction } from './scalar-function.ts';
export {
  evaluate,
  nodesOf,
  replaceSubexpression,
  substitute,
  type Substitution,
  usesInput,
  usesOutput,
} from './walk.ts';
export { type LeafNames, print } from './print.ts';
export { erfcx, erfinv } from './error-functions.ts';
export { lgamma } from './gamma-functions.ts';
