import type { DType, Tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import type { SafetensorsDType } from './safetensors.ts';
import { readTensor } from './tensors.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself reads no longer header. */
const MAX_HEADER = 10_000;
/** The elements begin at a multiple of this. */
const ALIGNMENT = 64;

/** The element types by kind and size. */
const TYPES: Readonly<Record<string, SafetensorsDType>> = {
  b1: 'BOOL',
  u1: 'U8',
  i1: 'I8',
  i2: 'I16',
  u2: 'U16',
  f2: 'F16',
  i4: 'I32',
  u4: 'U32',
  f4: 'F32',
  i8: 'I64',
  u8: 'U64',
  f8: 'F64',
};

const WRITTEN: Readonly<Record<DType, string>> = { float32: '<f4', float64: '<f8', int32: '<i4', uint8: '|u1', bool: '|b1' };

/**
 * The bytes of an npy file with a tensor, in row-major order.
 * @param x any strides
 * @example
 * const bytes = saveNpy(tg.tensor([[1, 2], [3, 4]]));
 * console.log(loadNpy(bytes).toArray()); // → [ [ 1, 2 ], [ 3, 4 ] ]
 * @source numpy.save
 */
export function saveNpy(x: Tensor): Uint8Array {
  const values = x.toTypedArray();
  const shape = x.shape.length === 1 ? `(${x.shape[0]},)` : `(${x.shape.join(', ')})`;
  const text = `{'descr': '${WRITTEN[x.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const start = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + values.byteLength);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
  return bytes;
}

/**
 * Reads the array of an npy file: numbers of either byte order, in row-major or column-major order. Floats of 16 bits
 * become float32; integers become int32 if they fit.
 * @param bytes the whole file
 * @param name the subject of error messages
 * @throws FormatError when the bytes are no whole npy file, or its elements are no numbers that tensors can hold; Python
 * objects are never unpacked
 * @source numpy.load; NEP 1
 */
export function loadNpy(bytes: Uint8Array, name = 'The npy file'): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError(`${name} is no npy file: it does not begin with \\x93NUMPY.`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw new FormatError(`${name} has the npy version ${version}; versions 1 to 3 are known.`);
  const headerStart = version === 1 ? 10 : 12;
  if (bytes.length < headerStart) throw new FormatError(`${name} is truncated: it ends inside of its header.`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) throw new FormatError(`${name} announces a header of ${length} bytes; at most ${MAX_HEADER} are read.`);
  const start = headerStart + length;
  if (bytes.length < start) throw new FormatError(`${name} is truncated: it ends inside of its header.`);
  const { descr, columnMajor, shape } = parseHeader(new TextDecoder('latin1').decode(bytes.subarray(headerStart, start)), name);

  const dtype = /^[<>|=]/.test(descr) && Object.hasOwn(TYPES, descr.slice(1)) ? TYPES[descr.slice(1)]! : undefined;
  if (dtype === undefined) {
    const what = descr.includes('O') ? 'Python objects, which are never unpacked' : `elements of type ${quote(descr)}`;
    throw new FormatError(`${name} holds ${what}; save numbers or booleans.`);
  }
  const size = Number(descr.slice(2));
  const expected = shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, size);
  const present = bytes.length - start;
  if (present !== expected) {
    const what = present < expected ? 'truncated' : 'too long';
    throw new FormatError(`${name} is ${what}: an array [${shape.join(', ')}] of ${descr} needs ${expected} bytes, it has ${present}.`);
  }
  const data = bytes.slice(start);
  if (descr.startsWith('>')) reverseBytes(data, size);
  if (!columnMajor) return readTensor(name, { dtype, shape, data });
  const transposed = readTensor(name, { dtype, shape: shape.toReversed(), data });
  return transposed.permute(shape.map((_, i) => shape.length - 1 - i)).contiguous();
}

interface Header {
  readonly descr: string;
  readonly columnMajor: boolean;
  readonly shape: number[];
}

/** The three fields of a Python dictionary, in any order and with any spaces, and nothing else. */
function parseHeader(text: string, name: string): Header {
  const fields = new Map<string, string>();
  const field = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([\d\s,L]*\))\s*(,|(?=\}))/y;
  const body = text.trim();
  let at = body.startsWith('{') ? 1 : body.length;
  for (let match; ; at = field.lastIndex) {
    field.lastIndex = at;
    match = field.exec(body);
    if (match === null) break;
    fields.set(match[2]!, match[3]!);
  }
  const { descr, fortran_order: order, shape } = Object.fromEntries(fields) as Record<string, string | undefined>;
  const complete = body.slice(at).trim() === '}' && /^['"]/.test(descr ?? '') && /^[TF]/.test(order ?? '') && shape?.startsWith('(');
  if (!complete) throw new FormatError(`${name} has a header that is no dictionary of descr, fortran_order and shape: ${quote(body)}.`);
  const sizes = shape!.replace(/[()L\s]/g, '').split(',').filter((size) => size !== '').map(Number);
  if (!Number.isSafeInteger(sizes.reduce((product, n) => product * Math.max(n, 1), 8))) {
    throw new FormatError(`${name} has the shape ${shape}, which asks for more than 2^53 bytes.`);
  }
  return { descr: descr!.slice(1, -1), columnMajor: order === 'True', shape: sizes };
}

/** Turns the bytes of each element around, in place. */
function reverseBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}
