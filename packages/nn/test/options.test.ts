import { describe, expect, it } from '@jest/globals';
import { manualSeed, ValueError, zeros } from '@tapegrad/core';
import * as nn from '../src/index.ts';

type Make = (options: object) => unknown;

/** Layers with all of their options. */
const layers: Readonly<Record<string, readonly [make: Make, options: object]>> = {
  Linear: [(o) => new nn.Linear(2, 2, o), { bias: false, dtype: 'float64' }],
  Bilinear: [(o) => new nn.Bilinear(2, 2, 2, o), { bias: false, dtype: 'float64' }],
  Conv2d: [
    (o) => new nn.Conv2d(2, 2, 3, o),
    { stride: 1, padding: 1, dilation: 1, groups: 2, bias: false, paddingMode: 'reflect', dtype: 'float64' },
  ],
  ConvTranspose2d: [
    (o) => new nn.ConvTranspose2d(2, 2, 3, o),
    { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2, bias: false, dtype: 'float64' },
  ],
  BatchNorm2d: [
    (o) => new nn.BatchNorm2d(2, o),
    { eps: 1e-3, momentum: null, affine: false, trackRunningStats: false, dtype: 'float64' },
  ],
  InstanceNorm2d: [
    (o) => new nn.InstanceNorm2d(2, o),
    { eps: 1e-3, momentum: 0.2, affine: true, trackRunningStats: true, dtype: 'float64' },
  ],
  LayerNorm: [(o) => new nn.LayerNorm(2, o), { eps: 1e-3, elementwiseAffine: true, bias: false, dtype: 'float64' }],
  GroupNorm: [(o) => new nn.GroupNorm(1, 2, o), { eps: 1e-3, affine: false, dtype: 'float64' }],
  RMSNorm: [(o) => new nn.RMSNorm(2, o), { eps: 1e-3, elementwiseAffine: false, dtype: 'float64' }],
  Embedding: [
    (o) => new nn.Embedding(4, 2, o),
    { paddingIdx: 0, maxNorm: 1, normType: 1, scaleGradByFreq: true, dtype: 'float64' },
  ],
  EmbeddingBag: [
    (o) => new nn.EmbeddingBag(4, 2, o),
    { paddingIdx: 0, maxNorm: 1, normType: 1, scaleGradByFreq: true, mode: 'sum', includeLastOffset: true, dtype: 'float64' },
  ],
  MultiheadAttention: [
    (o) => new nn.MultiheadAttention(4, 2, o),
    {
      dropout: 0.1,
      bias: false,
      addBiasKv: true,
      addZeroAttn: true,
      kdim: 3,
      vdim: 3,
      batchFirst: true,
      dtype: 'float64',
    },
  ],
  TransformerDecoderLayer: [
    (o) => new nn.TransformerDecoderLayer(4, 2, o),
    {
      dimFeedforward: 8,
      dropout: 0,
      activation: 'gelu',
      layerNormEps: 1e-4,
      batchFirst: true,
      normFirst: true,
      bias: false,
      dtype: 'float64',
    },
  ],
  LSTM: [
    (o) => new nn.LSTM(2, 4, o),
    { numLayers: 2, bias: false, batchFirst: true, dropout: 0.1, bidirectional: true, projSize: 2, dtype: 'float64' },
  ],
  RNN: [(o) => new nn.RNN(2, 4, o), { numLayers: 2, nonlinearity: 'relu', bias: false, batchFirst: true, dropout: 0.1 }],
  MaxPool2d: [(o) => new nn.MaxPool2d(2, 1, o), { padding: 1, dilation: 1, ceilMode: true }],
  AvgPool2d: [(o) => new nn.AvgPool2d(2, 1, o), { padding: 1, ceilMode: true, countIncludePad: false, divisorOverride: 3 }],
  MSELoss: [(o) => new nn.MSELoss(o), { reduction: 'sum' }],
  CrossEntropyLoss: [
    (o) => new nn.CrossEntropyLoss(o),
    { weight: null, ignoreIndex: 1, reduction: 'sum', labelSmoothing: 0.1 },
  ],
  BCEWithLogitsLoss: [(o) => new nn.BCEWithLogitsLoss(o), { weight: null, posWeight: null, reduction: 'sum' }],
  TripletMarginLoss: [(o) => new nn.TripletMarginLoss(o), { margin: 2, p: 1, eps: 1e-3, swap: true, reduction: 'sum' }],
  KLDivLoss: [(o) => new nn.KLDivLoss(o), { reduction: 'batchmean', logTarget: true }],
};

describe('options of layers', () => {
  it.each(Object.entries(layers))('%s takes all of its own, and refuses others', (name, [make, options]) => {
    expect(() => make(options)).not.toThrow();
    expect(() => make({ ...options, strange: 1 })).toThrow(ValueError);
    expect(() => make({ strange: 1 })).toThrow(`${name}: unknown option strange`);
    expect(() => make(Object.fromEntries([['strange', undefined]]))).not.toThrow();
  });

  it('says which option was probably meant', () => {
    expect(() => new nn.Conv2d(1, 8, 3, { strides: 2 } as object)).toThrow('Conv2d: unknown option strides. Did you mean stride?');
    expect(() => new nn.CrossEntropyLoss({ label_smoothing: 0.1 } as object)).toThrow('Did you mean labelSmoothing?');
    expect(() => new nn.GRU(2, 3, 1, { projSize: 2 } as object)).toThrow('Options are numLayers, bias, batchFirst');
  });

  it('says that options are given by name', () => {
    const positional = 1 as unknown as object;
    expect(() => new nn.Conv2d(1, 8, 3, positional)).toThrow(
      'Conv2d: further arguments are options, given by name, as in { stride: … }; got 1',
    );
    expect(() => new nn.Linear(2, 3, false as unknown as object)).toThrow('as in { bias: … }; got false');
    expect(() => new nn.MSELoss('sum' as unknown as object)).toThrow("as in { reduction: … }; got 'sum'");
  });

  it('takes the number of recurrent layers by name as by position', () => {
    const keys = (layer: nn.Module): string[] => Object.keys(layer.stateDict());
    expect(keys(new nn.LSTM(2, 3, { numLayers: 2, bias: false }))).toEqual(keys(new nn.LSTM(2, 3, 2, { bias: false })));
    expect(keys(new nn.RNN(2, 3, { numLayers: 2, nonlinearity: 'relu' }))).toEqual(keys(new nn.RNN(2, 3, 2)));
    expect(new nn.RNN(2, 3, { nonlinearity: 'relu' }).nonlinearity).toBe('relu');
  });

  it('takes by name what is often given so', () => {
    expect(new nn.Dropout({ p: 0.3 }).p).toBe(0.3);
    expect(new nn.Softmax({ dim: 1 }).dimension).toBe(1);
    const pool = new nn.MaxPool2d(3, { stride: 2, padding: 1 });
    expect([pool.stride, pool.padding]).toEqual([2, 1]);
    expect(new nn.AvgPool2d([3, 3], [1, 2]).stride).toEqual([1, 2]);
    expect(() => new nn.MaxPool2d(3, { strides: 2 } as object)).toThrow('Did you mean stride?');
    expect(() => new nn.Dropout({ q: 0.3 } as object)).toThrow('Dropout: unknown option q');
    expect(() => new nn.Softmax({} as object)).toThrow('Softmax: dim must be a whole number, got undefined');
    manualSeed(0);
    const drawn = nn.init.normal_(zeros(20), 1, 2).tolist();
    manualSeed(0);
    expect(nn.init.normal_(zeros(20), { mean: 1, std: 2 }).tolist()).toEqual(drawn);
    manualSeed(0);
    const cut = nn.init.truncNormal_(zeros(20), 1, 2, { a: 0 }).tolist();
    manualSeed(0);
    expect(nn.init.truncNormal_(zeros(20), { mean: 1, std: 2, a: 0 }).tolist()).toEqual(cut);
  });

  it('refuses options where whole numbers belong', () => {
    const options = { dModel: 8 } as unknown as number;
    const positions: readonly ((by: number) => unknown)[] = [
      (by) => new nn.Linear(by, 2),
      (by) => new nn.Conv2d(1, by, 3),
      (by) => new nn.Embedding(by, 2),
      (by) => new nn.LSTM(by, 2),
      (by) => new nn.GRUCell(2, by),
      (by) => new nn.MultiheadAttention(by, 2),
      (by) => new nn.TransformerEncoderLayer(by, 2),
      (by) => new nn.BatchNorm1d(by),
    ];
    for (const make of positions) expect(() => make(options)).toThrow(/whole numbers?, given by position before the options; got/);
    // numEncoderLayers is an option, not a third position.
    expect(() => new nn.Transformer(8, 2, 1 as unknown as object)).toThrow(/Transformer: further arguments are options, given by name/);
    expect(() => nn.summary(new nn.Linear(2, 2), 2 as never)).toThrow(/summary: the input is given as its shape, batch included/);
    expect(() => new nn.Transformer(options)).toThrow(/dModel and nhead are whole numbers, given by position/);
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 4 });
    expect(() => new nn.TransformerEncoder(layer, options)).toThrow(/numLayers must be a whole number/);
  });

  it('refuses arguments where a class has no constructor', () => {
    const Rectifier = nn.ReLU as unknown as new (...given: unknown[]) => nn.Module;
    expect(() => new Rectifier({ inplace: true })).toThrow('ReLU takes no arguments, got { inplace }');
    class Own extends nn.Module {
      forward(): void {}
    }
    expect(() => new (Own as unknown as typeof Rectifier)(3)).toThrow('Own takes no arguments, got 3');
    expect(new nn.Identity(54, { unused: 0.1 })(zeros(2)).shape).toEqual([2]);
  });
});
