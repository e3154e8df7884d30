import { requireOptions, type Tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import { loadNpy, saveNpy } from './npy.ts';
import type { NamedTensors } from './tensors.ts';
import { decodeZip, encodeZip } from './zip.ts';

const EXTENSION = '.npy';
/** A hostile archive stops here. */
const MAX_UNPACKED = 2 ** 32;

/**
 * The bytes of an npz file: an archive of npy files, not compressed.
 * @param tensors by name; any strides
 * @throws FormatError when it would be larger than an array of bytes can be
 * @source numpy.savez
 */
export function saveNpz(tensors: NamedTensors): Uint8Array {
  return encodeZip(Object.entries(tensors).map(([name, x]) => ({ name: name + EXTENSION, data: saveNpy(x) })));
}

/**
 * Reads the arrays of an npz file, compressed or not.
 * @param bytes the whole file
 * @param options maxBytes: most bytes that the arrays may have together, default 4 GiB
 * @throws FormatError when the bytes are no whole archive, hold something other than arrays of numbers, name an array
 * twice, or are larger than allowed
 * @example
 * const bytes = saveNpz({ x: tg.tensor([1, 2]), n: tg.tensor(3) });
 * const { x, n } = await loadNpz(bytes);
 * console.log(x.toArray(), n.item()); // → [ 1, 2 ] 3
 * @source numpy.load, numpy.savez_compressed
 */
export async function loadNpz(bytes: Uint8Array, options: { maxBytes?: number } = {}): Promise<Record<string, Tensor>> {
  requireOptions('loadNpz', options, ['maxBytes']);
  const files = await decodeZip(bytes, options.maxBytes ?? MAX_UNPACKED);
  const tensors = new Map<string, Tensor>();
  for (const { name, data } of files) {
    if (!name.endsWith(EXTENSION)) throw new FormatError(`The archive holds ${quote(name)}, which is no npy file.`);
    const key = name.slice(0, -EXTENSION.length);
    if (tensors.has(key)) throw new FormatError(`The archive names ${quote(key)} twice.`);
    tensors.set(key, loadNpy(data, `The array ${quote(key)}`));
  }
  return Object.fromEntries(tensors);
}
