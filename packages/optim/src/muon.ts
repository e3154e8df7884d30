import { defineUpdate, scope, ValueError, type Tensor, type Update } from '@tapegrad/core';
import { average } from './formulas.ts';
import { requireValid, withDefaults } from './options.ts';
import { groupParams, Optimizer, stateTensor, type ParameterState, type ParamGroupInput, type ParamsInput } from './optimizer.ts';

/** Options of Muon. */
export interface MuonOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** By which the parameter shrinks, in units of the rate; default 0.1. */
  weightDecay?: number;
  /** Share of the average gradient that is kept; default 0.95. */
  momentum?: number;
  /** Look ahead along the momentum; default true. */
  nesterov?: boolean;
  /** The coefficients of x, x³ and x⁵ that bring singular values near 1; default [3.4445, -4.775, 2.0315]. */
  nsCoefficients?: readonly [number, number, number];
  /** The least norm that a direction is divided by; default 1e-7. */
  eps?: number;
  /** How often the polynomial is applied; default 5. */
  nsSteps?: number;
  /**
   * How the rate depends on the shape: `'original'` (also null, the default) or `'match_rms_adamw'`, with which rates that
   * suit AdamW can be used.
   */
  adjustLrFn?: 'original' | 'match_rms_adamw' | null;
}

type Options = Required<MuonOptions>;

const defaults: Options = {
  lr: 1e-3,
  weightDecay: 0.1,
  momentum: 0.95,
  nesterov: true,
  nsCoefficients: [3.4445, -4.775, 2.0315],
  eps: 1e-7,
  nsSteps: 5,
  adjustLrFn: null,
};

/** By which the rate is multiplied for a matrix of so many rows and columns. */
const adjustments: Readonly<Record<string, (rows: number, columns: number) => number>> = {
  original: (rows, columns) => Math.sqrt(Math.max(1, rows / columns)),
  match_rms_adamw: (rows, columns) => 0.2 * Math.sqrt(Math.max(rows, columns)),
};

const follow: Update = defineUpdate({ targets: 1, inputs: 1, params: 1 }, ([buffer], [g], [momentum]) => [
  average(buffer!, g!, momentum!),
]);

const descend: Update = defineUpdate({ targets: 1, inputs: 1, params: 2 }, ([p], [direction], [size, shrink]) => [
  p!.mul(shrink!).sub(direction!.mul(size!)),
]);

/**
 * Momentum whose direction is made nearly orthogonal, for the weight matrices of hidden layers. Biases, norms,
 * embeddings and the last layer are better left to AdamW.
 * @numerics Orthogonalizes in the dtype of the parameter; PyTorch rounds to bfloat16 for it, so figures differ by a percent.
 * @source torch.optim.Muon; Jordan et al. (2024)
 */
export class Muon extends Optimizer<Options> {
  /** @throws ValueError as every optimizer, and for a parameter that is not a matrix */
  constructor(params: ParamsInput<MuonOptions>, options: MuonOptions = {}) {
    super(params as ParamsInput<Options>, withDefaults(defaults, options));
  }

  override addParamGroup(group: ParamGroupInput<Options>): void {
    const params = groupParams(group);
    for (const { shape } of params) {
      if (shape?.length !== 2) {
        throw new ValueError(`Muon: parameters must be matrices, got shape [${shape?.join(', ')}]; give the others to AdamW`);
      }
    }
    super.addParamGroup({ ...group, params });
  }

  protected override check(options: Options): void {
    super.check(options);
    const { adjustLrFn, nsSteps } = options;
    requireValid(adjustLrFn === null || Object.hasOwn(adjustments, adjustLrFn), 'adjustment of the rate', adjustLrFn);
    requireValid(Number.isInteger(nsSteps) && nsSteps >= 0 && nsSteps < 100, 'number of Newton-Schulz steps', nsSteps);
  }

  protected override update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void {
    const { lr, weightDecay, momentum, nesterov, adjustLrFn } = options;
    const buffer = stateTensor(state, 'momentumBuffer', param);
    follow([buffer], [grad], [momentum]);
    const [rows, columns] = param.shape as [number, number];
    const size = lr * adjustments[adjustLrFn ?? 'original']!(rows, columns);
    scope(() => {
      const ahead = nesterov ? grad.add(buffer.sub(grad), { alpha: momentum }) : buffer;
      descend([param], [orthogonalized(ahead, options)], [size, 1 - lr * weightDecay]);
    });
  }
}

/** A matrix with the singular vectors of x and singular values near 1: Newton-Schulz iterations on the shorter side. */
function orthogonalized(x: Tensor, { nsCoefficients: [a, b, c], nsSteps, eps }: Options): Tensor {
  const [rows, columns] = x.shape as [number, number];
  let y = rows > columns ? x.T : x;
  y = y.div(Math.max(y.vectorNorm().item(), eps));
  for (let i = 0; i < nsSteps; i++) {
    const gram = y.matmul(y.T);
    const polynomial = gram.mul(b).add(gram.matmul(gram), { alpha: c });
    y = y.mul(a).add(polynomial.matmul(y));
  }
  return (rows > columns ? y.T : y).contiguous();
}
