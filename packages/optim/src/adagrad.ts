import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Adagrad. */
export interface AdagradOptions {
  /** Learning rate; default 1e-2. */
  lr?: number;
  /** How fast the rate falls with the steps, as lr / (1 + (t − 1) · lrDecay); default 0. */
  lrDecay?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** What the sum of squares begins with; default 0. */
  initialAccumulatorValue?: number;
  /** Added to the root of the sum; default 1e-10. */
  eps?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<AdagradOptions>;

const defaults: Options = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

const adagrad: Update = defineUpdate(
  { targets: 2, inputs: 1, params: 4 },
  ([sum, p], [g], [rate, decay, eps, sign]) => {
    const gradient = penalized(g!, p!, sign!, decay!);
    return [sum!.add(gradient.mul(gradient)), p!.sub(rate!.mul(gradient).div(sum!.sqrt().add(eps!)))];
  },
);

/**
 * Gradient descent scaled by the sum of all squared gradients.
 * @source torch.optim.Adagrad; Duchi, Hazan and Singer (2011)
 */
export class Adagrad extends Optimizer<Options> {
  constructor(params: ParamsInput<AdagradOptions>, options: AdagradOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, lrDecay, weightDecay, eps, initialAccumulatorValue } = options;
    const rate = lr / (1 + (countStep(state) - 1) * lrDecay);
    const sum = stateTensor(state, 'sum', param, initialAccumulatorValue);
    adagrad([sum, param], [grad], [rate, weightDecay, eps, signOf(options)]);
  }
}
