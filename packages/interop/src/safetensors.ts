import { FormatError, quote } from './errors.ts';
import { parseObject } from './strict-json.ts';

/**
 * Bytes per element of every dtype that a safetensors file may name (types below one byte are not among
 * them).
 */
const BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
  C64: 8,
} as const;

/** The name of an element type, as it stands in the file. */
export type SafetensorsDType = keyof typeof BYTES;

/** A tensor to be written. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** The elements in row-major order, little-endian. */
  readonly data: ArrayBufferView;
}

/** A tensor that was read. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** A view of the file's bytes, not aligned to the element size. */
  readonly data: Uint8Array;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, SafetensorsTensor>;
}

const METADATA = '__metadata__';
const LENGTH_BYTES = 8;
/** The reference implementation reads no longer header, so that a hostile file cannot ask for all memory. */
const MAX_HEADER = 100_000_000;

/**
 * The bytes of a safetensors file. The header names the tensors in the order given; in the data, larger
 * elements come first, so that every tensor is aligned to its element size.
 *
 * @param entries tensors with distinct names
 * @param metadata free text by key
 * @throws FormatError when a name occurs twice or is reserved, or the data do not fit the shape
 * @example
 * encodeSafetensors([{ name: 'bias', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]).length; // 80
 * @source https://github.com/huggingface/safetensors (format)
 */
export function encodeSafetensors(
  entries: Iterable<SafetensorsEntry>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const list = [...entries];
  const names = new Set([METADATA]);
  for (const { name, dtype, shape, data } of list) {
    if (name === METADATA)
      throw new FormatError(`The name ${METADATA} is reserved; give the tensor another one.`);
    if (names.has(name))
      throw new FormatError(`The name ${quote(name)} occurs twice; each tensor needs its own.`);
    names.add(name);
    const expected = byteSize(name, dtype, shape);
    if (data.byteLength !== expected) {
      throw new FormatError(
        `The data of ${quote(name)} have ${data.byteLength} bytes; ${dtype} [${shape}] needs ${expected}.`,
      );
    }
  }

  const offsets = new Map<SafetensorsEntry, number>();
  let end = 0;
  for (const entry of [...list].sort((a, b) => BYTES[b.dtype] - BYTES[a.dtype])) {
    offsets.set(entry, end);
    end += entry.data.byteLength;
  }
  const header = encodeHeader(list, offsets, metadata);
  const bytes = new Uint8Array(LENGTH_BYTES + header.length + end);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, LENGTH_BYTES);
  for (const [{ data }, offset] of offsets) {
    const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    bytes.set(view, LENGTH_BYTES + header.length + offset);
  }
  return bytes;
}

function encodeHeader(
  list: readonly SafetensorsEntry[],
  offsets: ReadonlyMap<SafetensorsEntry, number>,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  // Joined by hand: an object would move names such as "0" to the front and swallow "__proto__".
  const fields = list.map((entry) => {
    const begin = offsets.get(entry)!;
    const info = {
      dtype: entry.dtype,
      shape: entry.shape,
      data_offsets: [begin, begin + entry.data.byteLength],
    };
    return `${JSON.stringify(entry.name)}:${JSON.stringify(info)}`;
  });
  if (metadata !== undefined) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value !== 'string') {
        throw new FormatError(
          `The metadata value of ${quote(key)} is a ${typeof value}; only text can be stored.`,
        );
      }
    }
    fields.unshift(`"${METADATA}":${JSON.stringify(metadata)}`);
  }
  const text = new TextEncoder().encode(`{${fields.join(',')}}`);
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  header.set(text);
  if (header.length > MAX_HEADER) {
    throw new FormatError(
      `The header would have ${header.length} bytes; at most ${MAX_HEADER} can be read back.`,
    );
  }
  return header;
}

/**
 * Reads a safetensors file, trusting nothing in it: every length, offset, name and shape is checked before
 * it is used.
 *
 * @param bytes the whole file
 * @returns the tensors as views of `bytes`, in the order of the header
 * @throws FormatError with one sentence for each way in which the bytes can be wrong
 * @source https://github.com/huggingface/safetensors (format)
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { metadata, tensors } = decodeLayout(bytes, bytes.length);
  const views = [...tensors].map(([name, { dtype, shape, begin, end }]): [string, SafetensorsTensor] => {
    return [name, { dtype, shape, data: bytes.subarray(begin, end) }];
  });
  return { metadata, tensors: new Map(views) };
}

/** Where a tensor is in a file. */
export interface SafetensorsPlace {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** The first byte of its data in the file, and the one behind the last. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads the header of a safetensors file, as `decodeSafetensors` does, without its data.
 * @param bytes the file from its first byte on, at least to the end of the header
 * @param size how many bytes the whole file has
 * @throws FormatError as decodeSafetensors
 */
export function decodeLayout(
  bytes: Uint8Array,
  size: number,
): { metadata: Record<string, string>; tensors: Map<string, SafetensorsPlace> } {
  const dataStart = headerEnd(bytes, size);
  const header = parseObject(headerText(bytes.subarray(LENGTH_BYTES, dataStart)), 'The header');
  const dataLength = size - dataStart;
  const metadata: Record<string, string> = {};
  const tensors = new Map<string, SafetensorsPlace>();
  const spans: Span[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) {
      readMetadata(value, metadata);
      continue;
    }
    const { dtype, shape, begin, end } = readInfo(name, value);
    if (end > dataLength) {
      throw new FormatError(
        `The data of ${quote(name)} end at byte ${end}, but the file holds ${dataLength} bytes of data.`,
      );
    }
    spans.push({ name, begin, end });
    tensors.set(name, { dtype, shape, begin: dataStart + begin, end: dataStart + end });
  }
  checkCovered(spans, dataLength);
  return { metadata, tensors };
}

interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/**
 * Where the header ends and the data begin.
 * @param bytes at least the first eight of the file
 * @param size how many bytes the whole file has
 * @throws FormatError when there is no header, or it is longer than the file or than any
 */
export function headerEnd(bytes: Uint8Array, size: number): number {
  if (size < LENGTH_BYTES) {
    throw new FormatError(
      `The file has ${size} bytes, but a safetensors file begins with an 8-byte header length.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER) {
    throw new FormatError(
      `The header length ${length} is above the limit of ${MAX_HEADER}, so this is no safetensors file.`,
    );
  }
  const present = size - LENGTH_BYTES;
  if (length > present) {
    throw new FormatError(
      `The file ends inside its header: ${length} bytes were expected, ${present} are there.`,
    );
  }
  return LENGTH_BYTES + length;
}

function headerText(header: Uint8Array): string {
  if (header[0] !== 0x7b)
    throw new FormatError('The header does not begin with "{", so this is no safetensors file.');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw new FormatError('The header is not valid UTF-8, as a safetensors header must be.');
  }
}

function readMetadata(value: unknown, metadata: Record<string, string>): void {
  if (!isObject(value)) throw new FormatError(`${METADATA} is not an object of texts by key.`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new FormatError(`The metadata value of ${quote(key)} is not a text, as it must be.`);
    }
    // Defined, not assigned: a key may be "__proto__".
    Object.defineProperty(metadata, key, {
      value: text,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

function readInfo(name: string, info: unknown): SafetensorsPlace {
  if (!isObject(info)) {
    throw new FormatError(`The entry of ${quote(name)} is not an object with dtype, shape and data_offsets.`);
  }
  const { dtype, shape, data_offsets: span } = info;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    throw new FormatError(
      `The dtype of ${quote(name)} is ${quote(dtype)}; expected one of ${Object.keys(BYTES).join(', ')}.`,
    );
  }
  if (!Array.isArray(shape)) throw new FormatError(`The shape of ${quote(name)} is not an array of sizes.`);
  if (!Array.isArray(span) || span.length !== 2 || !span.every(isSize)) {
    throw new FormatError(`The data_offsets of ${quote(name)} are not two whole numbers from 0 up.`);
  }
  const [begin, end] = span as [number, number];
  if (begin > end) {
    throw new FormatError(`The data_offsets of ${quote(name)} run backwards, from ${begin} to ${end}.`);
  }
  const expected = byteSize(name, dtype as SafetensorsDType, shape);
  if (end - begin !== expected) {
    throw new FormatError(
      `The data of ${quote(name)} have ${end - begin} bytes; ${dtype} [${shape}] needs ${expected}.`,
    );
  }
  return { dtype: dtype as SafetensorsDType, shape, begin, end };
}

/** The data must be covered once, from the first byte to the last. */
function checkCovered(spans: Span[], dataLength: number): void {
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const span of spans) {
    if (span.begin < end) {
      throw new FormatError(
        `The data of ${quote(span.name)} overlap those of another tensor; each byte has one owner.`,
      );
    }
    if (span.begin > end) {
      throw new FormatError(
        `Bytes ${end} to ${span.begin} of the data belong to no tensor; no holes are allowed.`,
      );
    }
    end = span.end;
  }
  if (end < dataLength) {
    throw new FormatError(
      `The last ${dataLength - end} bytes of the file belong to no tensor; it should end earlier.`,
    );
  }
}

function byteSize(name: string, dtype: SafetensorsDType, shape: readonly unknown[]): number {
  const sizes = shape.map((size) => {
    if (isSize(size)) return size;
    throw new FormatError(
      `The shape of ${quote(name)} contains ${quote(size)}; sizes are whole numbers from 0 up.`,
    );
  });
  if (!Object.hasOwn(BYTES, dtype)) {
    throw new FormatError(`The dtype of ${quote(name)} is ${quote(dtype)}, which safetensors does not know.`);
  }
  const bytes = sizes.includes(0) ? 0 : sizes.reduce((product, size) => product * size, BYTES[dtype]);
  if (!Number.isSafeInteger(bytes)) {
    throw new FormatError(
      `The shape of ${quote(name)} asks for more than 2^53 bytes; no file can hold that.`,
    );
  }
  return bytes;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
