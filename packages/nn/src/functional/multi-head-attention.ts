import { dropout, ShapeError, ValueError, type Tensor } from '@tapegrad/core';

/** Which keys queries may not look at, and what is wanted of the weights. */
export interface MultiHeadOptions {
  /** Keys that nobody looks at where true, or numbers that are added to the scores. @shape [N, S] or [S] */
  keyPaddingMask?: Tensor | null | undefined;
  /** Pairs that are left out where true, or numbers that are added to the scores. @shape [L, S] or [N · heads, L, S] */
  attnMask?: Tensor | null | undefined;
  /** Give the weights too; default true. */
  needWeights?: boolean | undefined;
  /** Give the mean of the heads' weights; default true. */
  averageAttnWeights?: boolean | undefined;
  /** A hint that attnMask is causal, which must be given beside it; default false. */
  isCausal?: boolean | undefined;
}

/** Queries, keys and values of all heads, and how the scores are masked. */
export interface Heads {
  /** @shape [L, N, E] */
  readonly query: Tensor;
  /** @shape [S, N, E] */
  readonly key: Tensor;
  /** @shape [S, N, E] */
  readonly value: Tensor;
  readonly count: number;
}

const OP = 'multiHeadAttention';

/** [T, N, heads · d] as [N, heads, T, d]. */
function apart(x: Tensor, heads: number): Tensor {
  const [steps, batch, width] = x.shape as [number, number, number];
  return x.reshape([steps, batch, heads, width / heads]).permute(1, 2, 0, 3);
}

/** A mask in the shape of the scores [N, heads, L, S], or one that broadcasts to it. */
export function scoreMask(mask: Tensor, name: string, [batch, heads, queries, keys]: readonly [number, number, number, number]): Tensor {
  const fits = (expected: readonly number[]): boolean => mask.ndim === expected.length && mask.shape.every((n, d) => n === expected[d]);
  if (mask.dtype !== 'bool' && !mask.isFloatingPoint()) {
    throw new ValueError(`${OP}: ${name} must be bool (true is left out) or floating-point (is added), got ${mask.dtype}`, {
      op: OP,
      argument: name,
    });
  }
  if (name === 'keyPaddingMask') {
    if (fits([batch, keys])) return mask.reshape([batch, 1, 1, keys]);
  } else if (fits([queries, keys])) return mask.reshape([1, 1, queries, keys]);
  else if (fits([batch * heads, queries, keys])) return mask.reshape([batch, heads, queries, keys]);
  const expected = name === 'keyPaddingMask' ? `[${batch}, ${keys}]` : `[${queries}, ${keys}] or [${batch * heads}, ${queries}, ${keys}]`;
  throw new ShapeError(`${OP}: ${name} is [${mask.shape.join(', ')}], expected ${expected}`, { op: OP, argument: name, shapes: [mask.shape] });
}

/**
 * The attention of several heads, each over its own part of the features.
 * @param masks of the scores, as `scoreMask` gives them
 * @shape [L, N, E], [S, N, E], [S, N, E] -> output [L, N, E], weights [N, heads, L, S]
 * @numerics NaN where a query may look at no key
 */
export function attendInHeads(heads: Heads, masks: readonly Tensor[], p: number): { output: Tensor; weights: Tensor } {
  const { query, key, value, count } = heads;
  const [queries, batch, width] = query.shape as [number, number, number];
  const scaled = apart(query, count).mul(1 / Math.sqrt(width / count));
  let scores = scaled.matmul(apart(key, count).mT);
  for (const mask of masks) scores = mask.dtype === 'bool' ? scores.maskedFill(mask, -Infinity) : scores.add(mask);
  const weights = dropout(scores.softmax(-1), p, p > 0);
  const output = weights.matmul(apart(value, count)).permute(2, 0, 1, 3).reshape([queries, batch, width]);
  return { output, weights };
}
