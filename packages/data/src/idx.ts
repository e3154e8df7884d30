import { DataError } from './errors.ts';

/** The contents of an idx file, in the types that tensors have. */
export interface IdxArray {
  readonly dtype: 'uint8' | 'int32' | 'float32' | 'float64';
  readonly shape: readonly number[];
  /** The elements in row-major order. */
  readonly data: Uint8Array | Int32Array | Float32Array | Float64Array;
}

interface ElementType {
  readonly bytes: number;
  /** The elements, which the file holds in big-endian order; signed types below 32 bits widen to int32. */
  readonly read: (view: DataView, length: number) => Omit<IdxArray, 'shape'>;
}

/** The element types, by the third byte of a file. */
const TYPES: Readonly<Record<number, ElementType>> = {
  0x08: {
    bytes: 1,
    read: (view, length) => ({
      dtype: 'uint8',
      data: new Uint8Array(view.buffer, view.byteOffset, length),
    }),
  },
  0x09: {
    bytes: 1,
    read: (view, length) => ({
      dtype: 'int32',
      data: Int32Array.from({ length }, (_, i) => view.getInt8(i)),
    }),
  },
  0x0b: {
    bytes: 2,
    read: (view, length) => ({
      dtype: 'int32',
      data: Int32Array.from({ length }, (_, i) => view.getInt16(2 * i)),
    }),
  },
  0x0c: {
    bytes: 4,
    read: (view, length) => ({
      dtype: 'int32',
      data: Int32Array.from({ length }, (_, i) => view.getInt32(4 * i)),
    }),
  },
  0x0d: {
    bytes: 4,
    read: (view, length) => ({
      dtype: 'float32',
      data: Float32Array.from({ length }, (_, i) => view.getFloat32(4 * i)),
    }),
  },
  0x0e: {
    bytes: 8,
    read: (view, length) => ({
      dtype: 'float64',
      data: Float64Array.from({ length }, (_, i) => view.getFloat64(8 * i)),
    }),
  },
};

const GZIP = 0x1f8b;

/**
 * Reads an array in the idx format: two zero bytes, the element type, the number of dimensions, their
 * sizes, the elements; all numbers big-endian.
 *
 * @param bytes the whole file, decompressed
 * @param name the subject of the error messages, such as the file's path
 * @returns the array; bytes are a view of the input, other types a copy
 * @throws DataError when the bytes are no idx file, or more or fewer than its header announces
 * @example
 * parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 7)); // { dtype: 'uint8', shape: [2], data: [5, 7] }
 * @source http://yann.lecun.com/exdb/mnist (file formats)
 */
export function parseIdx(bytes: Uint8Array, name = 'The idx file'): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4)
    throw new DataError(`${name} has ${bytes.length} bytes, but an idx file has at least 4.`);
  const magic = view.getUint32(0);
  const type = TYPES[(magic >>> 8) & 0xff];
  if (magic >>> 16 === GZIP) throw new DataError(`${name} is compressed with gzip; decompress it first.`);
  if (magic >>> 16 !== 0 || type === undefined) {
    const found = magic.toString(16).padStart(8, '0');
    throw new DataError(`${name} is no idx file: it begins with ${found}, expected 0000, a type and a rank.`);
  }
  const rank = magic & 0xff;
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new DataError(
      `${name} is truncated: a header of ${start} bytes was expected, ${bytes.length} are there.`,
    );
  }
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const length = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const expected = start + length * type.bytes;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'truncated' : 'too long';
    throw new DataError(
      `${name} is ${what}: an array of ${shape.join(' x ')} needs ${expected} bytes, it has ${bytes.length}.`,
    );
  }
  return { shape, ...type.read(new DataView(bytes.buffer, bytes.byteOffset + start), length) };
}
