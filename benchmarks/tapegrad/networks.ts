import { noGrad, type Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';
import { Adam, SGD } from '@tapegrad/optim';
import type { Inputs } from '../inputs.ts';
import type { Prepare, Prepared, Shapes } from '../prepared.ts';
import { tensors } from './operations.ts';

interface Optimizer {
  zeroGrad(): void;
  step(): void;
}

/** Gives a model's parameters, in their order, the values of the inputs that are not data. */
export function loadParameters(
  model: nn.Module,
  inputs: Inputs,
  shapes: Shapes,
  data: readonly string[],
): void {
  const values = Object.entries(tensors(inputs, shapes)).filter(([name]) => !data.includes(name));
  const parameters = [...model.parameters()];
  if (values.length !== parameters.length)
    throw new Error(`${values.length} values for ${parameters.length} parameters`);
  noGrad(() => parameters.forEach((parameter, i) => void parameter.copy_(values[i]![1])));
}

/** A training step as everybody writes it; its result is the loss. */
export function training(computeLoss: () => Tensor, optimizer: Optimizer): Prepared {
  let loss: Tensor;
  return {
    step: () => {
      optimizer.zeroGrad();
      loss = computeLoss();
      loss.backward();
      optimizer.step();
    },
    results: () => ({ loss: [loss.item()] }),
  };
}

type MakeOptimizer = (parameters: Iterable<Tensor>, sizes: Readonly<Record<string, number>>) => Optimizer;

const adam: MakeOptimizer = (parameters, { lr }) => new Adam([...parameters], { lr: lr! });
const sgd: MakeOptimizer = (parameters, { lr, momentum = 0 }) =>
  new SGD([...parameters], { lr: lr!, momentum });

function classifier(makeModel: (shapes: Shapes) => nn.Sequential, makeOptimizer: MakeOptimizer): Prepare {
  return (inputs, sizes, shapes) => {
    const model = makeModel(shapes);
    loadParameters(model, inputs, shapes, ['x', 'labels']);
    const { x, labels } = tensors(inputs, shapes);
    const lossFunction = new nn.CrossEntropyLoss();
    return training(() => lossFunction(model(x!), labels!), makeOptimizer(model.parameters(), sizes));
  };
}

/** The layer whose weight [out, in] has this shape. */
function linear(shape: readonly number[]): nn.Linear {
  return new nn.Linear(shape[1]!, shape[0]!);
}

const mlp = (shapes: Shapes): nn.Sequential =>
  new nn.Sequential(
    linear(shapes['w1']!),
    new nn.ReLU(),
    linear(shapes['w2']!),
    new nn.ReLU(),
    linear(shapes['w3']!),
  );

const lenet = (shapes: Shapes): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    linear(shapes['w1']!),
    new nn.ReLU(),
    linear(shapes['w2']!),
    new nn.ReLU(),
    linear(shapes['w3']!),
  );

const tiny: Prepare = (inputs, sizes, shapes) => {
  const model = new nn.Sequential(
    linear(shapes['w1']!),
    new nn.Tanh(),
    linear(shapes['w2']!),
    new nn.Tanh(),
    linear(shapes['w3']!),
  );
  loadParameters(model, inputs, shapes, ['x', 'target']);
  const { x, target } = tensors(inputs, shapes);
  const lossFunction = new nn.MSELoss();
  return training(() => lossFunction(model(x!), target!), sgd(model.parameters(), sizes));
};

class Recurrent extends nn.Module {
  readonly lstm: nn.LSTM;
  readonly head: nn.Linear;

  constructor({ inputs, hidden }: Readonly<Record<string, number>>) {
    super();
    this.lstm = new nn.LSTM(inputs!, hidden!);
    this.head = new nn.Linear(hidden!, 10);
  }

  forward(x: Tensor): Tensor {
    const [output] = this.lstm(x);
    return this.head(output.select(0, -1));
  }
}

const lstm: Prepare = (inputs, sizes, shapes) => {
  const model = new Recurrent(sizes);
  const { x, labels, iw, ib, hw, hb, w, b } = inputs;
  // The layer lists both weights before both biases.
  loadParameters(model, { iw: iw!, hw: hw!, ib: ib!, hb: hb!, w: w!, b: b! }, shapes, []);
  const data = tensors({ x: x!, labels: labels! }, shapes);
  const computeLoss = (): Tensor => nn.functional.crossEntropy(model(data['x']!), data['labels']!);
  return training(computeLoss, sgd(model.parameters(), sizes));
};

/** Training steps. */
export const networks: Record<string, Prepare> = {
  'mlp-tiny-sgd': tiny,
  'mlp-sgd': classifier(mlp, sgd),
  'mlp-adam': classifier(mlp, adam),
  'lenet-adam': classifier(lenet, adam),
  'lstm-sgd': lstm,
};
