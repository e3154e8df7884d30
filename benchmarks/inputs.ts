/** Values of an input: uniform between two bounds, or whole numbers below a bound. */
export interface InputSpec {
  readonly shape: readonly number[];
  /** Bounds of the values; default −1 and 1. */
  readonly between?: readonly [number, number];
  /** Whole numbers from 0 to here, itself excluded. */
  readonly below?: number;
}

/** Named inputs as flat arrays. */
export type Inputs = Readonly<Record<string, Float32Array | Int32Array>>;

/**
 * The numbers of all inputs of a case. Every element depends on its input's position and its own index alone,
 * by 32-bit integer and float32 arithmetic, so that any language gets the same bits (peers/torch/inputs.py
 * does).
 */
export function makeInputs(
  specs: Readonly<Record<string, InputSpec>>,
): Record<string, Float32Array | Int32Array> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec], i) => [name, makeInput(spec, i + 1)]));
}

function makeInput(
  { shape, between: [low, high] = [-1, 1], below }: InputSpec,
  seed: number,
): Float32Array | Int32Array {
  const size = shape.reduce((product, n) => product * n, 1);
  if (below !== undefined) return Int32Array.from({ length: size }, (_, i) => mix(i, seed) % below);
  const start = Math.fround(low);
  const span = Math.fround(high - low);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = start + Math.fround((mix(i, seed) >>> 8) * 2 ** -24 * span);
  return values;
}

/** A hash of two whole numbers, of 32 bits. */
export function mix(index: number, seed: number): number {
  let h = (Math.imul(index, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
