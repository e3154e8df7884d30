import { rowProgram } from '../define/row-program.ts';
import { ShapeError } from '../errors.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const four: readonly 'element'[] = ['element', 'element', 'element', 'element'];
const three: readonly 'element'[] = ['element', 'element', 'element'];

const lstm = rowProgram('lstm_cell', [four, 'element'], (_, input, forget, content, exit, cell) => {
  const next = forget.sigmoid().mul(cell).add(input.sigmoid().mul(content.tanh()));
  return {
    outputs: [
      { sort: 'element', value: exit.sigmoid().mul(next.tanh()) },
      { sort: 'element', value: next },
    ],
  };
});

const gru = rowProgram(
  'gru_cell',
  [three, three, 'element'],
  (_, xReset, xUpdate, xNew, hReset, hUpdate, hNew, hidden) => {
    const reset = xReset.add(hReset).sigmoid();
    const update = xUpdate.add(hUpdate).sigmoid();
    const fresh = xNew.add(reset.mul(hNew)).tanh();
    return { outputs: [{ sort: 'element', value: fresh.add(update.mul(hidden.sub(fresh))) }] };
  },
);

/** Refuses gates that do not fit the state. */
function check(op: string, gates: Tensor, state: Tensor, parts: number): void {
  const [rows, size] = state.shape as [number, number];
  if (state.ndim === 2 && gates.ndim === 2 && gates.shape[0] === rows && gates.shape[1] === parts * size) return;
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
  check('lstmStep', gates, cell, four.length);
  return lstm.apply([gates, cell], cell.shape, 1) as [Tensor, Tensor];
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
  check('gruStep', fromInput, hidden, three.length);
  check('gruStep', fromHidden, hidden, three.length);
  return gru.apply([fromInput, fromHidden, hidden], hidden.shape, 1)[0]!;
}
