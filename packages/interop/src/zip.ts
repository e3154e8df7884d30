import { FormatError, quote } from './errors.ts';

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
/** Names are UTF-8. */
const UTF8 = 0x800;
const ENCRYPTED = 0x1;
const STORED = 0;
const DEFLATED = 8;
/** The last day of 1980's first month's first day: archives of the same contents have the same bytes. */
const DATE = 0x21;
const WHOLE_32 = 0xffffffff;
const WHOLE_16 = 0xffff;
/** Zip64: the record at the end, the one that says where that is, and the field of a file that holds its sizes. */
const WIDE_END = 0x06064b50;
const WIDE_END_BYTES = 56;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const WIDE_FIELD = 1;
const LOCAL_EXTRA = 20;
const CENTRAL_EXTRA = 28;
/** A deflated byte cannot stand for more. */
const MOST_DEFLATED = 1032;

/** Sums of bytes for which the remainder of a division by the polynomial is known. */
const crcTable: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

function crc32(bytes: Uint8Array): number {
  let crc = WHOLE_32;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ WHOLE_32) >>> 0;
}

/**
 * The bytes of a zip archive, without compression.
 * @param wide whether places and sizes have 64 bits; by default where the archive has 4 GiB or 65535 files and more
 * @throws FormatError when it would be larger than an array of bytes can be here
 * @source PKWARE APPNOTE 6.3.10
 */
export function encodeZip(entries: readonly ZipEntry[], wide: boolean = isWide(entries)): Uint8Array {
  const bytes = allocate(archiveSize(entries, wide));
  const view = new DataView(bytes.buffer);
  const [version, localExtra, centralExtra] = wide ? [45, LOCAL_EXTRA, CENTRAL_EXTRA] : [20, 0, 0];
  const narrow = (value: number): number => (wide ? WHOLE_32 : value);
  const setUint64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  let at = 0;
  const places = entries.map(({ name, data }) => {
    const [place, text] = [at, new TextEncoder().encode(name)];
    view.setUint32(at, LOCAL, true);
    view.setUint16(at + 4, version, true);
    view.setUint16(at + 6, UTF8, true);
    view.setUint16(at + 10, DATE, true);
    view.setUint32(at + 14, crc32(data), true);
    view.setUint32(at + 18, narrow(data.length), true);
    view.setUint32(at + 22, narrow(data.length), true);
    view.setUint16(at + 26, text.length, true);
    view.setUint16(at + 28, localExtra, true);
    bytes.set(text, at + LOCAL_BYTES);
    at += LOCAL_BYTES + text.length;
    if (wide) {
      view.setUint16(at, WIDE_FIELD, true);
      view.setUint16(at + 2, localExtra - 4, true);
      setUint64(at + 4, data.length);
      setUint64(at + 12, data.length);
    }
    bytes.set(data, at + localExtra);
    at += localExtra + data.length;
    return place;
  });
  const directory = at;
  for (const place of places) {
    const nameLength = view.getUint16(place + 26, true);
    view.setUint32(at, CENTRAL, true);
    view.setUint16(at + 4, version, true);
    // From the version to the length of the name, the directory repeats the file's own header.
    bytes.copyWithin(at + 6, place + 4, place + 28);
    view.setUint16(at + 30, centralExtra, true);
    view.setUint32(at + 42, narrow(place), true);
    const name = place + LOCAL_BYTES;
    bytes.copyWithin(at + CENTRAL_BYTES, name, name + nameLength);
    at += CENTRAL_BYTES + nameLength;
    if (!wide) continue;
    bytes.copyWithin(at, name + nameLength, name + nameLength + LOCAL_EXTRA);
    view.setUint16(at + 2, centralExtra - 4, true);
    setUint64(at + LOCAL_EXTRA, place);
    at += centralExtra;
  }
  const size = at - directory;
  if (wide) {
    view.setUint32(at, WIDE_END, true);
    setUint64(at + 4, WIDE_END_BYTES - 12);
    view.setUint16(at + 12, version, true);
    view.setUint16(at + 14, version, true);
    setUint64(at + 24, entries.length);
    setUint64(at + 32, entries.length);
    setUint64(at + 40, size);
    setUint64(at + 48, directory);
    view.setUint32(at + WIDE_END_BYTES, LOCATOR, true);
    setUint64(at + WIDE_END_BYTES + 8, at);
    view.setUint32(at + WIDE_END_BYTES + 16, 1, true);
    at += WIDE_END_BYTES + LOCATOR_BYTES;
  }
  const count = wide ? WHOLE_16 : entries.length;
  view.setUint32(at, END, true);
  view.setUint16(at + 8, count, true);
  view.setUint16(at + 10, count, true);
  view.setUint32(at + 12, narrow(size), true);
  view.setUint32(at + 16, narrow(directory), true);
  return bytes;
}

function isWide(entries: readonly ZipEntry[]): boolean {
  return entries.length >= WHOLE_16 || archiveSize(entries, false) >= WHOLE_32;
}

function archiveSize(entries: readonly ZipEntry[], wide: boolean): number {
  const perFile = LOCAL_BYTES + CENTRAL_BYTES + (wide ? LOCAL_EXTRA + CENTRAL_EXTRA : 0);
  const end = END_BYTES + (wide ? WIDE_END_BYTES + LOCATOR_BYTES : 0);
  return entries.reduce((sum, { name, data }) => sum + perFile + 2 * new TextEncoder().encode(name).length + data.length, end);
}

function allocate(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw new FormatError(`The archive would have ${size} bytes, more than there is room for.`, { cause: error });
  }
}

/**
 * The files of a zip archive, stored or deflated, each checked against its checksum.
 * @param limit most bytes that all files may have once unpacked
 * @throws FormatError when the bytes are no whole archive, encrypted, packed in another way, or larger than the limit
 */
export async function decodeZip(bytes: Uint8Array, limit: number): Promise<ZipEntry[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const { count, directory } = readEnd(view, end);
  let at = directory;
  const entries: ZipEntry[] = [];
  let left = limit;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw new FormatError(`The archive's directory is damaged at entry ${i}.`);
    }
    const [nameLength, extraLength] = [28, 30].map((offset) => view.getUint16(at + offset, true)) as [number, number];
    const afterName = at + CENTRAL_BYTES + nameLength;
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, afterName));
    const [flags, method] = [8, 10].map((offset) => view.getUint16(at + offset, true)) as [number, number];
    if (flags & ENCRYPTED) throw new FormatError(`The archive's file ${quote(name)} is encrypted.`);
    if (method !== STORED && method !== DEFLATED) {
      throw new FormatError(`The archive's file ${quote(name)} is packed by method ${method}; known are 0 (stored) and 8 (deflated).`);
    }
    const crc = view.getUint32(at + 16, true);
    const narrow = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
    const [size, packed, place] = widened(narrow, bytes.subarray(afterName, afterName + extraLength), name);
    left -= size;
    if (left < 0) throw new FormatError(`The archive's files have more than ${limit} bytes once unpacked.`);
    const raw = contents(bytes, view, place, packed, name);
    const data = method === STORED ? raw : await inflate(raw, size, name);
    if (data.length !== size || crc32(data) !== crc) throw new FormatError(`The archive's file ${quote(name)} is damaged: its checksum differs.`);
    entries.push({ name, data });
    at = afterName + extraLength + view.getUint16(at + 32, true);
  }
  return entries;
}

/** How many files there are and where their directory begins; what does not fit is in a second record. */
function readEnd(view: DataView, end: number): { count: number; directory: number } {
  const count = view.getUint16(end + 10, true);
  const directory = view.getUint32(end + 16, true);
  if (count !== WHOLE_16 && directory !== WHOLE_32) return { count, directory };
  const locator = end - LOCATOR_BYTES;
  const place = locator >= 0 && view.getUint32(locator, true) === LOCATOR ? uint64(view, locator + 8) : Infinity;
  if (place + WIDE_END_BYTES > end || view.getUint32(place, true) !== WIDE_END) {
    throw new FormatError('The archive is larger than 4 GiB or has very many files, but the record that says where they are is missing.');
  }
  return { count: uint64(view, place + 32), directory: uint64(view, place + 48) };
}

/** Sizes and place of a file, of which those that have only ones stand, in this order, in its extra field. */
function widened(narrow: readonly number[], extra: Uint8Array, name: string): [size: number, packed: number, place: number] {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  let at = 0;
  let end = 0;
  for (let next = 0; next + 4 <= extra.length && end === 0; ) {
    const length = view.getUint16(next + 2, true);
    if (view.getUint16(next, true) === WIDE_FIELD) [at, end] = [next + 4, Math.min(next + 4 + length, extra.length)];
    next += 4 + length;
  }
  const wide = narrow.map((value) => {
    if (value !== WHOLE_32) return value;
    if (at + 8 > end) throw new FormatError(`The archive's file ${quote(name)} is larger than 4 GiB, but its size is missing.`);
    at += 8;
    return uint64(view, at - 8);
  });
  return wide as [number, number, number];
}

/** A whole number of 64 bits; beyond 2^53 it is too large for any archive, exact or not. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Where the record at the end begins; a comment may follow it. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - END_BYTES; at >= Math.max(0, view.byteLength - END_BYTES - 0xffff); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw new FormatError('The bytes are no whole zip archive: the record at its end is missing.');
}

/** The packed bytes behind a file's own header, whose name and extra field may differ from the directory's. */
function contents(bytes: Uint8Array, view: DataView, place: number, size: number, name: string): Uint8Array {
  const broken = (): FormatError => new FormatError(`The archive's file ${quote(name)} is not where the directory says.`);
  if (place + LOCAL_BYTES > bytes.length || view.getUint32(place, true) !== LOCAL) throw broken();
  const start = place + LOCAL_BYTES + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
  if (start + size > bytes.length) throw broken();
  return bytes.subarray(start, start + size);
}

/** Unpacks, and stops as soon as more comes out than was announced. */
async function inflate(packed: Uint8Array, size: number, name: string): Promise<Uint8Array> {
  if (size > packed.length * MOST_DEFLATED) {
    throw new FormatError(`The archive's file ${quote(name)} announces ${size} bytes, which cannot have been packed into ${packed.length}.`);
  }
  const data = new Uint8Array(size);
  let at = 0;
  try {
    const stream = new Blob([Uint8Array.from(packed)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
      if (at + part.length > size) throw new RangeError('more bytes than announced');
      data.set(part, at);
      at += part.length;
    }
  } catch (error) {
    throw new FormatError(`The archive's file ${quote(name)} cannot be unpacked (${(error as Error).message}).`, { cause: error });
  }
  return data.subarray(0, at);
}
