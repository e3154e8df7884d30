import { defineUpdate, scope, type Tensor, type Update } from '@tapegrad/core';
import { averageSquare, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Adadelta. */
export interface AdadeltaOptions {
  /** Factor of the step; default 1. */
  lr?: number;
  /** Share of the averages of squares that is kept; default 0.9. */
  rho?: number;
  /** Added under both roots; default 1e-6. */
  eps?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<AdadeltaOptions>;

const defaults: Options = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false };

/** The parameter comes before the average of changes: its step is scaled by the changes up to the last one. */
const adadelta: Update = defineUpdate(
  { targets: 3, inputs: 1, params: 4 },
  ([v, p, changes], [g], [lr, rho, eps, sign]) => {
    const gradient = g!.mul(sign!);
    const change = changes!.add(eps!).sqrt().div(v!.add(eps!).sqrt()).mul(gradient);
    return [averageSquare(v!, gradient, rho!), p!.sub(lr!.mul(change)), averageSquare(changes!, change, rho!)];
  },
);

/**
 * Gradient descent in units of the parameter: scaled by the ratio of average changes to average gradients.
 * @source torch.optim.Adadelta; Zeiler (2012)
 */
export class Adadelta extends Optimizer<Options> {
  constructor(params: ParamsInput<AdadeltaOptions>, options: AdadeltaOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, rho, eps, weightDecay } = options;
    const sign = signOf(options);
    countStep(state);
    const targets = [stateTensor(state, 'squareAvg', param), param, stateTensor(state, 'accDelta', param)];
    const step = (gradient: Tensor): void => adadelta(targets, [gradient], [lr, rho, eps, sign]);
    // The decay is added beforehand, because the last target is computed after the parameter has changed.
    if (weightDecay === 0) step(grad);
    else scope(() => step(grad.add(param, { alpha: sign * weightDecay })));
  }
}
