import { tensor, Tensor, type DType } from '@tapegrad/core';
import { DataError } from '../errors.ts';

/** The key of an object that stands for a tensor on its way between threads. */
const TENSOR = '$tensor';

interface PackedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** Objects that arrive as what they were; of others a thread would get the fields without the class. */
const CLONED: readonly (abstract new (...args: never) => object)[] = [ArrayBuffer, Date, RegExp, Error];

/**
 * A value whose tensors are typed arrays, and their buffers, which may be moved instead of copied.
 * @throws DataError for an object of a class that would get lost on the way
 */
export function pack(value: unknown, buffers: ArrayBufferLike[]): unknown {
  if (value instanceof Tensor) {
    const data = value.toTypedArray();
    buffers.push(data.buffer);
    return { [TENSOR]: { dtype: value.dtype, shape: value.shape, data } satisfies PackedTensor };
  }
  if (Array.isArray(value)) return value.map((item) => pack(item, buffers));
  if (!isPlain(value)) return requireClonable(value);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, pack(field, buffers)]));
}

/** What `pack` was given. */
export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (!isPlain(value)) return value;
  const packed = value[TENSOR] as PackedTensor | undefined;
  if (packed === undefined) return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, unpack(field)]));
  return tensor(packed.data, { dtype: packed.dtype }).view([...packed.shape]);
}

function requireClonable(value: unknown): unknown {
  const isLost = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !CLONED.some((kind) => value instanceof kind);
  if (!isLost) return value;
  throw new DataError(`A sample holds a ${value.constructor.name}, whose class gets lost between threads; use arrays and plain objects.`);
}

/** Whether an object is of no class, whichever thread or realm made it. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An error on its way between threads, where classes and what they carry get lost. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** What can be said of anything that was thrown. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** An error with the name, the message and the stack that it had in its thread. */
export function unpackError({ name, message, stack }: PackedError): Error {
  return Object.defineProperties(new Error(message), {
    name: { value: name, configurable: true, writable: true },
    stack: { value: stack, configurable: true, writable: true },
  });
}
