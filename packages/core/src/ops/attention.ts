import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { shapeString } from '../shape.ts';
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

/**
 * softmax(q kᵀ · scale) v: each query gets the mean of the values, weighted by how well its key fits. A query that may
 * look at nothing gets 0.
 * @shape query [..., L, E], key [..., S, E], value [..., S, V] -> [..., L, V]
 * @throws ShapeError when the sizes do not fit; ValueError for a mask beside isCausal
 * @source torch.nn.functional.scaled_dot_product_attention
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  const { attnMask = null, dropoutP = 0, isCausal = false } = options;
  checkShapes(query, key, value);
  if (attnMask !== null && isCausal) {
    throw new ValueError('scaledDotProductAttention: give attnMask or isCausal, not both', { op: 'scaledDotProductAttention' });
  }
  // Half of the scale on each side keeps the products small.
  const half = Math.sqrt(options.scale ?? 1 / Math.sqrt(query.shape.at(-1)!));
  let scores = query.mul(half).matmul(key.mul(half).mT);
  const mask = isCausal ? causalMask(query, key) : attnMask;
  if (mask === null) return dropped(scores.softmax(-1), dropoutP).matmul(value);
  if (mask.dtype !== 'bool') {
    if (mask.dtype !== query.dtype) {
      throw new DTypeError(`scaledDotProductAttention: attnMask must be bool or ${query.dtype} as the query, got ${mask.dtype}`, {
        op: 'scaledDotProductAttention',
        argument: 'attnMask',
        dtypes: [mask.dtype, query.dtype],
      });
    }
    return dropped(scores.add(mask).softmax(-1), dropoutP).matmul(value);
  }
  const hidden = mask.logicalNot();
  scores = scores.maskedFill(hidden, -Infinity);
  // A row without a visible key would be NaN, and so would its gradient.
  const blind = hidden.all(-1, { keepdim: true });
  const weights = scores.maskedFill(blind, 0).softmax(-1).maskedFill(blind, 0);
  return dropped(weights, dropoutP).matmul(value);
}

function dropped(weights: Tensor, p: number): Tensor {
  return p > 0 ? weights.dropout(p) : weights;
}

function causalMask(query: Tensor, key: Tensor): Tensor {
  const [rows, columns] = [query.shape.at(-2)!, key.shape.at(-2)!];
  const ones = query.detach().newFrom(new Uint8Array(rows * columns).fill(1), 'bool', [rows, columns]);
  return ones.tril();
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
