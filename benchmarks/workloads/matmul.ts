import type { Case } from '../case.ts';

/** Products of two square matrices. */
export const matmuls: readonly Case[] = [32, 64, 128, 256, 512, 1024].map((n) => ({
  name: `matmul-${n}`,
  group: 'matmul',
  operation: 'matmul',
  sizes: {},
  inputs: { a: { shape: [n, n] }, b: { shape: [n, n] } },
  unit: { name: 'GFLOP/s', amount: 2 * n ** 3 },
  checkedSteps: 1,
  tolerance: 1e-5,
  quick: n === 32 || n === 256,
}));
