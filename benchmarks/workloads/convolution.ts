import type { Case } from '../case.ts';

const [batch, channels, size, kernel] = [8, 64, 32, 3] as const;
const image = [batch, channels, size, size];
const flops = 2 * batch * channels * size ** 2 * channels * kernel ** 2;

/**
 * A 3×3 convolution of 64 into 64 channels with padding 1: alone, and with the gradients of image and weight.
 */
export const convolutions: readonly Case[] = [false, true].map((backward) => ({
  name: backward ? 'conv-backward' : 'conv-forward',
  group: 'conv',
  operation: backward ? 'conv-backward' : 'conv-forward',
  sizes: { padding: 1 },
  inputs: {
    x: { shape: image },
    w: { shape: [channels, channels, kernel, kernel], between: [-0.05, 0.05] },
    ...(backward ? { g: { shape: image } } : {}),
  },
  unit: { name: 'GFLOP/s', amount: flops * (backward ? 3 : 1) },
  checkedSteps: 1,
  tolerance: 1e-5,
  quick: true,
}));
