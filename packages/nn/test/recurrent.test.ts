import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const { packPaddedSequence, padPackedSequence, packSequence, padSequence, unpackSequence, unpadSequence } = nn.utils.rnn;

/** The numbers of a tensor, near enough for float32. */
const near = (values: readonly number[]): unknown => values.map((value) => expect.closeTo(value, 5));
const flat = (x: Tensor): number[] => [...x.toTypedArray()];

describe('recurrent layers', () => {
  it("have PyTorch's keys and initial values", () => {
    tg.manualSeed(0);
    const rnn = new nn.RNN(3, 4, 2);
    expect(flat(rnn.getParameter('weight_hh_l1').flatten().narrow(0, 0, 3))).toEqual(near([0.198441, 0.067546, 0.335243]));
    const lstm = new nn.LSTM(3, 4, 1, { bidirectional: true, projSize: 2, bias: false });
    expect(Object.keys(lstm.stateDict())).toEqual([
      'weight_ih_l0',
      'weight_hh_l0',
      'weight_hr_l0',
      'weight_ih_l0_reverse',
      'weight_hh_l0_reverse',
      'weight_hr_l0_reverse',
    ]);
    expect(lstm.getParameter('weight_hh_l0').shape).toEqual([16, 2]);
    expect(Object.keys(new nn.GRUCell(2, 3).stateDict())).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect(`${lstm}`).toBe('LSTM(3, 4, projSize=2, bias=false, bidirectional=true)');
  });

  it('are their cells, step by step', () => {
    const x = tg.randn([5, 2, 3]);
    const pairs: [nn.Module, nn.Module][] = [
      [new nn.LSTM(3, 4), new nn.LSTMCell(3, 4)],
      [new nn.GRU(3, 4), new nn.GRUCell(3, 4)],
      [new nn.RNN(3, 4, 1, { nonlinearity: 'relu' }), new nn.RNNCell(3, 4, { nonlinearity: 'relu' })],
    ];
    for (const [layer, cell] of pairs) {
      const state = layer.stateDict();
      cell.loadStateDict(Object.fromEntries(Object.entries(state).map(([key, value]) => [key.replace('_l0', ''), value])));
      const [output] = layer(x) as [Tensor];
      let last: unknown = null;
      for (let t = 0; t < 5; t++) {
        last = cell(x.select(0, t), last);
        const hidden = Array.isArray(last) ? (last[0] as Tensor) : (last as Tensor);
        expect(flat(hidden)).toEqual(near(flat(output.select(0, t))));
      }
    }
  });

  it('go over packed sequences as PyTorch does, with dropout between layers', () => {
    tg.manualSeed(0);
    const lstm = new nn.LSTM(2, 3, 2, { bidirectional: true, dropout: 0.5 });
    const packed = packPaddedSequence(tg.randn([4, 3, 2]), [2, 4, 1], { enforceSorted: false });
    expect([packed.batchSizes, packed.sortedIndices, packed.unsortedIndices]).toEqual([[3, 2, 1, 1], [1, 0, 2], [1, 0, 2]]);
    tg.manualSeed(5);
    const [output, [hidden, cell]] = lstm(packed);
    const [padded, lengths] = padPackedSequence(output);
    expect(flat(lengths)).toEqual([2, 4, 1]);
    expect(flat(padded.select(2, 0))).toEqual(
      near([-0.18016, -0.209447, -0.198399, -0.270613, -0.288009, 0, 0, -0.314494, 0, 0, -0.337769, 0]),
    );
    expect(flat(hidden.select(2, 0))).toEqual(
      near([-0.133294, 0.101782, -0.252596, -0.125471, -0.316611, -0.125167, -0.270613, -0.337769, -0.198399, -0.1886, -0.245532, -0.130443]),
    );
    expect(flat(cell.select(2, 0).select(0, 0))).toEqual(near([-0.177845, 0.142103, -0.444093]));
  });

  it('give each packed sequence what it gets alone', () => {
    const gru = new nn.GRU(2, 3, 2, { bidirectional: true });
    const sequences = [3, 1, 4].map((length) => tg.randn([length, 2]));
    const [output, hidden] = gru(packSequence(sequences, { enforceSorted: false }));
    const alone = sequences.map((x) => gru(x));
    unpackSequence(output).forEach((piece, n) => expect(flat(piece)).toEqual(near(flat(alone[n]![0]))));
    alone.forEach(([, state], n) => expect(flat(hidden.select(1, n))).toEqual(near(flat(state))));
  });

  it('drop nothing in evaluation, and warn of dropout that does nothing', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const gru = new nn.GRU(2, 3, 2, { dropout: 0.9 }).eval();
    const x = tg.ones([3, 1, 2]);
    expect(flat(gru(x)[0])).toEqual(flat(gru(x)[0]));
    expect(warn).not.toHaveBeenCalled();
    expect(new nn.GRU(2, 3, 1, { dropout: 0.5 }).dropout).toBe(0.5);
    expect(warn.mock.calls[0]![0]).toMatch(/does nothing with one layer/);
    warn.mockRestore();
  });

  it('name what does not fit, and where', () => {
    const model = new nn.ModuleDict({ encoder: new nn.LSTM(3, 4) });
    const encoder = model.get('encoder') as nn.LSTM;
    expect(() => encoder(tg.ones([5, 2, 2]))).toThrow(/LSTM 3 → 4: .*input is \[5, 2, 2\], expected \[\.\.\., 3\]/);
    expect(() => encoder(tg.ones([5, 2, 3]), [tg.ones([1, 2, 4]), tg.ones([1, 1, 4])])).toThrow(/initial cell is \[1, 1, 4\], expected \[1, 2, 4\]/);
    expect(() => encoder(tg.ones([3]))).toThrow(/expected \[T, N, in\] or unbatched \[T, in\], got \[3\]/);
    expect(() => encoder(tg.ones([0, 2, 3]))).toThrow(/at least one step/);
    expect(() => new nn.GRUCell(3, 4)(tg.ones([2, 3]), tg.ones([2, 5]))).toThrow(/hidden state is \[2, 5\], expected \[2, 4\]/);
    expect(() => new nn.LSTM(3, 4, 1, { projSize: 4 })).toThrow(/projSize must be less than hiddenSize 4/);
    expect(() => new nn.RNN(3, 4, 0)).toThrow(/numLayers must be a positive whole number/);
    expect(() => new nn.RNN(3, 4, 1, { nonlinearity: 'sigmoid' as 'tanh' })).toThrow(/'tanh' or 'relu', got 'sigmoid'/);
  });
});

describe('packed sequences', () => {
  it('come back as they were', () => {
    const sequences = [tg.tensor([[1], [2], [3]]), tg.tensor([[4], [5]])];
    const padded = padSequence(sequences, { batchFirst: true, paddingValue: 9 });
    expect(padded.squeeze(2).toArray()).toEqual([[1, 2, 3], [4, 5, 9]]);
    expect(padSequence(sequences, { batchFirst: true, paddingSide: 'left' }).squeeze(2).toArray()).toEqual([[1, 2, 3], [0, 4, 5]]);
    const packed = packPaddedSequence(padded, [3, 2], { batchFirst: true });
    expect(packed.data.squeeze(1).toArray()).toEqual([1, 4, 2, 5, 3]);
    const [again, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: 9, totalLength: 4 });
    expect(again.squeeze(2).toArray()).toEqual([[1, 2, 3, 9], [4, 5, 9, 9]]);
    expect(unpadSequence(again, lengths, { batchFirst: true }).map((x) => x.flatten().toArray())).toEqual([[1, 2, 3], [4, 5]]);
  });

  it('pass gradients', () => {
    const x = tg.ones([2, 2, 1], { requiresGrad: true });
    padPackedSequence(packPaddedSequence(x, [2, 1]))[0].sum().backward();
    expect(x.grad!.squeeze(2).toArray()).toEqual([[1, 1], [1, 0]]);
  });

  it('need lengths that fall and fit', () => {
    const x = tg.ones([3, 2, 1]);
    expect(() => packPaddedSequence(x, [1, 3])).toThrow(/must fall, the longest first/);
    expect(() => packPaddedSequence(x, [3, 0])).toThrow(/2 numbers from 1 to 3, got \[3, 0\]/);
    expect(() => new nn.utils.rnn.PackedSequence(x, [2, 2])).toThrow(/stand for 4 elements, but the data is \[3, 2, 1\]/);
    expect(() => padPackedSequence(packPaddedSequence(x, [3, 1]), { totalLength: 2 })).toThrow(tg.ValueError);
  });
});

it('says what an initial state looks like', () => {
  const [x, state] = [tg.ones([2, 1, 3]), tg.zeros([1, 1, 4])];
  expect(() => new nn.LSTM(3, 4)(x, state as never)).toThrow(/the initial state must be a pair of tensors, \[hidden, cell\]/);
  expect(() => new nn.GRU(3, 4)(x, [state, state] as never)).toThrow(/must be one tensor/);
  expect(() => new nn.GRU(3, 4)(x, tg.zeros([1, 4]))).toThrow(/the initial hidden state is \[1, 4\], expected \[1, 1, 4\]/);
});
