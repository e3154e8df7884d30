export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from '@tapegrad/core';
export { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from '@tapegrad/core';
export { maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices } from '@tapegrad/core';
export {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  linear,
  pad,
} from '@tapegrad/core';
export { scaledDotProductAttention } from '@tapegrad/core';
export * from './functional/activation.ts';
export * from './functional/bilinear.ts';
export * from './functional/binary-loss.ts';
export * from './functional/class-loss.ts';
export * from './functional/dropout.ts';
export * from './functional/embedding.ts';
export * from './functional/normalization.ts';
export * from './functional/regression-loss.ts';
export type { LossOptions, Reduction } from './functional/reduction.ts';
