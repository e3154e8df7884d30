import { cat, dropout, pad, requireOptions, ShapeError, type Tensor, ValueError, zeros } from '@tapegrad/core';

/** Which keys queries may not look at, and what is wanted of the weights. */
export interface MultiHeadOptions {
  /** Keys that nobody looks at where true, or numbers that are added to the scores. @shape [N, S] or [S] */
  keyPaddingMask?: Tensor | null | undefined;
  /**
   * Pairs that are left out where true, or numbers that are added to the scores.
   * @shape [L, S] or [N · heads, L, S]
   */
  attnMask?: Tensor | null | undefined;
  /** Give the weights too; default true. */
  needWeights?: boolean | undefined;
  /** Give the mean of the heads' weights; default true. */
  averageAttnWeights?: boolean | undefined;
  /** A hint that attnMask is causal, which must be given beside it; default false. */
  isCausal?: boolean | undefined;
}

/** The names of these options. */
export const attentionOptions: readonly (keyof MultiHeadOptions)[] = [
  'keyPaddingMask',
  'attnMask',
  'needWeights',
  'averageAttnWeights',
  'isCausal',
];

/** The weights that queries, keys and values are projected by, and what is added to them. */
export interface AttentionWeights {
  /**
   * Rows for queries, keys and values, where all have as many features; null if each has its own.
   * @shape [3 E, E]
   */
  readonly inProjWeight: Tensor | null;
  /** @shape [E, E] */
  readonly qProjWeight?: Tensor | null;
  /** @shape [E, kdim] */
  readonly kProjWeight?: Tensor | null;
  /** @shape [E, vdim] */
  readonly vProjWeight?: Tensor | null;
  /** @shape [3 E] */
  readonly inProjBias?: Tensor | null;
  /** A further key. @shape [1, 1, E] */
  readonly biasK?: Tensor | null;
  /** A further value. @shape [1, 1, E] */
  readonly biasV?: Tensor | null;
}

/** What else `multiHeadAttentionForward` takes. */
export interface MultiHeadForwardOptions extends MultiHeadOptions {
  /** Add a key and a value of zeros; default false. */
  addZeroAttn?: boolean | undefined;
  /** Share of the weights that is dropped; default 0. */
  dropoutP?: number | undefined;
  /** Whether any is; default true. */
  training?: boolean | undefined;
}

/** Queries, keys and values of all heads. */
interface Heads {
  /** @shape [L, N, E] */
  readonly query: Tensor;
  /** @shape [S, N, E] */
  readonly key: Tensor;
  /** @shape [S, N, E] */
  readonly value: Tensor;
  readonly count: number;
}

const OP = 'multiHeadAttentionForward';

/** [T, N, heads · d] as [N, heads, T, d]. */
function apart(x: Tensor, heads: number): Tensor {
  const [steps, batch, width] = x.shape as [number, number, number];
  return x.reshape([steps, batch, heads, width / heads]).permute(1, 2, 0, 3);
}

/** A mask in the shape of the scores [N, heads, L, S], or one that broadcasts to it. */
function scoreMask(
  mask: Tensor,
  name: string,
  [batch, heads, queries, keys]: readonly [number, number, number, number],
): Tensor {
  const fits = (expected: readonly number[]): boolean =>
    mask.ndim === expected.length && mask.shape.every((n, d) => n === expected[d]);
  if (mask.dtype !== 'bool' && !mask.isFloatingPoint()) {
    throw new ValueError(
      `${OP}: ${name} must be bool (true is left out) or floating-point (is added), got ${mask.dtype}`,
      {
        op: OP,
        argument: name,
      },
    );
  }
  if (name === 'keyPaddingMask') {
    if (fits([batch, keys])) return mask.reshape([batch, 1, 1, keys]);
  } else if (fits([queries, keys])) return mask.reshape([1, 1, queries, keys]);
  else if (fits([batch * heads, queries, keys])) return mask.reshape([batch, heads, queries, keys]);
  const expected =
    name === 'keyPaddingMask'
      ? `[${batch}, ${keys}]`
      : `[${queries}, ${keys}] or [${batch * heads}, ${queries}, ${keys}]`;
  throw new ShapeError(`${OP}: ${name} is [${mask.shape.join(', ')}], expected ${expected}`, {
    op: OP,
    argument: name,
    shapes: [mask.shape],
  });
}

/**
 * The attention of several heads, each over its own part of the features. NaN where a query may look at no
 * key.
 */
function attendInHeads(
  heads: Heads,
  masks: readonly Tensor[],
  p: number,
): { output: Tensor; weights: Tensor } {
  const { query, key, value, count } = heads;
  const [queries, batch, width] = query.shape as [number, number, number];
  const scaled = apart(query, count).mul(1 / Math.sqrt(width / count));
  let scores = scaled.matmul(apart(key, count).mT);
  for (const mask of masks)
    scores = mask.dtype === 'bool' ? scores.maskedFill(mask, -Infinity) : scores.add(mask);
  const weights = dropout(scores.softmax(-1), p, p > 0);
  const output = weights.matmul(apart(value, count)).permute(2, 0, 1, 3).reshape([queries, batch, width]);
  return { output, weights };
}

/**
 * Queries, keys and values, projected; what is the same tensor is projected once, by all weights together.
 */
function project(
  inputs: readonly [Tensor, Tensor, Tensor],
  weights: AttentionWeights,
): [Tensor, Tensor, Tensor] {
  const { inProjWeight, inProjBias = null } = weights;
  const [query, key, value] = inputs;
  const size = query.shape[2]!;
  if (inProjWeight !== null && query === key && key === value) {
    return query.linear(inProjWeight, inProjBias).split(size, 2) as [Tensor, Tensor, Tensor];
  }
  const own = inProjWeight?.split(size) ?? [weights.qProjWeight!, weights.kProjWeight!, weights.vProjWeight!];
  const biases = inProjBias?.split(size) ?? [];
  return inputs.map((x, i) => x.linear(own[i]!, biases[i])) as [Tensor, Tensor, Tensor];
}

/**
 * Attention by several heads with given weights, and what projects the heads' results together.
 * @shape [L, N, E], [S, N, kdim], [S, N, vdim], or all without N -> output [L, N, E], weights [N, L, S]
 */
export function attend(
  inputs: readonly [query: Tensor, key: Tensor, value: Tensor],
  numHeads: number,
  given: AttentionWeights,
  projectOut: (x: Tensor) => Tensor,
  options: MultiHeadForwardOptions,
): [output: Tensor, weights: Tensor | null] {
  const {
    needWeights = true,
    averageAttnWeights = true,
    addZeroAttn = false,
    dropoutP = 0,
    training = true,
  } = options;
  const isBatched = inputs[0].ndim === 3;
  const sources = new Map(inputs.map((x) => [x, isBatched ? x : x.unsqueeze(1)]));
  const batched = inputs.map((x) => sources.get(x)!) as [Tensor, Tensor, Tensor];
  let [query, key, value] = project(batched, given);
  const [queries, batch, width] = query.shape as [number, number, number];
  const source = key.shape[0]!;
  const further = [1, batch, width];
  if (given.biasK != null && given.biasV != null) {
    key = cat([key, given.biasK.expand(further)]);
    value = cat([value, given.biasV.expand(further)]);
  }
  if (addZeroAttn) {
    const nothing = zeros(further, { dtype: key.dtype });
    key = cat([key, nothing]);
    value = cat([value, nothing]);
  }
  const masks = masksOf(options, [batch, numHeads, queries, source], key.shape[0]! - source);
  const { output, weights } = attendInHeads(
    { query, key, value, count: numHeads },
    masks,
    training ? dropoutP : 0,
  );
  const projected = projectOut(output);
  const shown = !needWeights ? null : averageAttnWeights ? weights.mean(1) : weights;
  return isBatched ? [projected, shown] : [projected.squeeze(1), shown?.squeeze(0) ?? null];
}

/** Masks in the shape of the scores, open for keys that were added. */
function masksOf(
  { keyPaddingMask, attnMask }: MultiHeadOptions,
  scores: readonly [number, number, number, number],
  added: number,
): Tensor[] {
  const masks: Tensor[] = [];
  if (attnMask != null) masks.push(scoreMask(attnMask, 'attnMask', scores));
  if (keyPaddingMask != null) {
    masks.push(
      scoreMask(
        keyPaddingMask.ndim === 1 ? keyPaddingMask.unsqueeze(0) : keyPaddingMask,
        'keyPaddingMask',
        scores,
      ),
    );
  }
  return added === 0 ? masks : masks.map((mask) => pad(mask, [0, added]));
}

/**
 * Attention by several heads with given weights: what MultiheadAttention computes.
 * @shape query [L, N, E], key [S, N, kdim], value [S, N, vdim], or all without N -> output [L, N, E], weights
 * [N, L, S]
 * @numerics NaN where a query may look at no key
 * @throws ValueError when the heads do not divide the features, or isCausal is given without the mask;
 * ShapeError when masks
 * or weights do not fit
 * @source torch.nn.functional.multi_head_attention_forward
 */
export function multiHeadAttentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  numHeads: number,
  weights: AttentionWeights & { readonly outProjWeight: Tensor; readonly outProjBias?: Tensor | null },
  options: MultiHeadForwardOptions = {},
): [output: Tensor, weights: Tensor | null] {
  requireOptions(OP, options, [...attentionOptions, 'addZeroAttn', 'dropoutP', 'training']);
  const width = query.shape.at(-1) ?? 0;
  if (!(numHeads > 0) || width % numHeads !== 0) {
    throw new ValueError(`${OP}: ${width} features are not divisible by ${numHeads} heads`, {
      op: OP,
      argument: 'numHeads',
    });
  }
  requireMask(OP, options);
  return attend(
    [query, key, value],
    numHeads,
    weights,
    (x) => x.linear(weights.outProjWeight, weights.outProjBias),
    options,
  );
}

/** Refuses the hint that a mask is causal where there is no mask. */
export function requireMask(op: string, { isCausal = false, attnMask }: MultiHeadOptions): void {
  if (!isCausal || attnMask != null) return;
  throw new ValueError(`${op}: isCausal is a hint about attnMask, which must be given too`, {
    argument: 'attnMask',
  });
}
