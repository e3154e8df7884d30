import type { Tensor } from '../tensor.ts';

/** A list for `pad` that touches one dimension of a tensor of this rank. */
export function padAlong(rank: number, dim: number): (before: number, after: number) => number[] {
  return (before, after) => [...new Array<number>(2 * (rank - 1 - dim)).fill(0), before, after];
}

/** One tensor and then another along a dimension; their other sizes are equal. */
export function followedBy(first: Tensor, second: Tensor, dim: number): Tensor {
  const pads = padAlong(first.ndim, dim);
  return first.pad(pads(0, second.shape[dim]!)).add(second.pad(pads(first.shape[dim]!, 0)));
}
