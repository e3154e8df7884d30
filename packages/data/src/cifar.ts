import { requireOptions } from '@tapegrad/core';
import { DataError } from './errors.ts';
import type { IdxArray } from './idx.ts';

/** Images and their labels as bytes. */
export interface ImageArrays {
  /** Bytes [n, channels, height, width] or [n, height, width]. */
  readonly images: IdxArray;
  /** Bytes [n]. */
  readonly labels: IdxArray;
}

const SIDE = 32;
const PIXELS = 3 * SIDE * SIDE;

/**
 * Reads the binary version of CIFAR-10 or CIFAR-100: per image one label, or a coarse and a fine one, and the red, green
 * and blue bytes row by row.
 * @param bytes one file, or several one after the other
 * @param options classes: 10, the default, or 100; coarse: of 100 classes, give the 20 that they fall into
 * @throws DataError when the bytes are no whole number of images, or a label is too large
 * @source https://www.cs.toronto.edu/~kriz/cifar.html (binary version)
 */
export function parseCifar(
  bytes: Uint8Array,
  options: { classes?: 10 | 100; coarse?: boolean } = {},
  name = 'The CIFAR file',
): ImageArrays {
  requireOptions('parseCifar', options, ['classes', 'coarse']);
  const { classes = 10, coarse = false } = options;
  if (classes !== 10 && classes !== 100) throw new DataError(`parseCifar: classes must be 10 or 100, got ${String(classes)}.`);
  const labelBytes = classes === 100 ? 2 : 1;
  const record = labelBytes + PIXELS;
  const n = bytes.length / record;
  if (!Number.isInteger(n) || n === 0) {
    throw new DataError(`${name} has ${bytes.length} bytes, but images of CIFAR-${classes} take ${record} bytes each.`);
  }
  const images = new Uint8Array(n * PIXELS);
  const labels = new Uint8Array(n);
  const limit = classes === 100 && coarse ? 20 : classes;
  for (let i = 0; i < n; i++) {
    const start = i * record;
    const label = bytes[start + (classes === 100 && !coarse ? 1 : 0)]!;
    if (label >= limit) throw new DataError(`${name} is not CIFAR-${classes}: label ${i} is ${label}, not 0 to ${limit - 1}.`);
    labels[i] = label;
    images.set(bytes.subarray(start + labelBytes, start + record), i * PIXELS);
  }
  return {
    images: { dtype: 'uint8', shape: [n, 3, SIDE, SIDE], data: images },
    labels: { dtype: 'uint8', shape: [n], data: labels },
  };
}
