import { identities } from './identities.ts';
import { type PrimitiveName, primitives } from './primitives.ts';

/** What a node stands for: a number, or a condition (its value is 0 or 1). */
export type ExprKind = 'number' | 'mask';

/** The nodes without arguments. */
export type LeafName = 'input' | 'output' | 'param' | 'constant';

/** Where an expression is expected, a plain number will do. */
export type ExprLike = Expr | number;

/** Every node that was made, by structure. */
const interned = new Map<string, Expr>();
let nextId = 0;

/**
 * A scalar expression over inputs, parameters and the forward result. Immutable and hash-consed: two
 * expressions of the same structure are the same object, so `===` is structural equality and common parts are
 * computed once.
 */
export class Expr {
  /** Rises from arguments to results, so ascending ids are a topological order. */
  readonly id: number;
  readonly name: PrimitiveName | LeafName;
  readonly args: readonly Expr[];
  /** The number of a constant, the index of an input or parameter. */
  readonly value: number;
  readonly kind: ExprKind;
  /** How many inputs the expression can see: one more than the largest index used. */
  readonly inputCount: number;
  /** How many parameters it can see. */
  readonly paramCount: number;
  /** Whether it mentions the forward result. */
  readonly hasOutput: boolean;
  /** A place where backends keep what they compiled from this expression. */
  readonly compiled: CompiledSlot = { kernels: null };

  private constructor(name: PrimitiveName | LeafName, args: readonly Expr[], value: number, kind: ExprKind) {
    let inputs = name === 'input' ? value + 1 : 0;
    let params = name === 'param' ? value + 1 : 0;
    let output = name === 'output';
    for (const arg of args) {
      inputs = Math.max(inputs, arg.inputCount);
      params = Math.max(params, arg.paramCount);
      output ||= arg.hasOutput;
    }
    this.id = nextId++;
    this.name = name;
    this.args = args;
    this.value = value;
    this.kind = kind;
    this.inputCount = inputs;
    this.paramCount = params;
    this.hasOutput = output;
  }

  /** The leaf of this name and value; made once. */
  static leaf(name: LeafName, value: number): Expr {
    const key = `${name} ${Object.is(value, -0) ? '-0' : value}`;
    let node = interned.get(key);
    if (node === undefined) {
      node = new Expr(name, [], value, 'number');
      interned.set(key, node);
    }
    return node;
  }

  /**
   * A primitive applied to arguments, after folding constants and the identities that hold for every number.
   * Numbers are lifted, masks and numbers converted to what the primitive takes.
   * @throws TypeError when the number of arguments is wrong
   */
  static apply(name: PrimitiveName, operands: readonly ExprLike[]): Expr {
    const { arity, takesMasks, givesMask, commutative, js } = primitives[name];
    if (operands.length !== arity) {
      throw new TypeError(`${name} takes ${arity} argument${arity === 1 ? '' : 's'}, got ${operands.length}`);
    }
    const args = operands.map((operand, k) => {
      const arg = lift(operand);
      return (takesMasks ?? 0) > k ? asMask(arg) : asNumber(arg);
    });
    const [a, b, c] = args as [Expr, Expr, Expr];
    if (args.every(isConstant)) {
      const value = js(a.value, b?.value ?? 0, c?.value ?? 0);
      if (!givesMask) return constant(value);
      // A condition that is known is written 1 ≠ 0 or 0 ≠ 0.
      if (name !== 'ne' || !b.isConstant(0) || a.value !== value) return constant(value).ne(0);
    }
    const same = identities[name]?.(a, b, c);
    if (same !== undefined) return lift(same);
    const node =
      interned.get(keyOf(name, args)) ?? (commutative ? interned.get(keyOf(name, [b, a])) : undefined);
    if (node !== undefined) return node;
    const made = new Expr(name, args, 0, givesMask ? 'mask' : 'number');
    interned.set(keyOf(name, args), made);
    return made;
  }

  /** Whether this is a constant, or the given one (0 and -0 differ). */
  isConstant(value?: number): boolean {
    return this.name === 'constant' && (value === undefined || Object.is(this.value, value));
  }

  add(other: ExprLike): Expr {
    return Expr.apply('add', [this, other]);
  }
  sub(other: ExprLike): Expr {
    return Expr.apply('sub', [this, other]);
  }
  mul(other: ExprLike): Expr {
    return Expr.apply('mul', [this, other]);
  }
  div(other: ExprLike): Expr {
    return Expr.apply('div', [this, other]);
  }
  neg(): Expr {
    return Expr.apply('neg', [this]);
  }
  square(): Expr {
    return this.mul(this);
  }
  reciprocal(): Expr {
    return constant(1).div(this);
  }
  pow(exponent: ExprLike): Expr {
    return Expr.apply('pow', [this, exponent]);
  }
  /** The quotient rounded down. */
  floorDiv(other: ExprLike): Expr {
    return Expr.apply('floorDiv', [this, other]);
  }
  /** What is left after division, with the sign of the dividend. */
  fmod(other: ExprLike): Expr {
    return Expr.apply('fmod', [this, other]);
  }
  /** What is left after division, with the sign of the divisor. */
  remainder(other: ExprLike): Expr {
    return Expr.apply('remainder', [this, other]);
  }
  /** The smaller one; NaN if either is. */
  min(other: ExprLike): Expr {
    return Expr.apply('min', [this, other]);
  }
  /** The larger one; NaN if either is. */
  max(other: ExprLike): Expr {
    return Expr.apply('max', [this, other]);
  }
  /** The angle of the point (other, this). */
  atan2(other: ExprLike): Expr {
    return Expr.apply('atan2', [this, other]);
  }
  hypot(other: ExprLike): Expr {
    return Expr.apply('hypot', [this, other]);
  }
  bitAnd(other: ExprLike): Expr {
    return Expr.apply('bitAnd', [this, other]);
  }
  bitOr(other: ExprLike): Expr {
    return Expr.apply('bitOr', [this, other]);
  }
  bitXor(other: ExprLike): Expr {
    return Expr.apply('bitXor', [this, other]);
  }
  shiftLeft(other: ExprLike): Expr {
    return Expr.apply('shiftLeft', [this, other]);
  }
  shiftRight(other: ExprLike): Expr {
    return Expr.apply('shiftRight', [this, other]);
  }
  bitNot(): Expr {
    return this.bitXor(-1);
  }

  lt(other: ExprLike): Expr {
    return Expr.apply('lt', [this, other]);
  }
  le(other: ExprLike): Expr {
    return Expr.apply('le', [this, other]);
  }
  gt(other: ExprLike): Expr {
    return Expr.apply('gt', [this, other]);
  }
  ge(other: ExprLike): Expr {
    return Expr.apply('ge', [this, other]);
  }
  eq(other: ExprLike): Expr {
    return Expr.apply('eq', [this, other]);
  }
  ne(other: ExprLike): Expr {
    return Expr.apply('ne', [this, other]);
  }
  and(other: ExprLike): Expr {
    return Expr.apply('and', [this, other]);
  }
  or(other: ExprLike): Expr {
    return Expr.apply('or', [this, other]);
  }
  xor(other: ExprLike): Expr {
    return Expr.apply('xor', [this, other]);
  }
  not(): Expr {
    return Expr.apply('not', [this]);
  }
  /** `yes` where this condition holds, else `no`. */
  where(yes: ExprLike, no: ExprLike): Expr {
    return Expr.apply('where', [this, yes, no]);
  }
  isnan(): Expr {
    return Expr.apply('isnan', [this]);
  }
  isinf(): Expr {
    return Expr.apply('isinf', [this]);
  }
  isfinite(): Expr {
    return Expr.apply('isfinite', [this]);
  }
  /** Whether the sign bit is set: negative numbers and -0. */
  signbit(): Expr {
    return Expr.apply('signbit', [this]);
  }

  private unary(name: PrimitiveName): Expr {
    return Expr.apply(name, [this]);
  }
  abs(): Expr {
    return this.unary('abs');
  }
  sign(): Expr {
    return this.unary('sign');
  }
  floor(): Expr {
    return this.unary('floor');
  }
  ceil(): Expr {
    return this.unary('ceil');
  }
  /** To the nearest integer, halves to the even one. */
  round(): Expr {
    return this.unary('round');
  }
  trunc(): Expr {
    return this.unary('trunc');
  }
  sqrt(): Expr {
    return this.unary('sqrt');
  }
  rsqrt(): Expr {
    return this.unary('rsqrt');
  }
  exp(): Expr {
    return this.unary('exp');
  }
  exp2(): Expr {
    return this.unary('exp2');
  }
  expm1(): Expr {
    return this.unary('expm1');
  }
  log(): Expr {
    return this.unary('log');
  }
  log2(): Expr {
    return this.unary('log2');
  }
  log10(): Expr {
    return this.unary('log10');
  }
  log1p(): Expr {
    return this.unary('log1p');
  }
  sin(): Expr {
    return this.unary('sin');
  }
  cos(): Expr {
    return this.unary('cos');
  }
  tan(): Expr {
    return this.unary('tan');
  }
  asin(): Expr {
    return this.unary('asin');
  }
  acos(): Expr {
    return this.unary('acos');
  }
  atan(): Expr {
    return this.unary('atan');
  }
  sinh(): Expr {
    return this.unary('sinh');
  }
  cosh(): Expr {
    return this.unary('cosh');
  }
  tanh(): Expr {
    return this.unary('tanh');
  }
  asinh(): Expr {
    return this.unary('asinh');
  }
  acosh(): Expr {
    return this.unary('acosh');
  }
  atanh(): Expr {
    return this.unary('atanh');
  }
  /** 1 / (1 + exp(-x)) without overflow. */
  sigmoid(): Expr {
    return this.unary('sigmoid');
  }
  erf(): Expr {
    return this.unary('erf');
  }
  erfc(): Expr {
    return this.unary('erfc');
  }
  erfinv(): Expr {
    return this.unary('erfinv');
  }
  lgamma(): Expr {
    return this.unary('lgamma');
  }
  digamma(): Expr {
    return this.unary('digamma');
  }
  /** The derivative of digamma of the given order (0 is digamma itself). */
  polygamma(order: ExprLike): Expr {
    return Expr.apply('polygamma', [order, this]);
  }
  /** Hurwitz' zeta function Σ (k + q)^-this over k ≥ 0. */
  zeta(q: ExprLike): Expr {
    return Expr.apply('zeta', [this, q]);
  }
}

/** Holds what a backend compiled; its contents are the backend's own business. */
export interface CompiledSlot {
  kernels: unknown;
}

function keyOf(name: string, args: readonly Expr[]): string {
  let key = name;
  for (const arg of args) key += ` ${arg.id}`;
  return key;
}

function isConstant(arg: Expr): boolean {
  return arg.name === 'constant';
}

/** Makes an expression of a number. */
export function lift(value: ExprLike): Expr {
  return typeof value === 'number' ? constant(value) : value;
}

function asMask(arg: Expr): Expr {
  return arg.kind === 'mask' ? arg : arg.ne(0);
}

function asNumber(arg: Expr): Expr {
  return arg.kind === 'number' ? arg : Expr.apply('where', [arg, 1, 0]);
}

/** The value of the i-th operand. */
export function input(i: number): Expr {
  return Expr.leaf('input', i);
}

/** The i-th scalar that is given when the expression is evaluated, the same for all elements. */
export function param(i: number): Expr {
  return Expr.leaf('param', i);
}

/** The forward result; only for partial derivatives that are given by hand. */
export function output(): Expr {
  return Expr.leaf('output', 0);
}

/** A number, kept in double precision until a backend rounds it. */
export function constant(value: number): Expr {
  return Expr.leaf('constant', value);
}

/** `yes` where the condition holds, else `no`. */
export function where(condition: ExprLike, yes: ExprLike, no: ExprLike): Expr {
  return Expr.apply('where', [condition, yes, no]);
}
