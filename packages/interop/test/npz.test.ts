import { describe, expect, it } from '@jest/globals';
import { arange, tensor, zeros, type Tensor } from '@tapegrad/core';
import { FormatError, loadNpy, loadNpz, saveNpy, saveNpz } from '../src/index.ts';
import { decodeZip, encodeZip } from '../src/zip.ts';

/** Files that NumPy wrote. */
const written = {
  compressed:
    'UEsDBBQAAAAIAAAAIQD5QDf/WQAAAJgAAAAGABQAZjQubnB5AQAQAJgAAAAAAAAAWQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVF' +
    'KUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGmjoKtQpkAy4GhgP2DAwMDUC6HkgBMYMDEDkAAFBLAwQUAAAACAAAACEAXwRQR1YAAACwAAAABwAUAGJp' +
    'Zy5ucHkBABAAsAAAAAAAAABWAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6XZqGuo6Cell9UUpSYF59flJIKEg8pKk0FChdnJBakArkaRjoKxpo6Cr' +
    'UK5AMuBihw4IDQ9h+gfAEoDZMXgdAAUEsDBBQAAAAIAAAAIQDedwS5SgAAAJAAAAAGABQAaTgubnB5AQAQAJAAAAAAAAAASgAAAAAAAACb7BfqGxDJyFDG' +
    'UK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACu/whQzwAEAFBLAwQUAAAACAAAACEA7hm7XUYAAACCAA' +
    'AACAAUAGZsYWcubnB5AQAQAIIAAAAAAAAARgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBek2SorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC' +
    '+RpGOpo6CrUKFAAuRgYAUEsDBBQAAAAIAAAAIQBva4ubSgAAAIYAAAAIABQAaGFsZi5ucHkBABAAhgAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWp' +
    'xcpG6loG6TZqSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoUAC4Gu//VjAwAUEsDBBQAAAAIAAAAIQAMLbG0RgAAAIQAAAAKABQA' +
    'c2NhbGFyLm5weQEAEACEAAAAAAAAAEYAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkamj' +
    'oKtQoUAS52BgYGAFBLAwQUAAAACAAAACEAbxRvjngAAACwAAAACAAUAGN1YmUubnB5AQAQALAAAAAAAAAAeAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRu' +
    'paBuk2mkrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsY6CiaaOgq1CmQCLgYGHgYWBgEGDgYRBkYGXgZWBkEGTgZRBiYGPgY2BiEGLgYxBm' +
    'YGfgZ2BmEGbgZxBgBQSwMEFAAAAAgAAAAhAKNoUndGAAAAgAAAAAkAFABlbXB0eS5ucHkBABAAgAAAAAAAAABGAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxc' +
    'pG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GgY6CsaaOgq1CmQDLgBQSwMEFAAAAAgAAAAhAIK9coVGAAAAggAAAAYAFAB1MS5ucH' +
    'kBABAAggAAAAAAAABGAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC6G' +
    '/wBQSwECFAMUAAAACAAAACEA+UA3/1kAAACYAAAABgAAAAAAAAAAAAAAgAEAAAAAZjQubnB5UEsBAhQDFAAAAAgAAAAhAF8EUEdWAAAAsAAAAAcAAAAAAA' +
    'AAAAAAAIABkQAAAGJpZy5ucHlQSwECFAMUAAAACAAAACEA3ncEuUoAAACQAAAABgAAAAAAAAAAAAAAgAEgAQAAaTgubnB5UEsBAhQDFAAAAAgAAAAhAO4Z' +
    'u11GAAAAggAAAAgAAAAAAAAAAAAAAIABogEAAGZsYWcubnB5UEsBAhQDFAAAAAgAAAAhAG9ri5tKAAAAhgAAAAgAAAAAAAAAAAAAAIABIgIAAGhhbGYubn' +
    'B5UEsBAhQDFAAAAAgAAAAhAAwtsbRGAAAAhAAAAAoAAAAAAAAAAAAAAIABpgIAAHNjYWxhci5ucHlQSwECFAMUAAAACAAAACEAbxRvjngAAACwAAAACAAA' +
    'AAAAAAAAAAAAgAEoAwAAY3ViZS5ucHlQSwECFAMUAAAACAAAACEAo2hSd0YAAACAAAAACQAAAAAAAAAAAAAAgAHaAwAAZW1wdHkubnB5UEsBAhQDFAAAAA' +
    'gAAAAhAIK9coVGAAAAggAAAAYAAAAAAAAAAAAAAIABWwQAAHUxLm5weVBLBQYAAAAACQAJAOIBAADZBAAAAAA=',
  stored:
    'UEsDBBQAAAAAAAAAIQAC7L2pjAAAAIwAAAAFABQAeC5ucHkBABAAjAAAAAAAAACMAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpNCcsICdmb3J0cm' +
    'FuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'ICAgICAKAAAAAAEAAAACAAAAUEsBAhQDFAAAAAAAAAAhAALsvamMAAAAjAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsFBgAAAAABAAEAMwAAAMMAAA' +
    'AAAA==',
  wide:
    'UEsDBC0AAAAAAAAAIQAC7L2p//////////8FABQAeC5ucHkBABAAjAAAAAAAAACMAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpNCcsICdmb3J0cmFu' +
    'X29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'ICAKAAAAAAEAAAACAAAAUEsBAi0DLQAAAAAAAAAhAALsvan//////////wUAFAAAAAAAAAAAAIABAAAAAHgubnB5AQAQAIwAAAAAAAAAjAAAAAAAAABQSwYG' +
    'LAAAAAAAAAAtAC0AAAAAAAAAAAABAAAAAAAAAAEAAAAAAAAARwAAAAAAAADDAAAAAAAAAFBLBgcAAAAACgEAAAAAAAABAAAAUEsFBgAAAAABAAEARwAAAMMA' +
    'AAAAAA==',
  objects:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgIC' +
    'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqAA2NudW1weS5jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEAY251bXB5Cm5k' +
    'YXJyYXkKcQFLAIVxAkMBYnEDh3EEUnEFKEsBSwKFcQZjbnVtcHkKZHR5cGUKcQdYAgAAAE84cQiJiIdxCVJxCihLA1gBAAAAfHELTk5OSv////9K/////0' +
    's/dHEMYoldcQ0oSwFYAQAAAGFxDmV0cQ9iLg==',
  complex:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGMxNicsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgIC' +
    'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAPA/',
  v2:
    'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgIC' +
    'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPw==',
};

const bytesOf = (name: keyof typeof written): Uint8Array => Uint8Array.from(Buffer.from(written[name], 'base64'));
const flat = (x: Tensor): unknown[] => [x.dtype, x.shape, [...x.toTypedArray()]];

describe('loadNpz', () => {
  it('reads what NumPy packed: both byte orders, both orders of elements, all sizes', async () => {
    const arrays = await loadNpz(bytesOf('compressed'));
    expect(Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, flat(x)]))).toEqual({
      f4: ['float32', [2, 3], [1.5, -0, NaN, Infinity, 2, 3]],
      big: ['float64', [2, 3], [0, 1, 2, 3, 4, 5]],
      i8: ['int32', [2], [-1, 2147483647]],
      flag: ['bool', [2], [1, 0]],
      half: ['float32', [3], [1.5, 65504, 2 ** -24]],
      scalar: ['int32', [], [7]],
      cube: ['int32', [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)],
      empty: ['float32', [0, 3], []],
      u1: ['uint8', [2], [0, 255]],
    });
    expect(flat((await loadNpz(bytesOf('stored')))['x']!)).toEqual(['int32', [3], [0, 1, 2]]);
  });

  it('gives back what saveNpz wrote', async () => {
    const tensors = { 'layer.weight': arange(6).view([2, 3]).T, n: tensor(3), odd: tensor([NaN, -0, Infinity], { dtype: 'float64' }) };
    const back = await loadNpz(saveNpz(tensors));
    expect(Object.keys(back)).toEqual(Object.keys(tensors));
    for (const [name, x] of Object.entries(tensors)) expect(flat(back[name]!)).toEqual(flat(x));
  });

  it('reads and writes sizes and places of 64 bits', async () => {
    const files = ['a', 'ü'].map((name, i) => ({ name: `${name}.npy`, data: saveNpy(arange(3 + i)) }));
    const wide = encodeZip(files, true);
    expect(Object.fromEntries(Object.entries(await loadNpz(wide)).map(([name, x]) => [name, flat(x)]))).toEqual({
      a: ['int32', [3], [0, 1, 2]],
      ü: ['int32', [4], [0, 1, 2, 3]],
    });
    expect(flat((await loadNpz(bytesOf('wide')))['x']!)).toEqual(['int32', [3], [0, 1, 2]]);
    const view = new DataView(wide.buffer);
    const end = wide.length - 22;
    const changed = async (at: number, value: number): Promise<unknown> => {
      const before = view.getUint32(at, true);
      view.setUint32(at, value, true);
      const result = await loadNpz(wide).catch((error: unknown) => error);
      view.setUint32(at, before, true);
      return result;
    };
    expect(await changed(end - 20, 0)).toMatchObject({ message: expect.stringContaining('the record that says where they are is missing') });
    expect(await changed(end - 20 + 12, 1)).toMatchObject({ message: expect.stringContaining('is missing') });
    expect(await changed(end - 20 - 56 + 36, 1)).toMatchObject({ message: 'The archive\'s directory is damaged at entry 2.' });
    const central = Buffer.from(wide).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    expect(await changed(central + 46 + 5, 2)).toMatchObject({ message: 'The archive\'s file "a.npy" is larger than 4 GiB, but its size is missing.' });
    expect(await changed(central + 46 + 5 + 4 + 16 + 4, 1)).toMatchObject({ message: expect.stringContaining('is not where the directory says') });
  });

  it('refuses archives that are damaged, too large, or of something else', async () => {
    const good = saveNpz({ x: arange(4) });
    const damaged = good.slice();
    damaged[170]! ^= 1;
    const many = Array.from({ length: 65535 }, (_, i) => ({ name: `${i}`, data: new Uint8Array(0) }));
    expect((await decodeZip(encodeZip(many), 1)).at(-1)!.name).toBe('65534');
    await expect(loadNpz(damaged)).rejects.toThrow('"x.npy" is damaged: its checksum differs');
    await expect(loadNpz(good.subarray(0, good.length - 4))).rejects.toThrow('no whole zip archive');
    await expect(loadNpz(good, { maxbyte: 100 } as object)).rejects.toThrow('Did you mean maxBytes?');
    await expect(loadNpz(good, { maxBytes: 100 })).rejects.toThrow('more than 100 bytes once unpacked');
    await expect(loadNpz(encodeZip([{ name: 'a.txt', data: new Uint8Array(1) }]))).rejects.toThrow('holds "a.txt", which is no npy file');
    const entry = { name: 'x.npy', data: saveNpy(zeros([1])) };
    await expect(loadNpz(encodeZip([entry, entry]))).rejects.toThrow('names "x" twice');
    const moved = good.slice();
    const directory = moved.length - 22 - (46 + 5);
    new DataView(moved.buffer).setUint32(directory + 42, 9999, true);
    await expect(loadNpz(moved)).rejects.toThrow('"x.npy" is not where the directory says');
    const bomb = bytesOf('compressed');
    const at = Buffer.from(bomb).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    new DataView(bomb.buffer).setUint32(at + 24, 2 ** 31, true);
    await expect(loadNpz(bomb)).rejects.toThrow(/announces 2147483648 bytes, which cannot have been packed/);
    new DataView(bomb.buffer).setUint32(at + 24, 8, true);
    await expect(loadNpz(bomb)).rejects.toThrow(/cannot be unpacked \(more bytes than announced\)/);
    new DataView(bomb.buffer).setUint16(at + 10, 12, true);
    await expect(loadNpz(bomb)).rejects.toThrow(/is packed by method 12/);
    new DataView(bomb.buffer).setUint16(at + 8, 1, true);
    await expect(loadNpz(bomb)).rejects.toThrow(/is encrypted/);
  });

  it('throws FormatError, or reads the same, whatever byte is changed', async () => {
    const good = saveNpz({ x: arange(3), y: tensor([true]) });
    const others: unknown[] = [];
    for (let i = 0; i < good.length; i++) {
      const changed = good.slice();
      changed[i]! ^= 0x5a;
      const result = await loadNpz(changed).catch((error: unknown) => error);
      if (result instanceof Error && !(result instanceof FormatError)) others.push(result);
    }
    expect(others).toEqual([]);
  });
});

describe('loadNpy', () => {
  it('reads version 2, and gives back what saveNpy wrote', () => {
    expect(flat(loadNpy(bytesOf('v2')))).toEqual(['float32', [2], [0, 1]]);
    for (const x of [tensor(2), zeros([0]), arange(5), tensor([[true, false]])]) {
      const bytes = saveNpy(x);
      expect(flat(loadNpy(bytes))).toEqual(flat(x));
      expect((bytes.length - x.toTypedArray().byteLength) % 64).toBe(0);
    }
  });

  it('refuses what is no array of numbers', () => {
    expect(() => loadNpy(bytesOf('objects'))).toThrow('holds Python objects, which are never unpacked');
    expect(() => loadNpy(bytesOf('complex'))).toThrow('holds elements of type "<c16"');
    expect(() => loadNpy(Uint8Array.of(1, 2, 3))).toThrow('is no npy file: it does not begin with');
    const good = saveNpy(arange(3));
    expect(() => loadNpy(good.subarray(0, good.length - 1))).toThrow('is truncated: an array [3] of <i4 needs 12 bytes, it has 11.');
    expect(() => loadNpy(Uint8Array.of(...good, 0))).toThrow('is too long');
    expect(() => loadNpy(good.subarray(0, 40))).toThrow('ends inside of its header');
    const other = (header: string): Uint8Array => {
      const bytes = good.slice();
      bytes.set(new TextEncoder().encode(header.padEnd(117)), 10);
      return bytes;
    };
    expect(flat(loadNpy(other('{"shape" : (3,),"fortran_order":False ,"descr":"<i4"}')))).toEqual(flat(arange(3)));
    for (const header of ['', '{}', "{'descr': '<f4', 'shape': (3,), 'fortran_order': False, 'x': 1}", "{'descr': open('x'), }"]) {
      expect(() => loadNpy(other(header))).toThrow(/is no dictionary of descr, fortran_order and shape/);
    }
    expect(() => loadNpy(other("{'descr': '<f4', 'fortran_order': False, 'shape': (3000000000, 3000000000)}"))).toThrow(/more than 2\^53 bytes/);
    const version = good.slice();
    version[6] = 9;
    expect(() => loadNpy(version)).toThrow('has the npy version 9');
    version.set([2, 0, 255, 255, 255, 0], 6);
    expect(() => loadNpy(version)).toThrow('announces a header of 16777215 bytes');
  });
});
