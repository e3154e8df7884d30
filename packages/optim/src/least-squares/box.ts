import { Tensor, ValueError } from '@tapegrad/core';

/** A bound for all parameters, or one for each. */
export type Bound = number | readonly number[] | Tensor;

/** Least and largest values of parameters; what is left out is infinite. */
export interface Bounds {
  lower?: Bound;
  upper?: Bound;
}

/** The values that parameters may have. */
export class Box {
  private readonly lower: Float64Array;
  private readonly upper: Float64Array;

  /** @throws ValueError when the bounds do not fit together, or the start is outside them */
  constructor(start: Float64Array, { lower = -Infinity, upper = Infinity }: Bounds = {}) {
    this.lower = spread(lower, start.length, 'lower');
    this.upper = spread(upper, start.length, 'upper');
    start.forEach((value, i) => {
      const [low, high] = [this.lower[i]!, this.upper[i]!];
      if (!(low < high)) throw new ValueError(`leastSquares: the bounds of parameter ${i} are ${low} and ${high}; lower must be less`);
      if (!(value >= low && value <= high)) {
        throw new ValueError(`leastSquares: parameter ${i} starts at ${value}, outside its bounds ${low} and ${high}`);
      }
    });
  }

  /** The nearest point inside. */
  clip(x: Float64Array): Float64Array {
    return x.map((value, i) => Math.min(Math.max(value, this.lower[i]!), this.upper[i]!));
  }

  /** Those of some parameters that can go in a direction: not those at a bound that it would cross. */
  open(x: Float64Array, direction: Float64Array, among: readonly number[]): number[] {
    return among.filter((i) => {
      return !(x[i]! <= this.lower[i]! && direction[i]! < 0) && !(x[i]! >= this.upper[i]! && direction[i]! > 0);
    });
  }
}

function spread(bound: Bound, length: number, name: string): Float64Array {
  if (typeof bound === 'number') return new Float64Array(length).fill(bound);
  const values = bound instanceof Tensor ? bound.toTypedArray() : bound;
  if (values.length !== length) {
    throw new ValueError(`leastSquares: ${values.length} ${name} bounds for ${length} parameters; give one for all or one for each`);
  }
  return Float64Array.from(values);
}
