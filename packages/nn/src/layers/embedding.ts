import { empty, noGrad, ShapeError, ValueError, type DTypeName, type Tensor, requireOptions } from '@tapegrad/core';
import { embedding } from '../functional/embedding.ts';
import { normal_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';

/** Options of Embedding. */
export interface EmbeddingLayerOptions {
  /** An id whose row starts at 0 and does not learn; negative counts from the end. Default null: none. */
  paddingIdx?: number | null | undefined;
  /** Rows that are looked up are scaled to at most this norm, in place. Default null: any. */
  maxNorm?: number | null | undefined;
  /** Which norm that is; default 2. */
  normType?: number | undefined;
  /** Divide each row's gradient by how often it was looked up; default false. */
  scaleGradByFreq?: boolean | undefined;
  /** dtype of the rows; default float32. */
  dtype?: DTypeName | undefined;
}

/**
 * A table of vectors, looked up by id. The rows start normally distributed.
 * @shape ids of any shape -> [...ids, embeddingDim]
 * @throws IndexError when an id is not below numEmbeddings
 * @source torch.nn.Embedding
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  /** @shape [numEmbeddings, embeddingDim] */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    requireSizes('Embedding', { numEmbeddings, embeddingDim });
    requireOptions('Embedding', options, ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'dtype']);
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, dtype } = options;
    if (paddingIdx !== null && (paddingIdx >= numEmbeddings || paddingIdx < -numEmbeddings)) {
      throw new ValueError(`Embedding: paddingIdx ${paddingIdx} must be one of the ${numEmbeddings} ids`, {
        argument: 'paddingIdx',
      });
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], { dtype }));
    this.resetParameters();
  }

  /**
   * A table with given rows.
   * @param options as of the constructor; `freeze` (default true) keeps the rows from learning
   * @throws ShapeError unless the rows are a matrix
   * @source torch.nn.Embedding.from_pretrained
   */
  static fromPretrained(rows: Tensor, options: EmbeddingLayerOptions & { freeze?: boolean } = {}): Embedding {
    const { freeze = true, ...rest } = options;
    if (rows.ndim !== 2)
      throw new ShapeError(`fromPretrained: the rows must be a matrix, got [${rows.shape.join(', ')}]`);
    const made = new Embedding(0, rows.shape[1]!, { ...rest, paddingIdx: null });
    const paddingIdx = rest.paddingIdx ?? null;
    return Object.assign(made, {
      numEmbeddings: rows.shape[0]!,
      paddingIdx: paddingIdx !== null && paddingIdx < 0 ? paddingIdx + rows.shape[0]! : paddingIdx,
      weight: new Parameter(rows, { requiresGrad: !freeze }),
    });
  }

  /** Draws the initial values again. */
  resetParameters(): void {
    normal_(this.weight);
    clearPadding(this.weight, this.paddingIdx);
  }

  forward(ids: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return embedding(ids, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  }

  override extraRepr(): string {
    const { numEmbeddings, embeddingDim, paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    const rest = listed({
      paddingIdx: paddingIdx ?? undefined,
      maxNorm: maxNorm ?? undefined,
      normType: normType === 2 ? undefined : normType,
      scaleGradByFreq: scaleGradByFreq || undefined,
    });
    return `${numEmbeddings}, ${embeddingDim}${rest === '' ? '' : `, ${rest}`}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.numEmbeddings} × ${this.embeddingDim}`;
  }
}

/** Sets the row of padding, if there is one, to 0. */
export function clearPadding(weight: Tensor, paddingIdx: number | null): void {
  if (paddingIdx !== null) noGrad(() => weight.select(0, paddingIdx).zero_());
}
