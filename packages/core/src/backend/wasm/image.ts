import { dtypeInfo } from '../../dtype.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { changed } from './changed.ts';
import { copy } from './copy.ts';
import { Scratch } from './scratch.ts';
import { type Spatial, withThreeDims } from './window.ts';
import { zeroBytes } from './zeros.ts';

const scratch = new Scratch();
/** Memory for what threads work on side by side. */
const ROOM_BYTES = 2 ** 23;

/** How many things of a size are kept side by side, if at most so many are wanted. */
export function roomFor(bytes: number, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(ROOM_BYTES / bytes)));
}

/**
 * Some images of a batch at a time with zeros around them, so that windows never have to look where they are. Images
 * that windows never leave are used where they lie, unless they are written to.
 */
export class PaddedImages {
  /** How many there is room for. */
  readonly room: number;
  /** Where the first one is. */
  private readonly address: number;
  /** Distance of channels. */
  readonly channelBytes: number;
  private images: Strided;
  /** Distance of images. */
  private readonly imageBytes: number;
  private readonly isCopy: boolean;
  private readonly bytes: number;
  /** Distances of planes, rows and columns in elements. */
  private readonly strides: Spatial;
  private readonly size: number;
  /** The parts of the padded images that come from the images, or go there. */
  private readonly inner: Strided;
  /** The first of the images that are there. */
  private first = 0;
  private readonly part: Spatial;

  /**
   * @param sizes of the padded image: as far as windows reach, which may be less than the image
   * @param most how many images are wanted side by side
   * @param isWritten whether the padded images are summed up and then stored, rather than read
   */
  constructor(images: Strided, sizes: Spatial, padding: Spatial, most: number, isWritten = false) {
    this.images = withThreeDims(images);
    this.bytes = dtypeInfo[images.dtype].bytes;
    const [, channels, ...inputs] = this.images.shape as [number, number, number, number, number];
    const overhangs = sizes.some((size, d) => size > inputs[d]! + padding[d]!);
    this.isCopy = isWritten || overhangs || padding.some((p) => p > 0);
    const [, channelStride, ...own] = this.images.strides as [number, number, number, number, number];
    this.strides = this.isCopy ? [sizes[1] * sizes[2], sizes[2], 1] : own;
    const channelSize = this.isCopy ? sizes[0] * sizes[1] * sizes[2] : channelStride;
    this.channelBytes = channelSize * this.bytes;
    this.size = channels * channelSize * this.bytes;
    const along = (d: 0 | 1 | 2): number => Math.max(0, Math.min(inputs[d], sizes[d] - padding[d]));
    this.part = [along(0), along(1), along(2)];
    this.room = Math.min(this.images.shape[0]!, this.isCopy ? roomFor(this.size, most) : most);
    if (this.isCopy) {
      this.imageBytes = this.size;
      this.address = scratch.take(this.size * this.room);
      if (!isWritten) this.clear();
    } else {
      this.imageBytes = this.images.strides[0]! * this.bytes;
      this.address = addressOf(images.storage) + images.offset * this.bytes;
    }
    this.inner = {
      storage: scratch.held,
      offset: padding.reduce((sum, p, d) => sum + p * this.strides[d]!, 0),
      shape: [this.room, channels, ...this.part],
      strides: [this.size / this.bytes, channelSize, ...this.strides],
      dtype: images.dtype,
    };
  }

  /** Whether windows reach every element of an image. */
  get isWhole(): boolean {
    return this.part.every((size, d) => size === this.images.shape[d + 2]);
  }

  /** Fills the padded images with zeros. */
  clear(): void {
    zeroBytes(this.address, this.size * this.room);
  }

  /** Makes room for some images from this one on, whose elements `load` brings in. */
  start(first: number): void {
    this.first = this.isCopy ? first : 0;
  }

  /** Brings some images in, at most as many as there is room for. */
  load(first: number, count: number): void {
    this.start(first);
    if (this.isCopy) copy(this.held(count), this.some(first, count));
  }

  /** Writes what windows reach of some images. */
  store(first: number, count: number): void {
    copy(this.some(first, count), this.held(count));
  }

  /** Forgets whose images they were, so that nothing is kept of them when this object is. */
  release(): void {
    this.images = this.inner;
  }

  /** Where the first channel's first element of an image is, or of its padding if it has any. */
  at(n: number): number {
    return this.address + (n - this.first) * this.imageBytes;
  }

  /** Distances in bytes of neighbouring windows, their rows and their planes. */
  steps(stride: Spatial): [step: number, rowStep: number, planeStep: number] {
    const { bytes, strides } = this;
    return [stride[2] * strides[2] * bytes, stride[1] * strides[1] * bytes, stride[0] * strides[0] * bytes];
  }

  private held(count: number): Strided {
    const { inner } = this;
    return count === this.room ? inner : changed(inner, { shape: [count, ...inner.shape.slice(1)] });
  }

  private some(first: number, count: number): Strided {
    const { images } = this;
    const offset = images.offset + first * images.strides[0]!;
    return { ...images, offset, shape: [count, images.shape[1]!, ...this.part] };
  }
}
