import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { average, penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Adamax. */
export interface AdamaxOptions {
  /** Learning rate; default 2e-3. */
  lr?: number;
  /** Decay of the average of the gradient and of its largest size; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the size of every gradient; default 1e-8. */
  eps?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<AdamaxOptions>;

const defaults: Options = { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false };

const adamax: Update = defineUpdate(
  { targets: 3, inputs: 1, params: 6 },
  ([m, largest, p], [g], [size, beta1, beta2, eps, decay, sign]) => {
    const gradient = penalized(g!, p!, sign!, decay!);
    return [
      average(m!, gradient, beta1!),
      largest!.mul(beta2!).max(gradient.abs().add(eps!)),
      p!.sub(size!.mul(m!).div(largest!)),
    ];
  },
);

/**
 * Adam with the largest recent gradient in place of the root of the average square.
 * @source torch.optim.Adamax; Kingma and Ba (2015), section 7.1
 */
export class Adamax extends Optimizer<Options> {
  constructor(params: ParamsInput<AdamaxOptions>, options: AdamaxOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, betas: [beta1, beta2], eps, weightDecay } = options;
    const size = lr / (1 - beta1 ** countStep(state));
    const targets = [stateTensor(state, 'expAvg', param), stateTensor(state, 'expInf', param), param];
    adamax(targets, [grad], [size, beta1, beta2, eps, weightDecay, signOf(options)]);
  }
}
