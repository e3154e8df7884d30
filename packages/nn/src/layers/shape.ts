import type { Tensor } from '@tapegrad/core';
import { Module } from '../module.ts';
import { together } from '../named.ts';
import { options } from '../repr.ts';

interface Dims {
  startDim?: number;
  endDim?: number;
}

/**
 * Joins dimensions into one; by default all but the first.
 * @shape [N, …] -> [N, product of the others]
 * @source torch.nn.Flatten
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim: number | Dims = 1, endDim = -1) {
    super();
    const given = together<Dims>('Flatten', startDim, { startDim, endDim }, ['startDim', 'endDim']);
    this.startDim = given.startDim ?? 1;
    this.endDim = given.endDim ?? -1;
  }

  forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return options({ startDim: this.startDim, endDim: this.endDim });
  }
}

/**
 * Splits one dimension into several.
 * @source torch.nn.Unflatten
 */
export class Unflatten extends Module {
  readonly dimension: number;
  readonly sizes: readonly number[];

  constructor(dimension: number, sizes: readonly number[]) {
    super();
    this.dimension = dimension;
    this.sizes = sizes;
  }

  forward(x: Tensor): Tensor {
    return x.unflatten(this.dimension, this.sizes);
  }

  override extraRepr(): string {
    return options({ dim: this.dimension, unflattenedSize: this.sizes });
  }
}
