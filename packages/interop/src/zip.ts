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
 * @throws FormatError when it would have 4 GiB or more
 * @source PKWARE APPNOTE 6.3.10
 */
export function encodeZip(entries: readonly ZipEntry[]): Uint8Array {
  const files = entries.map(({ name, data }) => ({ name: new TextEncoder().encode(name), data, crc: crc32(data) }));
  const size = files.reduce((sum, { name, data }) => sum + LOCAL_BYTES + CENTRAL_BYTES + 2 * name.length + data.length, END_BYTES);
  if (size >= WHOLE_32) throw new FormatError(`The archive would have ${size} bytes; at most 4 GiB can be written.`);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const common = ({ name, data, crc }: (typeof files)[number], start: number): void => {
    view.setUint16(start, 20, true);
    view.setUint16(start + 2, UTF8, true);
    view.setUint16(start + 8, DATE, true);
    view.setUint32(start + 10, crc, true);
    view.setUint32(start + 14, data.length, true);
    view.setUint32(start + 18, data.length, true);
    view.setUint16(start + 22, name.length, true);
  };
  const places = files.map((file) => {
    const place = at;
    view.setUint32(at, LOCAL, true);
    common(file, at + 4);
    bytes.set(file.name, at + LOCAL_BYTES);
    bytes.set(file.data, at + LOCAL_BYTES + file.name.length);
    at += LOCAL_BYTES + file.name.length + file.data.length;
    return place;
  });
  const directory = at;
  files.forEach((file, i) => {
    view.setUint32(at, CENTRAL, true);
    view.setUint16(at + 4, 20, true);
    common(file, at + 6);
    view.setUint32(at + 42, places[i]!, true);
    bytes.set(file.name, at + CENTRAL_BYTES);
    at += CENTRAL_BYTES + file.name.length;
  });
  view.setUint32(at, END, true);
  view.setUint16(at + 8, files.length, true);
  view.setUint16(at + 10, files.length, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
  return bytes;
}

/**
 * The files of a zip archive, stored or deflated, each checked against its checksum.
 * @param limit most bytes that all files may have once unpacked
 * @throws FormatError when the bytes are no whole archive, encrypted, packed in another way, or larger than the limit
 */
export async function decodeZip(bytes: Uint8Array, limit: number): Promise<ZipEntry[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (at === WHOLE_32) throw new FormatError('The archive is in the format for more than 4 GiB, which is not read.');
  const entries: ZipEntry[] = [];
  let left = limit;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw new FormatError(`The archive's directory is damaged at entry ${i}.`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength));
    const [crc, packed, size] = [16, 20, 24].map((offset) => view.getUint32(at + offset, true)) as [number, number, number];
    const [flags, method] = [8, 10].map((offset) => view.getUint16(at + offset, true)) as [number, number];
    if (flags & ENCRYPTED) throw new FormatError(`The archive's file ${quote(name)} is encrypted.`);
    if (method !== STORED && method !== DEFLATED) {
      throw new FormatError(`The archive's file ${quote(name)} is packed by method ${method}; known are 0 (stored) and 8 (deflated).`);
    }
    left -= size;
    if (left < 0) throw new FormatError(`The archive's files have more than ${limit} bytes once unpacked.`);
    const raw = contents(bytes, view, view.getUint32(at + 42, true), packed, name);
    const data = method === STORED ? raw : await inflate(raw, size, name);
    if (data.length !== size || crc32(data) !== crc) throw new FormatError(`The archive's file ${quote(name)} is damaged: its checksum differs.`);
    entries.push({ name, data });
    at += CENTRAL_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
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
