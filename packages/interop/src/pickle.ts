import { FormatError, quote } from './errors.ts';

/** A name that a pickle asks for, such as `collections.OrderedDict`; it stands for nothing until it is called. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What the reader of a pickle gives meaning to. Everything else in it is plain data. */
export interface PickleMeaning {
  /** The result of a call. @throws FormatError for every name that is not expected */
  call(name: string, args: readonly unknown[]): unknown;
  /** The object outside of the pickle that an identifier stands for. */
  load(identifier: unknown): unknown;
}

/** What an instruction works on. */
interface Machine extends PickleMeaning {
  readonly bytes: Cursor;
  readonly memo: Map<number, unknown>;
  stack: unknown[];
  /** The stacks below the marks that are open. */
  readonly below: unknown[][];
}

type Instruction = (machine: Machine) => void;

/** Reads values from bytes, and never beyond them. */
class Cursor {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(count: number): Uint8Array {
    const start = this.advance(count);
    return this.bytes.subarray(start, start + count);
  }

  byte(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  uint64(): number {
    return Number(this.view.getBigUint64(this.advance(8), true));
  }

  /** The only number that is written with its most significant byte first. */
  float64(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** A whole number in two's complement; beyond 2^53 a bigint. */
  integer(count: number): number | bigint {
    const bytes = this.take(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * count, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(count: number): string {
    return new TextDecoder().decode(this.take(count));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const text = this.text((end < 0 ? this.bytes.length : end) - this.at);
    this.advance(1);
    return text;
  }

  private advance(count: number): number {
    const start = this.at;
    if (!(count <= this.bytes.length - start)) throw new FormatError('The pickle is truncated: it ends inside of a value.');
    this.at = start + count;
    return start;
  }
}

/** A number in two's complement may have this many bytes; longer ones belong to no training. */
const LONGEST_INTEGER = 255;

const push = (read: (bytes: Cursor) => unknown): Instruction => (machine) => void machine.stack.push(read(machine.bytes));
const tuple = (count: number): Instruction => (machine) => void machine.stack.push(pop(machine, count));
const remember = (place: (machine: Machine) => number): Instruction => (machine) => void machine.memo.set(place(machine), top(machine));
const recall = (place: (bytes: Cursor) => number): Instruction => (machine) => {
  const key = place(machine.bytes);
  if (!machine.memo.has(key)) throw broken();
  machine.stack.push(machine.memo.get(key));
};

/** The instructions that torch.save writes, by their bytes. */
const instructions: Readonly<Record<number, Instruction>> = {
  0x80: ({ bytes }) => void bytes.byte(), // protocol
  0x95: ({ bytes }) => void bytes.uint64(), // length of a frame
  0x28: (machine) => {
    machine.below.push(machine.stack);
    machine.stack = [];
  },
  0x30: (machine) => void pop(machine, 1),
  0x4e: push(() => null),
  0x88: push(() => true),
  0x89: push(() => false),
  0x4a: push((bytes) => bytes.int32()),
  0x4b: push((bytes) => bytes.byte()),
  0x4d: push((bytes) => bytes.uint16()),
  0x8a: push((bytes) => bytes.integer(bytes.byte())),
  0x8b: push((bytes) => {
    const count = bytes.uint32();
    if (count > LONGEST_INTEGER) throw new FormatError(`The pickle holds a whole number of ${count} bytes; at most ${LONGEST_INTEGER} are read.`);
    return bytes.integer(count);
  }),
  0x47: push((bytes) => bytes.float64()),
  0x58: push((bytes) => bytes.text(bytes.uint32())),
  0x8c: push((bytes) => bytes.text(bytes.byte())),
  0x8d: push((bytes) => bytes.text(bytes.uint64())),
  0x29: tuple(0),
  0x85: tuple(1),
  0x86: tuple(2),
  0x87: tuple(3),
  0x74: (machine) => {
    const items = popMarked(machine);
    machine.stack.push(items);
  },
  0x5d: push(() => []),
  0x61: (machine) => {
    const [item] = pop(machine, 1);
    listAt(machine).push(item);
  },
  0x65: (machine) => {
    const items = popMarked(machine);
    const list = listAt(machine);
    for (const item of items) list.push(item);
  },
  0x7d: push(() => new Map()),
  0x73: (machine) => setItems(machine, pop(machine, 2)),
  0x75: (machine) => setItems(machine, popMarked(machine)),
  0x71: remember(({ bytes }) => bytes.byte()),
  0x72: remember(({ bytes }) => bytes.uint32()),
  0x94: remember(({ memo }) => memo.size),
  0x68: recall((bytes) => bytes.byte()),
  0x6a: recall((bytes) => bytes.uint32()),
  0x63: push((bytes) => new PickleGlobal(`${bytes.line()}.${bytes.line()}`)),
  0x93: (machine) => {
    const [module, name] = pop(machine, 2);
    machine.stack.push(new PickleGlobal(`${String(module)}.${String(name)}`));
  },
  0x51: (machine) => {
    const [identifier] = pop(machine, 1);
    machine.stack.push(machine.load(identifier));
  },
  0x52: call, // a function
  0x81: call, // a class
  // Attributes of a dictionary, as state dicts have one with the versions of modules; of other objects there are none.
  0x62: (machine) => {
    pop(machine, 1);
    if (!(top(machine) instanceof Map)) throw broken();
  },
};

const STOP = 0x2e;

/**
 * Reads a pickle as data: numbers, texts, lists and tuples (arrays), dictionaries (maps). Nothing in it is executed: names
 * of functions go to `meaning`, which knows a few and refuses the others.
 * @throws FormatError when the bytes are no pickle, or one with other instructions than data needs
 * @source Python's pickletools; torch.load with weights_only
 */
export function readPickle(bytes: Uint8Array, meaning: PickleMeaning): unknown {
  const machine: Machine = { ...bound(meaning), bytes: new Cursor(bytes), memo: new Map(), stack: [], below: [] };
  for (;;) {
    const code = machine.bytes.byte();
    if (code === STOP) break;
    const instruction = instructions[code];
    if (instruction === undefined) {
      throw new FormatError(`The pickle has the instruction 0x${code.toString(16).padStart(2, '0')}, which no file of tensors and plain values needs.`);
    }
    instruction(machine);
  }
  if (machine.stack.length !== 1 || machine.below.length > 0) throw broken();
  return machine.stack[0];
}

function bound(meaning: PickleMeaning): PickleMeaning {
  return { call: (name, args) => meaning.call(name, args), load: (identifier) => meaning.load(identifier) };
}

function pop({ stack }: Machine, count: number): unknown[] {
  if (stack.length < count) throw broken();
  return stack.splice(stack.length - count, count);
}

function popMarked(machine: Machine): unknown[] {
  const items = machine.stack;
  const below = machine.below.pop();
  if (below === undefined) throw broken();
  machine.stack = below;
  return items;
}

function top({ stack }: Machine): unknown {
  if (stack.length === 0) throw broken();
  return stack.at(-1);
}

function listAt(machine: Machine): unknown[] {
  const list = top(machine);
  if (!Array.isArray(list)) throw broken();
  return list;
}

function call(machine: Machine): void {
  const [callee, args] = pop(machine, 2);
  if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw broken();
  machine.stack.push(machine.call(callee.name, args));
}

function setItems(machine: Machine, items: readonly unknown[]): void {
  const map = top(machine);
  if (!(map instanceof Map) || items.length % 2 !== 0) throw broken();
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i];
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw new FormatError(`The pickle has a dictionary with the key ${quote(key)}; only texts and numbers can be keys here.`);
    }
    map.set(key, items[i + 1]);
  }
}

function broken(): FormatError {
  return new FormatError('The pickle is damaged: an instruction does not find what it needs.');
}
