import { float32Bytes, float64Bytes, signed, signed64, unsigned } from './encoding.ts';

/** The types of values in WebAssembly that kernels use. */
export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/**
 * Something that computes a value: an instruction and the values that it takes. Nothing is emitted until a
 * statement uses it; used twice, it is computed twice.
 */
export class Value<T extends Type = Type> {
  readonly type: T;
  readonly opcode: readonly number[];
  readonly operands: readonly Value[];

  constructor(type: T, opcode: readonly number[], operands: readonly Value[] = []) {
    this.type = type;
    this.opcode = opcode;
    this.operands = operands;
  }

  /** Appends the instructions that leave the value on the stack. */
  emit(to: Emission): void {
    const { operands, opcode } = this;
    for (let k = 0; k < operands.length; k++) operands[k]!.emit(to);
    for (let k = 0; k < opcode.length; k++) to.code.push(opcode[k]!);
  }
}

/** Where instructions go. */
export interface Emission {
  readonly code: number[];
  /** What stands for a constant vector instead of the constant itself. */
  readonly kept?: ((constant: VectorConstant) => Value<'v128'>) | null;
}

/** A vector that is known when the code is written. */
export class VectorConstant extends Value<'v128'> {
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    super('v128', [...opcodeBytes(simd(0x0c)), ...bytes]);
    this.bytes = bytes;
  }

  override emit(to: Emission): void {
    // All bits 0 or all 1 take one cheap instruction.
    const isTrivial = this.bytes.every((byte) => byte === this.bytes[0] && (byte === 0 || byte === 255));
    if (isTrivial || !to.kept) super.emit(to);
    else to.kept(this).emit(to);
  }
}

/** A value, or a number that becomes a constant (in all lanes of a vector). */
export type Operand<T extends Type> = Value<T> | number;

/** How types are encoded. */
export const typeCodes: Readonly<Record<Type, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** Instructions of one operand. */
export type Unary<Names extends string, A extends Type, R extends Type = A> = {
  readonly [name in Names]: (a: Operand<A>) => Value<R>;
};
/** Instructions of two operands. */
export type Binary<Names extends string, A extends Type, R extends Type = A> = {
  readonly [name in Names]: (a: Operand<A>, b: Operand<A>) => Value<R>;
};
/** Shifts of every lane by one count. */
export type Shift<Names extends string> = {
  readonly [name in Names]: (a: Operand<'v128'>, count: Operand<'i32'>) => Value<'v128'>;
};
/** Loads from an address plus a constant offset in bytes. */
export type Load<Names extends string, R extends Type> = {
  readonly [name in Names]: (address: Operand<'i32'>, offset?: number) => Value<R>;
};
/** Makes a value of an operand: numbers become constants. */
export type Lift<T extends Type> = (a: Operand<T>) => Value<T>;
/** Opcodes by name. */
export type Opcodes<Names extends string> = { readonly [name in Names]: number };

/** Opcodes from here on are those of SIMD, which are encoded with a prefix. */
const SIMD = 0x10000;
/** Opcodes from here on are those of saturating conversions and bulk memory. */
const MISC = 0x20000;

/** An opcode after the prefix of SIMD. */
export const simd = (code: number): number => SIMD + code;

/** An opcode after the prefix of saturating conversions and bulk memory. */
export const misc = (code: number): number => MISC + code;

/** How an opcode is encoded. */
export function opcodeBytes(code: number): number[] {
  if (code >= MISC) return [0xfc].concat(unsigned(code - MISC));
  return code >= SIMD ? [0xfd].concat(unsigned(code - SIMD)) : [code];
}

/** Names for opcodes that follow each other. */
export function consecutive<Names extends string>(first: number, names: readonly Names[]): Opcodes<Names> {
  return Object.fromEntries(names.map((name, k) => [name, first + k])) as Opcodes<Names>;
}

/** Makes a function for each named opcode. */
function table<Names extends string, F>(
  codes: Opcodes<Names>,
  make: (opcode: number[]) => F,
): { [name in Names]: F } {
  const functions = {} as { [name in Names]: F };
  for (const name in codes) functions[name] = make(opcodeBytes(codes[name]));
  return functions;
}

/** Builders of instructions of one operand. */
export function unary<Names extends string, A extends Type, R extends Type>(
  lift: Lift<A>,
  result: R,
  codes: Opcodes<Names>,
): Unary<Names, A, R> {
  return table(codes, (opcode) => (a: Operand<A>) => new Value(result, opcode, [lift(a)]));
}

/** Builders of instructions of two operands. */
export function binary<Names extends string, A extends Type, R extends Type>(
  lift: Lift<A>,
  result: R,
  codes: Opcodes<Names>,
): Binary<Names, A, R> {
  return table(
    codes,
    (opcode) => (a: Operand<A>, b: Operand<A>) => new Value(result, opcode, [lift(a), lift(b)]),
  );
}

/** Builders of shifts. */
export function shifts<Names extends string>(lift: Lift<'v128'>, codes: Opcodes<Names>): Shift<Names> {
  return table(
    codes,
    (opcode) => (a: Operand<'v128'>, count: Operand<'i32'>) =>
      new Value('v128', opcode, [lift(a), liftI32(count)]),
  );
}

/** Builders of loads; addresses are unsigned, so the whole 4 GiB can be reached. */
export function loads<Names extends string, R extends Type>(
  result: R,
  codes: Opcodes<Names>,
): Load<Names, R> {
  return table(
    codes,
    (opcode) =>
      (address: Operand<'i32'>, offset = 0) =>
        new Value(result, opcode.concat(0, unsigned(offset)), [liftI32(address)]),
  );
}

/** Lifts numbers by the given encoding of a constant. */
export function literal<T extends Type>(type: T, encode: (value: number) => number[]): Lift<T> {
  return (a) => (typeof a === 'number' ? new Value(type, encode(a)) : a);
}

/** Lifts a number to an i32. */
export const liftI32: Lift<'i32'> = literal('i32', (value) => [0x41].concat(signed(value)));

/** Lifts a number to an i64. */
export const liftI64: Lift<'i64'> = literal('i64', (value) => [0x42].concat(signed64(value)));

/** Lifts a number to an f32. */
export const liftF32: Lift<'f32'> = literal('f32', (value) => [0x43].concat(float32Bytes(value)));

/** Lifts a number to an f64. */
export const liftF64: Lift<'f64'> = literal('f64', (value) => [0x44].concat(float64Bytes(value)));

/** `yes` where the condition is not 0, else `no`; both are computed. */
export function select<T extends Type>(condition: Operand<'i32'>, yes: Value<T>, no: Value<T>): Value<T> {
  const opcode = yes.type === 'v128' ? [0x1c, 1, typeCodes.v128] : [0x1b];
  return new Value(yes.type, opcode, [yes, no, liftI32(condition)]);
}
