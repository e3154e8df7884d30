import { defineUpdate, type Tensor, type Update } from '@tapegrad/core';
import { average, averageSquare, penalized, signOf } from './formulas.ts';
import { withDefaults } from './options.ts';
import { countStep, Optimizer, stateTensor, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of RMSprop. */
export interface RMSpropOptions {
  /** Learning rate; default 1e-2. */
  lr?: number;
  /** Share of the average of squares that is kept; default 0.99. */
  alpha?: number;
  /** Added to the root, not under it; default 1e-8. */
  eps?: number;
  /** Factor of the parameter added to its gradient; default 0. */
  weightDecay?: number;
  /** Share of the last direction that is kept; default 0. */
  momentum?: number;
  /** Divide by the standard deviation: subtract the square of the average gradient; default false. */
  centered?: boolean;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<RMSpropOptions>;

const defaults: Options = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/** Targets: average square, average gradient if centered, direction if there is momentum, parameter. */
/* @__NO_SIDE_EFFECTS__ */
function rmspropUpdate(centered: boolean, withMomentum: boolean): Update {
  return defineUpdate(
    { targets: 2 + Number(centered) + Number(withMomentum), inputs: 1, params: 6 },
    (targets, [g], [lr, alpha, eps, decay, momentum, sign]) => {
      const [v] = targets;
      const p = targets.at(-1)!;
      const gradient = penalized(g!, p, sign!, decay!);
      const square = averageSquare(v!, gradient, alpha!);
      const mean = targets[1]!;
      const variance = centered ? v!.sub(mean.mul(mean)) : v!;
      const scaled = gradient.div(variance.sqrt().add(eps!));
      const buffer = targets.at(-2)!;
      return [
        square,
        ...(centered ? [average(mean, gradient, alpha!)] : []),
        ...(withMomentum ? [buffer.mul(momentum!).add(scaled)] : []),
        p.sub(lr!.mul(withMomentum ? buffer : scaled)),
      ];
    },
  );
}

const plain: Update = rmspropUpdate(false, false);
const heavy: Update = rmspropUpdate(false, true);
const centeredPlain: Update = rmspropUpdate(true, false);
const centeredHeavy: Update = rmspropUpdate(true, true);

/**
 * Gradient descent scaled by a moving average of squared gradients.
 * @source torch.optim.RMSprop; Hinton (2012), lecture 6; Graves (2013) for the centered version
 */
export class RMSprop extends Optimizer<Options> {
  constructor(params: ParamsInput<RMSpropOptions>, options: RMSpropOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, alpha, eps, weightDecay, momentum, centered } = options;
    countStep(state);
    const targets = [stateTensor(state, 'squareAvg', param)];
    if (centered) targets.push(stateTensor(state, 'gradAvg', param));
    if (momentum > 0) targets.push(stateTensor(state, 'momentumBuffer', param));
    const [without, withMomentum] = centered ? [centeredPlain, centeredHeavy] : [plain, heavy];
    const step = momentum > 0 ? withMomentum : without;
    step([...targets, param], [grad], [lr, alpha, eps, weightDecay, momentum, signOf(options)]);
  }
}
