import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Adam and AdamW. */
export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** Decay of the averages of the gradient and of its square; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Default 0 for Adam, which adds it to the gradient; 0.01 for AdamW, which shrinks the parameter itself. */
  weightDecay?: number;
  /** Divide by the largest average seen so far; default false. */
  amsgrad?: boolean;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<AdamOptions>;

const defaults: Options = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, maximize: false };

/**
 * Numbers: sign of the gradient, its weight decay, β1, β2, step size lr/(1 − β1ᵗ), √(1 − β2ᵗ), eps, and the factor by
 * which the parameter shrinks.
 */
function adamUpdate(amsgrad: boolean): Update {
  return defineUpdate(
    { targets: amsgrad ? 4 : 3, inputs: 1, params: 8 },
    (targets, [g], [sign, decay, beta1, beta2, size, root, eps, shrink]) => {
      const [m, v] = targets;
      const p = targets.at(-1)!;
      const gradient = g!.mul(sign!).add(p.mul(decay!));
      const mean = m!.add(gradient.sub(m!).mul(beta1!.neg().add(1)));
      const square = v!.mul(beta2!).add(gradient.mul(gradient).mul(beta2!.neg().add(1)));
      const largest = amsgrad ? [targets[2]!.max(v!)] : [];
      const top = amsgrad ? targets[2]! : v!;
      const next = p.mul(shrink!).sub(size!.mul(m!.div(top.sqrt().div(root!).add(eps!))));
      return [mean, square, ...largest, next];
    },
  );
}

const plain: Update = adamUpdate(false);
const withMaximum: Update = adamUpdate(true);

/**
 * Gradient descent by a moving average of the gradient, scaled by that of its square.
 * @source torch.optim.Adam; Kingma and Ba (2015)
 */
export class Adam extends Optimizer<Options> {
  /** @param usual what an option is unless it is given */
  constructor(params: ParamsInput<AdamOptions>, options: AdamOptions = {}, usual: Options = defaults) {
    super(params as ParamsInput<Options>, withDefaults(usual, options));
  }

  /** Whether weight decay shrinks the parameter instead of changing its gradient. */
  protected readonly decoupled: boolean = false;

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, betas, eps, weightDecay, amsgrad, maximize } = options;
    const step = countStep(state);
    const [beta1, beta2] = betas;
    const targets = [stateTensor(state, 'expAvg', param), stateTensor(state, 'expAvgSq', param)];
    if (amsgrad) targets.push(stateTensor(state, 'maxExpAvgSq', param));
    const numbers = [
      maximize ? -1 : 1,
      this.decoupled ? 0 : weightDecay,
      beta1,
      beta2,
      lr / (1 - beta1 ** step),
      Math.sqrt(1 - beta2 ** step),
      eps,
      this.decoupled ? 1 - lr * weightDecay : 1,
    ];
    (amsgrad ? withMaximum : plain)([...targets, param], [grad], numbers);
  }
}

/**
 * Adam whose weight decay shrinks the parameters directly.
 * @source torch.optim.AdamW; Loshchilov and Hutter (2019)
 */
export class AdamW extends Adam {
  protected override readonly decoupled: boolean = true;

  constructor(params: ParamsInput<AdamOptions>, options: AdamOptions = {}) {
    super(params, options, { ...defaults, weightDecay: 0.01 });
  }
}
