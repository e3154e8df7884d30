import type { Tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import { decodeLayout, headerEnd, type SafetensorsPlace } from './safetensors.ts';
import { readTensor } from './tensors.ts';

/** Bytes that are read in pieces: a file on a disk, a blob, a server that answers to ranges. */
export interface ByteSource {
  /** How many bytes there are. */
  readonly size: number;
  /** The bytes from `start` up to, not including, `end`. */
  read(start: number, end: number): Uint8Array | Promise<Uint8Array>;
}

/** A safetensors file whose tensors are read one by one; only its header is in memory. */
export interface TensorReader {
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The names of all tensors, in the order of the header. */
  readonly names: readonly string[];
  /** What the header says of a tensor. @throws FormatError for a name that is not there */
  describe(name: string): SafetensorsPlace;
  /** Reads one tensor. @throws FormatError for a name that is not there, or a tensor that has no counterpart here */
  read(name: string): Promise<Tensor>;
}

/**
 * Opens a safetensors file that may be larger than memory.
 * @param source where the bytes come from, such as `blobSource(file)`, or `fileSource(path)` of the entry `./node`
 * @throws FormatError when the header is not one, or does not fit the size of the source
 * @example
 * const file = new Blob([tg.interop.saveTensors({ weight: tg.ones([2, 2]), bias: tg.zeros([2]) })]);
 * const reader = await openTensors(blobSource(file));
 * console.log(reader.names, (await reader.read('bias')).toArray()); // → [ 'weight', 'bias' ] [ 0, 0 ]
 * @source safetensors.safe_open
 */
export async function openTensors(source: ByteSource): Promise<TensorReader> {
  const first = await readExactly(source, 0, Math.min(8, source.size));
  const { metadata, tensors } = decodeLayout(await readExactly(source, 0, headerEnd(first, source.size)), source.size);
  const describe = (name: string): SafetensorsPlace => {
    const place = tensors.get(name);
    if (place === undefined) throw new FormatError(`The file has no tensor ${quote(name)}; it has ${tensors.size} others.`);
    return place;
  };
  return {
    metadata,
    names: [...tensors.keys()],
    describe,
    read: async (name) => {
      const { dtype, shape, begin, end } = describe(name);
      return readTensor(name, { dtype, shape, data: await readExactly(source, begin, end) });
    },
  };
}

/** The bytes of a blob or file that a page was given. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
  };
}

async function readExactly(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = await source.read(start, end);
  if (bytes.length !== end - start) {
    throw new FormatError(`The source gave ${bytes.length} bytes from ${start} on, where ${end - start} were asked for.`);
  }
  return bytes;
}
