export * from './functional/bilinear.ts';
export * from './functional/binary-loss.ts';
export * from './functional/class-loss.ts';
export * from './functional/regression-loss.ts';
export type { LossOptions, Reduction } from './functional/reduction.ts';
