import { noGrad, zeros, type Tensor } from '@tapegrad/core';
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

/** An LSTM from the operations that its equations name. */
const lstm: Prepare = (inputs, sizes, shapes) => {
  const { x, labels, ...initial } = tensors(inputs, shapes);
  const parameters = Object.fromEntries(
    Object.entries(initial).map(([name, values]) => [name, values.detach().requiresGrad_()]),
  );
  const { iw, ib, hw, hb, w, b } = parameters;
  const start = zeros([sizes['batch']!, sizes['hidden']!]);
  const computeLoss = (): Tensor => {
    let [h, c] = [start, start];
    for (const input of x!.linear(iw!, ib!).unbind()) {
      const gates = input.add(h.linear(hw!, hb!)).chunk(4, 1);
      c = gates[1]!.sigmoid().mul(c).add(gates[0]!.sigmoid().mul(gates[2]!.tanh()));
      h = gates[3]!.sigmoid().mul(c.tanh());
    }
    return nn.functional.crossEntropy(h.linear(w!, b!), labels!);
  };
  return training(computeLoss, sgd(Object.values(parameters), sizes));
};

/** Training steps. */
export const networks: Record<string, Prepare> = {
  'mlp-tiny-sgd': tiny,
  'mlp-sgd': classifier(mlp, sgd),
  'mlp-adam': classifier(mlp, adam),
  'lenet-adam': classifier(lenet, adam),
  'lstm-sgd': lstm,
};
