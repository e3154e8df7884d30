import { requireOptions, tensor, type Tensor } from '@tapegrad/core';
import type { Dataset } from './dataset.ts';
import { DataError } from './errors.ts';
import type { IdxArray } from './idx.ts';

/** Options of an image set. */
export interface ImagesOptions {
  /** Subtracted from the pixels, which are scaled to 0…1; one number or one per channel; default 0. */
  mean?: number | readonly number[];
  /** The pixels are divided by it after that; one number or one per channel; default 1. */
  std?: number | readonly number[];
  /** Give images without channels the shape [1, height, width] instead of [height, width]; default false. */
  channels?: boolean;
}

/**
 * Images of bytes with labels, as MNIST, CIFAR and their relatives come. A sample is [image, label]; images are float32,
 * scaled to 0…1 and then normalised as asked; labels are int32.
 * @throws DataError when images and labels do not match in number or are not bytes, or there is not one mean and standard
 * deviation per channel
 */
export class LabelledImages implements Dataset<[Tensor, Tensor]> {
  readonly length: number;
  /** Shape of one image. */
  readonly shape: readonly number[];
  private readonly pixels: Uint8Array;
  private readonly labels: Uint8Array;
  /** What each of the 256 byte values becomes, channel by channel. */
  private readonly scales: readonly Float32Array[];

  /**
   * @param images bytes [n, height, width] or [n, channels, height, width]
   * @param labels bytes [n]
   */
  constructor(images: IdxArray, labels: IdxArray, options: ImagesOptions = {}) {
    requireOptions('LabelledImages', options, ['mean', 'std', 'channels']);
    const { mean = 0, std = 1, channels = false } = options;
    const rank = images.shape.length;
    if (images.dtype !== 'uint8' || labels.dtype !== 'uint8' || (rank !== 3 && rank !== 4) || labels.shape.length !== 1) {
      throw new DataError('images must be bytes of shape [n, height, width] or [n, channels, height, width] and labels bytes of shape [n].');
    }
    if (images.shape[0] !== labels.shape[0]) {
      throw new DataError(`there are ${images.shape[0]} images, but ${labels.shape[0]} labels.`);
    }
    const depth = rank === 4 ? images.shape[1]! : 1;
    const [means, stds] = [mean, std].map((given) => (typeof given === 'number' ? Array.from({ length: depth }, () => given) : given));
    if (means!.length !== depth || stds!.length !== depth) {
      throw new DataError(`mean and std must be one number or ${depth}, one per channel, got ${means!.length} and ${stds!.length}.`);
    }
    this.length = labels.shape[0]!;
    this.shape = rank === 3 && channels ? [1, ...images.shape.slice(1)] : images.shape.slice(1);
    this.pixels = images.data as Uint8Array;
    this.labels = labels.data as Uint8Array;
    this.scales = means!.map((m, c) => Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - m) / stds![c]!));
  }

  get(index: number): [Tensor, Tensor] {
    const [images, labels] = this.getBatch([index]);
    return [images.squeeze(0), labels.squeeze(0)];
  }

  /** @throws DataError for a position outside */
  getBatch(indices: readonly number[]): [Tensor, Tensor] {
    const size = this.shape.reduce((n, d) => n * d, 1);
    const plane = size / this.scales.length;
    const values = new Float32Array(indices.length * size);
    indices.forEach((index, row) => {
      if (!(index >= 0 && index < this.length)) throw new DataError(`there is no image ${index}, only 0 to ${this.length - 1}.`);
      const [from, to] = [index * size, row * size];
      this.scales.forEach((scale, channel) => {
        for (let i = channel * plane; i < (channel + 1) * plane; i++) values[to + i] = scale[this.pixels[from + i]!]!;
      });
    });
    const labels = Int32Array.from(indices, (index) => this.labels[index]!);
    return [tensor(values).view([indices.length, ...this.shape]), tensor(labels)];
  }
}
