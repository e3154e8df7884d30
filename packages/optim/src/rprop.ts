import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { signOf } from './formulas.ts';
import { requireValid, withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Rprop. */
export interface RpropOptions {
  /** The first step size of every element; default 1e-2. */
  lr?: number;
  /** Factors of the step size after a change of sign and after none; default [0.5, 1.2]. */
  etas?: readonly [number, number];
  /** Smallest and largest step size; default [1e-6, 50]. */
  stepSizes?: readonly [number, number];
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<RpropOptions>;

const defaults: Options = { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false };

/** After a change of sign an element rests for one step, and its gradient counts as 0 in the next one. */
const rprop: Update = defineUpdate(
  { targets: 3, inputs: 1, params: 5 },
  ([size, p, previous], [g], [sign, shrink, grow, smallest, largest]) => {
    const product = g!.mul(sign!).mul(previous!);
    const turned = product.lt(0);
    const factor = product.gt(0).where(grow!, turned.where(shrink!, 1));
    const gradient = turned.where(0, g!.mul(sign!));
    return [
      size!.mul(factor).max(smallest!).min(largest!),
      p!.sub(gradient.sign().mul(size!)),
      gradient,
    ];
  },
);

/**
 * Steps whose sizes adapt to the signs of the gradients alone; for full batches.
 * @source torch.optim.Rprop; Riedmiller and Braun (1993)
 */
export class Rprop extends Optimizer<Options> {
  constructor(params: ParamsInput<RpropOptions>, options: RpropOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override check(options: Options): void {
    super.check(options);
    const [shrink, grow] = options.etas;
    requireValid(shrink > 0 && shrink < 1 && grow > 1, 'eta values', options.etas.join(', '));
    const [smallest, largest] = options.stepSizes;
    requireValid(smallest >= 0 && smallest <= largest, 'step_sizes values', options.stepSizes.join(', '));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, etas, stepSizes } = options;
    countStep(state);
    const targets = [stateTensor(state, 'stepSize', param, lr), param, stateTensor(state, 'prev', param)];
    rprop(targets, [grad], [signOf(options), ...etas, ...stepSizes]);
  }
}
