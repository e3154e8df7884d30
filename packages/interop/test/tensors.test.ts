import { describe, expect, it } from '@jest/globals';
import { tensor, type Tensor } from '@tapegrad/core';
import { FormatError } from '../src/errors.ts';
import { encodeSafetensors, type SafetensorsDType } from '../src/safetensors.ts';
import { loadTensors, saveTensors } from '../src/tensors.ts';

/** The bits of a tensor's elements, as text. */
function bits(x: Tensor): string {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  return `${x.dtype} [${x.shape}] ${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
}

/** The one tensor of a file in which it has the given dtype and data. */
function loadOne(dtype: SafetensorsDType, data: ArrayBufferView & { length: number }): Tensor {
  return loadTensors(encodeSafetensors([{ name: 'x', dtype, shape: [data.length], data }])).tensors['x']!;
}

describe('saveTensors and loadTensors', () => {
  it('give every dtype back bit for bit, odd values included', () => {
    const odd = [-0, NaN, Infinity, -Infinity, 5e-324, 1.4e-45, 0.1, 3.4028234663852886e38];
    const tensors = {
      single: tensor(Float32Array.from(odd)),
      double: tensor(Float64Array.from(odd)),
      whole: tensor(Int32Array.of(-2147483648, 2147483647, 0)),
      byte: tensor(Uint8Array.of(0, 255)),
      truth: tensor([true, false, true]),
      scalar: tensor(2.5),
      none: tensor(new Float32Array(0)).view([0, 3]),
    };
    const { tensors: loaded, metadata } = loadTensors(saveTensors(tensors, { author: 'Ünal' }));
    expect(metadata).toEqual({ author: 'Ünal' });
    expect(Object.keys(loaded)).toEqual(Object.keys(tensors));
    for (const [name, x] of Object.entries(tensors)) expect(bits(loaded[name]!)).toBe(bits(x));
  });

  it('write the elements of a view in row-major order', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const loaded = loadTensors(saveTensors({ turned: x.T, row: x.select(0, 1) })).tensors;
    expect(loaded['turned']!.tolist()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(loaded['row']!.tolist()).toEqual([4, 5, 6]);
  });

  it('keep a name that JavaScript objects treat specially', () => {
    const named = Object.fromEntries([
      ['__proto__', tensor([1])],
      ['0', tensor([2])],
    ]);
    const { tensors } = loadTensors(saveTensors(named));
    expect(Object.entries(tensors).map(([name, x]) => [name, x.item()])).toEqual([
      ['0', 2],
      ['__proto__', 1],
    ]);
  });

  it('read 64-bit, 16-bit and 8-bit integers as int32', () => {
    expect(bits(loadOne('I64', BigInt64Array.of(-2147483648n, 2147483647n)))).toBe(
      bits(tensor(Int32Array.of(-2147483648, 2147483647))),
    );
    expect(loadOne('U32', Uint32Array.of(7)).dtype).toBe('int32');
    expect(loadOne('I16', Int16Array.of(-7, 300)).tolist()).toEqual([-7, 300]);
    expect(loadOne('U16', Uint16Array.of(65535)).tolist()).toEqual([65535]);
    expect(loadOne('I8', Int8Array.of(-128)).tolist()).toEqual([-128]);
    expect(loadOne('U64', BigUint64Array.of(9n)).tolist()).toEqual([9]);
  });

  it('refuse integers that int32 cannot hold, and say which', () => {
    expect(() => loadOne('I64', BigInt64Array.of(1n, 2147483648n))).toThrow(
      'Element 1 of "x" (I64) is 2147483648; integers are held as int32 here, up to 2147483647.',
    );
    for (const data of [BigInt64Array.of(-2147483649n), BigInt64Array.of(-(2n ** 63n))]) {
      expect(() => loadOne('I64', data)).toThrow(FormatError);
    }
    expect(() => loadOne('U32', Uint32Array.of(2 ** 31))).toThrow(FormatError);
    expect(() => loadOne('U64', BigUint64Array.of(2n ** 64n - 1n))).toThrow(FormatError);
  });

  it('read half precision and brain floats as float32 without loss', () => {
    const halves = Uint16Array.of(
      0x3c00,
      0xc000,
      0x8000,
      0x0001,
      0x03ff,
      0x0400,
      0x7bff,
      0x7c00,
      0xfc00,
      0x7e00,
    );
    const expected = [1, -2, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, NaN];
    expect(loadOne('F16', halves).tolist()).toEqual(expected);
    const brain = Uint16Array.of(0x3f80, 0xc000, 0x8000, 0x0001, 0x7f80, 0x7fc0);
    expect(loadOne('BF16', brain).tolist()).toEqual([1, -2, -0, 2 ** -133, Infinity, NaN]);
    expect(loadOne('BF16', brain).dtype).toBe('float32');
  });

  it('say which dtype has no counterpart', () => {
    expect(() => loadOne('F8_E4M3', Uint8Array.of(1))).toThrow(
      'The dtype of "x" is F8_E4M3, which has no counterpart here; convert it to F32.',
    );
  });

  it('read a tensor that lies at an odd address of the file', () => {
    const bytes = saveTensors({ x: tensor([1, 2]) });
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    expect(loadTensors(shifted).tensors['x']!.tolist()).toEqual([1, 2]);
  });
});
