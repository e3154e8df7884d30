import { cat, gruStep, lstmStep, plusLinear, stepProduct, stepProducts, zeros, type Tensor } from '@tapegrad/core';

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
  /** Whether the hidden state's part of the gates, with its bias, is apart from the input's; else they are one sum. */
  readonly isApart: boolean;
  /** The next state, from the sum of the gates, or else from both parts. */
  next(gates: Tensor, fromInput: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState;
}

/** Both biases together, where they are added to the same sum. */
function bothBiases({ biasIh, biasHh }: RecurrentWeights): Tensor | null {
  return biasIh === null || biasHh === null ? (biasIh ?? biasHh) : biasIh.add(biasHh);
}

const plain = (activation: (x: Tensor) => Tensor): RecurrentKind => ({
  gates: 1,
  hasCell: false,
  inputBias: bothBiases,
  isApart: false,
  next: (gates) => [activation(gates)],
});

/** The recurrent layers, each by its step. */
export const recurrentKinds: Readonly<Record<'tanh' | 'relu' | 'lstm' | 'gru', RecurrentKind>> = {
  tanh: plain((x) => x.tanh()),
  relu: plain((x) => x.relu()),
  lstm: {
    gates: 4,
    hasCell: true,
    inputBias: bothBiases,
    isApart: false,
    next: (gates, _, [, cell], { weightHr }) => {
      const [next, nextCell] = lstmStep(gates, cell!);
      return [weightHr === null ? next : next.linear(weightHr), nextCell];
    },
  },
  gru: {
    gates: 3,
    hasCell: false,
    inputBias: ({ biasIh }) => biasIh,
    // The reset gate scales the hidden state's part of the content, with its bias.
    isApart: true,
    next: (gates, fromInput, [hidden]) => [gruStep(fromInput, gates, hidden!)],
  },
};

/** What the hidden state's part of the gates is added to, in its place. */
function restOfGates({ isApart }: RecurrentKind, fromInput: Tensor, { biasHh }: RecurrentWeights): Tensor {
  if (!isApart) return fromInput;
  const { shape, dtype } = fromInput;
  return biasHh === null ? zeros(shape, { dtype }) : biasHh.expand(shape).clone();
}

/** One step for itself: the next state, from the input's part of the gates, whose memory it takes. */
export function stepOf(kind: RecurrentKind, fromInput: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState {
  const gates = plusLinear(restOfGates(kind, fromInput, weights), state[0]!, weights.weightHh);
  return kind.next(gates, fromInput, state, weights);
}

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
  const sums = stepProducts(restOfGates(kind, fromInput, weights), weights.weightHh, batchSizes);
  const apart = kind.isApart ? fromInput.split(batchSizes, 0) : sums.pieces;
  const outputs = new Array<Tensor>(batchSizes.length);
  const step = (t: number, state: RecurrentState): RecurrentState => {
    const next = kind.next(stepProduct(sums, t, state[0]!), apart[t]!, state, weights);
    outputs[t] = next[0]!;
    return next;
  };
  const last = isReverse ? backwards(batchSizes, initial, step) : forwards(batchSizes, initial, step);
  return { output: outputs.length === 1 ? outputs[0]! : cat(outputs), last };
}

/** Takes step t: the state after it from that before it. */
type Step = (t: number, state: RecurrentState) => RecurrentState;

function rowsOf(state: RecurrentState, start: number, count: number): RecurrentState {
  return state[0]!.shape[0] === count ? state : state.map((part) => part.narrow(0, start, count));
}

function together(states: readonly RecurrentState[]): RecurrentState {
  return states.length === 1 ? states[0]! : states[0]!.map((_, i) => cat(states.map((state) => state[i]!)));
}

/** From the first step on; sequences that end leave with their state. */
function forwards(batchSizes: readonly number[], initial: RecurrentState, step: Step): RecurrentState {
  let state = initial;
  let ended: RecurrentState[] = [];
  batchSizes.forEach((count, t) => {
    const before = state[0]!.shape[0]!;
    if (count < before) {
      ended = [state.map((part) => part.narrow(0, count, before - count)), ...ended];
      state = rowsOf(state, 0, count);
    }
    state = step(t, state);
  });
  return together([state, ...ended]);
}

/** From the last step back; sequences join where they end. */
function backwards(batchSizes: readonly number[], initial: RecurrentState, step: Step): RecurrentState {
  let state = rowsOf(initial, 0, batchSizes.at(-1)!);
  for (let t = batchSizes.length - 1; t >= 0; t--) {
    const [before, count] = [state[0]!.shape[0]!, batchSizes[t]!];
    if (count > before) {
      const joining = initial.map((part) => part.narrow(0, before, count - before));
      state = together([state, joining]);
    }
    state = step(t, state);
  }
  return state;
}
