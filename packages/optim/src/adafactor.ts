import { defineUpdate, keep, scope, type Tensor, type Update } from '@tapegrad/core';
import { signOf } from './formulas.ts';
import { requireValid, withDefaults } from './options.ts';
import { countStep, Optimizer, type ParameterState, type ParamsInput } from './optimizer.ts';

/** Options of Adafactor. */
export interface AdafactorOptions {
  /** Largest learning rate, relative to the size of the parameter; default 1e-2. */
  lr?: number;
  /** Power of the step with which a new square counts less and less; default -0.8. */
  beta2Decay?: number;
  /** Least square, by default (null) the epsilon of the dtype, and least size of a parameter; default [null, 1e-3]. */
  eps?: readonly [number | null, number];
  /** The root mean square that a step may have before it is shortened to it; default 1. */
  d?: number;
  /** By which the parameter shrinks, in units of `lr`; default 0. */
  weightDecay?: number;
  /** Go up instead of down; default false. */
  maximize?: boolean;
}

type Options = Required<AdafactorOptions>;

const defaults: Options = { lr: 1e-2, beta2Decay: -0.8, eps: [null, 1e-3], d: 1, weightDecay: 0, maximize: false };

/** The distance from 1 to the next number. */
const epsilons: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** Goes a share of the way to a value. */
const approach: Update = defineUpdate({ targets: 1, inputs: 1, params: 1 }, ([mean], [value], [share]) => [
  mean!.add(value!.sub(mean!).mul(share!)),
]);

const descend: Update = defineUpdate({ targets: 1, inputs: 1, params: 2 }, ([p], [change], [size, shrink]) => [
  p!.mul(shrink!).sub(change!.mul(size!)),
]);

/**
 * Adam without momentum, and with averages of squares that a matrix keeps per row and per column only.
 * @source torch.optim.Adafactor; Shazeer and Stern (2018)
 */
export class Adafactor extends Optimizer<Options> {
  constructor(params: ParamsInput<AdafactorOptions>, options: AdafactorOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  protected override check(options: Options): void {
    super.check(options);
    requireValid(options.beta2Decay <= 0, 'beta2_decay value', options.beta2Decay);
    requireValid(options.d >= 1, 'clipping threshold d', options.d);
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, beta2Decay, eps, d, weightDecay } = options;
    const step = countStep(state);
    const leastSquare = eps[0] ?? epsilons[param.dtype]!;
    const rate = Math.min(lr, 1 / Math.sqrt(step));
    scope(() => {
      const size = Math.max(eps[1], rootMeanSquare(param)) * rate;
      const square = secondMoment(grad, state, step ** beta2Decay, leastSquare);
      const change = grad.mul(square.clamp(leastSquare ** 2).rsqrt());
      const excess = Math.max(1, rootMeanSquare(change) / d);
      descend([param], [change], [(signOf(options) * size) / excess, 1 - lr * weightDecay]);
    });
  }
}

/** The average of squared gradients after one more, of which it takes a share; of a matrix from its margins. */
function secondMoment(grad: Tensor, state: ParameterState, share: number, leastSquare: number): Tensor {
  const square = grad.square();
  const averaged = (key: string, value: Tensor): Tensor => {
    const mean = (state[key] ??= keep(value.zerosLike())) as Tensor;
    approach([mean], [value], [share]);
    return mean;
  };
  if (grad.dim() < 2) return averaged('variance', square);
  const rows = averaged('rowVar', square.mean(-1, { keepdim: true }));
  const columns = averaged('colVar', square.mean(-2, { keepdim: true }));
  return rows.matmul(columns).div(rows.mean(-2, { keepdim: true }).clamp(leastSquare));
}

function rootMeanSquare(x: Tensor): number {
  return x.vectorNorm().item() / Math.sqrt(x.numel());
}
