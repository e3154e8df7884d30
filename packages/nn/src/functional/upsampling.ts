import { interpolate, requireOptions, type InterpolateOptions, type PerDimension, type Tensor } from '@tapegrad/core';

/** `interpolate` under PyTorch's older name. @source torch.nn.functional.upsample */
export function upsample(x: Tensor, options: InterpolateOptions): Tensor {
  return interpolate(x, options);
}

/** Options of `upsampleNearest` and `upsampleBilinear`; one of both is needed. */
export interface UpsampleOptions {
  size?: PerDimension | null | undefined;
  scaleFactor?: PerDimension | null | undefined;
}

/** Each element from the nearest one. @source torch.nn.functional.upsample_nearest */
export function upsampleNearest(x: Tensor, options: UpsampleOptions): Tensor {
  requireOptions('upsampleNearest', options, ['size', 'scaleFactor']);
  return interpolate(x, { ...options, mode: 'nearest' });
}

/** Images, bilinearly, with the corners where they are. @source torch.nn.functional.upsample_bilinear */
export function upsampleBilinear(x: Tensor, options: UpsampleOptions): Tensor {
  requireOptions('upsampleBilinear', options, ['size', 'scaleFactor']);
  return interpolate(x, { ...options, mode: 'bilinear', alignCorners: true });
}
