import {
  getRngState,
  relu,
  setRngState,
  ValueError,
  gelu,
  type DTypeName,
  type Tensor,
  requireOptions,
} from '@tapegrad/core';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Dropout } from './dropout.ts';
import { Linear } from './linear.ts';
import { MultiheadAttention } from './multihead-attention.ts';
import { LayerNorm } from './normalization.ts';

/** Options of the transformer's layers. */
export interface TransformerLayerOptions {
  /** Features between the two linear layers; default 2048. */
  dimFeedforward?: number | undefined;
  /** Share that is dropped in training; default 0.1. */
  dropout?: number | undefined;
  /** What stands between the linear layers; default 'relu'. */
  activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor) | undefined;
  /** Added to variances; default 1e-5. */
  layerNormEps?: number | undefined;
  /** Whether the batch is the first dimension; default false: it is the second. */
  batchFirst?: boolean | undefined;
  /** Normalise before attention and linear layers rather than after; default false. */
  normFirst?: boolean | undefined;
  /** Whether linear layers and norms have biases; default true. */
  bias?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/** The names of these options. */
export const layerOptions: readonly (keyof TransformerLayerOptions)[] = [
  'dimFeedforward',
  'dropout',
  'activation',
  'layerNormEps',
  'batchFirst',
  'normFirst',
  'bias',
  'dtype',
];

/** A layer that can make another one like itself, with the same values. */
export interface Copyable extends Module {
  copy(): this;
}

const activations: Readonly<Record<'relu' | 'gelu', (x: Tensor) => Tensor>> = {
  relu: (x) => relu(x),
  gelu: (x) => gelu(x),
};

function activationOf(name: string, given: TransformerLayerOptions['activation']): (x: Tensor) => Tensor {
  if (typeof given === 'function') return given;
  const found = activations[given ?? 'relu'];
  if (found !== undefined) return found;
  throw new ValueError(
    `${name}: the activation must be 'relu', 'gelu' or a function, got '${String(given)}'`,
    { argument: 'activation' },
  );
}

/** The values of one layer in another one like it; the random stream stays where it is. */
function copyOf<T extends Module>(layer: T, make: () => T): T {
  const state = getRngState();
  const copy = make();
  setRngState(state);
  copy.loadStateDict(layer.stateDict());
  copy.train(layer.training);
  const flags = new Map(layer.namedParameters().map(([name, { requiresGrad }]) => [name, requiresGrad]));
  for (const [name, parameter] of copy.namedParameters()) parameter.requiresGrad_(flags.get(name)!);
  return copy;
}

/** Masks of an encoder layer. */
export interface EncoderMasks {
  /** Pairs that are left out where true, or numbers that are added. @shape [S, S] or [N · heads, S, S] */
  srcMask?: Tensor | null | undefined;
  /** Steps that nobody looks at where true. @shape [N, S] or [S] */
  srcKeyPaddingMask?: Tensor | null | undefined;
  /** A hint that srcMask is causal, which must be given beside it; default false. */
  isCausal?: boolean | undefined;
}

/** The names of these options. */
export const encoderMasks: readonly (keyof EncoderMasks)[] = ['srcMask', 'srcKeyPaddingMask', 'isCausal'];

/** Masks of a decoder layer. */
export interface DecoderMasks {
  /**
   * Pairs of the target that are left out where true, or numbers that are added.
   * @shape [T, T] or [N · heads, T, T]
   */
  tgtMask?: Tensor | null | undefined;
  /** Pairs of target and memory. @shape [T, S] or [N · heads, T, S] */
  memoryMask?: Tensor | null | undefined;
  /** Steps of the target that nobody looks at where true. @shape [N, T] or [T] */
  tgtKeyPaddingMask?: Tensor | null | undefined;
  /** Steps of the memory. @shape [N, S] or [S] */
  memoryKeyPaddingMask?: Tensor | null | undefined;
  /** A hint that tgtMask is causal, which must be given beside it; default false. */
  tgtIsCausal?: boolean | undefined;
  /** A hint that memoryMask is causal, which must be given beside it; default false. */
  memoryIsCausal?: boolean | undefined;
}

/** The names of these options. */
export const decoderMasks: readonly (keyof DecoderMasks)[] = [
  'tgtMask',
  'memoryMask',
  'tgtKeyPaddingMask',
  'memoryKeyPaddingMask',
  'tgtIsCausal',
  'memoryIsCausal',
];

/** What encoder and decoder layers share: self-attention, and two linear layers. */
abstract class TransformerLayer extends Module {
  readonly normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #arguments: readonly [number, number, TransformerLayerOptions];

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions) {
    super();
    requireSizes(this.constructor.name, { dModel, nhead });
    requireOptions(this.constructor.name, options, layerOptions);
    this.#activation = activationOf(this.constructor.name, options.activation);
    this.normFirst = options.normFirst ?? false;
    this.#arguments = [dModel, nhead, options];
  }

  /** Another layer like this one, with the same values. */
  copy(): this {
    const dtype = this.parameters()[0]!.dtype as DTypeName;
    const [dModel, nhead, options] = this.#arguments;
    const Class = this.constructor as new (...args: [number, number, TransformerLayerOptions]) => this;
    return copyOf(this, () => new Class(dModel, nhead, { ...options, dtype }));
  }

  protected fed(
    x: Tensor,
    { linear1, linear2, inner, outer }: { linear1: Linear; linear2: Linear; inner: Dropout; outer: Dropout },
  ): Tensor {
    return outer(linear2(inner(this.#activation(linear1(x)))));
  }

  /** x and what a part makes of it, normalised before or after. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(part(norm(x))) : norm(x.add(part(x)));
  }
}

interface Parts {
  readonly attention: () => MultiheadAttention;
  readonly linear: (inFeatures: number, outFeatures: number) => Linear;
  readonly norm: () => LayerNorm;
  readonly dropout: () => Dropout;
  readonly width: number;
}

function partsOf(dModel: number, nhead: number, options: TransformerLayerOptions): Parts {
  const { dropout = 0.1, layerNormEps: eps = 1e-5, batchFirst = false, bias = true, dtype } = options;
  const typed = dtype === undefined ? {} : { dtype };
  return {
    attention: () => new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias, dtype }),
    linear: (inFeatures, outFeatures) => new Linear(inFeatures, outFeatures, { bias, ...typed }),
    norm: () => new LayerNorm(dModel, { eps, bias, dtype }),
    dropout: () => new Dropout(dropout),
    width: options.dimFeedforward ?? 2048,
  };
}

/**
 * Self-attention and two linear layers, each with a residual connection and a norm.
 * @shape [S, N, E], batch first or without if so -> the same
 * @source torch.nn.TransformerEncoderLayer (Vaswani et al. 2017)
 */
export class TransformerEncoderLayer extends TransformerLayer {
  selfAttn!: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
    const { attention, linear, norm, dropout, width } = partsOf(dModel, nhead, options);
    this.registerModule('selfAttn', attention(), { key: 'self_attn' });
    this.linear1 = linear(dModel, width);
    this.dropout = dropout();
    this.linear2 = linear(width, dModel);
    this.norm1 = norm();
    this.norm2 = norm();
    this.dropout1 = dropout();
    this.dropout2 = dropout();
  }

  forward(src: Tensor, options: EncoderMasks = {}): Tensor {
    requireOptions('TransformerEncoderLayer', options, encoderMasks);
    const { srcMask, srcKeyPaddingMask, isCausal } = options;
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, needWeights: false, isCausal };
    const attended = this.residual(src, this.norm1, (x) => this.dropout1(this.selfAttn(x, x, x, masks)[0]));
    const { linear1, linear2, dropout: inner, dropout2: outer } = this;
    return this.residual(attended, this.norm2, (x) => this.fed(x, { linear1, linear2, inner, outer }));
  }
}

/**
 * Self-attention, attention to a memory and two linear layers, each with a residual connection and a norm.
 * @shape target [T, N, E], memory [S, N, E], batch first or without if so -> [T, N, E]
 * @source torch.nn.TransformerDecoderLayer (Vaswani et al. 2017)
 */
export class TransformerDecoderLayer extends TransformerLayer {
  selfAttn!: MultiheadAttention;
  multiheadAttn!: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
    const { attention, linear, norm, dropout, width } = partsOf(dModel, nhead, options);
    this.registerModule('selfAttn', attention(), { key: 'self_attn' });
    this.registerModule('multiheadAttn', attention(), { key: 'multihead_attn' });
    this.linear1 = linear(dModel, width);
    this.dropout = dropout();
    this.linear2 = linear(width, dModel);
    this.norm1 = norm();
    this.norm2 = norm();
    this.norm3 = norm();
    this.dropout1 = dropout();
    this.dropout2 = dropout();
    this.dropout3 = dropout();
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderMasks = {}): Tensor {
    requireOptions('TransformerDecoderLayer', options, decoderMasks);
    const { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, tgtIsCausal, memoryIsCausal } = options;
    const needWeights = false;
    const own = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, needWeights, isCausal: tgtIsCausal };
    const cross = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, needWeights, isCausal: memoryIsCausal };
    const attended = this.residual(tgt, this.norm1, (x) => this.dropout1(this.selfAttn(x, x, x, own)[0]));
    const informed = this.residual(attended, this.norm2, (x) =>
      this.dropout2(this.multiheadAttn(x, memory, memory, cross)[0]),
    );
    const { linear1, linear2, dropout: inner, dropout3: outer } = this;
    return this.residual(informed, this.norm3, (x) => this.fed(x, { linear1, linear2, inner, outer }));
  }
}
