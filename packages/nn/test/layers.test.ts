import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const f64 = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'float64' });

describe('printing', () => {
  it.each([
    [new nn.Linear(2, 3, { bias: false }), 'Linear(inFeatures=2, outFeatures=3, bias=false)'],
    [new nn.LayerNorm(3), 'LayerNorm([3], eps=0.00001, elementwiseAffine=true)'],
    [new nn.GroupNorm(2, 4), 'GroupNorm(2, 4, eps=0.00001, affine=true)'],
    [new nn.BatchNorm1d(4, { momentum: null }), 'BatchNorm1d(4, eps=0.00001, momentum=null, affine=true, trackRunningStats=true)'],
    [
      new nn.Conv2d(3, 4, 3, { padding: 1, paddingMode: 'reflect', bias: false }),
      "Conv2d(3, 4, kernelSize=[3, 3], stride=[1, 1], padding=[1, 1], paddingMode='reflect', bias=false)",
    ],
    [
      new nn.ConvTranspose2d(3, 4, 3, { stride: 2, outputPadding: 1 }),
      'ConvTranspose2d(3, 4, kernelSize=[3, 3], stride=[2, 2], outputPadding=[1, 1])',
    ],
    [new nn.Embedding(10, 3, { paddingIdx: -1 }), 'Embedding(10, 3, paddingIdx=9)'],
    [new nn.MaxPool2d(2, 1, { padding: 1 }), 'MaxPool2d(kernelSize=2, stride=1, padding=1, dilation=1, ceilMode=false)'],
    [new nn.AvgPool2d(2), 'AvgPool2d(kernelSize=2, stride=2, padding=0)'],
    [new nn.AdaptiveAvgPool2d([1, null]), 'AdaptiveAvgPool2d(outputSize=[1, null])'],
    [new nn.Dropout(), 'Dropout(p=0.5)'],
    [new nn.GELU(), "GELU(approximate='none')"],
    [new nn.Softmax(1), 'Softmax(dim=1)'],
    [new nn.Flatten(), 'Flatten(startDim=1, endDim=-1)'],
    [new nn.ReLU(), 'ReLU()'],
  ])('%s', (layer, text) => {
    expect(String(layer)).toBe(text);
  });
});

describe('BatchNorm', () => {
  const x = (): Tensor => f64([[1, 10], [3, 30], [5, 20]]);

  it('uses the batch in training, and updates the running statistics with the unbiased variance', () => {
    const norm = new nn.BatchNorm1d(2).double();
    const y = norm(x());
    expect(y.mean(0).toArray()).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
    expect(norm.runningMean!.toArray()).toEqual([expect.closeTo(0.3, 12), expect.closeTo(2, 12)]);
    expect(norm.runningVar!.toArray()).toEqual([expect.closeTo(0.9 + 0.4, 12), expect.closeTo(0.9 + 10, 12)]);
    expect(norm.numBatchesTracked!.item()).toBe(1);
    expect([norm.runningMean!.requiresGrad, norm.weight!.requiresGrad]).toEqual([false, true]);
  });

  it('uses the running statistics in evaluation, and leaves them', () => {
    const norm = new nn.BatchNorm1d(2).double().eval();
    expect(norm(x()).toArray()).toEqual((x().toArray() as number[][]).map((row) => row.map((v) => expect.closeTo(v / Math.sqrt(1 + 1e-5), 12))));
    expect(norm.numBatchesTracked!.item()).toBe(0);
  });

  it('takes the mean over all batches when the momentum is null', () => {
    const norm = new nn.BatchNorm1d(2, { momentum: null }).double();
    norm(x());
    norm(x().add(3));
    expect(norm.runningMean!.toArray()).toEqual([expect.closeTo(4.5, 12), expect.closeTo(21.5, 12)]);
  });

  it('without running statistics always uses the batch', () => {
    const norm = new nn.BatchNorm1d(2, { trackRunningStats: false, affine: false }).double().eval();
    expect(norm.stateDict()).toEqual({});
    expect(norm(x()).mean(0).toArray()).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
  });

  it("has PyTorch's keys and resets its statistics", () => {
    const norm = new nn.BatchNorm2d(2);
    norm(tg.rand([2, 2, 3, 3]));
    expect(Object.keys(norm.stateDict())).toEqual(['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']);
    norm.resetRunningStats();
    expect([norm.runningMean, norm.runningVar, norm.numBatchesTracked].map((t) => t!.toArray())).toEqual([[0, 0], [1, 1], 0]);
  });

  it('refuses other ranks and a single value per channel', () => {
    expect(() => new nn.BatchNorm2d(2)(tg.ones([2, 2]))).toThrow(/BatchNorm2d 2: .*expected 4D input, got 2D: \[2, 2\]/);
    expect(() => new nn.BatchNorm1d(2)(tg.ones([1, 2]))).toThrow(/more than 1 value per channel/);
  });
});

describe('Dropout', () => {
  it('is the identity in evaluation and for p = 0', () => {
    const x = tg.ones([4]);
    expect(new nn.Dropout(0.5).eval()(x)).toBe(x);
    expect(new nn.Dropout(0)(x)).toBe(x);
    expect(new nn.Dropout(1)(x).toArray()).toEqual([0, 0, 0, 0]);
    expect(() => new nn.Dropout(1.5)).toThrow(/between 0 and 1, got 1.5/);
  });

  it('uses the same mask forward and backward', () => {
    const x = tg.ones([50], { requiresGrad: true });
    const y = new nn.Dropout(0.3)(x);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual(y.toArray());
  });

  it('of channels keeps or drops them whole', () => {
    tg.manualSeed(0);
    const y = new nn.Dropout2d(0.5)(tg.ones([4, 8, 3, 3]));
    const sums = y.sum([2, 3]).flatten().toArray() as number[];
    expect(new Set(sums)).toEqual(new Set([0, 18]));
    expect(new nn.Dropout1d(0.5)(tg.ones([6, 5])).shape).toEqual([6, 5]);
  });

  it('behind SELU keeps mean and variance', () => {
    tg.manualSeed(0);
    const x = tg.randn([20000]);
    for (const layer of [new nn.AlphaDropout(0.2), new nn.FeatureAlphaDropout(0.2)]) {
      const y = layer(x.reshape([200, 100]));
      expect(y.mean().item()).toBeCloseTo(0, 1);
      expect(y.square().mean().item()).toBeCloseTo(1, 1);
    }
  });
});

describe('Embedding', () => {
  it('keeps its padding row at zero, with no gradient', () => {
    const table = new nn.Embedding(4, 2, { paddingIdx: -1 });
    expect(table.weight.select(0, 3).toArray()).toEqual([0, 0]);
    table(tg.tensor([1, 1, 3], { dtype: 'int64' })).sum().backward();
    expect(table.weight.grad!.toArray()).toEqual([[0, 0], [2, 2], [0, 0], [0, 0]]);
  });

  it('names an id that is out of range', () => {
    expect(() => new nn.Embedding(4, 2)(tg.tensor([4], { dtype: 'int64' }))).toThrow(tg.IndexError);
    expect(() => new nn.Embedding(4, 2, { paddingIdx: 4 })).toThrow(/one of the 4 ids/);
  });

  it('limits the norm of rows that are looked up', () => {
    const table = nn.Embedding.fromPretrained(f64([[3, 4], [30, 40], [0.3, 0.4]]), { maxNorm: 1 });
    const rows = table(tg.tensor([0, 2, 0], { dtype: 'int64' }));
    expect(rows.vectorNorm(2, 1).toArray()).toEqual([expect.closeTo(1, 6), expect.closeTo(0.5, 6), expect.closeTo(1, 6)]);
    expect(table.weight.select(0, 1).toArray()).toEqual([30, 40]);
  });

  it('made of given rows is frozen unless asked', () => {
    const rows = f64([[1, 2], [3, 4]]);
    const table = nn.Embedding.fromPretrained(rows);
    expect([table.numEmbeddings, table.embeddingDim, table.weight.requiresGrad]).toEqual([2, 2, false]);
    expect(nn.Embedding.fromPretrained(rows, { freeze: false }).weight.requiresGrad).toBe(true);
  });
});

describe('convolutions', () => {
  it('keep the size with padding same, in every padding mode', () => {
    for (const paddingMode of ['zeros', 'reflect', 'replicate', 'circular'] as const) {
      const conv = new nn.Conv1d(1, 1, 4, { padding: 'same', paddingMode });
      expect(conv(tg.rand([1, 1, 9])).shape).toEqual([1, 1, 9]);
    }
  });

  it('pad by the mode they are given', () => {
    const conv = new nn.Conv1d(1, 1, 3, { padding: 1, paddingMode: 'circular', bias: false });
    nn.init.ones_(conv.weight);
    expect(conv(tg.tensor([[1, 2, 4]])).toArray()).toEqual([[7, 7, 7]]);
    expect(conv(tg.tensor([[1, 2, 4, 8]])).toArray()).toEqual([[11, 7, 14, 13]]);
  });

  it('transposed, give the output size that is asked for', () => {
    const up = new nn.ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1 });
    const x = tg.rand([1, 2, 5, 5]);
    expect(up(x).shape).toEqual([1, 3, 9, 9]);
    expect(up(x, [10, 9]).shape).toEqual([1, 3, 10, 9]);
    expect(() => up(x, [11, 9])).toThrow(/must be 9 to 10/);
    expect(up.weight.shape).toEqual([2, 3, 3, 3]);
  });

  it('refuse options that do not fit', () => {
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(/inChannels is 3, which 2 groups do not divide/);
    expect(() => new nn.Conv2d(2, 3, 3, { groups: 2 })).toThrow(/outChannels/);
    expect(() => new nn.Conv2d(2, 3, 3, { stride: 2, padding: 'same' })).toThrow(/strided/);
    expect(() => new nn.Conv2d(2, 3, [3])(tg.ones([2, 2, 9]))).toThrow(/Conv2d 2 → 3: /);
    expect(() => new nn.Conv2d(2, 3, [3, 3, 3])).toThrow(/kernelSize must be a number or 2 of them/);
  });
});

describe('other layers', () => {
  it('RMSNorm divides by the root of the mean square', () => {
    const norm = new nn.RMSNorm(2, { eps: 0 }).double();
    expect(norm(f64([3, 4])).toArray()).toEqual([expect.closeTo(3 / Math.sqrt(12.5), 12), expect.closeTo(4 / Math.sqrt(12.5), 12)]);
    expect(() => norm(f64([1, 2, 3]))).toThrow(/RMSNorm: .*expected input with shape \[\*, 2\], but got input of size \[3\]/);
  });

  it('Bilinear says what it expects', () => {
    expect(new nn.Bilinear(2, 3, 4)(tg.ones([5, 2]), tg.ones([5, 3])).shape).toEqual([5, 4]);
    expect(() => new nn.Bilinear(2, 3, 4)(tg.ones([5, 2]), tg.ones([5, 2]))).toThrow(/expected \[\.\.\., 2\] and \[\.\.\., 3\]/);
  });

  it('max pooling gives the positions too', () => {
    const { values, indices } = new nn.MaxPool2d(2).forwardWithIndices(tg.tensor([[[1, 2], [4, 3]]]));
    expect([values.toArray(), indices.toArray()]).toEqual([[[[4]]], [[[2]]]]);
  });
});

it('normalizes over all processes, of which there is one', () => {
  const image = tg.randn([2, 3, 4, 4]);
  const [plain, sync] = [new nn.BatchNorm2d(3), new nn.SyncBatchNorm(3)];
  expect(sync(image).tolist()).toEqual(plain(image).tolist());
  expect(sync(image.flatten(2)).shape).toEqual([2, 3, 16]);
  expect(Object.keys(sync.stateDict())).toEqual(Object.keys(plain.stateDict()));
  const model = new nn.Sequential(plain);
  expect(nn.SyncBatchNorm.convertSyncBatchnorm(model)).toBe(model);
});
