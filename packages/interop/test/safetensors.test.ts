import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FormatError } from '../src/errors.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '../src/safetensors.ts';

const bias: SafetensorsEntry = { name: 'bias', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) };

/** A file with a header written by hand. */
function file(header: string | Uint8Array, dataLength = 0, length?: number | bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const one = (dtype: string, shape: string, offsets: string): string =>
  `{"w":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;

function message(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('encodeSafetensors', () => {
  it('writes the bytes of the format: length, padded header, data', () => {
    const bytes = encodeSafetensors([bias], { epoch: '3' });
    const header = '{"__metadata__":{"epoch":"3"},"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded.length));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length))).toBe(padded);
    expect(Array.from(bytes.subarray(8 + padded.length))).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });

  it('aligns every tensor to its element size, and keeps the order of the names', () => {
    const bytes = encodeSafetensors([
      { name: 'mask', dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
      { name: 'x', dtype: 'F64', shape: [], data: Float64Array.of(0.5) },
      bias,
      { name: '0', dtype: 'I32', shape: [1], data: Int32Array.of(-1) },
    ]);
    const { tensors } = decodeSafetensors(bytes);
    expect(new TextDecoder().decode(bytes)).toMatch(/"mask".*"x".*"bias".*"0"/);
    for (const [name, size] of [
      ['x', 8],
      ['bias', 4],
      ['0', 4],
    ] as const) {
      expect(tensors.get(name)!.data.byteOffset % size).toBe(0);
    }
  });

  it('writes only the part of a buffer that a view shows', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(encodeSafetensors([{ ...bias, data }])).toEqual(encodeSafetensors([bias]));
  });

  it.each<[string, () => unknown]>([
    ['The name "bias" occurs twice; each tensor needs its own.', () => encodeSafetensors([bias, bias])],
    [
      'The name __metadata__ is reserved; give the tensor another one.',
      () => encodeSafetensors([{ ...bias, name: '__metadata__' }]),
    ],
    [
      'The data of "bias" have 8 bytes; F32 [3] needs 12.',
      () => encodeSafetensors([{ ...bias, shape: [3] }]),
    ],
    [
      'The shape of "bias" contains -2; sizes are whole numbers from 0 up.',
      () => encodeSafetensors([{ ...bias, shape: [-2] }]),
    ],
    [
      'The dtype of "bias" is "F33", which safetensors does not know.',
      () => encodeSafetensors([{ ...bias, dtype: 'F33' as 'F32' }]),
    ],
    [
      'The metadata value of "epoch" is a number; only text can be stored.',
      () => encodeSafetensors([bias], { epoch: 3 as unknown as string }),
    ],
  ])('refuses what could not be read back: %s', (expected, call) => {
    expect(message(call)).toBe(expected);
  });
});

describe('decodeSafetensors', () => {
  it('reads back what was written, whatever the names and shapes', () => {
    const sizes = { F64: 8, F32: 4, I32: 4, I64: 8, U8: 1, BOOL: 1, F16: 2 } as const;
    const entry = fc
      .record({
        name: fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom('__proto__', '0', 'a"b\\c', 'toString'),
        ),
        dtype: fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])),
        shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      })
      .filter(({ name }) => name !== '__metadata__')
      .chain(({ name, dtype, shape }) => {
        const length = shape.reduce((a, b) => a * b, sizes[dtype]);
        return fc
          .uint8Array({ minLength: length, maxLength: length })
          .map((data): SafetensorsEntry => ({ name, dtype, shape, data }));
      });
    const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 5 });
    const metadata = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(entries, metadata, (list, texts) => {
        const read = decodeSafetensors(encodeSafetensors(list, texts));
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(texts).sort());
        expect(read.tensors.size).toBe(list.length);
        for (const { name, dtype, shape, data } of list) {
          expect(read.tensors.get(name)).toEqual({ dtype, shape, data });
        }
      }),
    );
  });

  it('reads a file that begins in the middle of a buffer', () => {
    const bytes = encodeSafetensors([bias]);
    const shifted = new Uint8Array(bytes.length + 5);
    shifted.set(bytes, 5);
    expect(decodeSafetensors(shifted.subarray(5)).tensors.get('bias')!.shape).toEqual([2]);
  });

  it('reads an empty file of no tensors', () => {
    expect(decodeSafetensors(file('{}')).tensors.size).toBe(0);
  });

  it('never throws anything but a FormatError, whichever byte of a good file is wrong or missing', () => {
    const good = encodeSafetensors([
      bias,
      { name: 'n', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
    ]);
    for (let i = 0; i < good.length; i++) {
      expect(message(() => decodeSafetensors(good.subarray(0, i)))).not.toBe('nothing was thrown');
      for (const value of [0, 1, 0x22, 0x2d, 0x39, 0x5b, 0x7d, 0xff]) {
        const bad = good.slice();
        bad[i] = value;
        expect(message(() => decodeSafetensors(bad))).toMatch(/^[^\n]+\.$|^nothing was thrown$/);
      }
    }
  });

  const metadata = (text: string): string => `{"__metadata__":${text}}`;
  it.each<[string, Uint8Array]>([
    ['The file has 3 bytes, but a safetensors file begins with an 8-byte header length.', new Uint8Array(3)],
    [
      'The header length 100000001 is above the limit of 100000000, so this is no safetensors file.',
      file('{}', 0, 100_000_001),
    ],
    [
      'The header length 4294967296 is above the limit of 100000000, so this is no safetensors file.',
      file('{}', 0, 2 ** 32),
    ],
    ['The file ends inside its header: 3 bytes were expected, 2 are there.', file('{}', 0, 3)],
    ['The header does not begin with "{", so this is no safetensors file.', file(' {}')],
    ['The header does not begin with "{", so this is no safetensors file.', file('')],
    [
      'The header is not valid UTF-8, as a safetensors header must be.',
      file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    ],
    ['The header is not valid JSON, as it must be.', file('{"a":')],
    ['The header is not valid JSON, as it must be.', file('{}{}')],
    ['The header names "a" twice; each name may occur once.', file('{"a":1,"b":{"a":1},"\\u0061":2}')],
    ['The header names "shape" twice; each name may occur once.', file('{"w":{"shape":[],"shape":[1]}}')],
    ['__metadata__ is not an object of texts by key.', file(metadata('3'))],
    ['The metadata value of "k" is not a text, as it must be.', file(metadata('{"k":null}'))],
    ['The entry of "w" is not an object with dtype, shape and data_offsets.', file('{"w":[]}')],
    [
      'The dtype of "w" is "toString"; expected one of BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, F16, ' +
        'BF16, I32, U32, F32, I64, U64, F64, C64.',
      file(one('"toString"', '[]', '[0,4]'), 4),
    ],
    ['The shape of "w" is not an array of sizes.', file(one('"F32"', '4', '[0,4]'), 4)],
    [
      'The shape of "w" contains -1; sizes are whole numbers from 0 up.',
      file(one('"F32"', '[-1]', '[0,4]'), 4),
    ],
    [
      'The shape of "w" contains 1.5; sizes are whole numbers from 0 up.',
      file(one('"F32"', '[1.5]', '[0,4]'), 4),
    ],
    [
      'The shape of "w" contains "4"; sizes are whole numbers from 0 up.',
      file(one('"F32"', '["4"]', '[0,4]'), 4),
    ],
    [
      'The shape of "w" asks for more than 2^53 bytes; no file can hold that.',
      file(one('"F32"', '[4294967296,4294967296]', '[0,4]'), 4),
    ],
    ['The data_offsets of "w" are not two whole numbers from 0 up.', file(one('"F32"', '[1]', '[0]'), 4)],
    ['The data_offsets of "w" are not two whole numbers from 0 up.', file(one('"F32"', '[1]', '[-4,0]'), 4)],
    [
      'The data_offsets of "w" are not two whole numbers from 0 up.',
      file(one('"F32"', '[1]', '[0,1e300]'), 4),
    ],
    ['The data_offsets of "w" run backwards, from 4 to 0.', file(one('"F32"', '[1]', '[4,0]'), 4)],
    ['The data of "w" have 4 bytes; F32 [2] needs 8.', file(one('"F32"', '[2]', '[0,4]'), 4)],
    [
      'The data of "w" end at byte 8, but the file holds 4 bytes of data.',
      file(one('"F32"', '[1]', '[4,8]'), 4),
    ],
    [
      'Bytes 0 to 4 of the data belong to no tensor; no holes are allowed.',
      file(one('"F32"', '[1]', '[4,8]'), 8),
    ],
    [
      'The last 4 bytes of the file belong to no tensor; it should end earlier.',
      file(one('"F32"', '[1]', '[0,4]'), 8),
    ],
    [
      'The data of "b" overlap those of another tensor; each byte has one owner.',
      file(
        `${one('"F32"', '[1]', '[0,4]').slice(0, -1)},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`,
        6,
      ),
    ],
  ])('says what is wrong: %s', (expected, bytes) => {
    expect(message(() => decodeSafetensors(bytes))).toBe(expected);
  });

  it('survives nesting and names of absurd size', () => {
    expect(message(() => decodeSafetensors(file(`{"w":${'['.repeat(1e6)}${']'.repeat(1e6)}}`)))).toMatch(
      /^The (entry of "w" is not an object|header is not valid JSON)/,
    );
    expect(message(() => decodeSafetensors(file(`{"${'x'.repeat(2e7)}":0}`)))).toMatch(
      /^The entry of "x{76}…" is not/,
    );
  });
});
