import { DTypeError } from './errors.ts';

/** The element types a tensor can hold. `bool` is stored as one byte, 0 or 1. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';

/** Names accepted where a dtype is asked for; the 64-bit integers of PyTorch are held as int32, range-checked. */
export type DTypeName = DType | 'int64' | 'long' | 'float' | 'double' | 'int';

/** A typed array that can hold the elements of a tensor. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Kinds of number, in the order in which promotion climbs: bool < integral < floating. */
export type Category = 0 | 1 | 2;

/** What is to know of a dtype. */
export interface DTypeInfo {
  /** Size of one element in bytes. */
  readonly bytes: 1 | 4 | 8;
  readonly category: Category;
  /** Small integer for tables and cache keys. */
  readonly code: number;
  /** Smallest and largest value that the type represents. */
  readonly min: number;
  readonly max: number;
  readonly array: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray;
}

const F32_MAX = 3.4028234663852886e38;

/** The table of dtypes; everything else about them is derived from it. */
export const dtypeInfo: Readonly<Record<DType, DTypeInfo>> = {
  float32: { bytes: 4, category: 2, code: 0, min: -F32_MAX, max: F32_MAX, array: Float32Array },
  float64: { bytes: 8, category: 2, code: 1, min: -Number.MAX_VALUE, max: Number.MAX_VALUE, array: Float64Array },
  int32: { bytes: 4, category: 1, code: 2, min: -2147483648, max: 2147483647, array: Int32Array },
  uint8: { bytes: 1, category: 1, code: 3, min: 0, max: 255, array: Uint8Array },
  bool: { bytes: 1, category: 0, code: 4, min: 0, max: 1, array: Uint8Array },
};

const aliases: Readonly<Record<string, DType>> = {
  int64: 'int32',
  long: 'int32',
  int: 'int32',
  float: 'float32',
  double: 'float64',
};

/**
 * Resolves a dtype's name or alias.
 * @throws DTypeError if the name is not known
 */
export function toDType(name: DTypeName): DType {
  const dtype = name in dtypeInfo ? (name as DType) : aliases[name];
  if (dtype === undefined) {
    throw new DTypeError(`unknown dtype '${name}'; known are ${Object.keys(dtypeInfo).join(', ')}`, { dtypes: [name] });
  }
  return dtype;
}

/** Whether the dtype is a floating-point type: only these can require a gradient. */
export function isFloating(dtype: DType): boolean {
  return dtypeInfo[dtype].category === 2;
}

let defaultDType: DType = 'float32';

/** The dtype that factories and number literals get; float32 unless changed. */
export function getDefaultDType(): DType {
  return defaultDType;
}

/**
 * Changes the default dtype.
 * @throws DTypeError if it is not a floating-point type
 */
export function setDefaultDType(name: DTypeName): void {
  const dtype = toDType(name);
  if (!isFloating(dtype)) throw new DTypeError(`the default dtype must be float32 or float64, got ${dtype}`);
  defaultDType = dtype;
}

/** The smallest dtype that holds both, by category first (uint8 with bool is uint8, int32 with float32 is float32). */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  const x = dtypeInfo[a];
  const y = dtypeInfo[b];
  if (x.category !== y.category) return x.category > y.category ? a : b;
  return x.bytes >= y.bytes ? a : b;
}

/** The default dtype for a number of the given category: bool, int32 or the default floating type. */
export function categoryDType(category: Category): DType {
  return category === 2 ? defaultDType : category === 1 ? 'int32' : 'bool';
}
