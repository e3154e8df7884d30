import { empty, ShapeError, ValueError, type DTypeName, type Tensor, requireOptions } from '@tapegrad/core';
import { embeddingBag, type BagMode } from '../functional/embedding-bag.ts';
import { normal_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireOneOf } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';
import { clearPadding } from './embedding.ts';

/** Options of EmbeddingBag. */
export interface EmbeddingBagLayerOptions {
  /** Rows that are looked up are scaled to at most this norm, in place. Default null: any. */
  maxNorm?: number | null | undefined;
  /** Which norm that is; default 2. */
  normType?: number | undefined;
  /** Divide each row's gradient by how often it was looked up; default false. */
  scaleGradByFreq?: boolean | undefined;
  /** What is made of the rows of a bag; default 'mean'. */
  mode?: BagMode | undefined;
  /** Whether offsets end with the number of ids; default false. */
  includeLastOffset?: boolean | undefined;
  /** An id that counts in no bag; negative counts from the end. Default null: none. */
  paddingIdx?: number | null | undefined;
  /** dtype of the rows; default float32. */
  dtype?: DTypeName | undefined;
}

const optionNames = [
  'maxNorm',
  'normType',
  'scaleGradByFreq',
  'mode',
  'includeLastOffset',
  'paddingIdx',
  'dtype',
] as const;

/**
 * A table of vectors, of which bags of ids name sums, means or maxima. The rows start normally distributed.
 * @shape ids [B, L], or [L] with offsets [B] -> [B, embeddingDim]
 * @throws IndexError when an id is not below numEmbeddings
 * @source torch.nn.EmbeddingBag
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly mode: BagMode;
  readonly includeLastOffset: boolean;
  readonly paddingIdx: number | null;
  /** @shape [numEmbeddings, embeddingDim] */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    super();
    requireOptions('EmbeddingBag', options, optionNames);
    requireOneOf('EmbeddingBag', 'mode', options.mode ?? 'mean', ['sum', 'mean', 'max']);
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, dtype } = options;
    if (paddingIdx !== null && (paddingIdx >= numEmbeddings || paddingIdx < -numEmbeddings)) {
      throw new ValueError(`EmbeddingBag: paddingIdx ${paddingIdx} must be one of the ${numEmbeddings} ids`, {
        argument: 'paddingIdx',
      });
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.mode = options.mode ?? 'mean';
    this.includeLastOffset = options.includeLastOffset ?? false;
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], { dtype }));
    this.resetParameters();
  }

  /**
   * A table with given rows.
   * @param options as of the constructor; `freeze` (default true) keeps the rows from learning
   * @throws ShapeError unless the rows are a matrix
   * @source torch.nn.EmbeddingBag.from_pretrained
   */
  static fromPretrained(
    rows: Tensor,
    options: EmbeddingBagLayerOptions & { freeze?: boolean } = {},
  ): EmbeddingBag {
    const { freeze = true, ...rest } = options;
    if (rows.ndim !== 2)
      throw new ShapeError(`fromPretrained: the rows must be a matrix, got [${rows.shape.join(', ')}]`);
    const made = new EmbeddingBag(rows.shape[0]!, rows.shape[1]!, rest);
    made.weight = new Parameter(rows, { requiresGrad: !freeze });
    return made;
  }

  /** Draws the initial values again. */
  resetParameters(): void {
    normal_(this.weight);
    clearPadding(this.weight, this.paddingIdx);
  }

  forward(ids: Tensor, offsets: Tensor | null = null, perSampleWeights: Tensor | null = null): Tensor {
    const { mode, includeLastOffset, paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    const options = {
      mode,
      includeLastOffset,
      paddingIdx,
      maxNorm,
      normType,
      scaleGradByFreq,
      perSampleWeights,
    };
    return embeddingBag(ids, this.weight, offsets, options);
  }

  override extraRepr(): string {
    const { numEmbeddings, embeddingDim, mode, paddingIdx } = this;
    return `${numEmbeddings}, ${embeddingDim}, ${listed({ mode, paddingIdx: paddingIdx ?? undefined })}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.numEmbeddings} × ${this.embeddingDim}`;
  }
}
