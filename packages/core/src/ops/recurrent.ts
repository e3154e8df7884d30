import { elementwise, type Binary } from '../define/elementwise.ts';
import { rowProgram } from '../define/row-program.ts';
import { custom, linear } from '../define/rules.ts';
import { empty, kernels, viewOf } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** tanh(a + b). @internal */
export const tanhOfSum: Binary = elementwise('rnn_tanh_cell', (a, b) => a.add(b).tanh(), {
  partials: (_, y) => [y.mul(y).neg().add(1), y.mul(y).neg().add(1)],
});

/** max(a + b, 0). @internal */
export const reluOfSum: Binary = elementwise('rnn_relu_cell', (a, b) => a.add(b).le(0).where(0, a.add(b)), {
  partials: (_, y) => [y.le(0).where(0, 1), y.le(0).where(0, 1)],
});

const lstm = rowProgram(
  'lstm_cell',
  ['element', 'element', 'element', 'element', 'element'],
  (_, input, forget, content, exit, cell) => {
    const next = forget.sigmoid().mul(cell).add(input.sigmoid().mul(content.tanh()));
    return {
      outputs: [
        { sort: 'element', value: exit.sigmoid().mul(next.tanh()) },
        { sort: 'element', value: next },
      ],
    };
  },
);

const gru = rowProgram(
  'gru_cell',
  ['element', 'element', 'element', 'element', 'element', 'element', 'element'],
  (_, xReset, xUpdate, xNew, hReset, hUpdate, hNew, hidden) => {
    const reset = xReset.add(hReset).sigmoid();
    const update = xUpdate.add(hUpdate).sigmoid();
    const fresh = xNew.add(reset.mul(hNew)).tanh();
    return { outputs: [{ sort: 'element', value: fresh.add(update.mul(hidden.sub(fresh))) }] };
  },
);

interface Cuts {
  readonly sizes: readonly number[];
  readonly dim: number;
}

const divided = custom<Cuts>('divide', {
  results: Infinity,
  forward: ([x], { sizes, dim }) => {
    let start = 0;
    return sizes.map((size) => {
      const shape = x!.shape.map((n, d) => (d === dim ? size : n));
      const piece = viewOf(x!, shape, x!.strides, x!.offset + start * x!.strides[dim]!, 'multiple');
      start += size;
      return piece;
    });
  },
  vjp(_, gradients, { sizes, dim }, [meta]) {
    const given = gradients.find((g) => g !== null && g !== undefined)!;
    const pieces = sizes.map((size, i) => {
      return gradients[i] ?? given.detach().newZeros(meta!.shape.map((n, d) => (d === dim ? size : n)));
    });
    return [pieces[0]!.divideTranspose(pieces.slice(1), sizes, dim)];
  },
});

/**
 * Pieces of given sizes along a dimension, as `split` gives them, but with one node on the tape, which joins their gradients
 * at once: with many pieces that is far cheaper than one by one.
 * @internal
 */
export function divide(x: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  return divided([x], { sizes, dim });
}

const rejoined = linear<Cuts>('divide_backward', {
  forward: (pieces, { sizes, dim }) => {
    const first = pieces[0]!;
    const out = empty(first.shape.map((n, d) => (d === dim ? sizes.reduce((a, b) => a + b) : n)), first.dtype);
    const { storage, strides, dtype } = out;
    let start = 0;
    for (const piece of pieces) {
      kernels().copy({ storage, offset: start * strides[dim]!, shape: piece.shape, strides, dtype }, piece);
      start += piece.shape[dim]!;
    }
    return out;
  },
  transpose: (g, { sizes, dim }, _, i) => g.narrow(dim, sizes.slice(0, i).reduce((a, b) => a + b, 0), sizes[i]!),
});

/** Pieces of given sizes put one after the other: the transpose of `divide`. @internal */
export function divideTranspose(x: Tensor, others: readonly Tensor[], sizes: readonly number[], dim: number): Tensor {
  return rejoined([x, ...others], { sizes, dim });
}

/** The size of the state, if gates of so many parts fit it. */
function check(op: string, gates: Tensor, state: Tensor, parts: number): number {
  const [rows, size] = state.shape as [number, number];
  if (state.ndim === 2 && gates.ndim === 2 && gates.shape[0] === rows && gates.shape[1] === parts * size) return size;
  throw new ShapeError(
    `${op}: the gates are ${shapeString(gates.shape)} and the state ${shapeString(state.shape)}; expected [N, ${parts} H] and [N, H]`,
    { op, shapes: [gates.shape, state.shape] },
  );
}

/**
 * One step of a long short-term memory, from its gates' inputs to the next state, in one kernel.
 * @param gates what goes into input gate, forget gate, content and output gate, side by side
 * @shape gates [N, 4 H], cell [N, H] -> hidden [N, H], cell [N, H]
 * @throws ShapeError when gates and cell do not fit
 * @source torch.nn.LSTMCell (Hochreiter & Schmidhuber 1997)
 */
export function lstmStep(gates: Tensor, cell: Tensor): [hidden: Tensor, cell: Tensor] {
  const size = check('lstmStep', gates, cell, 4);
  const parts = gates.divide([size, size, size, size], 1);
  return lstm.apply([...parts, cell], cell.shape, 1) as [Tensor, Tensor];
}

/**
 * One step of a gated recurrent unit, from its gates' inputs to the next state, in one kernel.
 * @param fromInput what the input gives to reset gate, update gate and content, side by side
 * @param fromHidden what the hidden state gives to them
 * @shape [N, 3 H], [N, 3 H], hidden [N, H] -> [N, H]
 * @throws ShapeError when gates and state do not fit
 * @source torch.nn.GRUCell (Cho et al. 2014)
 */
export function gruStep(fromInput: Tensor, fromHidden: Tensor, hidden: Tensor): Tensor {
  const size = check('gruStep', fromInput, hidden, 3);
  check('gruStep', fromHidden, hidden, 3);
  const sizes = [size, size, size];
  return gru.apply([...fromInput.divide(sizes, 1), ...fromHidden.divide(sizes, 1), hidden], hidden.shape, 1)[0]!;
}
