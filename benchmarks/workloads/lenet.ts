import type { Case } from '../case.ts';
import { convLayer, linearLayer } from './layer.ts';

/** LeNet with ReLU and max pooling on 28×28 images: one Adam step. */
export const lenet: Case = {
  name: 'lenet-adam',
  group: 'lenet',
  operation: 'lenet-adam',
  sizes: { lr: 1e-4 },
  inputs: {
    x: { shape: [32, 1, 28, 28] },
    labels: { shape: [32], below: 10 },
    ...convLayer('c1', 'cb1', 1, 6, 5),
    ...convLayer('c2', 'cb2', 6, 16, 5),
    ...linearLayer('w1', 'b1', 400, 120),
    ...linearLayer('w2', 'b2', 120, 84),
    ...linearLayer('w3', 'b3', 84, 10),
  },
  unit: { name: 'ms', amount: 1 },
  checkedSteps: 4,
  tolerance: 2e-5,
  quick: true,
};
