import { empty, noGrad, ShapeError, ValueError, type DTypeName, type Tensor, requireOptions } from '@tapegrad/core';
import { attend, attentionOptions, requireMask, type MultiHeadOptions } from '../functional/multi-head-attention.ts';
import { xavierNormal_, xavierUniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';
import { Linear } from './linear.ts';

/** Options of MultiheadAttention. */
export interface MultiheadAttentionOptions {
  /** Share of the weights that is dropped in training; default 0. */
  dropout?: number | undefined;
  /** Whether the projections have biases; default true. */
  bias?: boolean | undefined;
  /** Learn one further key and value; default false. */
  addBiasKv?: boolean | undefined;
  /** Add a key and a value of zeros; default false. */
  addZeroAttn?: boolean | undefined;
  /** Features of the keys; default those of the queries. */
  kdim?: number | null | undefined;
  /** Features of the values; default those of the queries. */
  vdim?: number | null | undefined;
  /** Whether the batch is the first dimension; default false: it is the second. */
  batchFirst?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

const optionNames = [
  'dropout',
  'bias',
  'addBiasKv',
  'addZeroAttn',
  'kdim',
  'vdim',
  'batchFirst',
  'dtype',
] as const;

/**
 * Attention by several heads: queries, keys and values are projected, each head attends with its part of the
 * features,
 * and the heads' results are projected together.
 * @shape query [L, N, E], key [S, N, kdim], value [S, N, vdim], batch first or without if so -> output [L, N,
 * E],
 * weights [N, L, S]
 * @throws ValueError when the heads do not divide the features; ShapeError when inputs or masks do not fit
 * @source torch.nn.MultiheadAttention (Vaswani et al. 2017)
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly addZeroAttn: boolean;
  readonly batchFirst: boolean;
  /** Rows for queries, keys and values, where all have as many features. @shape [3 E, E] */
  inProjWeight!: Parameter | null;
  /** @shape [E, E] */
  qProjWeight!: Parameter | null;
  /** @shape [E, kdim] */
  kProjWeight!: Parameter | null;
  /** @shape [E, vdim] */
  vProjWeight!: Parameter | null;
  /** @shape [3 E] */
  inProjBias!: Parameter | null;
  /** @shape [1, 1, E] */
  biasK!: Parameter | null;
  /** @shape [1, 1, E] */
  biasV!: Parameter | null;
  outProj!: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    requireSizes('MultiheadAttention', { embedDim, numHeads });
    requireOptions('MultiheadAttention', options, optionNames);
    const { bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false, dtype } = options;
    if (!(numHeads > 0) || embedDim % numHeads !== 0) {
      throw new ValueError(
        `MultiheadAttention: ${embedDim} features are not divisible by ${numHeads} heads`,
        { argument: 'numHeads' },
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = options.dropout ?? 0;
    this.kdim = options.kdim ?? embedDim;
    this.vdim = options.vdim ?? embedDim;
    this.addZeroAttn = addZeroAttn;
    this.batchFirst = batchFirst;
    const add = (field: string, key: string, shape: number[] | null): void =>
      this.registerParameter(field, shape === null ? null : new Parameter(empty(shape, { dtype })), { key });
    const isOne = this.kdim === embedDim && this.vdim === embedDim;
    add('inProjWeight', 'in_proj_weight', isOne ? [3 * embedDim, embedDim] : null);
    add('qProjWeight', 'q_proj_weight', isOne ? null : [embedDim, embedDim]);
    add('kProjWeight', 'k_proj_weight', isOne ? null : [embedDim, this.kdim]);
    add('vProjWeight', 'v_proj_weight', isOne ? null : [embedDim, this.vdim]);
    add('inProjBias', 'in_proj_bias', bias ? [3 * embedDim] : null);
    add('biasK', 'bias_k', addBiasKv ? [1, 1, embedDim] : null);
    add('biasV', 'bias_v', addBiasKv ? [1, 1, embedDim] : null);
    this.registerModule(
      'outProj',
      new Linear(embedDim, embedDim, { bias, ...(dtype === undefined ? {} : { dtype }) }),
      { key: 'out_proj' },
    );
    this.resetParameters();
  }

  /** Draws the initial values of the projections of queries, keys and values again. */
  resetParameters(): void {
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight]) {
      if (weight !== null) xavierUniform_(weight);
    }
    noGrad(() => {
      this.inProjBias?.zero_();
      this.outProj.bias?.zero_();
    });
    for (const further of [this.biasK, this.biasV]) if (further !== null) xavierNormal_(further);
  }

  /** @returns the output, and the weights unless they are not needed */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: MultiHeadOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    requireOptions('MultiheadAttention', options, attentionOptions);
    this.#check(query, key, value, options);
    const isTurned = query.ndim === 3 && this.batchFirst;
    const { numHeads, training, addZeroAttn, dropout: dropoutP } = this;
    const [output, weights] = attend(
      isTurned ? turned([query, key, value]) : [query, key, value],
      numHeads,
      this,
      (x) => this.outProj(x),
      { ...options, addZeroAttn, dropoutP, training },
    );
    return [isTurned ? output.transpose(0, 1) : output, weights];
  }

  #check(query: Tensor, key: Tensor, value: Tensor, options: MultiHeadOptions): void {
    const rank = query.ndim;
    const steps = rank === 3 && this.batchFirst ? 1 : 0;
    const expected = [this.embedDim, this.kdim, this.vdim];
    const inputs = [query, key, value];
    const fits =
      (rank === 2 || rank === 3) &&
      inputs.every((x, i) => x.ndim === rank && x.shape.at(-1) === expected[i]) &&
      key.shape[steps] === value.shape[steps] &&
      (rank === 2 || inputs.every((x) => x.shape[1 - steps] === query.shape[1 - steps]));
    if (!fits) {
      const form = rank === 2 ? '' : this.batchFirst ? 'N, ' : '';
      const rest = rank === 2 || this.batchFirst ? '' : 'N, ';
      throw new ShapeError(
        `MultiheadAttention: query, key and value are ${inputs.map((x) => `[${x.shape.join(', ')}]`).join(', ')}; expected ` +
          `[${form}L, ${rest}${expected[0]}], [${form}S, ${rest}${expected[1]}] and [${form}S, ${rest}${expected[2]}]`,
        { op: 'MultiheadAttention', shapes: inputs.map((x) => x.shape) },
      );
    }
    requireMask('MultiheadAttention', options);
  }

  override get dependsOnMode(): boolean {
    return this.dropout > 0;
  }

  override extraRepr(): string {
    const { embedDim, numHeads, dropout, batchFirst } = this;
    return listed({ embedDim, numHeads, dropout: dropout || undefined, batchFirst: batchFirst || undefined });
  }

  override label(): string {
    return `${this.constructor.name} ${this.embedDim}, ${this.numHeads} heads`;
  }
}

/** Time in front of the batch; what is one tensor stays one. */
function turned(inputs: readonly [Tensor, Tensor, Tensor]): [Tensor, Tensor, Tensor] {
  const known = new Map(inputs.map((x) => [x, x.transpose(0, 1)]));
  return inputs.map((x) => known.get(x)!) as [Tensor, Tensor, Tensor];
}
