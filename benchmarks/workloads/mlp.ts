import type { Case } from '../case.ts';
import { linearLayer } from './layer.ts';

const training = { group: 'mlp', unit: { name: 'ms', amount: 1 }, checkedSteps: 4, quick: true } as const;

/**
 * A network that fits on a line, tanh between its layers, mean squared error: what a step costs beside its
 * arithmetic.
 */
const tiny: Case = {
  ...training,
  name: 'mlp-tiny-sgd',
  operation: 'mlp-tiny-sgd',
  manySmallOps: true,
  sizes: { lr: 0.01 },
  inputs: {
    x: { shape: [32, 2] },
    target: { shape: [32, 1] },
    ...linearLayer('w1', 'b1', 2, 16),
    ...linearLayer('w2', 'b2', 16, 16),
    ...linearLayer('w3', 'b3', 16, 1),
  },
  tolerance: 1e-5,
};

const classifier: Case['inputs'] = {
  x: { shape: [64, 784] },
  labels: { shape: [64], below: 10 },
  ...linearLayer('w1', 'b1', 784, 512),
  ...linearLayer('w2', 'b2', 512, 256),
  ...linearLayer('w3', 'b3', 256, 10),
};

/**
 * Training steps of networks of linear layers: 2-16-16-1 by SGD, 784-512-256-10 with ReLU by SGD with
 * momentum and Adam.
 */
export const mlps: readonly Case[] = [
  tiny,
  {
    ...training,
    name: 'mlp-sgd',
    operation: 'mlp-sgd',
    sizes: { lr: 0.01, momentum: 0.9 },
    inputs: classifier,
    tolerance: 2e-5,
  },
  {
    ...training,
    name: 'mlp-adam',
    operation: 'mlp-adam',
    sizes: { lr: 1e-4 },
    inputs: classifier,
    tolerance: 2e-5,
  },
];

/**
 * What the memory of 10 000 steps is measured on: half a megabyte of results that nobody keeps in every step.
 */
export const memoryCase: Case = {
  ...training,
  name: 'memory',
  operation: 'mlp-adam',
  sizes: { lr: 1e-4 },
  inputs: {
    x: { shape: [64, 128] },
    labels: { shape: [64], below: 10 },
    ...linearLayer('w1', 'b1', 128, 256),
    ...linearLayer('w2', 'b2', 256, 128),
    ...linearLayer('w3', 'b3', 128, 10),
  },
  tolerance: 2e-5,
};
