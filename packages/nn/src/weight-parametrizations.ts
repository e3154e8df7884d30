import { noGrad, requireOptions, ShapeError, ValueError, type Tensor } from '@tapegrad/core';
import { normalize } from './functional/distance.ts';
import { TransposedConvolution } from './layers/convolution.ts';
import { Module } from './module.ts';
import { registerParametrization, removeParametrizations, type Parametrization } from './parametrization.ts';

/** The norm over all dimensions but one; over all for null. */
function normExcept(x: Tensor, dim: number | null): Tensor {
  if (dim === null) return x.norm();
  const kept = dim < 0 ? dim + x.ndim : dim;
  return x.vectorNorm(
    2,
    x.shape.map((_, d) => d).filter((d) => d !== kept),
    { keepdim: true },
  );
}

/** A direction and its length: what is learned is g and v, and the weight is g · v / ‖v‖. */
class WeightNorm extends Module implements Parametrization {
  readonly formerSuffixes: readonly string[] = ['_g', '_v'];
  readonly dimension: number | null;

  constructor(dim: number | null) {
    super();
    this.dimension = dim;
  }

  forward(length: Tensor, direction: Tensor): Tensor {
    return direction.mul(length.div(normExcept(direction, this.dimension)));
  }

  rightInverse(weight: Tensor): [length: Tensor, direction: Tensor] {
    return [normExcept(weight, this.dimension), weight];
  }
}

/** Options of `weightNorm`. */
export interface WeightNormOptions {
  /** Name of the parameter; default 'weight'. */
  name?: string | undefined;
  /** The dimension whose slices have a length each, default 0; null: one length for all. */
  dim?: number | null | undefined;
}

/**
 * Learns length and direction of a weight instead of the weight: `parametrizations.weight.original0` and
 * `original1`.
 * @returns the module
 * @source torch.nn.utils.parametrizations.weight_norm (Salimans & Kingma 2016)
 */
export function weightNorm<T extends Module>(module: T, options: WeightNormOptions = {}): T {
  requireOptions('weightNorm', options, ['name', 'dim']);
  const { name = 'weight', dim = 0 } = options;
  return registerParametrization(module, name, new WeightNorm(dim));
}

/** Options of `spectralNorm`. */
export interface SpectralNormOptions {
  /** Name of the parameter; default 'weight'. */
  name?: string | undefined;
  /** Steps of the power iteration per forward pass in training; default 1. */
  nPowerIterations?: number | undefined;
  /** Added to norms; default 1e-12. */
  eps?: number | undefined;
  /** The dimension that becomes the rows of a matrix; default 0, and 1 for transposed convolutions. */
  dim?: number | null | undefined;
}

/** The weight divided by its largest singular value, which a power iteration follows. */
class SpectralNorm extends Module implements Parametrization {
  readonly dimension: number;
  readonly iterations: number;
  readonly eps: number;
  u: Tensor | null = null;
  v: Tensor | null = null;

  constructor(weight: Tensor, iterations: number, eps: number, dim: number) {
    super();
    if (weight.ndim === 0)
      throw new ShapeError('spectralNorm: the weight must have at least one dimension', {
        shapes: [weight.shape],
      });
    this.dimension = dim < 0 ? dim + weight.ndim : dim;
    this.iterations = iterations;
    this.eps = eps;
    if (weight.ndim === 1) return;
    noGrad(() => {
      const matrix = this.#matrix(weight.detach());
      const [rows, columns] = matrix.shape as [number, number];
      const drawn = (size: number): Tensor => normalize(matrix.newZeros([size]).normal_(), { dim: 0, eps });
      this.registerBuffer('u', drawn(rows), { key: '_u' });
      this.registerBuffer('v', drawn(columns), { key: '_v' });
      this.#iterate(matrix, 15);
    });
  }

  #matrix(weight: Tensor): Tensor {
    const { dimension } = this;
    const turned = dimension === 0 ? weight : weight.movedim(dimension, 0);
    return turned.flatten(1);
  }

  #iterate(matrix: Tensor, steps: number): void {
    for (let i = 0; i < steps; i++) {
      this.u!.copy_(normalize(matrix.mv(this.v!), { dim: 0, eps: this.eps }));
      this.v!.copy_(normalize(matrix.t().mv(this.u!), { dim: 0, eps: this.eps }));
    }
  }

  forward(weight: Tensor): Tensor {
    if (weight.ndim === 1) return normalize(weight, { dim: 0, eps: this.eps });
    const matrix = this.#matrix(weight);
    if (this.training) noGrad(() => this.#iterate(matrix.detach(), this.iterations));
    // Copies, because the next pass changes the vectors in place.
    const sigma = this.u!.clone().dot(matrix.mv(this.v!.clone()));
    return weight.div(sigma);
  }

  rightInverse(weight: Tensor): Tensor {
    return weight;
  }
}

/**
 * Divides a weight by its largest singular value, found by power iteration: in training `nPowerIterations`
 * steps per
 * forward pass, in evaluation none.
 * @returns the module
 * @throws ValueError unless nPowerIterations is positive
 * @source torch.nn.utils.parametrizations.spectral_norm (Miyato et al. 2018)
 */
export function spectralNorm<T extends Module>(module: T, options: SpectralNormOptions = {}): T {
  requireOptions('spectralNorm', options, ['name', 'nPowerIterations', 'eps', 'dim']);
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12, dim = null } = options;
  if (!(nPowerIterations > 0)) {
    throw new ValueError(`spectralNorm: nPowerIterations must be positive, got ${nPowerIterations}`, {
      argument: 'nPowerIterations',
    });
  }
  const weight = (module as unknown as Record<string, Tensor | undefined>)[name];
  if (weight === undefined || weight === null)
    throw new ValueError(`spectralNorm: ${module.constructor.name} has no parameter '${name}'`);
  const outputs = module instanceof TransposedConvolution ? 1 : 0;
  return registerParametrization(
    module,
    name,
    new SpectralNorm(weight, nPowerIterations, eps, dim ?? outputs),
  );
}

/** Makes the weight of `weightNorm` an ordinary one. @source torch.nn.utils.remove_weight_norm */
export function removeWeightNorm<T extends Module>(module: T, name = 'weight'): T {
  return removeParametrizations(module, name);
}

/** Makes the weight of `spectralNorm` an ordinary one. @source torch.nn.utils.remove_spectral_norm */
export function removeSpectralNorm<T extends Module>(module: T, name = 'weight'): T {
  return removeParametrizations(module, name);
}
