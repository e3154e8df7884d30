import { defaultGenerator, rand, requireOptions, Tensor, tensor, ValueError, zeros, type Generator } from '@tapegrad/core';
import { requireCount, type Sampler } from './sampler.ts';

/** Options of WeightedRandomSampler. */
export interface WeightedSamplerOptions {
  /** Whether a position may come twice; default true. */
  replacement?: boolean;
  /** The stream to draw from; default the one that `manualSeed` restarts. */
  generator?: Generator | undefined;
}

/**
 * Positions drawn with probabilities proportional to weights, for instance to see rare classes as often as others.
 * @throws ValueError for weights that are negative, not finite or all 0, or more draws without replacement than there are
 * positions of positive weight
 * @source torch.utils.data.WeightedRandomSampler, torch.multinomial
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  private readonly weights: Float64Array;
  private readonly replacement: boolean;
  private readonly generator: Generator;

  constructor(weights: readonly number[] | Tensor, numSamples: number, options: WeightedSamplerOptions = {}) {
    requireOptions('WeightedRandomSampler', options, ['replacement', 'generator']);
    const { replacement = true, generator = defaultGenerator } = options;
    requireCount('WeightedRandomSampler: numSamples', numSamples);
    this.weights = Float64Array.from(weights instanceof Tensor ? weights.toTypedArray() : weights);
    const wrong = this.weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
    if (wrong >= 0) {
      throw new ValueError(
        `WeightedRandomSampler: weights must be finite and not negative, got ${this.weights[wrong]} at position ${wrong}`,
      );
    }
    const possible = this.weights.filter((weight) => weight > 0).length;
    if (possible === 0) throw new ValueError('WeightedRandomSampler: at least one weight must be positive');
    if (!replacement && numSamples > possible) {
      throw new ValueError(
        `WeightedRandomSampler: ${numSamples} positions cannot be drawn without replacement from ${possible} of positive weight`,
      );
    }
    this.length = numSamples;
    this.replacement = replacement;
    this.generator = generator;
  }

  [Symbol.iterator](): Iterator<number> {
    return (this.replacement ? this.withReplacement() : this.withoutReplacement())[Symbol.iterator]();
  }

  /** The inverse of the distribution function at uniform numbers. */
  private withReplacement(): Iterable<number> {
    const { weights, length, generator } = this;
    let sum = 0;
    const cumulative = weights.map((weight) => (sum += weight)).map((part) => part / sum);
    cumulative[cumulative.length - 1] = 1;
    const uniforms = rand(length, { dtype: 'float64', generator }).toTypedArray();
    return Array.from(uniforms, (uniform) => firstNotBelow(cumulative, uniform));
  }

  /** The largest of weights over exponentially distributed numbers: the order in which weighted clocks would ring. */
  private withoutReplacement(): Iterable<number> {
    const { weights, length, generator } = this;
    const clocks = zeros([weights.length], { dtype: 'float64' }).exponential_(1, generator);
    const order = tensor(weights).div(clocks).toTypedArray();
    return Array.from(order.keys()).sort((i, j) => order[j]! - order[i]!).slice(0, length);
  }
}

/** The first position whose value is not below `wanted`, in ascending values. */
function firstNotBelow(values: Float64Array, wanted: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
