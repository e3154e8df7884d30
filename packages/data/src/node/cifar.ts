import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireOptions } from '@tapegrad/core';
import { parseCifar, type ImageArrays } from '../cifar.ts';
import { DataError } from '../errors.ts';
import { readFileUnpacked } from './file.ts';

/** Where CIFAR is, and which of its labels are wanted. */
export interface CifarOptions {
  /** The folder with the files of the binary version, compressed with gzip or not. */
  readonly folder: string;
  /** CIFAR-10, the default, or CIFAR-100. */
  readonly classes?: 10 | 100;
  /** Of CIFAR-100, the 20 coarse classes; default false. */
  readonly coarse?: boolean;
}

const FILES = {
  10: { train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), test: ['test_batch.bin'] },
  100: { train: ['train.bin'], test: ['test.bin'] },
} as const;

/**
 * Reads the files of CIFAR-10 or CIFAR-100.
 * @throws DataError when a file is missing, cannot be read or is no CIFAR file
 */
export function readCifar(options: CifarOptions): { train: ImageArrays; test: ImageArrays } {
  requireOptions('readCifar', options, ['folder', 'classes', 'coarse']);
  const { folder, classes = 10, coarse = false } = options;
  if (!Object.hasOwn(FILES, classes)) throw new DataError(`readCifar: classes must be 10 or 100, got ${String(classes)}.`);
  const read = (names: readonly string[]): ImageArrays => {
    const parts = names.map((name) => readFileUnpacked(findFile(folder, name, classes)));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return parseCifar(bytes, { classes, coarse }, `${folder} (${names.join(', ')})`);
  };
  return { train: read(FILES[classes].train), test: read(FILES[classes].test) };
}

function findFile(folder: string, name: string, classes: number): string {
  const found = [name, `${name}.gz`].map((each) => join(folder, each)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new DataError(`CIFAR-${classes} was not found: there is no ${name} (or .gz) in ${folder}; it must be the binary version.`);
}
