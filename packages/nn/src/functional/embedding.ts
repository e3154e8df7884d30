import { embedding as rowsOf, noGrad, requireOptions, type EmbeddingOptions, type Tensor } from '@tapegrad/core';

export { oneHot } from '@tapegrad/core';

/** Options of `embedding`. */
export interface LookupOptions extends EmbeddingOptions {
  /** Rows that are looked up are scaled to at most this norm first, in place. Default null: any. */
  maxNorm?: number | null | undefined;
  /** Which norm that is; default 2. */
  normType?: number | undefined;
}

/** The names of these options. */
export const lookupOptions: readonly (keyof LookupOptions)[] = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq'];

/**
 * The rows of a weight matrix that ids name.
 * @shape ids of any shape, weight [count, dim] -> [...ids, dim]
 * @derivative added up per row; 0 for the padding row
 * @throws IndexError when an id is not a row
 * @source torch.nn.functional.embedding
 */
export function embedding(ids: Tensor, weight: Tensor, options: LookupOptions = {}): Tensor {
  requireOptions('embedding', options, lookupOptions);
  const { maxNorm = null, normType = 2, ...rest } = options;
  if (maxNorm !== null) limitRows(ids, weight, maxNorm, normType);
  return rowsOf(ids, weight, rest);
}

function limitRows(ids: Tensor, weight: Tensor, maxNorm: number, normType: number): void {
  noGrad(() => {
    const index = ids.flatten();
    const rows = weight.indexSelect(0, index);
    const norms = rows.vectorNorm(normType, 1, { keepdim: true });
    const factors = norms.add(1e-7).reciprocal().mul(maxNorm).maskedFill(norms.le(maxNorm), 1);
    weight.copy_(weight.indexCopy(0, index, rows.mul(factors)));
  });
}
