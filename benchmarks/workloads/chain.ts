import type { Case } from '../case.ts';

const OPS = 1000;

/**
 * y ← y · a and y ← y + b in turns, on tiny tensors: what an op costs beside its arithmetic, forward and
 * backward.
 */
export const chains: readonly Case[] = [1, 8].map((n) => ({
  name: `chain-${n}`,
  group: 'chain',
  operation: 'chain',
  sizes: { ops: OPS },
  inputs: {
    x: { shape: [n] },
    a: { shape: [n], between: [0.99, 1.01] },
    b: { shape: [n], between: [-0.01, 0.01] },
  },
  unit: { name: 'ns/op', amount: OPS },
  checkedSteps: 1,
  tolerance: 2e-4,
  manySmallOps: true,
  quick: true,
}));
