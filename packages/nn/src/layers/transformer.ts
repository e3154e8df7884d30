import { full, requireOptions, ShapeError, ValueError, type DTypeName, type Tensor } from '@tapegrad/core';
import { ModuleList } from '../containers.ts';
import { xavierUniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { LayerNorm } from './normalization.ts';
import { decoderMasks, layerOptions, TransformerDecoderLayer, TransformerEncoderLayer } from './transformer-layer.ts';
import type { Copyable, DecoderMasks, EncoderMasks, TransformerLayerOptions } from './transformer-layer.ts';

/** An encoder layer: what TransformerEncoder stacks. */
export interface EncoderLike extends Copyable {
  forward(src: Tensor, options?: EncoderMasks): Tensor;
}

/** A decoder layer: what TransformerDecoder stacks. */
export interface DecoderLike extends Copyable {
  forward(tgt: Tensor, memory: Tensor, options?: DecoderMasks): Tensor;
}

function copies<T extends Copyable>(layer: T, count: number): ModuleList {
  if (!(Number.isInteger(count) && count >= 0)) {
    throw new ValueError(`numLayers must be a whole number, got ${String(count)}`, { argument: 'numLayers' });
  }
  return new ModuleList(Array.from({ length: count }, () => layer.copy()));
}

/** Masks of an encoder. */
export interface EncoderOptions {
  /** As `srcMask` of its layers. */
  mask?: Tensor | null | undefined;
  /** As `srcKeyPaddingMask` of its layers. */
  srcKeyPaddingMask?: Tensor | null | undefined;
  /** As `isCausal` of its layers. */
  isCausal?: boolean | undefined;
}

/**
 * Copies of an encoder layer, one after the other; all begin with the values of that layer.
 * @shape [S, N, E], batch first or without if so -> the same
 * @source torch.nn.TransformerEncoder
 */
export class TransformerEncoder extends Module {
  layers: ModuleList;
  readonly numLayers: number;
  norm: Module | null;

  constructor(encoderLayer: EncoderLike, numLayers: number, norm: Module | null = null) {
    super();
    this.layers = copies(encoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
  }

  forward(src: Tensor, options: EncoderOptions = {}): Tensor {
    requireOptions('TransformerEncoder', options, ['mask', 'srcKeyPaddingMask', 'isCausal']);
    const { mask: srcMask, ...rest } = options;
    let x = src;
    for (const layer of this.layers) x = (layer as EncoderLike)(x, { srcMask, ...rest });
    return this.norm === null ? x : (this.norm(x) as Tensor);
  }
}

/**
 * Copies of a decoder layer, one after the other; all begin with the values of that layer.
 * @shape target [T, N, E], memory [S, N, E], batch first or without if so -> [T, N, E]
 * @source torch.nn.TransformerDecoder
 */
export class TransformerDecoder extends Module {
  layers: ModuleList;
  readonly numLayers: number;
  norm: Module | null;

  constructor(decoderLayer: DecoderLike, numLayers: number, norm: Module | null = null) {
    super();
    this.layers = copies(decoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderMasks = {}): Tensor {
    requireOptions('TransformerDecoder', options, decoderMasks);
    let x = tgt;
    for (const layer of this.layers) x = (layer as DecoderLike)(x, memory, options);
    return this.norm === null ? x : (this.norm(x) as Tensor);
  }
}

/** Options of Transformer. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Default 6. */
  numEncoderLayers?: number | undefined;
  /** Default 6. */
  numDecoderLayers?: number | undefined;
  /** An encoder of your own. */
  customEncoder?: TransformerEncoder | null | undefined;
  /** A decoder of your own. */
  customDecoder?: TransformerDecoder | null | undefined;
}

/** Masks of a transformer. */
export interface TransformerMasks extends Omit<EncoderMasks, 'isCausal'>, DecoderMasks {
  /** A hint that srcMask is causal, which must be given beside it; default false. */
  srcIsCausal?: boolean | undefined;
}

/**
 * An encoder, and a decoder that attends to what it gives. All matrices begin uniform, after Glorot and
 * Bengio.
 * @shape source [S, N, E], target [T, N, E], batch first or without if so -> [T, N, E]
 * @throws ShapeError when source and target do not fit
 * @source torch.nn.Transformer (Vaswani et al. 2017)
 */
export class Transformer extends Module {
  encoder: TransformerEncoder;
  decoder: TransformerDecoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(dModel = 512, nhead = 8, options: TransformerOptions = {}) {
    super();
    requireSizes('Transformer', { dModel, nhead });
    requireOptions('Transformer', options, [
      ...layerOptions,
      'numEncoderLayers',
      'numDecoderLayers',
      'customEncoder',
      'customDecoder',
    ]);
    const { numEncoderLayers = 6, numDecoderLayers = 6, customEncoder, customDecoder, ...layer } = options;
    const norm = (): LayerNorm => {
      const { layerNormEps: eps = 1e-5, bias = true, dtype } = layer;
      return new LayerNorm(dModel, { eps, bias, dtype });
    };
    this.encoder =
      customEncoder ??
      new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, norm());
    this.decoder =
      customDecoder ??
      new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, norm());
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = layer.batchFirst ?? false;
    this.resetParameters();
  }

  /** Draws the initial values of all matrices again. */
  resetParameters(): void {
    for (const parameter of this.parameters()) if (parameter.ndim > 1) xavierUniform_(parameter);
  }

  forward(src: Tensor, tgt: Tensor, options: TransformerMasks = {}): Tensor {
    requireOptions('Transformer', options, ['srcMask', 'srcKeyPaddingMask', 'srcIsCausal', ...decoderMasks]);
    const { srcMask, srcKeyPaddingMask, srcIsCausal, ...masks } = options;
    const batch = this.batchFirst ? 0 : 1;
    const isBatched = src.ndim === 3;
    if (
      src.ndim !== tgt.ndim ||
      (isBatched && src.shape[batch] !== tgt.shape[batch]) ||
      [src, tgt].some((x) => x.shape.at(-1) !== this.dModel)
    ) {
      throw new ShapeError(
        `Transformer: source and target are [${src.shape.join(', ')}] and [${tgt.shape.join(', ')}]; both need ${this.dModel} ` +
          'features and the same batch',
        { shapes: [src.shape, tgt.shape] },
      );
    }
    const memory = this.encoder(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return this.decoder(tgt, memory, masks);
  }

  /**
   * A mask to add, by which each step sees none behind it: −∞ above the diagonal, 0 elsewhere.
   * @source torch.nn.Transformer.generate_square_subsequent_mask
   */
  static generateSquareSubsequentMask(
    size: number,
    options: { dtype?: DTypeName | undefined } = {},
  ): Tensor {
    requireOptions('generateSquareSubsequentMask', options, ['dtype']);
    return full([size, size], -Infinity, { dtype: options.dtype }).triu(1);
  }
}
