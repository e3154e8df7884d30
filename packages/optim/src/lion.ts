import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { average, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Lion. */
export interface LionOptions {
  /** Learning rate, the size of every step; a third to a tenth of what AdamW wants; default 1e-4. */
  lr?: number;
  /** Share of the momentum in a step, and share of it that is kept; default [0.9, 0.99]. */
  betas?: readonly [number, number];
  /** By which the parameter shrinks, in units of the rate; default 0. */
  weightDecay?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<LionOptions>;

const defaults: Options = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };

/** The parameter comes first: its step is taken along the momentum before the new gradient is in it. */
const lion: Update = defineUpdate(
  { targets: 2, inputs: 1, params: 5 },
  ([p, m], [g], [lr, shrink, beta1, beta2, sign]) => {
    const gradient = g!.mul(sign!);
    return [
      p!.mul(shrink!).sub(lr!.mul(average(m!, gradient, beta1!).sign())),
      average(m!, gradient, beta2!),
    ];
  },
);

/**
 * Steps of one size in the direction of the signs of a momentum; keeps half of what Adam keeps.
 * @source Chen et al. (2023), Symbolic Discovery of Optimization Algorithms, algorithm 2
 */
export class Lion extends Optimizer<Options> {
  constructor(params: ParamsInput<LionOptions>, options: LionOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, betas: [beta1, beta2], weightDecay } = options;
    const numbers = [lr, 1 - lr * weightDecay, beta1, beta2, signOf(options)];
    lion([param, stateTensor(state, 'expAvg', param)], [grad], numbers);
  }
}
