/** Reductions and the like over the elements that a mask lets through, under PyTorch's names. */
export type { MaskedReduceOptions, MaskOption } from './mask.ts';
export * from './normalization.ts';
export * from './reduction.ts';
