import { type DType, dtypeInfo } from '../../dtype.ts';
import {
  f32,
  f32x4,
  f64,
  f64x2,
  type FunctionBuilder,
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Value,
} from './assembler.ts';

/** A vector of whatever lanes. */
export type Vector = Value<'v128'>;

/** The types in which expressions are evaluated. */
export type LaneName = 'float32' | 'float64' | 'int32';

/** One type of lane: how many there are, and how elements of every dtype become lanes and lanes elements. */
export interface LaneType {
  readonly name: LaneName;
  readonly count: number;
  readonly constant: (value: number) => Vector;
  /** A runtime scalar in all lanes. */
  readonly splat: (value: Value<'f64'>) => Vector;
  /** One lane as a double. */
  readonly extract: (vector: Vector, lane: number) => Value<'f64'>;
  /** Vector with one lane set from a double, or from an i32 where lanes are integers. */
  readonly replace: (vector: Vector, lane: number, value: Value) => Vector;
  /** Type of what a function called for a lane gives. */
  readonly callResult: 'f64' | 'i32';
  /** Lanes from the bytes of elements, which fill one vector or two. */
  readonly widen: Readonly<Record<DType, (raw: readonly Vector[]) => Vector>>;
  /** The bytes of elements from lanes; floats are truncated to integers, anything but 0 is true. */
  readonly narrow: Readonly<Record<DType, (lanes: Vector) => Vector[]>>;
}

const first = (raw: readonly Vector[]): Vector => raw[0]!;
const bytesToI32 = (raw: readonly Vector[]): Vector => i32x4.extendLowU(i16x8.extendLowU(raw[0]!));
const same = (lanes: Vector): Vector[] => [lanes];
const highHalf = (v: Vector): Vector => f64x2.shuffle(v, v, [1, 1]);
const joinHalves = (low: Vector, high: Vector): Vector => f64x2.shuffle(low, high, [0, 2]);

/** The lowest byte of each lane, side by side. */
function lowBytes(lanes: Vector, bytes: number): Vector {
  const picks = Array.from({ length: 16 }, (_, k) => (k * bytes < 16 ? k * bytes : 0));
  return i8x16.shuffle(lanes, lanes, picks);
}

/** A mask's lanes as bytes 0 or 1. */
function maskBytes(mask: Vector, bytes: number): Vector {
  return v128.and(lowBytes(mask, bytes), i8x16.const(1));
}

/** The table of lane types. */
export const laneTypes: Readonly<Record<LaneName, LaneType>> = {
  float32: {
    name: 'float32',
    count: 4,
    constant: f32x4.const,
    splat: (value) => f32x4.splat(f32.fromF64(value)),
    extract: (vector, lane) => f64.fromF32(f32x4.extract(vector, lane)),
    replace: (vector, lane, value) => f32x4.replace(vector, lane, f32.fromF64(value as Value<'f64'>)),
    callResult: 'f64',
    widen: {
      float32: first,
      float64: ([low, high]) => joinHalves(f32x4.demoteF64x2(low!), f32x4.demoteF64x2(high!)),
      int32: (raw) => f32x4.fromI32x4(raw[0]!),
      uint8: (raw) => f32x4.fromI32x4(bytesToI32(raw)),
      bool: (raw) => f32x4.fromI32x4(bytesToI32(raw)),
    },
    narrow: {
      float32: same,
      float64: (x) => [f64x2.promoteF32x4(x), f64x2.promoteF32x4(highHalf(x))],
      int32: (x) => [i32x4.truncF32x4(x)],
      uint8: (x) => [lowBytes(i32x4.truncF32x4(x), 4)],
      bool: (x) => [maskBytes(f32x4.ne(x, 0), 4)],
    },
  },
  float64: {
    name: 'float64',
    count: 2,
    constant: f64x2.const,
    splat: (value) => f64x2.splat(value),
    extract: (vector, lane) => f64x2.extract(vector, lane),
    replace: (vector, lane, value) => f64x2.replace(vector, lane, value as Value<'f64'>),
    callResult: 'f64',
    widen: {
      float32: (raw) => f64x2.promoteF32x4(raw[0]!),
      float64: first,
      int32: (raw) => f64x2.fromI32x4(raw[0]!),
      uint8: (raw) => f64x2.fromI32x4(bytesToI32(raw)),
      bool: (raw) => f64x2.fromI32x4(bytesToI32(raw)),
    },
    narrow: {
      float32: (x) => [f32x4.demoteF64x2(x)],
      float64: same,
      int32: (x) => [i32x4.truncF64x2(x)],
      uint8: (x) => [lowBytes(i32x4.truncF64x2(x), 4)],
      bool: (x) => [maskBytes(f64x2.ne(x, 0), 8)],
    },
  },
  int32: {
    name: 'int32',
    count: 4,
    constant: i32x4.const,
    splat: (value) => i32x4.splat(i32.truncF64(value)),
    extract: (vector, lane) => f64.fromI32(i32x4.extract(vector, lane)),
    replace: (vector, lane, value) => i32x4.replace(vector, lane, value as Value<'i32'>),
    callResult: 'i32',
    widen: {
      float32: (raw) => i32x4.truncF32x4(raw[0]!),
      float64: ([low, high]) => joinHalves(i32x4.truncF64x2(low!), i32x4.truncF64x2(high!)),
      int32: first,
      uint8: bytesToI32,
      bool: bytesToI32,
    },
    narrow: {
      float32: (x) => [f32x4.fromI32x4(x)],
      float64: (x) => [f64x2.fromI32x4(x), f64x2.fromI32x4(highHalf(x))],
      int32: same,
      uint8: (x) => [lowBytes(x, 4)],
      bool: (x) => [maskBytes(i32x4.ne(x, 0), 4)],
    },
  },
};

/** A mask in lanes of the given type as bytes of bool. */
export function maskToBool(type: LaneType, mask: Vector): Vector {
  return maskBytes(mask, 16 / type.count);
}

const lanesOfBytes = { 1: i8x16, 4: f32x4, 8: f64x2 };

/** An address and a constant offset from it in bytes. */
type Address = Value<'i32'>;

/** Loads one element into all lanes. */
export function loadSplat(type: LaneType, dtype: DType, address: Address): Vector {
  const { bytes } = dtypeInfo[dtype];
  const element = lanesOfBytes[bytes].loadSplat(address);
  return type.widen[dtype](bytes * type.count > 16 ? [element, element] : [element]);
}

/** Loads as many neighbours as there are lanes. */
export function loadDense(type: LaneType, dtype: DType, address: Address, offset: number): Vector {
  const total = dtypeInfo[dtype].bytes * type.count;
  let raw: Vector[];
  if (total === 32) raw = [v128.load(address, offset), v128.load(address, offset + 16)];
  else if (total === 16) raw = [v128.load(address, offset)];
  else if (total === 8) raw = [v128.load64Zero(address, offset)];
  else if (total === 4) raw = [v128.load32Zero(address, offset)];
  else raw = [i8x16.replace(i8x16.splat(i32.load8U(address, offset)), 1, i32.load8U(address, offset + 1))];
  return type.widen[dtype](raw);
}

/** Loads an element for each lane, each from its own address. */
export function loadStrided(type: LaneType, dtype: DType, addresses: readonly Address[]): Vector {
  const { bytes } = dtypeInfo[dtype];
  const lanes = lanesOfBytes[bytes];
  const raw: Vector[] = [];
  for (let k = 0; k < type.count;) {
    let vector = lanes.loadSplat(addresses[k++]!);
    for (let lane = 1; lane < lanes.count && k < type.count; lane++) {
      vector = lanes.loadLane(vector, lane, addresses[k++]!);
    }
    raw.push(vector);
  }
  return type.widen[dtype](raw);
}

/** Stores the bytes of as many neighbours as there are lanes. */
export function storeDense(
  f: FunctionBuilder,
  total: number,
  raw: readonly Vector[],
  address: Address,
  offset: number,
): void {
  if (total < 16) f.storeLane(total, 0, address, raw[0]!, offset);
  else raw.forEach((vector, k) => f.store(address, vector, offset + 16 * k));
}

/** Stores the first elements, each at its own address. */
export function storeStrided(
  f: FunctionBuilder,
  bytes: number,
  raw: readonly Vector[],
  addresses: readonly Address[],
): void {
  const perVector = 16 / bytes;
  addresses.forEach((address, k) => {
    f.storeLane(bytes, k % perVector, address, raw[Math.floor(k / perVector)]!);
  });
}
