import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { average, averageSquare, penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of RAdam. */
export interface RAdamOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** Decay of the averages of the gradient and of its square; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Factor of the parameter added to its gradient, or, decoupled, by which it shrinks; default 0. */
  weightDecay?: number;
  /** Shrink the parameter itself, as AdamW does; default false. */
  decoupledWeightDecay?: boolean;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<RAdamOptions>;

const defaults: Options = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  decoupledWeightDecay: false,
  maximize: false,
};

/** Targets: averages of the gradient and its square, parameter. The step size has all corrections in it. */
function radamUpdate(rectified: boolean): Update {
  return defineUpdate(
    { targets: 3, inputs: 1, params: 7 },
    ([m, v, p], [g], [size, sign, decay, shrink, beta1, beta2, eps]) => {
      const gradient = penalized(g!, p!, sign!, decay!);
      const direction = rectified ? m!.div(v!.sqrt().add(eps!)) : m!;
      return [
        average(m!, gradient, beta1!),
        averageSquare(v!, gradient, beta2!),
        p!.mul(shrink!).sub(size!.mul(direction)),
      ];
    },
  );
}

const rectified: Update = radamUpdate(true);
const unscaled: Update = radamUpdate(false);

/**
 * Adam that does not scale its first steps, while the average of squares still rests on too few gradients.
 * @source torch.optim.RAdam; Liu et al. (2020)
 */
export class RAdam extends Optimizer<Options> {
  constructor(params: ParamsInput<RAdamOptions>, options: RAdamOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, betas: [beta1, beta2], eps, weightDecay, decoupledWeightDecay } = options;
    const step = countStep(state);
    const size = lr / (1 - beta1 ** step);
    const correction = 1 - beta2 ** step;
    // How many gradients the average of squares is worth, in the limit and by now.
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * step * beta2 ** step) / correction;
    const trusted = length > 5;
    const scale = trusted
      ? Math.sqrt((correction * (length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length))
      : 1;
    (trusted ? rectified : unscaled)(
      [stateTensor(state, 'expAvg', param), stateTensor(state, 'expAvgSq', param), param],
      [grad],
      [
        size * scale,
        signOf(options),
        decoupledWeightDecay ? 0 : weightDecay,
        decoupledWeightDecay ? 1 - lr * weightDecay : 1,
        beta1,
        beta2,
        eps,
      ],
    );
  }
}
