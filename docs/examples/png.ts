import { deflateSync, inflateSync } from 'node:zlib';

/** A picture: bytes row by row, for each pixel 1 (grey), 2 (grey and opacity), 3 (colours) or 4 (colours and opacity). */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** What the format calls each number of channels. */
const COLOUR_TYPES: Readonly<Record<Picture['channels'], number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

/**
 * A picture as a PNG file.
 * @throws RangeError when there are not as many pixels as the size says
 */
export function encodePng({ width, height, channels, pixels }: Picture): Uint8Array {
  const stride = width * channels;
  if (pixels.length !== stride * height) {
    throw new RangeError(`A picture of ${width} × ${height} × ${channels} needs ${stride * height} bytes, got ${pixels.length}.`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = COLOUR_TYPES[channels];
  // Each row begins with the number of its filter; 0 is none.
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * The picture in a PNG file of 8 bits per channel, without palette and interlacing.
 * @throws RangeError for any other file
 */
export function decodePng(file: Uint8Array): Picture {
  const bytes = Buffer.from(file);
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new RangeError('This is no PNG file.');
  const header = bytes.subarray(16, 29);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = ([1, 2, 3, 4] as const).find((n) => COLOUR_TYPES[n] === header[9]);
  if (header[8] !== 8 || channels === undefined || header[12] !== 0) {
    throw new RangeError('Only PNG files of 8 bits per channel, without palette and interlacing, can be read.');
  }
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return { width, height, channels, pixels: unfilter(inflateSync(Buffer.concat(data)), height, width * channels, channels) };
}

/** From the bytes left, above and left above: what a filter predicts for a byte. */
const PREDICTIONS: readonly ((left: number, above: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, above) => above,
  (left, above) => (left + above) >> 1,
  (left, above, corner) => {
    // Paeth's: whichever is nearest to left + above − corner.
    const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
    return a <= b && a <= c ? left : b <= c ? above : corner;
  },
];

function unfilter(rows: Uint8Array, height: number, stride: number, channels: number): Uint8Array {
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1);
    const predict = PREDICTIONS[rows[row]!];
    if (predict === undefined) throw new RangeError(`There is no filter ${rows[row]} in PNG files.`);
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= channels ? pixels[at - channels]! : 0;
      const above = y > 0 ? pixels[at - stride]! : 0;
      const corner = x >= channels && y > 0 ? pixels[at - stride - channels]! : 0;
      pixels[at] = rows[row + 1 + x]! + predict(left, above, corner);
    }
  }
  return pixels;
}

/** A part of the file: its length, name, content and checksum. */
function chunk(name: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(checksum(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** CRC-32, bit by bit. */
function checksum(bytes: Uint8Array): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
