import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { copy } from './copy.ts';
import { Scratch } from './scratch.ts';
import { type Spatial, withThreeDims } from './window.ts';

const scratch = new Scratch();

/**
 * One image of a batch at a time with zeros around it, so that windows never have to look where they are. An
 * image that windows never leave is used where it lies, unless it is written to.
 */
export class PaddedImage {
  /** Where the first channel's first element (of the padding, if there is any) is. */
  address = 0;
  /** Distance of channels. */
  readonly channelBytes: number;
  private readonly images: Strided;
  private readonly isCopy: boolean;
  private readonly bytes: number;
  /** Distances of planes, rows and columns in elements. */
  private readonly strides: Spatial;
  private readonly size: number;
  /** The part of the padded image that comes from the image, or goes there. */
  private readonly inner: Strided;
  private readonly part: Spatial;

  /**
   * @param sizes of the padded image: as far as windows reach, which may be less than the image
   * @param isWritten whether the padded image is summed up and then stored, rather than read
   */
  constructor(images: Strided, sizes: Spatial, padding: Spatial, isWritten = false) {
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
    if (this.isCopy) {
      this.address = scratch.take(this.size);
      this.clear();
    }
    const first = padding.reduce((sum, p, d) => sum + p * this.strides[d]!, 0);
    this.inner = {
      storage: scratch.held,
      offset: first,
      shape: [channels, ...this.part],
      strides: [channelSize, ...this.strides],
      dtype: images.dtype,
    };
  }

  /** Whether windows reach every element of an image. */
  get isWhole(): boolean {
    return this.part.every((size, d) => size === this.images.shape[d + 2]);
  }

  /** Fills the padded image with zeros. */
  clear(): void {
    views.u8.fill(0, this.address, this.address + this.size);
  }

  /** Brings an image in. */
  load(n: number): void {
    const source = this.partOf(n);
    if (this.isCopy) copy(this.inner, source);
    else this.address = addressOf(source.storage) + source.offset * this.bytes;
  }

  /** Writes what windows reach of an image. */
  store(n: number): void {
    copy(this.partOf(n), this.inner);
  }

  /** Distances in bytes of neighbouring windows, their rows and their planes. */
  steps(stride: Spatial): [step: number, rowStep: number, planeStep: number] {
    const { bytes, strides } = this;
    return [stride[2] * strides[2] * bytes, stride[1] * strides[1] * bytes, stride[0] * strides[0] * bytes];
  }

  private partOf(n: number): Strided {
    const { images } = this;
    const [imageStride, ...strides] = images.strides as [number, ...number[]];
    const shape = [images.shape[1]!, ...this.part];
    return { ...images, offset: images.offset + n * imageStride, shape, strides };
  }
}
