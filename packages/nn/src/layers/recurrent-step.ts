import { cat, gruStep, lstmStep, reluOfSum, tanhOfSum, type Tensor } from '@tapegrad/core';

/** The parameters of one direction of one layer. */
export interface RecurrentWeights {
  /** @shape [gates · H, in] */
  readonly weightIh: Tensor;
  /** @shape [gates · H, out] */
  readonly weightHh: Tensor;
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  /** What projects the hidden state of an LSTM, if anything does. @shape [out, H] */
  readonly weightHr: Tensor | null;
}

/** Hidden state, and cell where there is one. */
export type RecurrentState = readonly Tensor[];

/** How one kind of recurrent layer goes from step to step. */
export interface RecurrentKind {
  /** How many gates there are, the content included. */
  readonly gates: number;
  /** Whether there is a cell beside the hidden state. */
  readonly hasCell: boolean;
  /** What is added to the input's part of the gates, once for the whole sequence. */
  inputBias(weights: RecurrentWeights): Tensor | null;
  /** The next state, from the input's part of the gates. */
  step(fromInput: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState;
}

/** Both biases together, where they are added to the same sum. */
function bothBiases({ biasIh, biasHh }: RecurrentWeights): Tensor | null {
  return biasIh === null || biasHh === null ? (biasIh ?? biasHh) : biasIh.add(biasHh);
}

const plain = (activation: (a: Tensor, b: Tensor) => Tensor): RecurrentKind => ({
  gates: 1,
  hasCell: false,
  inputBias: bothBiases,
  step: (fromInput, [hidden], { weightHh }) => [activation(fromInput, hidden!.linear(weightHh))],
});

/** The recurrent layers, each by its step. */
export const recurrentKinds: Readonly<Record<'tanh' | 'relu' | 'lstm' | 'gru', RecurrentKind>> = {
  tanh: plain(tanhOfSum),
  relu: plain(reluOfSum),
  lstm: {
    gates: 4,
    hasCell: true,
    inputBias: bothBiases,
    step: (fromInput, [hidden, cell], { weightHh, weightHr }) => {
      const [next, nextCell] = lstmStep(hidden!.linear(weightHh).add_(fromInput), cell!);
      return [weightHr === null ? next : next.linear(weightHr), nextCell];
    },
  },
  gru: {
    gates: 3,
    hasCell: false,
    // The reset gate scales the hidden state's part of the content, with its bias.
    inputBias: ({ biasIh }) => biasIh,
    step: (fromInput, [hidden], { weightHh, biasHh }) => [
      gruStep(fromInput, hidden!.linear(weightHh, biasHh), hidden!),
    ],
  },
};

/** What a pass over a sequence gives. */
export interface Pass {
  /** The hidden states of all steps, as the input lies. */
  readonly output: Tensor;
  /** The last state of each sequence. */
  readonly last: RecurrentState;
}

/**
 * Goes through sequences that lie one step after the other: `batchSizes[t]` rows for step t, as in a
 * PackedSequence.
 * The input's part of all gates is one matrix product.
 */
export function passOver(
  kind: RecurrentKind,
  x: Tensor,
  batchSizes: readonly number[],
  initial: RecurrentState,
  weights: RecurrentWeights,
  isReverse: boolean,
): Pass {
  const fromInput = x.linear(weights.weightIh, kind.inputBias(weights));
  const pieces = batchSizes.length === 1 ? [fromInput] : fromInput.split(batchSizes, 0);
  const outputs = new Array<Tensor>(batchSizes.length);
  const last = isReverse
    ? backwards(kind, pieces, outputs, initial, weights)
    : forwards(kind, pieces, outputs, initial, weights);
  return { output: outputs.length === 1 ? outputs[0]! : cat(outputs), last };
}

function rowsOf(state: RecurrentState, start: number, count: number): RecurrentState {
  return state[0]!.shape[0] === count ? state : state.map((part) => part.narrow(0, start, count));
}

function together(states: readonly RecurrentState[]): RecurrentState {
  return states.length === 1 ? states[0]! : states[0]!.map((_, i) => cat(states.map((state) => state[i]!)));
}

/** From the first step on; sequences that end leave with their state. */
function forwards(
  kind: RecurrentKind,
  pieces: readonly Tensor[],
  outputs: Tensor[],
  initial: RecurrentState,
  weights: RecurrentWeights,
): RecurrentState {
  let state = initial;
  let ended: RecurrentState[] = [];
  pieces.forEach((piece, t) => {
    const [before, count] = [state[0]!.shape[0]!, piece.shape[0]!];
    if (count < before) {
      ended = [state.map((part) => part.narrow(0, count, before - count)), ...ended];
      state = rowsOf(state, 0, count);
    }
    state = kind.step(piece, state, weights);
    outputs[t] = state[0]!;
  });
  return together([state, ...ended]);
}

/** From the last step back; sequences join where they end. */
function backwards(
  kind: RecurrentKind,
  pieces: readonly Tensor[],
  outputs: Tensor[],
  initial: RecurrentState,
  weights: RecurrentWeights,
): RecurrentState {
  let state = rowsOf(initial, 0, pieces.at(-1)!.shape[0]!);
  for (let t = pieces.length - 1; t >= 0; t--) {
    const [before, count] = [state[0]!.shape[0]!, pieces[t]!.shape[0]!];
    if (count > before) {
      const joining = initial.map((part) => part.narrow(0, before, count - before));
      state = together([state, joining]);
    }
    state = kind.step(pieces[t]!, state, weights);
    outputs[t] = state[0]!;
  }
  return state;
}
