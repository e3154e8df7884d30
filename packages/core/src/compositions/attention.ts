import { rowProgram, type RowBuilder, type RowProgram } from '../define/row-program.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import type { Expr } from '../expr/index.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { dropout } from '../random.ts';
import { broadcastShapes, sameShape, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Where true a query may look at a key; a floating-point mask is added to the scores. Broadcasts to [..., L, S]. */
  attnMask?: Tensor | null | undefined;
  /** Share of the weights that is dropped; default 0. Pass 0 outside of training. */
  dropoutP?: number | undefined;
  /** Query i sees keys 0 … i only; excludes a mask. */
  isCausal?: boolean | undefined;
  /** Factor of the scores; default 1 / √E. */
  scale?: number | null | undefined;
}

const attentionNames: OptionNames<AttentionOptions> = { attnMask: 1, dropoutP: 1, isCausal: 1, scale: 1 };

const place = (_: unknown, index: number): number => index;

/** softmax(scale · scores) over the keys that a query may see; 0 for a query that sees none. */
/* @__NO_SIDE_EFFECTS__ */
function weightsOf(masks: readonly ('element!' | 'row!')[], hides: (row: RowBuilder, mask: Expr) => Expr | null): RowProgram {
  return rowProgram('attention_weights', ['element', ...masks], (row, scores, mask) => {
    const scaled = scores!.mul(row.param(0));
    const hidden = hides(row, mask!);
    const power = visible(hidden, scaled.sub(row.max(visible(hidden, scaled, -Infinity))).exp(), 0);
    const total = row.sum(power);
    const divisor = hidden === null ? total : total.add(total.eq(0).where(1, 0));
    return {
      outputs: [{ sort: 'element', value: power.mul(divisor.reciprocal()) }],
      known: (y) => [[power, y.mul(divisor)]],
    };
  });
}

function visible(hidden: Expr | null, value: Expr, otherwise: number): Expr {
  return hidden === null ? value : hidden.where(otherwise, value);
}

const plainWeights = weightsOf([], () => null);
/** The mask is the last key that a query sees. */
const causalWeights = weightsOf(['row!'], (row, last) => row.column.gt(last));
const maskedWeights = weightsOf(['element!'], (_, mask) => mask.not());

/**
 * softmax(q kᵀ · scale) v: each query gets the mean of the values, weighted by how well its key fits. A query that may
 * look at nothing gets 0.
 * @shape query [..., L, E], key [..., S, E], value [..., S, V] -> [..., L, V]
 * @throws ShapeError when the sizes do not fit; ValueError for a mask beside isCausal
 * @source torch.nn.functional.scaled_dot_product_attention
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = none): Tensor {
  return scaledDotProductAttentionWithWeights(query, key, value, options)[0];
}

/**
 * As `scaledDotProductAttention`, with the weights [..., L, S] by which the values were multiplied.
 * @source torch.nn.functional.scaled_dot_product_attention
 */
export function scaledDotProductAttentionWithWeights(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = none,
): [output: Tensor, weights: Tensor] {
  checkOptions('scaledDotProductAttention', options, attentionNames);
  const { attnMask = null, dropoutP = 0, isCausal = false } = options;
  checkShapes(query, key, value);
  if (attnMask !== null && isCausal) {
    throw new ValueError('scaledDotProductAttention: give attnMask or isCausal, not both', { op: 'scaledDotProductAttention' });
  }
  const scale = options.scale ?? 1 / Math.sqrt(query.shape.at(-1)!);
  const weights = attentionWeights(query.matmul(key.mT), attnMask, isCausal, scale);
  const kept = dropoutP > 0 ? dropout(weights, dropoutP) : weights;
  return [kept.matmul(value), kept];
}

function attentionWeights(scores: Tensor, mask: Tensor | null, isCausal: boolean, scale: number): Tensor {
  const { shape } = scores;
  const along = shape.length - 1;
  if (isCausal) {
    const last = scores.detach().newFrom(Int32Array.from({ length: shape[along - 1]! }, place), 'int32', [shape[along - 1]!, 1]);
    return causalWeights.apply([scores, last.expand([...shape.slice(0, -1), 1])], shape, along, [scale])[0]!;
  }
  if (mask === null) return plainWeights.apply([scores], shape, along, [scale])[0]!;
  if (mask.dtype === scores.dtype) return scores.mul(scale).add(mask).softmax(-1);
  if (mask.dtype !== 'bool') {
    throw new DTypeError(`scaledDotProductAttention: attnMask must be bool or ${scores.dtype} as the query, got ${mask.dtype}`, {
      op: 'scaledDotProductAttention',
      argument: 'attnMask',
      dtypes: [mask.dtype, scores.dtype],
    });
  }
  const wide: Shape = broadcastShapes('scaledDotProductAttention', shape, mask.shape);
  const all = sameShape(wide, shape) ? scores : scores.expand(wide);
  return maskedWeights.apply([all, mask.expand(wide)], wide, wide.length - 1, [scale])[0]!;
}

function checkShapes(query: Tensor, key: Tensor, value: Tensor): void {
  const fits =
    query.ndim >= 2 &&
    key.ndim >= 2 &&
    value.ndim >= 2 &&
    query.shape.at(-1) === key.shape.at(-1) &&
    key.shape.at(-2) === value.shape.at(-2);
  if (fits) return;
  throw new ShapeError(
    `scaledDotProductAttention: query ${shapeString(query.shape)}, key ${shapeString(key.shape)} and value ` +
      `${shapeString(value.shape)} must be [..., L, E], [..., S, E] and [..., S, V]`,
    { op: 'scaledDotProductAttention', shapes: [query.shape, key.shape, value.shape] },
  );
}
