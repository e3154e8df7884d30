import {
  binary,
  type Binary,
  consecutive,
  type Lift,
  liftF32,
  liftF64,
  liftI32,
  liftI64,
  type Load,
  loads,
  misc,
  type Type,
  unary,
  type Unary,
  type Value,
} from './value.ts';

const COMPARISONS = ['eq', 'ne', 'lt', 'ltU', 'gt', 'gtU', 'le', 'leU', 'ge', 'geU'] as const;
const BITS = ['clz', 'ctz', 'popcnt'] as const;
const ARITHMETIC = ['add', 'sub', 'mul', 'div', 'divU', 'rem', 'remU'] as const;
const BITWISE = ['and', 'or', 'xor', 'shl', 'shr', 'shrU', 'rotl', 'rotr'] as const;
const FLOAT_COMPARISONS = ['eq', 'ne', 'lt', 'gt', 'le', 'ge'] as const;
const FLOAT_FUNCTIONS = ['abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt'] as const;
const FLOAT_ARITHMETIC = ['add', 'sub', 'mul', 'div', 'min', 'max', 'copysign'] as const;

/** What both integer types have. Without a `U`, operations are signed. */
type IntegerScalar<T extends 'i32' | 'i64'> = Unary<(typeof BITS)[number], T> &
  Unary<'eqz', T, 'i32'> &
  Binary<(typeof ARITHMETIC | typeof BITWISE)[number], T> &
  Binary<(typeof COMPARISONS)[number], T, 'i32'> & { readonly const: (value: number) => Value<T> };
/** Conversions of floating-point numbers to the type T. */
type Truncations<T extends Type> = Unary<'truncF32' | 'truncF32U', 'f32', T> & Unary<'truncF64' | 'truncF64U', 'f64', T>;

/** Both types have the same opcodes, counted from those of `eqz` and `clz`. */
function integerTable<T extends 'i32' | 'i64'>(type: T, lift: Lift<T>, eqz: number, clz: number): IntegerScalar<T> {
  return {
    const: (value) => lift(value),
    ...unary(lift, 'i32', { eqz }),
    ...binary(lift, 'i32', consecutive(eqz + 1, COMPARISONS)),
    ...unary(lift, type, consecutive(clz, BITS)),
    ...binary(lift, type, consecutive(clz + 3, [...ARITHMETIC, ...BITWISE])),
  };
}

/** Instructions on 32-bit integers; `truncF32` and its like saturate. */
export const i32: IntegerScalar<'i32'> &
  Truncations<'i32'> &
  Unary<'fromI64', 'i64', 'i32'> &
  Unary<'reinterpret', 'f32', 'i32'> &
  Load<'load' | 'load8' | 'load8U' | 'load16' | 'load16U', 'i32'> = {
  ...integerTable('i32', liftI32, 0x45, 0x67),
  ...unary(liftI64, 'i32', { fromI64: 0xa7 }),
  ...unary(liftF32, 'i32', { reinterpret: 0xbc, truncF32: misc(0), truncF32U: misc(1) }),
  ...unary(liftF64, 'i32', { truncF64: misc(2), truncF64U: misc(3) }),
  ...loads('i32', { load: 0x28, ...consecutive(0x2c, ['load8', 'load8U', 'load16', 'load16U']) }),
};

type LongTable = IntegerScalar<'i64'> &
  Truncations<'i64'> &
  Unary<'fromI32' | 'fromI32U', 'i32', 'i64'> &
  Unary<'reinterpret', 'f64', 'i64'> &
  Load<'load', 'i64'>;

function longTable(): LongTable {
  return {
    ...integerTable('i64', liftI64, 0x50, 0x79),
    ...unary(liftI32, 'i64', { fromI32: 0xac, fromI32U: 0xad }),
    ...unary(liftF32, 'i64', { truncF32: misc(4), truncF32U: misc(5) }),
    ...unary(liftF64, 'i64', { reinterpret: 0xbd, truncF64: misc(6), truncF64U: misc(7) }),
    ...loads('i64', { load: 0x29 }),
  };
}

/** Instructions on 64-bit integers. No kernel needs them yet, so the call is marked as one that pages may leave out. */
export const i64: LongTable = /* @__PURE__ */ longTable();

/** What both floating-point types have. */
export type FloatScalar<T extends 'f32' | 'f64'> = Unary<(typeof FLOAT_FUNCTIONS)[number], T> &
  Binary<(typeof FLOAT_ARITHMETIC)[number], T> &
  Binary<(typeof FLOAT_COMPARISONS)[number], T, 'i32'> &
  Unary<'fromI32' | 'fromI32U', 'i32', T> &
  Unary<'fromI64' | 'fromI64U', 'i64', T> &
  Load<'load', T> & { readonly const: (value: number) => Value<T> };

/** Both types have the same opcodes, counted from those of `eq`, `abs`, `fromI32` and `load`. */
function floatTable<T extends 'f32' | 'f64'>(
  type: T,
  lift: Lift<T>,
  [eq, abs, fromI32, load]: readonly [number, number, number, number],
): FloatScalar<T> {
  return {
    const: (value) => lift(value),
    ...binary(lift, 'i32', consecutive(eq, FLOAT_COMPARISONS)),
    ...unary(lift, type, consecutive(abs, FLOAT_FUNCTIONS)),
    ...binary(lift, type, consecutive(abs + 7, FLOAT_ARITHMETIC)),
    ...unary(liftI32, type, consecutive(fromI32, ['fromI32', 'fromI32U'])),
    ...unary(liftI64, type, consecutive(fromI32 + 2, ['fromI64', 'fromI64U'])),
    ...loads(type, { load }),
  };
}

/** Instructions on single-precision numbers. */
export const f32: FloatScalar<'f32'> & Unary<'fromF64', 'f64', 'f32'> & Unary<'reinterpret', 'i32', 'f32'> = {
  ...floatTable('f32', liftF32, [0x5b, 0x8b, 0xb2, 0x2a]),
  ...unary(liftI32, 'f32', { reinterpret: 0xbe }),
  ...unary(liftF64, 'f32', { fromF64: 0xb6 }),
};

/** Instructions on double-precision numbers. */
export const f64: FloatScalar<'f64'> & Unary<'fromF32', 'f32', 'f64'> & Unary<'reinterpret', 'i64', 'f64'> = {
  ...floatTable('f64', liftF64, [0x61, 0x99, 0xb7, 0x2b]),
  ...unary(liftI64, 'f64', { reinterpret: 0xbf }),
  ...unary(liftF32, 'f64', { fromF32: 0xbb }),
};
