import { changed } from './changed.ts';
import type { Strides } from '../../shape.ts';
import type { Strided, Window } from '../types.ts';

/** A value per spatial dimension: depth, height, width. Where there are fewer, the first ones have size 1. */
export type Spatial = readonly [depth: number, height: number, width: number];

/** A window over three spatial dimensions. */
export interface SpatialWindow {
  readonly kernel: Spatial;
  readonly stride: Spatial;
  readonly padding: Spatial;
  readonly dilation: Spatial;
}

/** The three last values of a list, which may be fewer. */
export function spatial(list: readonly number[], missing: number): Spatial {
  const at = (k: number): number => list[list.length - k] ?? missing;
  return [at(3), at(2), at(1)];
}

/** The window with three spatial dimensions. */
export function spatialWindow({ kernel, stride, padding, dilation }: Window): SpatialWindow {
  return {
    kernel: spatial(kernel, 1),
    stride: spatial(stride, 1),
    padding: spatial(padding, 0),
    dilation: spatial(dilation, 1),
  };
}

/** A tensor [N, C, *] seen as [N, C, depth, height, width]. */
export function withThreeDims(x: Strided): Strided {
  const shape = [x.shape[0]!, x.shape[1]!, ...spatial(x.shape.slice(2), 1)];
  const strides = [x.strides[0]!, x.strides[1]!, ...spatial(x.strides.slice(2), 0)];
  return changed(x, { shape, strides });
}

/** How far windows reach, in elements of the padded input, for so many windows per dimension. */
export function reach(windows: Spatial, { kernel, stride, dilation }: SpatialWindow): Spatial {
  const along = (d: 0 | 1 | 2): number => (windows[d] - 1) * stride[d] + (kernel[d] - 1) * dilation[d] + 1;
  return [along(0), along(1), along(2)];
}

/** Distances of all taps of all channels from where a window starts, in the units of the strides. */
export function tapOffsets(
  channels: number,
  channelStride: number,
  { kernel, dilation }: SpatialWindow,
  strides: Strides,
): number[] {
  const offsets: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < kernel[0]; i++) {
      for (let j = 0; j < kernel[1]; j++) {
        for (let k = 0; k < kernel[2]; k++) {
          offsets.push(
            c * channelStride +
              i * dilation[0] * strides[0]! +
              j * dilation[1] * strides[1]! +
              k * dilation[2] * strides[2]!,
          );
        }
      }
    }
  }
  return offsets;
}
