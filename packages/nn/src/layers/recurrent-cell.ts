import { empty, requireOptions, ShapeError, ValueError, zeros, type DTypeName, type Tensor } from '@tapegrad/core';
import { uniform_ } from '../init.ts';
import { Module } from '../module.ts';
import { requireSizes } from '../named.ts';
import { Parameter } from '../parameter.ts';
import { options as listed } from '../repr.ts';
import { recurrentKinds, stepOf, type RecurrentKind, type RecurrentState } from './recurrent-step.ts';

/** Options of the recurrent cells. */
export interface CellOptions {
  /** Whether biases are added; default true. */
  bias?: boolean | undefined;
  /** dtype of the parameters; default float32. */
  dtype?: DTypeName | undefined;
}

/** Options of RNNCell. */
export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  nonlinearity?: 'tanh' | 'relu' | undefined;
}

/** What the cells share: the parameters of one step, and how a step is taken. */
abstract class Cell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** @shape [gates · hiddenSize, inputSize] */
  weightIh!: Parameter;
  /** @shape [gates · hiddenSize, hiddenSize] */
  weightHh!: Parameter;
  biasIh!: Parameter | null;
  biasHh!: Parameter | null;
  readonly #kind: RecurrentKind;

  constructor(
    kind: RecurrentKind,
    inputSize: number,
    hiddenSize: number,
    options: CellOptions,
  ) {
    super();
    requireSizes(this.constructor.name, { inputSize, hiddenSize });
    requireOptions(this.constructor.name, options, ['bias', 'dtype']);
    const { bias = true, dtype } = options;
    this.#kind = kind;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const rows = kind.gates * hiddenSize;
    const add = (field: string, key: string, shape: number[] | null): void =>
      this.registerParameter(field, shape === null ? null : new Parameter(empty(shape, { dtype })), { key });
    add('weightIh', 'weight_ih', [rows, inputSize]);
    add('weightHh', 'weight_hh', [rows, hiddenSize]);
    add('biasIh', 'bias_ih', bias ? [rows] : null);
    add('biasHh', 'bias_hh', bias ? [rows] : null);
    this.resetParameters();
  }

  /** Draws the initial values again, all uniform in ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  protected step(x: Tensor, given: RecurrentState | null): RecurrentState {
    const name = this.constructor.name;
    if ((x.ndim !== 1 && x.ndim !== 2) || x.shape.at(-1) !== this.inputSize) {
      throw new ShapeError(
        `${name}: input is [${x.shape.join(', ')}], expected [N, ${this.inputSize}] or [${this.inputSize}]`,
        {
          argument: 'x',
          shapes: [x.shape],
        },
      );
    }
    const expected = [...x.shape.slice(0, -1), this.hiddenSize];
    const count = this.#kind.hasCell ? 2 : 1;
    const state = given ?? Array.from({ length: count }, () => zeros(expected, { dtype: x.dtype }));
    for (let i = 0; i < count; i++) {
      const part = state[i];
      if (
        part !== undefined &&
        part.ndim === expected.length &&
        part.shape.every((n, d) => n === expected[d])
      )
        continue;
      throw new ShapeError(
        `${name}: the ${i === 0 ? 'hidden state' : 'cell'} is ${part === undefined ? 'missing' : `[${part.shape.join(', ')}]`}, ` +
          `expected [${expected.join(', ')}]`,
        { argument: 'state' },
      );
    }
    const { weightIh, weightHh, biasIh, biasHh } = this;
    const weights = { weightIh, weightHh, biasIh, biasHh, weightHr: null };
    const rows = (tensor: Tensor): Tensor => (x.ndim === 1 ? tensor.unsqueeze(0) : tensor);
    const fromInput = rows(x).linear(weights.weightIh, this.#kind.inputBias(weights));
    const next = stepOf(this.#kind, fromInput, state.map(rows), weights);
    return x.ndim === 1 ? next.map((part) => part.squeeze(0)) : next;
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.biasIh === null ? `, ${listed({ bias: false })}` : ''}`;
  }

  override label(): string {
    return `${this.constructor.name} ${this.inputSize} → ${this.hiddenSize}`;
  }
}

/**
 * One step of an RNN.
 * @shape [N, in] or [in], hidden [N, H] or [H] -> [N, H] or [H]
 * @source torch.nn.RNNCell
 */
export class RNNCell extends Cell {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    { nonlinearity = 'tanh', ...options }: RNNCellOptions = {},
  ) {
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ValueError(
        `RNNCell: the nonlinearity must be 'tanh' or 'relu', got '${String(nonlinearity)}'`,
        { argument: 'nonlinearity' },
      );
    }
    super(recurrentKinds[nonlinearity], inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  forward(x: Tensor, hidden: Tensor | null = null): Tensor {
    return this.step(x, hidden === null ? null : [hidden])[0]!;
  }
}

/**
 * One step of an LSTM.
 * @shape [N, in] or [in], hidden and cell [N, H] or [H] -> the same
 * @source torch.nn.LSTMCell
 */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(recurrentKinds.lstm, inputSize, hiddenSize, options);
  }

  forward(
    x: Tensor,
    state: readonly [hidden: Tensor, cell: Tensor] | null = null,
  ): [hidden: Tensor, cell: Tensor] {
    const [hidden, cell] = this.step(x, state);
    return [hidden!, cell!];
  }
}

/**
 * One step of a GRU.
 * @shape [N, in] or [in], hidden [N, H] or [H] -> [N, H] or [H]
 * @source torch.nn.GRUCell
 */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(recurrentKinds.gru, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, hidden: Tensor | null = null): Tensor {
    return this.step(x, hidden === null ? null : [hidden])[0]!;
  }
}
