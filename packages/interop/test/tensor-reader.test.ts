import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arange, ones } from '@tapegrad/core';
import { blobSource, encodeSafetensors, openTensors, saveTensors, type ByteSource } from '../src/index.ts';
import { fileSource } from '../src/node.ts';

const bytes = saveTensors({ a: arange(6).view([2, 3]), b: ones([2], { dtype: 'float64' }) }, { by: 'us' });

/** A source that remembers what was asked of it. */
function recorded(content: Uint8Array): ByteSource & { asked: [number, number][] } {
  const asked: [number, number][] = [];
  return {
    asked,
    size: content.length,
    read: (start, end) => {
      asked.push([start, end]);
      return content.subarray(start, end);
    },
  };
}

describe('openTensors', () => {
  it('reads the header alone, and then what is asked for', async () => {
    const source = recorded(bytes);
    const reader = await openTensors(source);
    const header = source.asked.at(-1)![1];
    expect(source.asked).toEqual([[0, 8], [0, header]]);
    expect([reader.names, reader.metadata]).toEqual([['a', 'b'], { by: 'us' }]);
    const { begin, end, dtype, shape } = reader.describe('a');
    expect([end - begin, dtype, shape]).toEqual([24, 'I32', [2, 3]]);
    expect((await reader.read('a')).toArray()).toEqual([[0, 1, 2], [3, 4, 5]]);
    expect(source.asked.slice(2)).toEqual([[begin, end]]);
    await expect(reader.read('c')).rejects.toThrow('The file has no tensor "c"; it has 2 others.');
  });

  it('reads what lies beyond 4 GiB', async () => {
    const gap = 5 * 2 ** 30;
    const text = JSON.stringify({
      big: { dtype: 'U8', shape: [gap], data_offsets: [0, gap] },
      x: { dtype: 'F32', shape: [2], data_offsets: [gap, gap + 8] },
    });
    const start = new Uint8Array(8 + text.length);
    start[0] = text.length;
    start.set(new TextEncoder().encode(text), 8);
    const reader = await openTensors({
      size: start.length + gap + 8,
      read: (from, to) => (from < start.length ? start.subarray(from, to) : new Uint8Array(Float32Array.of(to - from, from % 2 ** 30).buffer)),
    });
    expect((await reader.read('x')).toArray()).toEqual([8, start.length]);
  });

  it('reads files and blobs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tapegrad-reader-'));
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, bytes);
    const file = fileSource(path);
    for (const source of [file, blobSource(new Blob([Uint8Array.from(bytes)]))]) {
      const reader = await openTensors(source);
      expect((await reader.read('b')).toArray()).toEqual([1, 1]);
    }
    file.close();
    expect(() => fileSource(join(folder, 'none'))).toThrow(/Cannot read .*: there is no such file/);
    rmSync(folder, { recursive: true });
  });

  it('widens floats of 16 bits', async () => {
    const half = encodeSafetensors([
      { name: 'h', dtype: 'F16', shape: [2], data: Uint16Array.of(0x3e00, 0xc000) },
      { name: 'b', dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3fc0) },
    ]);
    const reader = await openTensors(recorded(half));
    expect((await reader.read('h')).toArray()).toEqual([1.5, -2]);
    expect((await reader.read('b')).toArray()).toEqual([1.5]);
  });

  it('refuses headers that are not, and sources that give less than they say', async () => {
    await expect(openTensors(recorded(Uint8Array.of(1, 2)))).rejects.toThrow('The file has 2 bytes, but');
    const hostile = new Uint8Array(100);
    new DataView(hostile.buffer).setUint32(4, 1, true);
    await expect(openTensors(recorded(hostile))).rejects.toThrow('is above the limit');
    await expect(openTensors({ size: bytes.length + 1, read: (a, b) => bytes.subarray(a, b) })).rejects.toThrow('belong to no tensor');
    const short = { size: bytes.length, read: (a: number, b: number) => bytes.subarray(a, Math.min(b, bytes.length - 2)) };
    const reader = await openTensors(short);
    await expect(reader.read(reader.names.find((name) => reader.describe(name).end === bytes.length)!)).rejects.toThrow(/The source gave \d+ bytes/);
  });
});
