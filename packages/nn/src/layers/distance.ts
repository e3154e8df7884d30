import { requireOptions, type Tensor } from '@tapegrad/core';
import { cosineSimilarity, pairwiseDistance } from '../functional/distance.ts';
import type { CosineOptions, PairwiseDistanceOptions } from '../functional/distance.ts';
import { Module } from '../module.ts';
import { together } from '../named.ts';
import { options as listed } from '../repr.ts';

/**
 * The cosine of the angle between vectors along a dimension.
 * @shape two that broadcast -> without dim
 * @source torch.nn.CosineSimilarity
 */
export class CosineSimilarity extends Module {
  readonly dimension: number;
  readonly eps: number;

  constructor(dim: number | CosineOptions = 1, options: CosineOptions = {}) {
    super();
    const given = together<CosineOptions>('CosineSimilarity', dim, { dim }, ['dim', 'eps'], options);
    this.dimension = given.dim ?? 1;
    this.eps = given.eps ?? 1e-8;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.dimension, { eps: this.eps });
  }

  override extraRepr(): string {
    return listed({ dim: this.dimension, eps: this.eps });
  }
}

/**
 * The norm of the difference of vectors along the last dimension.
 * @shape [..., D], [..., D] -> [...]
 * @source torch.nn.PairwiseDistance
 */
export class PairwiseDistance extends Module {
  readonly p: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options: PairwiseDistanceOptions = {}) {
    super();
    requireOptions('PairwiseDistance', options, ['p', 'eps', 'keepdim']);
    const { p = 2, eps = 1e-6, keepdim = false } = options;
    this.p = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    const { p, eps, keepdim } = this;
    return pairwiseDistance(x1, x2, { p, eps, keepdim });
  }

  override extraRepr(): string {
    return listed({ p: this.p, eps: this.eps, keepdim: this.keepdim });
  }
}
