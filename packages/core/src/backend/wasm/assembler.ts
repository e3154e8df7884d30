import { heapIsShared, heapMemory } from '../../heap.ts';
import { section, text, unsigned } from './encoding.ts';
import { rememberModule } from './shared-modules.ts';
import { type Emission, liftI32, misc, opcodeBytes, type Operand, simd, type Type, typeCodes, Value, type VectorConstant } from './value.ts';

/** A variable of a function; as a value it reads the variable. */
export class Local<T extends Type = Type> extends Value<T> {
  readonly index: number;

  constructor(type: T, index: number) {
    super(type, [0x20].concat(unsigned(index)));
    this.index = index;
  }
}

/** A function that can be called: imported, or defined before. */
export interface Callable<R extends Type | null = Type | null> {
  readonly index: number;
  readonly params: readonly Type[];
  readonly result: R;
}

/** The result of calling a function that gives one. */
export function call<R extends Type>(callee: Callable<R>, ...args: readonly Value[]): Value<R> {
  return new Value(callee.result, [0x10].concat(unsigned(callee.index)), args);
}

/** A place in the code that `break` leaves or `continue` goes back to. */
export interface Label {
  readonly depth: number;
}

type LocalsOf<P extends Readonly<Record<string, Type>>> = { readonly [name in keyof P]: Local<P[name]> };

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const NO_RESULT = 0x40;

const storeCodes: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x36],
  i64: [0x37],
  f32: [0x38],
  f64: [0x39],
  v128: opcodeBytes(simd(0x0b)),
};
/** Opcodes that store one lane, by its size in bytes. */
const storeLaneCodes: Readonly<Record<number, number>> = { 1: 0x58, 2: 0x59, 4: 0x5a, 8: 0x5b };

/** Writes the body of one function: each method appends a statement, in the order of the calls. */
export class FunctionBuilder implements Emission {
  readonly code: number[] = [];
  /** Instructions before all others. */
  private readonly start: number[] = [];
  private readonly constants = new Map<string, Local<'v128'>>();
  kept: ((constant: VectorConstant) => Value<'v128'>) | null = null;
  private readonly paramCount: number;
  private readonly localTypes: Type[] = [];
  private depth = 0;

  constructor(paramCount: number) {
    this.paramCount = paramCount;
  }

  /** Declares a variable; without a first value it is 0 (at the start of the function). */
  local<T extends Type>(type: T, first?: Value<T>): Local<T> {
    const local = new Local(type, this.paramCount + this.localTypes.length);
    this.localTypes.push(type);
    if (first !== undefined) this.set(local, first);
    return local;
  }

  /** Declares an i32 variable. */
  i32(first?: Operand<'i32'>): Local<'i32'> {
    return this.local('i32', first === undefined ? undefined : liftI32(first));
  }

  /**
   * From here on keeps constant vectors in variables, which are loaded once at the start. Engines rebuild a constant in
   * the code at every use, with several instructions, but keep a loaded one in a register, or at least in memory.
   * @param addressOf says where the bytes of a constant lie
   */
  keepConstants(addressOf: (bytes: readonly number[]) => number): void {
    this.kept = ({ bytes }) => {
      const key = bytes.join();
      let local = this.constants.get(key);
      if (local === undefined) {
        local = this.local('v128');
        this.constants.set(key, local);
        liftI32(addressOf(bytes)).emit({ code: this.start });
        this.start.push(...opcodeBytes(simd(0)), 0, 0, 0x21, ...unsigned(local.index));
      }
      return local;
    };
  }

  /** local = value */
  set<T extends Type>(local: Local<T>, value: Value<T>): void {
    value.emit(this);
    this.code.push(0x21, ...unsigned(local.index));
  }

  /** local += step, for i32 variables. */
  increment(local: Local<'i32'>, step: Operand<'i32'>): void {
    this.set(local, new Value('i32', [0x6a], [local, liftI32(step)]));
  }

  /** Stores a whole value of its own type. */
  store(address: Operand<'i32'>, value: Value, offset = 0): void {
    this.storeWith(storeCodes[value.type], address, value, offset);
  }

  /** Stores the low byte of an i32. */
  store8(address: Operand<'i32'>, value: Value<'i32'>, offset = 0): void {
    this.storeWith([0x3a], address, value, offset);
  }

  /** Stores one lane of a vector; `bytes` is the size of the lane. */
  storeLane(bytes: number, lane: number, address: Operand<'i32'>, vector: Value<'v128'>, offset = 0): void {
    this.storeWith(opcodeBytes(simd(storeLaneCodes[bytes]!)), address, vector, offset);
    this.code.push(lane);
  }

  private storeWith(opcode: readonly number[], address: Operand<'i32'>, value: Value, offset: number): void {
    liftI32(address).emit(this);
    value.emit(this);
    this.code.push(...opcode, 0, ...unsigned(offset));
  }

  /** Copies bytes; the ranges may overlap. */
  copyMemory(to: Operand<'i32'>, from: Operand<'i32'>, bytes: Operand<'i32'>): void {
    for (const operand of [to, from, bytes]) liftI32(operand).emit(this);
    this.code.push(...opcodeBytes(misc(10)), 0, 0);
  }

  /** Sets bytes to a value. */
  fillMemory(to: Operand<'i32'>, byte: Operand<'i32'>, bytes: Operand<'i32'>): void {
    for (const operand of [to, byte, bytes]) liftI32(operand).emit(this);
    this.code.push(...opcodeBytes(misc(11)), 0);
  }

  /** Runs a function for its effect. */
  call(callee: Callable, ...args: readonly Operand<'i32'>[] | readonly Value[]): void {
    for (const arg of args) (typeof arg === 'number' ? liftI32(arg) : arg).emit(this);
    this.code.push(0x10, ...unsigned(callee.index));
    if (callee.result !== null) this.code.push(0x1a);
  }

  /** Leaves the function with this result, or with none. */
  return(value?: Value): void {
    value?.emit(this);
    this.code.push(0x0f);
  }

  /** Statements under a condition, and others if it does not hold. */
  if(condition: Value<'i32'>, then: () => void, otherwise?: () => void): void {
    condition.emit(this);
    this.nest(IF, () => {
      then();
      if (otherwise !== undefined) {
        this.code.push(ELSE);
        otherwise();
      }
    });
  }

  /** Statements that `break` can leave early. */
  block(body: (out: Label) => void): void {
    this.nest(BLOCK, body);
  }

  /** Statements that run once, and again whenever `continue` is reached. */
  loop(body: (again: Label) => void): void {
    this.nest(LOOP, body);
  }

  /** Goes to a label, at once or if a condition holds. */
  branch(label: Label, condition?: Value<'i32'>): void {
    condition?.emit(this);
    this.code.push(condition === undefined ? BRANCH : BRANCH_IF, ...unsigned(this.depth - label.depth));
  }

  /** Runs while the condition holds. */
  while(condition: () => Value<'i32'>, body: () => void): void {
    this.if(condition(), () => {
      this.loop((again) => {
        body();
        this.branch(again, condition());
      });
    });
  }

  /** for (local = from; local < to; local += step), signed; `from` may be the local, to go on from there. */
  for(
    local: Local<'i32'>,
    from: Operand<'i32'>,
    to: Operand<'i32'>,
    step: Operand<'i32'>,
    body: () => void,
  ): void {
    if (from !== local) this.set(local, liftI32(from));
    this.while(
      () => new Value('i32', [0x48], [local, liftI32(to)]),
      () => {
        body();
        this.increment(local, step);
      },
    );
  }

  /** Runs the body `count` times with a counter that falls to 0: the cheapest loop there is. */
  repeat(count: Operand<'i32'>, body: () => void): void {
    const left = this.i32(count);
    this.while(
      () => left,
      () => {
        body();
        this.increment(left, -1);
      },
    );
  }

  /**
   * Runs the body at least once, as often as `count` says, which falls to 0. The body may place fences: exits
   * that are never taken. V8 up to version 12 computes results as late as possible, after all loads of a
   * loop; an exit needs the results so far, so that fewer values wait in registers at a time and none spill.
   */
  countdown(count: Local<'i32'>, body: (fence: () => void) => void): void {
    this.block((out) => {
      this.loop((again) => {
        body(() => this.branch(out, new Value('i32', [0x45], [count])));
        this.increment(count, -1);
        this.branch(again, count);
      });
    });
  }

  private nest(opcode: number, body: (label: Label) => void): void {
    this.code.push(opcode, NO_RESULT);
    this.depth++;
    body({ depth: this.depth });
    this.depth--;
    this.code.push(END);
  }

  /** The function's entry in the code section. */
  entry(): number[] {
    const locals: number[] = unsigned(this.localTypes.length);
    for (const type of this.localTypes) locals.push(1, typeCodes[type]);
    const { start, code } = this;
    return unsigned(locals.length + start.length + code.length + 1).concat(locals, start, code, END);
  }
}

/** What a module imports besides the memory, by name. */
export type Imports = Readonly<Record<string, (...args: number[]) => number>>;

/** Writes a module of functions that work on the heap. Functions are called only after they were declared. */
export class Assembler {
  private readonly types: number[][] = [];
  private readonly typeIndex = new Map<string, number>();
  private readonly imports: number[][] = [];
  private readonly functions: number[][] = [];
  private readonly exports: number[][] = [];
  private readonly bodies: number[][] = [];
  private importCount = 0;

  constructor() {
    const limits = [heapIsShared() ? 3 : 1, 1, ...unsigned(65536)];
    this.imports.push([...text('env'), ...text('memory'), 2, ...limits]);
  }

  /** Declares a function that is given at compilation; only before any function is defined. */
  import<R extends Type | null>(name: string, params: readonly Type[], result: R): Callable<R> {
    if (this.bodies.length > 0) throw new Error(`import ${name}: imports come before functions`);
    this.imports.push([...text('env'), ...text(name), 0, ...unsigned(this.signature(params, result))]);
    return { index: this.importCount++, params, result };
  }

  /**
   * Defines a function.
   * @param name under which it is exported; null to keep it inside the module
   * @param params names and types of its parameters, in order
   * @param result type of its result, or null
   * @param body writes the statements; the last must be `return` if there is a result
   */
  function<P extends Readonly<Record<string, Type>>, R extends Type | null>(
    name: string | null,
    params: P,
    result: R,
    body: (f: FunctionBuilder, params: LocalsOf<P>) => void,
  ): Callable<R> {
    const names = Object.keys(params);
    const types = names.map((param) => params[param]!);
    const locals = Object.fromEntries(names.map((param, k) => [param, new Local(params[param]!, k)]));
    const index = this.importCount + this.bodies.length;
    this.functions.push(unsigned(this.signature(types, result)));
    if (name !== null) this.exports.push([...text(name), 0, ...unsigned(index)]);
    const builder = new FunctionBuilder(types.length);
    body(builder, locals as LocalsOf<P>);
    if (result !== null) builder.code.push(0x00); // Every path has returned; this satisfies the validator.
    this.bodies.push(builder.entry());
    return { index, params: types, result };
  }

  private signature(params: readonly Type[], result: Type | null): number {
    const codes = params.map((type) => typeCodes[type]);
    const results = result === null ? [] : [typeCodes[result]];
    const bytes = [0x60, ...unsigned(codes.length), ...codes, results.length, ...results];
    const key = bytes.join();
    let index = this.typeIndex.get(key);
    if (index === undefined) {
      index = this.types.push(bytes) - 1;
      this.typeIndex.set(key, index);
    }
    return index;
  }

  /** The module's bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    return new Uint8Array(
      header.concat(
        section(1, this.types),
        section(2, this.imports),
        section(3, this.functions),
        section(7, this.exports),
        section(10, this.bodies),
      ),
    );
  }

  /** The module's functions, ready to be called, on the heap's memory. */
  compile<E>(imports: Imports = {}): E {
    return compile<E>(this.bytes(), imports);
  }
}

/** Compiles a module at once and gives its exports; its memory is the heap. */
export function compile<E>(bytes: Uint8Array<ArrayBuffer>, imports: Imports = {}): E {
  const module = new WebAssembly.Module(bytes);
  const instance = new WebAssembly.Instance(module, { env: { memory: heapMemory(), ...imports } });
  rememberModule(bytes, imports, instance.exports);
  return instance.exports as E;
}

export { type Operand, select, type Type, Value } from './value.ts';
export { f32, type FloatScalar, f64, i32, i64 } from './scalars.ts';
export { f32x4, f64x2, type FloatLanes, i16x8, i32x4, i64x2, i8x16, type Lanes, v128 } from './vectors.ts';
