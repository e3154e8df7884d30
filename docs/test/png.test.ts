import { describe, expect, it } from '@jest/globals';
import { deflateSync, inflateSync } from 'node:zlib';
import { decodePng, encodePng, type Picture } from '../examples/png.ts';

const noise = (width: number, height: number, channels: Picture['channels']): Picture => {
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => ((i * i * 37 + i * 101) % 251) % 6);
  return { width, height, channels, pixels };
};

describe('a PNG file', () => {
  it.each([1, 2, 3, 4] as const)('keeps a picture of %i channels', (channels) => {
    const picture = noise(7, 5, channels);
    expect(decodePng(encodePng(picture))).toEqual(picture);
  });

  it('may be filtered in five ways', () => {
    const picture = noise(12, 5, 3);
    const filtered = Buffer.alloc(5 * 37);
    const at = (x: number, y: number): number => (x < 0 || y < 0 ? 0 : picture.pixels[y * 36 + x]!);
    for (let y = 0; y < 5; y++) {
      filtered[y * 37] = y;
      for (let x = 0; x < 36; x++) {
        const [left, above, corner] = [at(x - 3, y), at(x, y - 1), at(x - 3, y - 1)];
        const nearest = [left, above, corner].reduce((best, value) => {
          const distance = (v: number): number => Math.abs(left + above - corner - v);
          return distance(value) < distance(best) ? value : best;
        });
        const predicted = [0, left, above, Math.floor((left + above) / 2), nearest][y]!;
        filtered[y * 37 + 1 + x] = at(x, y) - predicted;
      }
    }
    const file = Buffer.from(encodePng(picture));
    const start = file.indexOf('IDAT') + 4;
    expect(inflateSync(file.subarray(start, file.indexOf('IEND') - 8))).toHaveLength(5 * 37);
    const packed = deflateSync(filtered);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(packed.length);
    const other = Buffer.concat([file.subarray(0, start - 8), length, Buffer.from('IDAT'), packed, file.subarray(-16)]);
    expect(decodePng(other)).toEqual(picture);
  });

  it('is read by others: its checksums are those of the format', () => {
    // The end of every PNG file is the same.
    expect(Buffer.from(encodePng(noise(2, 2, 1))).subarray(-12).toString('hex')).toBe('0000000049454e44ae426082');
  });

  it('is refused when it is another kind, and pixels when there are too few', () => {
    expect(() => decodePng(Buffer.from('GIF89a..................'))).toThrow('This is no PNG file.');
    const palette = Buffer.from(encodePng(noise(2, 2, 1)));
    palette[25] = 3;
    expect(() => decodePng(palette)).toThrow(/without palette and interlacing/);
    expect(() => encodePng({ ...noise(2, 2, 1), height: 3 })).toThrow('A picture of 2 × 3 × 1 needs 6 bytes, got 4.');
  });
});
