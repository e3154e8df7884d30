import {
  cat,
  dropout,
  empty,
  ShapeError,
  stack,
  ValueError,
  zeros,
  type DTypeName,
  Tensor,
  requireOptions,
  warnOnce,
} from '@tapegrad/core';
import { uniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { PackedSequence, reordered } from '../packed-sequence.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';
import {
  passOver,
  recurrentKinds,
  type RecurrentKind,
  type RecurrentState,
  type RecurrentWeights,
} from './recurrent-step.ts';

/** Options of the recurrent layers. */
export interface RecurrentOptions {
  /** How many layers stand on each other, if that is not given by position; default 1. */
  numLayers?: number | undefined;
  /** Whether biases are added; default true. */
  bias?: boolean | undefined;
  /** Whether the batch is the first dimension; default false: it is the second, behind time. */
  batchFirst?: boolean | undefined;
  /** Share of the outputs of all layers but the last that is dropped in training; default 0. */
  dropout?: number | undefined;
  /** Whether each layer also goes through the sequence from its end; default false. */
  bidirectional?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/** Options of RNN. */
export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  nonlinearity?: 'tanh' | 'relu' | undefined;
}

/** Options of LSTM. */
export interface LSTMOptions extends RecurrentOptions {
  /** Size that the hidden state is projected to; default 0: it is not. */
  projSize?: number | undefined;
}

const sharedOptions = ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'dtype'] as const;

/** Output of all steps and last state. */
interface Run {
  readonly output: Tensor | PackedSequence;
  readonly state: RecurrentState;
}

/** An input as the steps go over it: one step's rows after the other's. */
interface Laid {
  readonly rows: Tensor;
  readonly batchSizes: readonly number[];
  /** Order of the sequences in the batch, if they were sorted. */
  readonly order: readonly number[] | null;
  readonly restored: readonly number[] | null;
  readonly isBatched: boolean;
  /** The output of the steps in the form of the input. */
  restore(output: Tensor): Tensor | PackedSequence;
}

/**
 * What the recurrent layers share: parameters by layer and direction, and the way through layers and time.
 */
abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;
  readonly #kind: RecurrentKind;

  constructor(
    kind: RecurrentKind,
    inputSize: number,
    hiddenSize: number,
    layers: number | LSTMOptions,
    further: LSTMOptions,
  ) {
    super();
    requireSizes(this.constructor.name, { inputSize, hiddenSize });
    const options = typeof layers === 'object' ? layers : further;
    const numLayers = typeof layers === 'object' ? (layers.numLayers ?? 1) : layers;
    requireOptions(this.constructor.name, options, kind.hasCell ? [...sharedOptions, 'projSize'] : sharedOptions);
    const { bias = true, batchFirst = false, bidirectional = false, projSize = 0, dtype } = options;
    const name = this.constructor.name;
    const p = options.dropout ?? 0;
    if (!(p >= 0 && p <= 1))
      throw new ValueError(`${name}: dropout must be between 0 and 1, got ${p}`, { argument: 'dropout' });
    if (!(Number.isInteger(numLayers) && numLayers > 0)) {
      throw new ValueError(`${name}: numLayers must be a positive whole number, got ${numLayers}`, {
        argument: 'numLayers',
      });
    }
    if (projSize < 0 || (projSize > 0 && projSize >= hiddenSize)) {
      throw new ValueError(`${name}: projSize must be less than hiddenSize ${hiddenSize}, got ${projSize}`, {
        argument: 'projSize',
      });
    }
    if (p > 0 && numLayers === 1) {
      warnOnce(
        'dropout of one recurrent layer',
        `${name}: dropout is applied behind all layers but the last, so it does nothing with one layer.`,
      );
    }
    this.#kind = kind;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    for (const { layer, suffix, key } of this.#passes()) {
      const add = (field: string, stem: string, shape: number[]): void =>
        this.registerParameter(`${field}${suffix}`, new Parameter(empty(shape, { dtype })), {
          key: `${stem}${key}`,
        });
      const rows = kind.gates * hiddenSize;
      add('weightIh', 'weight_ih', [rows, layer === 0 ? inputSize : this.#outSize * this.#directions]);
      add('weightHh', 'weight_hh', [rows, this.#outSize]);
      if (bias) add('biasIh', 'bias_ih', [rows]);
      if (bias) add('biasHh', 'bias_hh', [rows]);
      if (projSize > 0) add('weightHr', 'weight_hr', [projSize, hiddenSize]);
    }
    this.resetParameters();
  }

  get #directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  get #outSize(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  /** Every direction of every layer, with what its parameters' names end in. */
  #passes(): { layer: number; isReverse: boolean; suffix: string; key: string }[] {
    return Array.from({ length: this.numLayers * this.#directions }, (_, i) => {
      const layer = Math.floor(i / this.#directions);
      const isReverse = i % this.#directions === 1;
      return {
        layer,
        isReverse,
        suffix: `L${layer}${isReverse ? 'Reverse' : ''}`,
        key: `_l${layer}${isReverse ? '_reverse' : ''}`,
      };
    });
  }

  #weights(suffix: string): RecurrentWeights {
    const fields = this as unknown as Readonly<Record<string, Tensor | undefined>>;
    return {
      weightIh: fields[`weightIh${suffix}`]!,
      weightHh: fields[`weightHh${suffix}`]!,
      biasIh: fields[`biasIh${suffix}`] ?? null,
      biasHh: fields[`biasHh${suffix}`] ?? null,
      weightHr: fields[`weightHr${suffix}`] ?? null,
    };
  }

  /** Draws the initial values again, all uniform in ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  /** Goes through all layers. `given` are the initial states of all layers and directions, null for zeros. */
  protected run(x: Tensor | PackedSequence, given: RecurrentState | null): Run {
    const laid = this.#laid(x);
    const states = this.#initial(laid, given);
    const last: RecurrentState[] = [];
    let rows = laid.rows;
    const passes = this.#passes();
    for (let layer = 0; layer < this.numLayers; layer++) {
      const outputs = passes
        .filter((pass) => pass.layer === layer)
        .map(({ isReverse, suffix }) => {
          const start = states.map((part) => part.select(0, last.length));
          const pass = passOver(this.#kind, rows, laid.batchSizes, start, this.#weights(suffix), isReverse);
          last.push(pass.last);
          return pass.output;
        });
      rows = outputs.length === 1 ? outputs[0]! : beside(outputs);
      if (layer < this.numLayers - 1) rows = dropout(rows, this.dropout, this.training);
    }
    const state = states.map((_, i) => {
      const part = reordered(stack(last.map((pass) => pass[i]!)), 1, laid.restored);
      return laid.isBatched ? part : part.squeeze(1);
    });
    return { output: laid.restore(rows), state };
  }

  #laid(x: Tensor | PackedSequence): Laid {
    if (x instanceof PackedSequence) {
      this.#checkFeatures(x.data);
      const { data, batchSizes, sortedIndices: order, unsortedIndices: restored } = x;
      return {
        rows: data,
        batchSizes,
        order,
        restored,
        isBatched: true,
        restore: (output) => x.withData(output),
      };
    }
    if (x.ndim !== 2 && x.ndim !== 3) {
      throw new ShapeError(
        `${this.constructor.name}: expected [T, N, in] or unbatched [T, in], got [${x.shape.join(', ')}]`,
        {
          argument: 'x',
          shapes: [x.shape],
        },
      );
    }
    this.#checkFeatures(x);
    const isBatched = x.ndim === 3;
    const isTurned = isBatched && this.batchFirst;
    const timeFirst = isTurned ? x.transpose(0, 1) : x;
    const steps = timeFirst.shape[0]!;
    const batch = isBatched ? timeFirst.shape[1]! : 1;
    if (steps === 0) {
      throw new ShapeError(
        `${this.constructor.name}: the sequence must have at least one step, got [${x.shape.join(', ')}]`,
        { shapes: [x.shape] },
      );
    }
    return {
      rows: timeFirst.reshape([steps * batch, this.inputSize]),
      batchSizes: new Array<number>(steps).fill(batch),
      order: null,
      restored: null,
      isBatched,
      restore: (output) => {
        const shaped = output.reshape([...timeFirst.shape.slice(0, -1), output.shape[1]!]);
        return isTurned ? shaped.transpose(0, 1) : shaped;
      },
    };
  }

  #checkFeatures(x: Tensor): void {
    if (x.shape.at(-1) === this.inputSize) return;
    throw new ShapeError(
      `${this.constructor.name}: input is [${x.shape.join(', ')}], expected [..., ${this.inputSize}]`,
      {
        argument: 'x',
        shapes: [x.shape],
      },
    );
  }

  /** The states to begin with, [layers · directions, N, size] each. */
  #initial({ rows, batchSizes, order, isBatched }: Laid, given: RecurrentState | null): Tensor[] {
    const count = this.numLayers * this.#directions;
    const batch = batchSizes[0]!;
    const sizes = this.#kind.hasCell ? [this.#outSize, this.hiddenSize] : [this.#outSize];
    if (given === null) return sizes.map((size) => zeros([count, batch, size], { dtype: rows.dtype }));
    const parts = sizes.map((_, i) => given[i]);
    if (!parts.every((part) => part instanceof Tensor)) {
      const form = this.#kind.hasCell ? 'a pair of tensors, [hidden, cell]' : 'one tensor';
      throw new ValueError(`${this.constructor.name}: the initial state must be ${form}`, { argument: 'state' });
    }
    return sizes.map((size, i) => {
      const part = parts[i]!;
      const expected = isBatched ? [count, batch, size] : [count, size];
      if (part.ndim !== expected.length || part.shape.some((n, d) => n !== expected[d])) {
        throw new ShapeError(
          `${this.constructor.name}: the initial ${i === 0 ? 'hidden state' : 'cell'} is ` +
            `[${part.shape.join(', ')}], expected [${expected.join(', ')}]`,
          { argument: 'state', shapes: [part.shape] },
        );
      }
      return reordered(isBatched ? part : part.unsqueeze(1), 1, order);
    });
  }

  override get dependsOnMode(): boolean {
    return this.dropout > 0;
  }

  override extraRepr(): string {
    const { inputSize, hiddenSize, numLayers, projSize, bias, batchFirst, dropout: p, bidirectional } = this;
    const rest = listed({
      projSize: projSize || undefined,
      numLayers: numLayers === 1 ? undefined : numLayers,
      bias: bias ? undefined : false,
      batchFirst: batchFirst || undefined,
      dropout: p || undefined,
      bidirectional: bidirectional || undefined,
    });
    return `${inputSize}, ${hiddenSize}${rest === '' ? '' : `, ${rest}`}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.inputSize} → ${this.hiddenSize}`;
  }
}

/** Features of both directions side by side. */
function beside(outputs: readonly Tensor[]): Tensor {
  return cat(outputs, 1);
}

/** What a sequence layer gives for a tensor, or for packed sequences. */
type Same<X extends Tensor | PackedSequence> = X extends PackedSequence ? PackedSequence : Tensor;

/**
 * An Elman network: each step's hidden state is tanh or ReLU of a linear function of the input and the last
 * one.
 * @shape [T, N, in] or [T, in] -> output [T, N, directions · H], state [layers · directions, N, H]
 * @throws ShapeError when input or state do not fit
 * @source torch.nn.RNN
 */
export class RNN extends Recurrent {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    numLayers: number | RNNOptions = 1,
    options: RNNOptions = {},
  ) {
    const { nonlinearity = 'tanh', ...rest } = typeof numLayers === 'object' ? numLayers : options;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ValueError(`RNN: the nonlinearity must be 'tanh' or 'relu', got '${String(nonlinearity)}'`, {
        argument: 'nonlinearity',
      });
    }
    super(recurrentKinds[nonlinearity], inputSize, hiddenSize, typeof numLayers === 'object' ? rest : numLayers, rest);
    this.nonlinearity = nonlinearity;
  }

  /** @returns the output of all steps and the last hidden state */
  forward<X extends Tensor | PackedSequence>(
    x: X,
    hidden: Tensor | null = null,
  ): [output: Same<X>, hidden: Tensor] {
    const { output, state } = this.run(x, hidden === null ? null : [hidden]);
    return [output as Same<X>, state[0]!];
  }
}

/** Called with a tensor it gives a tensor, with packed sequences such. */
export interface RNN {
  (x: Tensor, state?: Tensor | null): [output: Tensor, hidden: Tensor];
  (x: PackedSequence, state?: Tensor | null): [output: PackedSequence, hidden: Tensor];
}

/**
 * A long short-term memory: gates decide what its cell forgets, takes in and gives out.
 * @shape [T, N, in] or [T, in] -> output [T, N, directions · out], hidden [layers · directions, N, out] and
 * cell [..., H],
 * where out is projSize, or H without projection
 * @throws ShapeError when input or state do not fit
 * @example
 * const lstm = new nn.LSTM(3, 5, 2, { bidirectional: true });
 * const [output, [hidden, cell]] = lstm(tg.ones([7, 4, 3]));
 * console.log(output.shape, hidden.shape, cell.shape); // → [ 7, 4, 10 ] [ 4, 4, 5 ] [ 4, 4, 5 ]
 * @source torch.nn.LSTM (Hochreiter & Schmidhuber 1997)
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, numLayers: number | LSTMOptions = 1, options: LSTMOptions = {}) {
    super(recurrentKinds.lstm, inputSize, hiddenSize, numLayers, options);
  }

  /** @returns the output of all steps, and the last hidden state and cell */
  forward<X extends Tensor | PackedSequence>(
    x: X,
    state: readonly [hidden: Tensor, cell: Tensor] | null = null,
  ): [output: Same<X>, state: [hidden: Tensor, cell: Tensor]] {
    const { output, state: last } = this.run(x, state);
    return [output as Same<X>, [last[0]!, last[1]!]];
  }
}

/** Called with a tensor it gives a tensor, with packed sequences such. */
export interface LSTM {
  (
    x: Tensor,
    state?: readonly [hidden: Tensor, cell: Tensor] | null,
  ): [output: Tensor, state: [hidden: Tensor, cell: Tensor]];
  (
    x: PackedSequence,
    state?: readonly [hidden: Tensor, cell: Tensor] | null,
  ): [output: PackedSequence, state: [hidden: Tensor, cell: Tensor]];
}

/**
 * A gated recurrent unit: gates decide how much of the hidden state is renewed, and from what.
 * @shape [T, N, in] or [T, in] -> output [T, N, directions · H], state [layers · directions, N, H]
 * @throws ShapeError when input or state do not fit
 * @source torch.nn.GRU (Cho et al. 2014)
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, numLayers: number | RecurrentOptions = 1, options: RecurrentOptions = {}) {
    super(recurrentKinds.gru, inputSize, hiddenSize, numLayers, options);
  }

  /** @returns the output of all steps and the last hidden state */
  forward<X extends Tensor | PackedSequence>(
    x: X,
    hidden: Tensor | null = null,
  ): [output: Same<X>, hidden: Tensor] {
    const { output, state } = this.run(x, hidden === null ? null : [hidden]);
    return [output as Same<X>, state[0]!];
  }
}

/** Called with a tensor it gives a tensor, with packed sequences such. */
export interface GRU {
  (x: Tensor, state?: Tensor | null): [output: Tensor, hidden: Tensor];
  (x: PackedSequence, state?: Tensor | null): [output: PackedSequence, hidden: Tensor];
}
