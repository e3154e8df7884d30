import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of ASGD. */
export interface ASGDOptions {
  /** Learning rate of the first step; default 1e-2. */
  lr?: number;
  /** By which the parameter shrinks, in units of the rate; also sets how fast the rate falls; default 1e-4. */
  lambd?: number;
  /** Power with which the rate falls; default 0.75. */
  alpha?: number;
  /** The step after which averaging begins; default 1e6. */
  t0?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<ASGDOptions>;

const defaults: Options = { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false };

const asgd: Update = defineUpdate(
  { targets: 2, inputs: 1, params: 5 },
  ([p, mean], [g], [eta, shrink, share, decay, sign]) => [
    p!.mul(shrink!).sub(eta!.mul(penalized(g!, p!, sign!, decay!))),
    share!.eq(1).where(p!, mean!.add(p!.sub(mean!).mul(share!))),
  ],
);

/**
 * Stochastic gradient descent with a falling rate; the state `ax` is the average of the parameters since step `t0`.
 * @numerics The rate and the share of the average are kept in single precision, as PyTorch keeps them.
 * @source torch.optim.ASGD; Polyak and Juditsky (1992)
 */
export class ASGD extends Optimizer<Options> {
  protected override readonly numbers: readonly string[] = ['step', 'eta', 'mu'];

  constructor(params: ParamsInput<ASGDOptions>, options: ASGDOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, lambd, alpha, t0, weightDecay } = options;
    const eta = (state['eta'] as number | undefined) ?? Math.fround(lr);
    const mu = (state['mu'] as number | undefined) ?? 1;
    const numbers = [eta, 1 - lambd * eta, mu, weightDecay, signOf(options)];
    asgd([param, stateTensor(state, 'ax', param)], [grad], numbers);
    const step = countStep(state);
    state['eta'] = Math.fround(lr / (1 + lambd * lr * step) ** alpha);
    state['mu'] = Math.fround(1 / Math.max(1, step - t0));
  }
}
