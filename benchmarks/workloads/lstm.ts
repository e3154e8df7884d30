import type { Case } from '../case.ts';
import { linearLayer } from './layer.ts';

const [batch, steps, inputs, hidden] = [32, 32, 128, 128] as const;

/**
 * An LSTM over 32 steps (gates in the order input, forget, cell, output), a linear layer on its last state,
 * one SGD step.
 */
export const lstm: Case = {
  name: 'lstm-sgd',
  group: 'lstm',
  operation: 'lstm-sgd',
  sizes: { batch, steps, inputs, hidden, lr: 0.05 },
  inputs: {
    x: { shape: [steps, batch, inputs] },
    labels: { shape: [batch], below: 10 },
    ...linearLayer('iw', 'ib', inputs, 4 * hidden),
    ...linearLayer('hw', 'hb', hidden, 4 * hidden),
    ...linearLayer('w', 'b', hidden, 10),
  },
  unit: { name: 'ms', amount: 1 },
  checkedSteps: 4,
  tolerance: 5e-5,
  quick: true,
};
