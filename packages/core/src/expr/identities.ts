import type { Expr } from './expr.ts';
import type { PrimitiveName } from './primitives.ts';

/** What an application equals without computing it, or undefined. Sees at most three arguments. */
export type Identity = (a: Expr, b: Expr, c: Expr) => Expr | number | undefined;

/** What a condition between constants comes to; undefined when it depends on anything. */
function truth(condition: Expr): boolean | undefined {
  const first = condition.args[0]!;
  return condition.name === 'ne' && first.name === 'constant' && condition.args[1]!.name === 'constant'
    ? first.value !== 0
    : undefined;
}

const notOf: Partial<Record<PrimitiveName, PrimitiveName>> = { eq: 'ne', ne: 'eq' };

/**
 * Identities that hold for every number, NaN, infinities and signed zeros included, so they may be applied to
 * what a user wrote. (0 · x → 0 is not among them; derivatives apply it, see differentiate.ts.)
 */
export const identities: Readonly<Partial<Record<PrimitiveName, Identity>>> = {
  add: (a, b) => {
    if (b.isConstant(-0)) return a;
    if (a.isConstant(-0)) return b;
    if (b.name === 'neg') return a.sub(b.args[0]!);
    if (a.name === 'neg') return b.sub(a.args[0]!);
    return undefined;
  },
  sub: (a, b) => {
    if (b.isConstant(0)) return a;
    if (a.isConstant(-0)) return b.neg();
    if (b.name === 'neg') return a.add(b.args[0]!);
    return undefined;
  },
  mul: (a, b) => {
    if (b.isConstant(1)) return a;
    if (a.isConstant(1)) return b;
    if (b.isConstant(-1)) return a.neg();
    if (a.isConstant(-1)) return b.neg();
    if (a.name === 'neg' && b.name === 'neg') return a.args[0]!.mul(b.args[0]!);
    if (a.name === 'neg' && b.isConstant()) return a.args[0]!.mul(-b.value);
    if (b.name === 'neg' && a.isConstant()) return b.args[0]!.mul(-a.value);
    return undefined;
  },
  div: (a, b) => {
    if (b.isConstant(1)) return a;
    if (b.isConstant(-1)) return a.neg();
    if (a.name === 'neg' && b.name === 'neg') return a.args[0]!.div(b.args[0]!);
    return undefined;
  },
  neg: (a) => (a.name === 'neg' ? a.args[0]! : undefined),
  abs: (a) => (a.name === 'neg' || a.name === 'abs' ? a.args[0]!.abs() : undefined),
  // The special cases that exponentiation of tensors by a number has everywhere.
  pow: (a, b) => {
    if (!b.isConstant()) return undefined;
    switch (b.value) {
      case 0:
        return 1;
      case 1:
        return a;
      case 2:
        return a.mul(a);
      case 3:
        return a.mul(a).mul(a);
      case 0.5:
        return a.sqrt();
      case -0.5:
        return a.rsqrt();
      case -1:
        return a.reciprocal();
      case -2:
        return a.mul(a).reciprocal();
      default:
        return undefined;
    }
  },
  polygamma: (order, x) => (order.isConstant(0) ? x.digamma() : undefined),
  not: (a) => {
    if (a.name === 'not') return a.args[0]!;
    const opposite = notOf[a.name as PrimitiveName];
    if (opposite === 'ne') return a.args[0]!.ne(a.args[1]!);
    return opposite === 'eq' ? a.args[0]!.eq(a.args[1]!) : undefined;
  },
  and: (a, b) => {
    if (truth(a) !== undefined) return truth(a) ? b : a;
    if (truth(b) !== undefined) return truth(b) ? a : b;
    return a === b ? a : undefined;
  },
  or: (a, b) => {
    if (truth(a) !== undefined) return truth(a) ? a : b;
    if (truth(b) !== undefined) return truth(b) ? b : a;
    return a === b ? a : undefined;
  },
  min: (a, b) => (a === b ? a : undefined),
  max: (a, b) => (a === b ? a : undefined),
  ne: (a, b) => {
    // A mask that became a number and is asked for again.
    const isMask = a.name === 'where' && a.args[1]!.isConstant(1) && a.args[2]!.isConstant(0);
    return isMask && b.isConstant(0) ? a.args[0]! : undefined;
  },
  where: (condition, yes, no) => {
    if (yes === no) return yes;
    if (condition.name === 'not') return condition.args[0]!.where(no, yes);
    const known = truth(condition);
    if (known !== undefined) return known ? yes : no;
    return undefined;
  },
};
