import type { Expr, PrimitiveName } from '../../expr/index.ts';
import { f32x4, type FloatLanes, f64x2, i32x4, i64x2, v128 } from './assembler.ts';
import { float32Functions } from './elementwise-functions.ts';
import type { LaneName, Vector } from './elementwise-lanes.ts';
import type { Lowering, Lowerings } from './elementwise-scratch.ts';

const masks: Lowerings = {
  and: (_, a, b) => v128.and(a, b),
  or: (_, a, b) => v128.or(a, b),
  xor: (_, a, b) => v128.xor(a, b),
  not: (_, a) => v128.not(a),
  where: (_, mask, yes, no, node) => {
    if (node.args[2]!.isConstant(0)) return v128.and(mask, yes);
    if (node.args[1]!.isConstant(0)) return v128.andNot(no, mask);
    return v128.bitselect(yes, no, mask);
  },
};

/**
 * A constant that is not NaN: with it the one-instruction minimum and maximum let NaN through from the left.
 */
function isNumber(arg: Expr): boolean {
  return arg.isConstant() && !Number.isNaN(arg.value);
}

/** Whether multiplying by 1/value is exact division. */
function isPowerOfTwo(arg: Expr): boolean {
  const magnitude = Math.abs(arg.value);
  return (
    arg.isConstant() && magnitude >= 2 ** -100 && magnitude <= 2 ** 100 && Math.log2(magnitude) % 1 === 0
  );
}

type Lanes = FloatLanes<'f32'> | FloatLanes<'f64'>;

function floats(lanes: Lanes, signbit: (x: Vector) => Vector): Lowerings {
  return {
    ...masks,
    add: (_, a, b) => lanes.add(a, b),
    sub: (_, a, b) => lanes.sub(a, b),
    mul: (_, a, b) => lanes.mul(a, b),
    div: (_, a, b, _c, { args: [, divisor] }) =>
      isPowerOfTwo(divisor!) ? lanes.mul(a, 1 / divisor!.value) : lanes.div(a, b),
    // Engines make the mask of signs anew each time; a constant is kept.
    neg: (_, a) => v128.xor(a, lanes.const(-0)),
    min: (_, a, b, _c, { args: [x, y] }) => {
      if (isNumber(y!)) return lanes.pmin(a, b);
      return isNumber(x!) ? lanes.pmin(b, a) : lanes.min(a, b);
    },
    max: (_, a, b, _c, { args: [x, y] }) => {
      if (isNumber(y!)) return lanes.pmax(a, b);
      return isNumber(x!) ? lanes.pmax(b, a) : lanes.max(a, b);
    },
    lt: (_, a, b) => lanes.lt(a, b),
    le: (_, a, b) => lanes.le(a, b),
    gt: (_, a, b) => lanes.gt(a, b),
    ge: (_, a, b) => lanes.ge(a, b),
    eq: (_, a, b) => lanes.eq(a, b),
    ne: (_, a, b) => lanes.ne(a, b),
    isnan: (_, a) => lanes.ne(a, a),
    isinf: (_, a) => lanes.eq(lanes.abs(a), Infinity),
    isfinite: (_, a) => lanes.lt(lanes.abs(a), Infinity),
    signbit: (_, a) => signbit(a),
    abs: (_, a) => lanes.abs(a),
    sign: (_, a) =>
      v128.or(v128.and(lanes.gt(a, 0), lanes.const(1)), v128.and(lanes.lt(a, 0), lanes.const(-1))),
    floor: (_, a) => lanes.floor(a),
    ceil: (_, a) => lanes.ceil(a),
    round: (_, a) => lanes.nearest(a),
    trunc: (_, a) => lanes.trunc(a),
    sqrt: (_, a) => lanes.sqrt(a),
    rsqrt: (_, a) => lanes.div(1, lanes.sqrt(a)),
  };
}

const never: Lowering = () => i32x4.const(0);
const itself: Lowering = (_, a) => a;

const integers: Lowerings = {
  ...masks,
  add: (_, a, b) => i32x4.add(a, b),
  sub: (_, a, b) => i32x4.sub(a, b),
  mul: (_, a, b) => i32x4.mul(a, b),
  neg: (_, a) => i32x4.neg(a),
  min: (_, a, b) => i32x4.min(a, b),
  max: (_, a, b) => i32x4.max(a, b),
  bitAnd: (_, a, b) => v128.and(a, b),
  bitOr: (_, a, b) => v128.or(a, b),
  bitXor: (_, a, b) => v128.xor(a, b),
  lt: (_, a, b) => i32x4.lt(a, b),
  le: (_, a, b) => i32x4.le(a, b),
  gt: (_, a, b) => i32x4.gt(a, b),
  ge: (_, a, b) => i32x4.ge(a, b),
  eq: (_, a, b) => i32x4.eq(a, b),
  ne: (_, a, b) => i32x4.ne(a, b),
  isnan: never,
  isinf: never,
  isfinite: () => i32x4.const(-1),
  signbit: (_, a) => i32x4.lt(a, 0),
  abs: (_, a) => i32x4.abs(a),
  sign: (_, a) => i32x4.sub(i32x4.lt(a, 0), i32x4.gt(a, 0)),
  floor: itself,
  ceil: itself,
  round: itself,
  trunc: itself,
};

/**
 * What is computed in vectors, by type of lane. Anything else is computed lane by lane through the `js` of
 * its primitive, in double precision.
 */
export const lowerings: Readonly<Record<LaneName, Lowerings>> = {
  float32: { ...floats(f32x4, (x) => i32x4.lt(x, 0)), ...float32Functions },
  float64: floats(f64x2, (x) => i64x2.lt(x, 0)),
  int32: integers,
};

/** Whether a primitive is so much work that unrolling the loop around it gains nothing. */
export function isHeavy(name: PrimitiveName, type: LaneName): boolean {
  return lowerings[type][name] === undefined || (type === 'float32' && name in float32Functions);
}
