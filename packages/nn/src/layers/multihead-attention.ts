import { cat, empty, noGrad, ShapeError, ValueError, zeros, type DTypeName, type Tensor } from '@tapegrad/core';
import { attendInHeads, scoreMask, type MultiHeadOptions } from '../functional/multi-head-attention.ts';
import { xavierNormal_, xavierUniform_ } from '../init.ts';
import { Module } from '../module.ts';
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

/**
 * Attention by several heads: queries, keys and values are projected, each head attends with its part of the features,
 * and the heads' results are projected together.
 * @shape query [L, N, E], key [S, N, kdim], value [S, N, vdim], batch first or without if so -> output [L, N, E],
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
    const { bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false, dtype } = options;
    if (!(numHeads > 0) || embedDim % numHeads !== 0) {
      throw new ValueError(`MultiheadAttention: ${embedDim} features are not divisible by ${numHeads} heads`, { argument: 'numHeads' });
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
    this.registerModule('outProj', new Linear(embedDim, embedDim, { bias, ...(dtype === undefined ? {} : { dtype }) }), { key: 'out_proj' });
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
  forward(query: Tensor, key: Tensor, value: Tensor, options: MultiHeadOptions = {}): [output: Tensor, weights: Tensor | null] {
    const { needWeights = true, averageAttnWeights = true } = options;
    this.#check(query, key, value, options);
    const isBatched = query.ndim === 3;
    const turned = (x: Tensor): Tensor => (!isBatched ? x.unsqueeze(1) : this.batchFirst ? x.transpose(0, 1) : x);
    let [q, k, v] = this.#project([query, key, value], turned);
    const batch = q.shape[1]!;
    const source = k.shape[0]!;
    if (this.biasK !== null && this.biasV !== null) {
      const further = [1, batch, this.embedDim];
      k = cat([k, this.biasK.expand(further)]);
      v = cat([v, this.biasV.expand(further)]);
    }
    if (this.addZeroAttn) {
      const nothing = zeros([1, batch, this.embedDim], { dtype: k.dtype });
      k = cat([k, nothing]);
      v = cat([v, nothing]);
    }
    const masks = this.#masks(options, [batch, this.numHeads, q.shape[0]!, source], isBatched, k.shape[0]! - source);
    const { output, weights } = attendInHeads(
      { query: q, key: k, value: v, count: this.numHeads },
      masks,
      this.training ? this.dropout : 0,
    );
    const projected = this.outProj(output);
    const shaped = !isBatched ? projected.squeeze(1) : this.batchFirst ? projected.transpose(0, 1) : projected;
    if (!needWeights) return [shaped, null];
    const given = averageAttnWeights ? weights.mean(1) : weights;
    return [shaped, isBatched ? given : given.squeeze(0)];
  }

  /** Queries, keys and values in [T, N, E]; what is the same tensor is projected once, by all weights together. */
  #project(inputs: readonly [Tensor, Tensor, Tensor], turned: (x: Tensor) => Tensor): [Tensor, Tensor, Tensor] {
    const { embedDim: size, inProjWeight, inProjBias } = this;
    const [query, key, value] = inputs;
    if (inProjWeight !== null && query === key && key === value) {
      const all = turned(query).linear(inProjWeight, inProjBias);
      return all.split(size, 2) as [Tensor, Tensor, Tensor];
    }
    const weights = inProjWeight?.split(size) ?? [this.qProjWeight!, this.kProjWeight!, this.vProjWeight!];
    const biases = inProjBias?.split(size) ?? [];
    return inputs.map((x, i) => turned(x).linear(weights[i]!, biases[i])) as [Tensor, Tensor, Tensor];
  }

  /** Masks in the shape of the scores, open for keys that were added. */
  #masks(
    { keyPaddingMask, attnMask }: MultiHeadOptions,
    scores: readonly [number, number, number, number],
    isBatched: boolean,
    added: number,
  ): Tensor[] {
    const masks: Tensor[] = [];
    if (attnMask != null) masks.push(scoreMask(attnMask, 'attnMask', scores));
    if (keyPaddingMask != null) {
      masks.push(scoreMask(isBatched || keyPaddingMask.ndim === 2 ? keyPaddingMask : keyPaddingMask.unsqueeze(0), 'keyPaddingMask', scores));
    }
    return added === 0 ? masks : masks.map((mask) => mask.pad([0, added]));
  }

  #check(query: Tensor, key: Tensor, value: Tensor, { isCausal = false, attnMask }: MultiHeadOptions): void {
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
        { shapes: inputs.map((x) => x.shape) },
      );
    }
    if (isCausal && attnMask == null) {
      throw new ValueError('MultiheadAttention: isCausal is a hint about attnMask, which must be given too', { argument: 'attnMask' });
    }
  }

  override extraRepr(): string {
    const { embedDim, numHeads, dropout, batchFirst } = this;
    return listed({ embedDim, numHeads, dropout: dropout || undefined, batchFirst: batchFirst || undefined });
  }

  override label(): string {
    return `${this.constructor.name} ${this.embedDim}, ${this.numHeads} heads`;
  }
}
