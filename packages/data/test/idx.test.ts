import { describe, expect, it } from '@jest/globals';
import { DataError } from '../src/errors.ts';
import { parseIdx } from '../src/idx.ts';

const elements = (type: number, ...bytes: number[]): Uint8Array =>
  Uint8Array.of(0, 0, type, 1, 0, 0, 0, 2, ...bytes);

describe('parseIdx', () => {
  it.each([
    ['unsigned bytes', elements(0x08, 5, 255), 'uint8', [5, 255]],
    ['signed bytes', elements(0x09, 5, 255), 'int32', [5, -1]],
    ['16-bit integers', elements(0x0b, 1, 2, 0xff, 0xfe), 'int32', [258, -2]],
    ['32-bit integers', elements(0x0c, 0, 1, 0, 2, 0xff, 0xff, 0xff, 0xff), 'int32', [65538, -1]],
    ['float32', elements(0x0d, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0), 'float32', [1, -2]],
    ['float64', elements(0x0e, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0), 'float64', [1, -2]],
  ])('reads %s, most significant byte first', (_, bytes, dtype, expected) => {
    const array = parseIdx(bytes);
    expect(array.dtype).toBe(dtype);
    expect(array.shape).toEqual([2]);
    expect(Array.from(array.data)).toEqual(expected);
  });

  it('reads the sizes of several dimensions, and from the middle of a buffer', () => {
    const bytes = Uint8Array.of(9, 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
    const array = parseIdx(bytes.subarray(1));
    expect(array.shape).toEqual([2, 3]);
    expect(Array.from(array.data)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads a single number and an empty array', () => {
    expect(Array.from(parseIdx(Uint8Array.of(0, 0, 8, 0, 7)).data)).toEqual([7]);
    expect(parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0)).data).toHaveLength(0);
  });

  it.each([
    ['The idx file has 2 bytes, but an idx file has at least 4.', [0, 0]],
    ['The idx file is compressed with gzip; decompress it first.', [0x1f, 0x8b, 8, 0, 1]],
    [
      'The idx file is no idx file: it begins with 89504e47, expected 0000, a type and a rank.',
      [0x89, 80, 78, 71],
    ],
    [
      'The idx file is no idx file: it begins with 00000a01, expected 0000, a type and a rank.',
      [0, 0, 10, 1],
    ],
    ['The idx file is truncated: a header of 8 bytes was expected, 6 are there.', [0, 0, 8, 1, 0, 0]],
    ['The idx file is truncated: an array of 3 needs 11 bytes, it has 9.', [0, 0, 8, 1, 0, 0, 0, 3, 1]],
    ['The idx file is too long: an array of 0 needs 8 bytes, it has 9.', [0, 0, 8, 1, 0, 0, 0, 0, 1]],
  ])('says what is wrong: %s', (message, bytes) => {
    expect(() => parseIdx(Uint8Array.from(bytes))).toThrow(new DataError(message));
  });

  it('names the file in its errors', () => {
    expect(() => parseIdx(new Uint8Array(0), 'a.idx')).toThrow('a.idx has 0 bytes');
  });
});
