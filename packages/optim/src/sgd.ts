import { defineUpdate, ValueError, type Tensor, type Update } from '@tapegrad/core';
import { withDefaults } from './options.ts';
import { Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of SGD. */
export interface SGDOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** Share of the last direction that is kept; default 0. */
  momentum?: number;
  /** How much less a new gradient counts in the momentum; default 0. */
  dampening?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** Look ahead along the momentum; default false. */
  nesterov?: boolean;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

const defaults: Required<SGDOptions> = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

/** The numbers of an update, in order: lr, weight decay, sign of the gradient, momentum, 1 − dampening. */
const plain: Update = defineUpdate({ targets: 1, inputs: 1, params: 3 }, ([p], [g], [lr, decay, sign]) => [
  p!.sub(lr!.mul(g!.mul(sign!).add(p!.mul(decay!)))),
]);

const withMomentum = (nesterov: boolean): Update =>
  defineUpdate({ targets: 2, inputs: 1, params: 5 }, ([buffer, p], [g], [lr, decay, sign, momentum, share]) => {
    const gradient = g!.mul(sign!).add(p!.mul(decay!));
    const direction = nesterov ? gradient.add(buffer!.mul(momentum!)) : buffer!;
    return [buffer!.mul(momentum!).add(gradient.mul(share!)), p!.sub(lr!.mul(direction))];
  });
const heavyBall: Update = withMomentum(false);
const nesterovStep: Update = withMomentum(true);

/**
 * Stochastic gradient descent, with momentum if asked for.
 * @source torch.optim.SGD; Sutskever et al. (2013) for the momentum, without dampening in the first step
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(params: ParamsInput<SGDOptions>, options: SGDOptions = {}) {
    super(params as ParamsInput<Required<SGDOptions>>, withDefaults(defaults, options));
  }

  protected override check(options: Required<SGDOptions>): void {
    super.check(options);
    if (options.nesterov && (options.momentum <= 0 || options.dampening !== 0)) {
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening');
    }
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, o: Required<SGDOptions>): void {
    const sign = o.maximize ? -1 : 1;
    if (o.momentum === 0) {
      plain([param], [grad], [o.lr, o.weightDecay, sign]);
      return;
    }
    const first = state['momentumBuffer'] === undefined;
    const buffer = stateTensor(state, 'momentumBuffer', param);
    const step = o.nesterov ? nesterovStep : heavyBall;
    step([buffer, param], [grad], [o.lr, o.weightDecay, sign, o.momentum, first ? 1 : 1 - o.dampening]);
  }
}
