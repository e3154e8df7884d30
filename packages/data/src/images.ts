import { tensor, type Tensor } from '@tapegrad/core';
import type { Dataset } from './dataset.ts';
import { DataError } from './errors.ts';
import type { IdxArray } from './idx.ts';

/** Options of an image set. */
export interface ImagesOptions {
  /** Subtracted from the pixels, which are scaled to 0…1; default 0. */
  mean?: number;
  /** The pixels are divided by it after that; default 1. */
  std?: number;
  /** Give images the shape [1, height, width] instead of [height, width]; default false. */
  channels?: boolean;
}

/**
 * Images of bytes with labels, as MNIST and its relatives come. A sample is [image, label]; images are float32, scaled
 * to 0…1 and then normalised as asked; labels are int32.
 * @throws DataError when images and labels do not match in number or are not bytes
 */
export class LabelledImages implements Dataset<[Tensor, Tensor]> {
  readonly length: number;
  /** Shape of one image. */
  readonly shape: readonly number[];
  private readonly pixels: Uint8Array;
  private readonly labels: Uint8Array;
  /** What each of the 256 byte values becomes. */
  private readonly scale: Float32Array;

  constructor(images: IdxArray, labels: IdxArray, options: ImagesOptions = {}) {
    const { mean = 0, std = 1, channels = false } = options;
    if (images.dtype !== 'uint8' || labels.dtype !== 'uint8' || images.shape.length !== 3 || labels.shape.length !== 1) {
      throw new DataError('images must be bytes of shape [n, height, width] and labels bytes of shape [n].');
    }
    if (images.shape[0] !== labels.shape[0]) {
      throw new DataError(`there are ${images.shape[0]} images, but ${labels.shape[0]} labels.`);
    }
    this.length = labels.shape[0]!;
    this.shape = channels ? [1, ...images.shape.slice(1)] : images.shape.slice(1);
    this.pixels = images.data as Uint8Array;
    this.labels = labels.data as Uint8Array;
    this.scale = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / std);
  }

  get(index: number): [Tensor, Tensor] {
    const [images, labels] = this.getBatch([index]);
    return [images.squeeze(0), labels.squeeze(0)];
  }

  getBatch(indices: readonly number[]): [Tensor, Tensor] {
    const size = this.shape.reduce((n, d) => n * d, 1);
    const values = new Float32Array(indices.length * size);
    indices.forEach((index, row) => {
      const start = index * size;
      for (let i = 0; i < size; i++) values[row * size + i] = this.scale[this.pixels[start + i]!]!;
    });
    const labels = Int32Array.from(indices, (index) => this.labels[index]!);
    return [tensor(values).view([indices.length, ...this.shape]), tensor(labels)];
  }
}
