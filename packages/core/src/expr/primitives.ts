import { digamma, lgamma, polygamma, zeta } from './gamma-functions.ts';
import { erf, erfc, erfinv } from './error-functions.ts';
import type { Expr } from './expr.ts';
import { floorDiv, pow, remainder, roundHalfEven, sigmoid, sign } from './scalar-functions.ts';

/** The names of all primitives. The list is closed: a backend knows every one or evaluates its `js`. */
export type PrimitiveName =
  | 'add' | 'sub' | 'mul' | 'div' | 'neg' | 'pow' | 'floorDiv' | 'fmod' | 'remainder'
  | 'min' | 'max' | 'atan2' | 'hypot'
  | 'bitAnd' | 'bitOr' | 'bitXor' | 'shiftLeft' | 'shiftRight'
  | 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne' | 'and' | 'or' | 'xor' | 'not' | 'where'
  | 'isnan' | 'isinf' | 'isfinite' | 'signbit'
  | 'abs' | 'sign' | 'floor' | 'ceil' | 'round' | 'trunc' | 'sqrt' | 'rsqrt'
  | 'exp' | 'exp2' | 'expm1' | 'log' | 'log2' | 'log10' | 'log1p'
  | 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | 'sinh' | 'cosh' | 'tanh' | 'asinh' | 'acosh' | 'atanh'
  | 'sigmoid' | 'erf' | 'erfc' | 'erfinv' | 'lgamma' | 'digamma' | 'polygamma' | 'zeta';

/** A partial derivative: from the node itself and its arguments. */
export type PartialRule = (y: Expr, a: Expr, b: Expr, c: Expr) => Expr | number;

/** All there is to know of a primitive. */
export interface Primitive {
  readonly arity: 1 | 2 | 3;
  /** How many of the first arguments are masks; the others are numbers. */
  readonly takesMasks?: number;
  /** Whether the result is a mask. */
  readonly givesMask?: boolean;
  readonly commutative?: boolean;
  /** Its value in double precision; masks are 0 and 1. The last word on what the primitive means. */
  readonly js: (a: number, b: number, c: number) => number;
  /** One rule per argument; none if the derivative is zero wherever it exists. */
  readonly partials?: readonly PartialRule[];
  /** Written between two arguments instead of its name, with its binding strength. */
  readonly infix?: readonly [symbol: string, strength: number];
}

const LN2 = Math.LN2;
const TWO_OVER_SQRT_PI = 1.1283791670955126;
const HALF_SQRT_PI = 0.886226925452758;

function unary(js: (a: number) => number, ...partials: readonly PartialRule[]): Primitive {
  return { arity: 1, js, partials };
}

function binary(js: (a: number, b: number) => number, ...partials: readonly PartialRule[]): Primitive {
  return { arity: 2, js, partials };
}

function commuting(js: (a: number, b: number) => number, ...partials: readonly PartialRule[]): Primitive {
  return { arity: 2, js, partials, commutative: true };
}

function infix(symbol: string, strength: number, primitive: Primitive, commutative = false): Primitive {
  return { ...primitive, infix: [symbol, strength], commutative };
}

function comparison(symbol: string, js: (a: number, b: number) => boolean, commutative = false): Primitive {
  return { arity: 2, givesMask: true, js: (a, b) => +js(a, b), infix: [symbol, 3], commutative };
}

function logic(symbol: string, strength: number, js: (a: number, b: number) => number): Primitive {
  return { arity: 2, takesMasks: 2, givesMask: true, js, infix: [symbol, strength], commutative: true };
}

function test(js: (a: number) => boolean): Primitive {
  return { arity: 1, givesMask: true, js: (a) => +js(a) };
}

/** The share of the gradient that goes to `a` when the smaller or larger of a and b is taken. */
function share(loses: Expr, ties: Expr): Expr {
  return loses.where(0, ties.where(0.5, 1));
}

/** The table of primitives. Where a function has no derivative, the rules follow PyTorch's conventions. */
export const primitives: Readonly<Record<PrimitiveName, Primitive>> = {
  add: infix('+', 4, binary((a, b) => a + b, () => 1, () => 1), true),
  sub: infix('-', 4, binary((a, b) => a - b, () => 1, () => -1)),
  mul: infix('*', 5, binary((a, b) => a * b, (_, _a, b) => b, (_, a) => a), true),
  div: infix('/', 5, binary((a, b) => a / b, (_, _a, b) => b.reciprocal(), (y, _, b) => y.div(b).neg())),
  neg: unary((a) => -a, () => -1),
  pow: binary(
    pow,
    (_, a, b) => b.eq(0).where(0, b.mul(a.pow(b.sub(1)))),
    (y, a, b) => a.eq(0).and(b.ge(0)).where(0, y.mul(a.log())),
  ),
  floorDiv: binary(floorDiv),
  fmod: binary((a, b) => a % b, () => 1, (_, a, b) => a.div(b).trunc().neg()),
  remainder: binary(remainder, () => 1, (_, a, b) => a.floorDiv(b).neg()),
  min: commuting(
    (a, b) => Math.min(a, b),
    (_, a, b) => share(a.gt(b), a.eq(b)),
    (_, a, b) => share(b.gt(a), a.eq(b)),
  ),
  max: commuting(
    (a, b) => Math.max(a, b),
    (_, a, b) => share(a.lt(b), a.eq(b)),
    (_, a, b) => share(b.lt(a), a.eq(b)),
  ),
  atan2: binary(
    Math.atan2,
    (_, a, b) => b.div(a.square().add(b.square())),
    (_, a, b) => a.neg().div(a.square().add(b.square())),
  ),
  hypot: commuting((a, b) => Math.hypot(a, b), (y, a) => a.div(y), (y, _, b) => b.div(y)),
  bitAnd: infix('&', 2.6, binary((a, b) => a & b), true),
  bitOr: infix('|', 2.2, binary((a, b) => a | b), true),
  bitXor: infix('^', 2.4, binary((a, b) => a ^ b), true),
  shiftLeft: infix('<<', 3.5, binary((a, b) => (b >= 0 && b < 32 ? a << b : 0))),
  shiftRight: infix('>>', 3.5, binary((a, b) => a >> (b >= 0 && b < 32 ? b : 31))),

  lt: comparison('<', (a, b) => a < b),
  le: comparison('<=', (a, b) => a <= b),
  gt: comparison('>', (a, b) => a > b),
  ge: comparison('>=', (a, b) => a >= b),
  eq: comparison('==', (a, b) => a === b, true),
  ne: comparison('!=', (a, b) => a !== b, true),
  and: logic('&&', 2, (a, b) => a & b),
  or: logic('||', 1, (a, b) => a | b),
  xor: logic('^^', 1.5, (a, b) => a ^ b),
  not: { arity: 1, takesMasks: 1, givesMask: true, js: (a) => 1 - a },
  // The tangent of a choice is the choice between tangents: see differentiate.ts.
  where: { arity: 3, takesMasks: 1, js: (c, a, b) => (c === 0 ? b : a) },
  isnan: test(Number.isNaN),
  isinf: test((a) => a === Infinity || a === -Infinity),
  isfinite: test(Number.isFinite),
  signbit: test((a) => a < 0 || Object.is(a, -0)),

  abs: unary(Math.abs, (_, x) => x.sign()),
  sign: unary(sign),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfEven),
  trunc: unary(Math.trunc),
  sqrt: unary(Math.sqrt, (y) => y.reciprocal().mul(0.5)),
  rsqrt: unary((x) => 1 / Math.sqrt(x), (y) => y.mul(y).mul(y).mul(-0.5)),
  exp: unary(Math.exp, (y) => y),
  exp2: unary((x) => 2 ** x, (y) => y.mul(LN2)),
  expm1: unary(Math.expm1, (y) => y.add(1)),
  log: unary(Math.log, (_, x) => x.reciprocal()),
  log2: unary(Math.log2, (_, x) => x.mul(LN2).reciprocal()),
  log10: unary(Math.log10, (_, x) => x.mul(Math.LN10).reciprocal()),
  log1p: unary(Math.log1p, (_, x) => x.add(1).reciprocal()),
  sin: unary(Math.sin, (_, x) => x.cos()),
  cos: unary(Math.cos, (_, x) => x.sin().neg()),
  tan: unary(Math.tan, (y) => y.square().add(1)),
  asin: unary(Math.asin, (_, x) => x.square().neg().add(1).rsqrt()),
  acos: unary(Math.acos, (_, x) => x.square().neg().add(1).rsqrt().neg()),
  atan: unary(Math.atan, (_, x) => x.square().add(1).reciprocal()),
  sinh: unary(Math.sinh, (_, x) => x.cosh()),
  cosh: unary(Math.cosh, (_, x) => x.sinh()),
  tanh: unary(Math.tanh, (y) => y.square().neg().add(1)),
  asinh: unary(Math.asinh, (_, x) => x.square().add(1).rsqrt()),
  acosh: unary(Math.acosh, (_, x) => x.square().sub(1).rsqrt()),
  atanh: unary(Math.atanh, (_, x) => x.square().neg().add(1).reciprocal()),
  sigmoid: unary(sigmoid, (y) => y.mul(y.neg().add(1))),
  erf: unary(erf, (_, x) => x.square().neg().exp().mul(TWO_OVER_SQRT_PI)),
  erfc: unary(erfc, (_, x) => x.square().neg().exp().mul(-TWO_OVER_SQRT_PI)),
  erfinv: unary(erfinv, (y) => y.square().exp().mul(HALF_SQRT_PI)),
  lgamma: unary(lgamma, (_, x) => x.digamma()),
  digamma: unary(digamma, (_, x) => x.polygamma(1)),
  polygamma: binary(polygamma, () => NaN, (_, n, x) => x.polygamma(n.add(1))),
  zeta: binary(zeta, () => NaN, (_, s, q) => s.neg().mul(s.add(1).zeta(q))),
};
