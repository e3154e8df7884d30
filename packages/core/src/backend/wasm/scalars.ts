import {
  binary,
  type Binary,
  consecutive,
  liftF32,
  liftF64,
  liftI32,
  liftI64,
  type Load,
  loads,
  misc,
  unary,
  type Unary,
  type Value,
} from './value.ts';

const COMPARISONS = ['eq', 'ne', 'lt', 'ltU', 'gt', 'gtU', 'le', 'leU', 'ge', 'geU'] as const;
const ARITHMETIC = ['add', 'sub', 'mul', 'div', 'divU', 'rem', 'remU'] as const;
const BITWISE = ['and', 'or', 'xor', 'shl', 'shr', 'shrU', 'rotl', 'rotr'] as const;
const FLOAT_COMPARISONS = ['eq', 'ne', 'lt', 'gt', 'le', 'ge'] as const;
const FLOAT_FUNCTIONS = ['abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt'] as const;
const FLOAT_ARITHMETIC = ['add', 'sub', 'mul', 'div', 'min', 'max', 'copysign'] as const;

/** What both integer types have. Without a `U`, operations are signed. */
type IntegerScalar<T extends 'i32' | 'i64'> = Unary<'clz' | 'ctz' | 'popcnt', T> &
  Unary<'eqz', T, 'i32'> &
  Binary<(typeof ARITHMETIC | typeof BITWISE)[number], T> &
  Binary<(typeof COMPARISONS)[number], T, 'i32'> &
  Unary<'truncF32' | 'truncF32U', 'f32', T> &
  Unary<'truncF64' | 'truncF64U', 'f64', T> & { readonly const: (value: number) => Value<T> };

/** Instructions on 32-bit integers; `truncF32` and its like saturate. */
export const i32: IntegerScalar<'i32'> &
  Unary<'fromI64', 'i64', 'i32'> &
  Unary<'reinterpret', 'f32', 'i32'> &
  Load<'load' | 'load8' | 'load8U' | 'load16' | 'load16U', 'i32'> = {
  const: (value) => liftI32(value),
  ...unary(liftI32, 'i32', { eqz: 0x45, clz: 0x67, ctz: 0x68, popcnt: 0x69 }),
  ...binary(liftI32, 'i32', consecutive(0x46, COMPARISONS)),
  ...binary(liftI32, 'i32', { ...consecutive(0x6a, ARITHMETIC), ...consecutive(0x71, BITWISE) }),
  ...unary(liftI64, 'i32', { fromI64: 0xa7 }),
  ...unary(liftF32, 'i32', { reinterpret: 0xbc, truncF32: misc(0), truncF32U: misc(1) }),
  ...unary(liftF64, 'i32', { truncF64: misc(2), truncF64U: misc(3) }),
  ...loads('i32', { load: 0x28, ...consecutive(0x2c, ['load8', 'load8U', 'load16', 'load16U']) }),
};

/** Instructions on 64-bit integers. */
export const i64: IntegerScalar<'i64'> &
  Unary<'fromI32' | 'fromI32U', 'i32', 'i64'> &
  Unary<'reinterpret', 'f64', 'i64'> &
  Load<'load', 'i64'> = {
  const: (value) => liftI64(value),
  ...unary(liftI64, 'i32', { eqz: 0x50 }),
  ...unary(liftI64, 'i64', { clz: 0x79, ctz: 0x7a, popcnt: 0x7b }),
  ...binary(liftI64, 'i32', consecutive(0x51, COMPARISONS)),
  ...binary(liftI64, 'i64', { ...consecutive(0x7c, ARITHMETIC), ...consecutive(0x83, BITWISE) }),
  ...unary(liftI32, 'i64', { fromI32: 0xac, fromI32U: 0xad }),
  ...unary(liftF32, 'i64', { truncF32: misc(4), truncF32U: misc(5) }),
  ...unary(liftF64, 'i64', { reinterpret: 0xbd, truncF64: misc(6), truncF64U: misc(7) }),
  ...loads('i64', { load: 0x29 }),
};

/** What both floating-point types have. */
export type FloatScalar<T extends 'f32' | 'f64'> = Unary<(typeof FLOAT_FUNCTIONS)[number], T> &
  Binary<(typeof FLOAT_ARITHMETIC)[number], T> &
  Binary<(typeof FLOAT_COMPARISONS)[number], T, 'i32'> &
  Unary<'fromI32' | 'fromI32U', 'i32', T> &
  Unary<'fromI64' | 'fromI64U', 'i64', T> &
  Load<'load', T> & { readonly const: (value: number) => Value<T> };

/** Instructions on single-precision numbers. */
export const f32: FloatScalar<'f32'> & Unary<'fromF64', 'f64', 'f32'> & Unary<'reinterpret', 'i32', 'f32'> = {
  const: (value) => liftF32(value),
  ...unary(liftF32, 'f32', consecutive(0x8b, FLOAT_FUNCTIONS)),
  ...binary(liftF32, 'f32', consecutive(0x92, FLOAT_ARITHMETIC)),
  ...binary(liftF32, 'i32', consecutive(0x5b, FLOAT_COMPARISONS)),
  ...unary(liftI32, 'f32', { fromI32: 0xb2, fromI32U: 0xb3, reinterpret: 0xbe }),
  ...unary(liftI64, 'f32', { fromI64: 0xb4, fromI64U: 0xb5 }),
  ...unary(liftF64, 'f32', { fromF64: 0xb6 }),
  ...loads('f32', { load: 0x2a }),
};

/** Instructions on double-precision numbers. */
export const f64: FloatScalar<'f64'> & Unary<'fromF32', 'f32', 'f64'> & Unary<'reinterpret', 'i64', 'f64'> = {
  const: (value) => liftF64(value),
  ...unary(liftF64, 'f64', consecutive(0x99, FLOAT_FUNCTIONS)),
  ...binary(liftF64, 'f64', consecutive(0xa0, FLOAT_ARITHMETIC)),
  ...binary(liftF64, 'i32', consecutive(0x61, FLOAT_COMPARISONS)),
  ...unary(liftI32, 'f64', { fromI32: 0xb7, fromI32U: 0xb8 }),
  ...unary(liftI64, 'f64', { fromI64: 0xb9, fromI64U: 0xba, reinterpret: 0xbf }),
  ...unary(liftF32, 'f64', { fromF32: 0xbb }),
  ...loads('f64', { load: 0x2b }),
};
