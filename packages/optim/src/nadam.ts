import { defineUpdate, getDefaultDType, type Tensor, type Update } from '@tapegrad/core';
import { average, averageSquare, penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of NAdam. */
export interface NAdamOptions {
  /** Learning rate; default 2e-3. */
  lr?: number;
  /** Decay of the averages of the gradient and of its square; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Factor of the parameter added to its gradient, or, decoupled, by which it shrinks; default 0. */
  weightDecay?: number;
  /** How fast the momentum approaches its limit β₁; default 4e-3. */
  momentumDecay?: number;
  /** Shrink the parameter itself, as AdamW does; default false. */
  decoupledWeightDecay?: boolean;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<NAdamOptions>;

const defaults: Options = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  maximize: false,
};

/** Step sizes for the gradient and for its average come ready made, as does 1 − β₂ᵗ. */
const nadam: Update = defineUpdate(
  { targets: 3, inputs: 1, params: 9 },
  ([m, v, p], [g], [sign, decay, shrink, beta1, beta2, correction, eps, ofGradient, ofMean]) => {
    const gradient = penalized(g!, p!, sign!, decay!);
    const root = v!.div(correction!).sqrt().add(eps!);
    const change = ofGradient!.mul(gradient).add(ofMean!.mul(m!)).div(root);
    return [
      average(m!, gradient, beta1!),
      averageSquare(v!, gradient, beta2!),
      p!.mul(shrink!).sub(change),
    ];
  },
);

/**
 * Adam that looks ahead along its momentum, as Nesterov's method does.
 * @numerics The product of momenta is kept in the default dtype, as PyTorch keeps it. Looking ahead, it counts the present
 * momentum twice, as PyTorch 1.13 does, whose trajectories are followed; later versions count it once.
 * @source torch.optim.NAdam; Dozat (2016)
 */
export class NAdam extends Optimizer<Options> {
  protected override readonly numbers: readonly string[] = ['step', 'muProduct'];

  constructor(params: ParamsInput<NAdamOptions>, options: NAdamOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, betas: [beta1, beta2], eps, weightDecay, momentumDecay, decoupledWeightDecay } = options;
    const step = countStep(state);
    const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    const [mu, next] = [momentum(step), momentum(step + 1)];
    const round = getDefaultDType() === 'float64' ? Number : Math.fround;
    const product = round(((state['muProduct'] as number | undefined) ?? 1) * round(mu));
    const productNext = round(round(product * round(mu)) * round(next));
    state['muProduct'] = product;
    nadam(
      [stateTensor(state, 'expAvg', param), stateTensor(state, 'expAvgSq', param), param],
      [grad],
      [
        signOf(options),
        decoupledWeightDecay ? 0 : weightDecay,
        decoupledWeightDecay ? 1 - lr * weightDecay : 1,
        beta1,
        beta2,
        1 - beta2 ** step,
        eps,
        (lr * (1 - mu)) / (1 - product),
        (lr * next) / (1 - productNext),
      ],
    );
  }
}
