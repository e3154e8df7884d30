import { defaultGenerator, randperm, Generator } from '@tapegrad/core';

/** Gives positions in the order in which they are to be loaded; each iteration is one epoch. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

/** 0, 1, 2, … @source torch.utils.data.SequentialSampler */
export class SequentialSampler implements Sampler {
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

/**
 * All positions in random order, anew for each epoch. Without a generator of its own it seeds one from the default
 * stream, by the same draws as PyTorch.
 * @source torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  private readonly generator: Generator | undefined;
  constructor(length: number, options: { generator?: Generator | undefined } = {}) {
    this.length = length;
    this.generator = options.generator;
  }
  *[Symbol.iterator](): Iterator<number> {
    const generator = this.generator ?? new Generator(drawSeed(defaultGenerator));
    yield* randperm(this.length, { generator }).toTypedArray();
    // PyTorch draws another order, for the samples beyond whole epochs, and uses none of it.
    if (generator === this.generator) randperm(this.length, { generator });
  }
}

/** A seed as PyTorch draws one: a 64-bit number, of which the generator uses the lower half. */
export function drawSeed(generator: Generator): number {
  generator.word();
  return generator.word();
}
