import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { isFloating, type DType } from '../../dtype.ts';
import { nodesOf, primitives, type Expr, type PrimitiveName } from '../../expr/index.ts';
import type { Shape } from '../../shape.ts';
import type { Kernels, Strided } from '../types.ts';
import { saturate, store, temporary, viewOf } from './ndarray.ts';

/** A value per element, in float64; masks are 0 or 1. */
type Values = NdArray<Float64Array>;
type Operation = (result: Values, a: Values, b: Values) => unknown;

/**
 * The primitives that ndarray-ops has, meaning the same. Its round (halves up), pow (1 to the power of NaN)
 * and shifts (by 32 and more) differ; those are computed by the primitive's own function.
 */
const operations: Readonly<Partial<Record<PrimitiveName, Operation>>> = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  fmod: ops.mod,
  min: ops.min,
  max: ops.max,
  atan2: ops.atan2,
  bitAnd: ops.band,
  bitOr: ops.bor,
  bitXor: ops.bxor,
  neg: ops.neg,
  abs: ops.abs,
  floor: ops.floor,
  ceil: ops.ceil,
  sqrt: ops.sqrt,
  exp: ops.exp,
  log: ops.log,
  sin: ops.sin,
  cos: ops.cos,
  tan: ops.tan,
  asin: ops.asin,
  acos: ops.acos,
  atan: ops.atan,
  lt: ops.lt,
  le: ops.leq,
  gt: ops.gt,
  ge: ops.geq,
  eq: ops.eq,
  ne: ops.neq,
  and: ops.and,
  or: ops.or,
  not: ops.not,
};

/** What integers compute in another way than float64 does: products do not fit its 53 bits. */
const integerFunctions: Readonly<Partial<Record<PrimitiveName, (a: number, b: number) => number>>> = {
  mul: Math.imul,
  pow: integerPower,
};

function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let power = 1;
  for (let square = base, left = exponent; left > 0; left >>>= 1, square = Math.imul(square, square)) {
    if (left & 1) power = Math.imul(power, square);
  }
  return power;
}

/** Operands as a computation in this dtype sees them; all integers are computed in 32 bits, as in C. */
function enter(values: Values, compute: DType): void {
  if (compute === 'float32') roundToFloat32(values);
  else if (compute !== 'float64') saturate(values);
}

/** The result of a step: integers wrap. */
function wrap(values: Values, compute: DType): void {
  if (!isFloating(compute)) ops.borseq(values, 0);
}

function roundToFloat32({ data }: Values): void {
  data.forEach((value, i) => (data[i] = Math.fround(value)));
}

function applyPrimitive(name: PrimitiveName, result: Values, args: readonly Values[], compute: DType): void {
  const [a, b] = args as [Values, Values];
  const integer = isFloating(compute) ? undefined : integerFunctions[name];
  const operation = operations[name];
  if (integer === undefined && operation !== undefined) {
    operation(result, a, b);
    return;
  }
  // Just as many arguments as there are: Math.hypot would take one more for another number.
  const f = (integer ?? primitives[name].js) as (...operands: number[]) => number;
  result.data.forEach((_, i) => (result.data[i] = f(...args.map((arg) => arg.data[i]!))));
}

/**
 * Evaluates nodes in order in float64. Operands take the precision of `compute`, floats are rounded once
 * at the end, and integers wrap to 32 bits at every step.
 */
function evaluate(expr: Expr, shape: Shape, inputs: readonly Strided[], params: readonly number[], compute: DType): Values {
  const values = new Map<Expr, Values>();
  for (const node of nodesOf(expr)) {
    const result = temporary(shape);
    values.set(node, result);
    if (node.name === 'output') throw new TypeError('the forward result stands in an expression to evaluate');
    if (node.args.length > 0) {
      const args = node.args.map((arg) => values.get(arg)!);
      applyPrimitive(node.name as PrimitiveName, result, args, compute);
      if (node.kind === 'number') wrap(result, compute);
    } else {
      if (node.name === 'input') ops.assign(result, viewOf(inputs[node.value]!));
      else ops.assigns(result, node.name === 'param' ? params[node.value]! : node.value);
      enter(result, compute);
    }
  }
  const value = values.get(expr)!;
  if (compute === 'float32') roundToFloat32(value);
  return value;
}

export const elementwise: Kernels['elementwise'] = (expr, out, inputs, params, compute) => {
  store(out, evaluate(expr, out.shape, inputs, params, compute));
};

export const dense: Kernels['dense'] = (expr, _, out, x, y, z, w, params) => {
  elementwise(expr, out, [x, y, z, w].filter((operand) => operand !== null), params, out.dtype);
};

export const update: Kernels['update'] = ({ values }, targets, inputs, params) => {
  const operands = [...targets, ...inputs];
  const results = values.map((value, i) => evaluate(value, targets[i]!.shape, operands, params, targets[i]!.dtype));
  results.forEach((result, i) => store(targets[i]!, result));
};
