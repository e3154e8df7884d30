import { tensor, type DType, type Tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import type { SafetensorsDType, SafetensorsEntry, SafetensorsTensor } from './safetensors.ts';

/** Tensors by name, as a module's `stateDict` gives them. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** What a file of tensors holds. */
export interface TensorFile {
  readonly tensors: Record<string, Tensor>;
  /** Free text by key. */
  readonly metadata: Record<string, string>;
}

const WRITTEN: Readonly<Record<DType, SafetensorsDType>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

type Values =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Uint32Array;

interface Reading {
  readonly dtype: DType;
  /** The elements; the buffer is aligned and nobody else's. */
  readonly values: (buffer: ArrayBuffer, name: string) => Values;
}

/** How each dtype of the file becomes one of ours; those that are not here have no counterpart. */
const READ: Readonly<Partial<Record<SafetensorsDType, Reading>>> = {
  F32: { dtype: 'float32', values: (buffer) => new Float32Array(buffer) },
  F64: { dtype: 'float64', values: (buffer) => new Float64Array(buffer) },
  F16: { dtype: 'float32', values: (buffer) => Float32Array.from(new Uint16Array(buffer), fromFloat16) },
  BF16: { dtype: 'float32', values: fromBrainFloats },
  I32: { dtype: 'int32', values: (buffer) => new Int32Array(buffer) },
  I16: { dtype: 'int32', values: (buffer) => new Int16Array(buffer) },
  U16: { dtype: 'int32', values: (buffer) => new Uint16Array(buffer) },
  I8: { dtype: 'int32', values: (buffer) => new Int8Array(buffer) },
  U32: { dtype: 'int32', values: (buffer, name) => narrowed(new Uint32Array(buffer), name, 'U32') },
  I64: { dtype: 'int32', values: (buffer, name) => narrowed(new BigInt64Array(buffer), name, 'I64') },
  U64: { dtype: 'int32', values: (buffer, name) => narrowed(new BigUint64Array(buffer), name, 'U64') },
  U8: { dtype: 'uint8', values: (buffer) => new Uint8Array(buffer) },
  BOOL: { dtype: 'bool', values: (buffer) => new Uint8Array(buffer) },
};

/**
 * The bytes of a safetensors file with these tensors, bit for bit as they are.
 *
 * @param tensors by name, such as `model.stateDict()`; any strides
 * @param metadata free text by key
 * @throws FormatError when a name is reserved
 * @example
 * const bytes = saveTensors({ bias: tg.tensor([1, 2]) }, { author: 'me' });
 * console.log(loadTensors(bytes).tensors.bias.tolist()); // → [ 1, 2 ]
 * @source safetensors.torch.save
 */
export function saveTensors(tensors: NamedTensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(tensors).map(([name, x]): SafetensorsEntry => {
    return { name, dtype: WRITTEN[x.dtype], shape: x.shape, data: x.toTypedArray() };
  });
  return encodeSafetensors(entries, metadata);
}

/**
 * Reads the tensors of a safetensors file. F32, F64, I32, U8 and BOOL come back bit for bit; F16 and BF16 become
 * float32 without loss; other integers become int32 if they fit.
 *
 * @param bytes the whole file
 * @throws FormatError when the bytes are no whole safetensors file, a dtype has no counterpart here (8-bit floats,
 * complex numbers), or an integer does not fit into int32
 * @source safetensors.torch.load
 */
export function loadTensors(bytes: Uint8Array): TensorFile {
  const { metadata, tensors } = decodeSafetensors(bytes);
  const read = [...tensors].map(([name, entry]): [string, Tensor] => [name, readTensor(name, entry)]);
  return { tensors: Object.fromEntries(read), metadata };
}

/** A tensor of the file as one of ours. @throws FormatError when its dtype has no counterpart, or an integer does not fit */
export function readTensor(name: string, { dtype, shape, data }: SafetensorsTensor): Tensor {
  const reading = READ[dtype];
  if (reading === undefined) {
    throw new FormatError(
      `The dtype of ${quote(name)} is ${dtype}, which has no counterpart here; convert it to F32.`,
    );
  }
  // A copy, because the bytes in the file need not be aligned.
  const values = reading.values(new Uint8Array(data).buffer, name);
  return tensor(values, { dtype: reading.dtype }).view([...shape]);
}

function narrowed(
  values: Uint32Array | BigInt64Array | BigUint64Array,
  name: string,
  dtype: string,
): Int32Array {
  const narrow = new Int32Array(values.length);
  for (let i = 0; i < narrow.length; i++) {
    const value = values[i]!;
    narrow[i] = Number(value);
    if (value < -(2 ** 31) || value >= 2 ** 31) {
      throw new FormatError(
        `Element ${i} of ${quote(name)} (${dtype}) is ${value}; integers are held as int32 here, up to 2147483647.`,
      );
    }
  }
  return narrow;
}

/** One sign bit, 5 of exponent, 10 of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The upper halves of float32 numbers. */
function fromBrainFloats(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}
