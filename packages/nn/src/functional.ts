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
export { adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d } from '@tapegrad/core';
export {
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3dWithIndices,
} from '@tapegrad/core';
export { fractionalMaxPool2d, fractionalMaxPool2dWithIndices } from '@tapegrad/core';
export { fractionalMaxPool3d, fractionalMaxPool3dWithIndices } from '@tapegrad/core';
export { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '@tapegrad/core';
export { affineGrid, gridSample, interpolate } from '@tapegrad/core';
export { im2col as unfold, col2im as fold } from '@tapegrad/core';
export { scaledDotProductAttention } from '@tapegrad/core';
export * from './functional/activation.ts';
export * from './functional/bilinear.ts';
export * from './functional/binary-loss.ts';
export * from './functional/class-loss.ts';
export * from './functional/ctc-loss.ts';
export * from './functional/distance.ts';
export * from './functional/distribution-loss.ts';
export * from './functional/dropout.ts';
export * from './functional/embedding-bag.ts';
export * from './functional/embedding-loss.ts';
export * from './functional/embedding.ts';
export * from './functional/local-response.ts';
export * from './functional/margin-loss.ts';
export {
  multiHeadAttentionForward,
  type AttentionWeights,
  type MultiHeadForwardOptions,
  type MultiHeadOptions,
} from './functional/multi-head-attention.ts';
export * from './functional/normalization.ts';
export * from './functional/pixel-shuffle.ts';
export * from './functional/power-pooling.ts';
export * from './functional/regression-loss.ts';
export * from './functional/upsampling.ts';
export type { LossOptions, Reduction } from './functional/reduction.ts';
