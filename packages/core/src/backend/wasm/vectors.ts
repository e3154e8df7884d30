import { float32Bytes, float64Bytes, int32Bytes, int64Bytes, unsigned } from './encoding.ts';
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
  opcodeBytes,
  type Operand,
  type Shift,
  shifts,
  simd,
  type Type,
  unary,
  type Unary,
  Value,
  VectorConstant,
} from './value.ts';

/** Lifts a number to a vector that holds it in every lane. */
function everyLane(count: number, encode: (value: number) => number[]): Lift<'v128'> {
  return (a) => {
    if (typeof a !== 'number') return a;
    const lane = encode(a);
    return new VectorConstant(Array.from({ length: count }, () => lane).flat());
  };
}

const liftF32x4 = everyLane(4, float32Bytes);
const liftF64x2 = everyLane(2, float64Bytes);
const liftI8x16 = everyLane(16, (value) => [value & 255]);
const liftI16x8 = everyLane(8, (value) => [value & 255, (value >> 8) & 255]);
const liftI32x4 = everyLane(4, int32Bytes);
const liftI64x2 = everyLane(2, int64Bytes);

/** What every interpretation of a vector as lanes of scalars has. */
export interface Lanes<S extends Type> {
  /** Number of lanes. */
  readonly count: number;
  /** Bytes per lane. */
  readonly bytes: number;
  /** The same number in all lanes. */
  readonly const: (value: number) => Value<'v128'>;
  /** The same value in all lanes. */
  readonly splat: (value: Operand<S>) => Value<'v128'>;
  readonly extract: (vector: Value<'v128'>, lane: number) => Value<S>;
  readonly replace: (vector: Value<'v128'>, lane: number, value: Operand<S>) => Value<'v128'>;
  /** Loads a whole vector. */
  readonly load: (address: Operand<'i32'>, offset?: number) => Value<'v128'>;
  /** Loads one element into all lanes. */
  readonly loadSplat: (address: Operand<'i32'>, offset?: number) => Value<'v128'>;
  /** Loads one element into one lane of a vector. */
  readonly loadLane: (
    vector: Value<'v128'>,
    lane: number,
    address: Operand<'i32'>,
    offset?: number,
  ) => Value<'v128'>;
  /** Picks lanes of two vectors, numbered through both. */
  readonly shuffle: (a: Value<'v128'>, b: Value<'v128'>, picks: readonly number[]) => Value<'v128'>;
}

type LaneOpcodes = readonly [
  splat: number,
  extract: number,
  replace: number,
  loadSplat: number,
  loadLane: number,
];

function laneTable<S extends Type>(
  scalar: S,
  bytes: number,
  lift: Lift<'v128'>,
  liftScalar: Lift<S>,
  [splatCode, extractCode, replaceCode, loadSplatCode, loadLaneCode]: LaneOpcodes,
): Lanes<S> {
  const count = 16 / bytes;
  const { splat } = unary(liftScalar, 'v128', { splat: simd(splatCode) });
  const { load, loadSplat } = loads('v128', { load: simd(0), loadSplat: simd(loadSplatCode) });
  return {
    count,
    bytes,
    const: (value) => lift(value),
    splat,
    extract: (vector, lane) => new Value(scalar, [...opcodeBytes(simd(extractCode)), lane], [vector]),
    replace: (vector, lane, value) =>
      new Value('v128', [...opcodeBytes(simd(replaceCode)), lane], [vector, liftScalar(value)]),
    load,
    loadSplat,
    loadLane: (vector, lane, address, offset = 0) => {
      const opcode = [...opcodeBytes(simd(loadLaneCode)), 0, ...unsigned(offset), lane];
      return new Value('v128', opcode, [liftI32(address), vector]);
    },
    shuffle: (a, b, picks) => {
      const opcode = opcodeBytes(simd(0x0d));
      for (const pick of picks) for (let byte = 0; byte < bytes; byte++) opcode.push(pick * bytes + byte);
      return new Value('v128', opcode, [a, b]);
    },
  };
}

/** Instructions on the 128 bits of a vector, whatever they mean. */
export const v128: Unary<'not', 'v128'> &
  Unary<'anyTrue', 'v128', 'i32'> &
  Binary<'and' | 'andNot' | 'or' | 'xor', 'v128'> &
  Load<'load' | 'load32Zero' | 'load64Zero' | 'load8x8U' | 'load8x8' | 'load16x4' | 'load16x4U', 'v128'> & {
    /** Bits of `yes` where the mask has 1, of `no` where it has 0. */
    readonly bitselect: (yes: Value<'v128'>, no: Value<'v128'>, mask: Value<'v128'>) => Value<'v128'>;
  } = {
  ...unary(liftI32x4, 'v128', { not: simd(0x4d) }),
  ...unary(liftI32x4, 'i32', { anyTrue: simd(0x53) }),
  ...binary(liftI32x4, 'v128', consecutive(simd(0x4e), ['and', 'andNot', 'or', 'xor'])),
  ...loads('v128', consecutive(simd(0x00), ['load', 'load8x8', 'load8x8U', 'load16x4', 'load16x4U'])),
  ...loads('v128', consecutive(simd(0x5c), ['load32Zero', 'load64Zero'])),
  bitselect: (yes, no, mask) => new Value('v128', opcodeBytes(simd(0x52)), [yes, no, mask]),
};

const FLOAT_ARITHMETIC = ['add', 'sub', 'mul', 'div', 'min', 'max', 'pmin', 'pmax'] as const;
const COMPARISONS = ['eq', 'ne', 'lt', 'gt', 'le', 'ge'] as const;
const SIGNED_AND_UNSIGNED = ['eq', 'ne', 'lt', 'ltU', 'gt', 'gtU', 'le', 'leU', 'ge', 'geU'] as const;
const EXTREMES = ['min', 'minU', 'max', 'maxU'] as const;
const EXTENSIONS = ['extendLow', 'extendHigh', 'extendLowU', 'extendHighU'] as const;

/** What vectors of floats have; `pmin` is `b < a ? b : a`, `pmax` is `a < b ? b : a`, in one instruction. */
export type FloatLanes<S extends Type> = Lanes<S> &
  Unary<'abs' | 'neg' | 'sqrt' | 'ceil' | 'floor' | 'trunc' | 'nearest', 'v128'> &
  Binary<(typeof FLOAT_ARITHMETIC)[number], 'v128'> &
  Binary<(typeof COMPARISONS)[number], 'v128'> & {
    /** a b + c with one rounding or two; not every engine has it. */
    readonly relaxedMadd: (a: Operand<'v128'>, b: Operand<'v128'>, c: Operand<'v128'>) => Value<'v128'>;
  };

function floatTable(
  lift: Lift<'v128'>,
  functions: readonly [abs: number, ceil: number, floor: number, trunc: number, nearest: number],
  compare: number,
  madd: number,
): Omit<FloatLanes<Type>, keyof Lanes<Type>> {
  const [abs, ceil, floor, trunc, nearest] = functions;
  return {
    ...unary(lift, 'v128', { abs: simd(abs), neg: simd(abs + 1), sqrt: simd(abs + 3) }),
    ...unary(lift, 'v128', {
      ceil: simd(ceil),
      floor: simd(floor),
      trunc: simd(trunc),
      nearest: simd(nearest),
    }),
    ...binary(lift, 'v128', consecutive(simd(abs + 4), FLOAT_ARITHMETIC)),
    ...binary(lift, 'v128', consecutive(simd(compare), COMPARISONS)),
    relaxedMadd: (a, b, c) => new Value('v128', opcodeBytes(simd(madd)), [lift(a), lift(b), lift(c)]),
  };
}

/** Four single-precision lanes. */
export const f32x4: FloatLanes<'f32'> & Unary<'fromI32x4' | 'fromI32x4U' | 'demoteF64x2', 'v128'> = {
  ...laneTable('f32', 4, liftF32x4, liftF32, [0x13, 0x1f, 0x20, 0x09, 0x56]),
  ...floatTable(liftF32x4, [0xe0, 0x67, 0x68, 0x69, 0x6a], 0x41, 0x105),
  ...unary(liftI32x4, 'v128', { fromI32x4: simd(0xfa), fromI32x4U: simd(0xfb) }),
  ...unary(liftF64x2, 'v128', { demoteF64x2: simd(0x5e) }),
};

/** Two double-precision lanes; conversions read the low half of their operand. */
export const f64x2: FloatLanes<'f64'> & Unary<'fromI32x4' | 'fromI32x4U' | 'promoteF32x4', 'v128'> = {
  ...laneTable('f64', 8, liftF64x2, liftF64, [0x14, 0x21, 0x22, 0x0a, 0x57]),
  ...floatTable(liftF64x2, [0xec, 0x74, 0x75, 0x7a, 0x94], 0x47, 0x107),
  ...unary(liftI32x4, 'v128', { fromI32x4: simd(0xfe), fromI32x4U: simd(0xff) }),
  ...unary(liftF32x4, 'v128', { promoteF32x4: simd(0x5f) }),
};

/** What vectors of integers have; without a `U`, comparisons are signed. */
type IntegerLanes = Unary<'abs' | 'neg', 'v128'> &
  Unary<'allTrue' | 'bitmask', 'v128', 'i32'> &
  Binary<'add' | 'sub', 'v128'> &
  Shift<'shl' | 'shr' | 'shrU'>;
type Comparisons = Binary<(typeof SIGNED_AND_UNSIGNED)[number], 'v128'>;
type Extremes = Binary<(typeof EXTREMES)[number], 'v128'>;
type Extensions = Unary<(typeof EXTENSIONS)[number], 'v128'>;

/** Integer lanes of each size have the same opcodes, counted from that of `abs`. */
function integerTable(lift: Lift<'v128'>, abs: number): IntegerLanes {
  return {
    ...unary(lift, 'v128', consecutive(simd(abs), ['abs', 'neg'])),
    ...unary(lift, 'i32', consecutive(simd(abs + 3), ['allTrue', 'bitmask'])),
    ...shifts(lift, consecutive(simd(abs + 11), ['shl', 'shr', 'shrU'])),
    ...binary(lift, 'v128', { add: simd(abs + 14), sub: simd(abs + 17) }),
  };
}

/** Four 32-bit lanes; `truncF32x4` and its like saturate, NaN becomes 0. */
export const i32x4: Lanes<'i32'> &
  IntegerLanes &
  Comparisons &
  Extremes &
  Extensions &
  Binary<'mul', 'v128'> &
  Unary<'truncF32x4' | 'truncF32x4U' | 'truncF64x2' | 'truncF64x2U', 'v128'> = {
  ...laneTable('i32', 4, liftI32x4, liftI32, [0x11, 0x1b, 0x1c, 0x09, 0x56]),
  ...integerTable(liftI32x4, 0xa0),
  ...binary(liftI32x4, 'v128', consecutive(simd(0x37), SIGNED_AND_UNSIGNED)),
  ...binary(liftI32x4, 'v128', consecutive(simd(0xb5), ['mul', ...EXTREMES])),
  ...unary(liftI32x4, 'v128', consecutive(simd(0xa7), EXTENSIONS)),
  ...unary(liftF32x4, 'v128', consecutive(simd(0xf8), ['truncF32x4', 'truncF32x4U'])),
  ...unary(liftF64x2, 'v128', consecutive(simd(0xfc), ['truncF64x2', 'truncF64x2U'])),
};

/** Two 64-bit lanes. */
export const i64x2: Lanes<'i64'> &
  IntegerLanes &
  Extensions &
  Binary<'mul' | (typeof COMPARISONS)[number], 'v128'> = {
  ...laneTable('i64', 8, liftI64x2, liftI64, [0x12, 0x1d, 0x1e, 0x0a, 0x57]),
  ...integerTable(liftI64x2, 0xc0),
  ...binary(liftI64x2, 'v128', consecutive(simd(0xd5), ['mul', ...COMPARISONS])),
  ...unary(liftI64x2, 'v128', consecutive(simd(0xc7), EXTENSIONS)),
};

/** Eight 16-bit lanes; narrowing joins two vectors of 32-bit lanes and saturates. */
export const i16x8: Lanes<'i32'> &
  IntegerLanes &
  Comparisons &
  Extremes &
  Extensions &
  Binary<'mul' | 'narrowI32x4' | 'narrowI32x4U', 'v128'> = {
  ...laneTable('i32', 2, liftI16x8, liftI32, [0x10, 0x18, 0x1a, 0x08, 0x55]),
  ...integerTable(liftI16x8, 0x80),
  ...binary(liftI16x8, 'v128', consecutive(simd(0x2d), SIGNED_AND_UNSIGNED)),
  ...binary(liftI16x8, 'v128', consecutive(simd(0x95), ['mul', ...EXTREMES])),
  ...binary(liftI16x8, 'v128', consecutive(simd(0x85), ['narrowI32x4', 'narrowI32x4U'])),
  ...unary(liftI16x8, 'v128', consecutive(simd(0x87), EXTENSIONS)),
};

/** Sixteen 8-bit lanes; narrowing joins two vectors of 16-bit lanes and saturates; `extract` is unsigned. */
export const i8x16: Lanes<'i32'> &
  IntegerLanes &
  Comparisons &
  Extremes &
  Binary<'narrowI16x8' | 'narrowI16x8U' | 'swizzle', 'v128'> = {
  ...laneTable('i32', 1, liftI8x16, liftI32, [0x0f, 0x16, 0x17, 0x07, 0x54]),
  ...integerTable(liftI8x16, 0x60),
  ...binary(liftI8x16, 'v128', consecutive(simd(0x23), SIGNED_AND_UNSIGNED)),
  ...binary(liftI8x16, 'v128', consecutive(simd(0x76), EXTREMES)),
  ...binary(liftI8x16, 'v128', consecutive(simd(0x65), ['narrowI16x8', 'narrowI16x8U'])),
  ...binary(liftI8x16, 'v128', { swizzle: simd(0x0e) }),
};
