import { dtypeInfo } from '../../dtype.ts';
import { numel } from '../../shape.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import type { FloatDType } from './floats.ts';
import { type Spatial, spatialWindow, type SpatialWindow, withThreeDims } from './window.ts';

/** What the three products of a convolution have in common. */
export interface Plan {
  readonly dtype: FloatDType;
  readonly bytes: number;
  readonly images: number;
  readonly groups: number;
  /** Channels of x per group. */
  readonly channels: number;
  /** Channels of the result per group. */
  readonly filters: number;
  /** Rows of the matrix of patches: channels times places in the window. */
  readonly taps: number;
  readonly window: SpatialWindow;
  /** Windows per dimension, and all of them. */
  readonly windows: Spatial;
  readonly count: number;
}

/** What it takes one thread to multiply and add two elements, packing included, per byte of an element. */
const NANOSECONDS_PER_BYTE = 0.014;

/** About what a product of the convolution takes one thread. */
export function planNanoseconds({ images, groups, filters, taps, count, bytes }: Plan): number {
  return images * groups * filters * taps * count * bytes * NANOSECONDS_PER_BYTE;
}

/** Plans the convolution of x with w that has the shape of out. */
export function planOf(x: Strided, w: Strided, out: Strided, window: ConvolutionWindow): Plan {
  const dtype = x.dtype as FloatDType;
  const { groups } = window;
  const [, , ...windows] = withThreeDims(out).shape as [number, number, number, number, number];
  return {
    dtype,
    bytes: dtypeInfo[dtype].bytes,
    images: x.shape[0]!,
    groups,
    channels: w.shape[1]!,
    filters: w.shape[0]! / groups,
    taps: numel(w.shape.slice(1)),
    window: spatialWindow(window),
    windows,
    count: numel(windows),
  };
}
