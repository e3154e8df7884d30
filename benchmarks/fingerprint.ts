import { mix } from './inputs.ts';

/** What is kept of a result: enough to tell a wrong one, small enough to store and to send. */
export interface Fingerprint {
  readonly size: number;
  /** Euclidean length. */
  readonly norm: number;
  /** Sums under fixed random signs: any wrong element shows in them. */
  readonly projections: readonly number[];
  /** Some of the elements, at equal distances. */
  readonly sample: readonly number[];
}

const PROJECTIONS = 4;
const SAMPLES = 32;

/** The fingerprint of an array (peers/torch/fingerprint.py has the same). */
export function fingerprint(values: ArrayLike<number>): Fingerprint {
  const { length } = values;
  const projections = new Array<number>(PROJECTIONS).fill(0);
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    const signs = mix(i, 0);
    squares += value * value;
    for (let p = 0; p < PROJECTIONS; p++) projections[p]! += (signs >>> p) & 1 ? -value : value;
  }
  const step = Math.max(1, Math.floor(length / SAMPLES));
  const sample = Array.from({ length: Math.min(length, SAMPLES) }, (_, i) => values[i * step]!);
  return { size: length, norm: Math.sqrt(squares), projections, sample };
}

/**
 * How far a result is from the reference, relative to the reference's size; Infinity when it is another
 * thing.
 */
export function difference(result: Fingerprint, reference: Fingerprint): number {
  if (result.size !== reference.size) return Infinity;
  const norm = reference.norm || 1;
  const rms = norm / Math.sqrt(reference.size || 1);
  const differences = [
    Math.abs(result.norm - reference.norm) / norm,
    ...reference.projections.map((value, i) => Math.abs(result.projections[i]! - value) / norm),
    // An element may be off by rounding of what it was summed from, which is of the size of its neighbours.
    ...reference.sample.map((value, i) => Math.abs(result.sample[i]! - value) / (Math.abs(value) + rms)),
  ];
  return differences.some(Number.isNaN) ? Infinity : Math.max(...differences);
}
