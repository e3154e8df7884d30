import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const F = nn.functional;
const count = (...shape: number[]): Tensor => tg.arange(0, shape.reduce((a, b) => a * b), 1, { dtype: 'float64' }).reshape(shape);
const int = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'int32' });

describe('printing', () => {
  it.each([
    [new nn.ReflectionPad1d(2), 'ReflectionPad1d([2, 2])'],
    [new nn.ConstantPad2d([1, 2, 0, 1], 3.5), 'ConstantPad2d(padding=[1, 2, 0, 1], value=3.5)'],
    [new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), "Upsample(scaleFactor=2, mode='bilinear')"],
    [new nn.PixelShuffle(3), 'PixelShuffle(upscaleFactor=3)'],
    [new nn.EmbeddingBag(10, 3, { mode: 'sum' }), "EmbeddingBag(10, 3, mode='sum')"],
    [new nn.LPPool2d(2, 3), 'LPPool2d(normType=2, kernelSize=3, stride=3, ceilMode=false)'],
    [new nn.MaxUnpool1d(2), 'MaxUnpool1d(kernelSize=2, stride=2, padding=0)'],
    [new nn.MultiheadAttention(4, 2).eval(), 'MultiheadAttention(\n  embedDim=4, numHeads=2\n  (out_proj): Linear(inFeatures=4, outFeatures=4, bias=true)\n)'],
    [new nn.TripletMarginLoss(), 'TripletMarginLoss()'],
  ])('%s', (layer, text) => {
    expect(String(layer)).toBe(text);
  });
});

describe('padding layers', () => {
  it('fill each in their way', () => {
    const x = count(1, 1, 3);
    const padded = [new nn.ZeroPad1d(2), new nn.ConstantPad1d([0, 1], 7), new nn.ReflectionPad1d(2), new nn.ReplicationPad1d([2, 0]), new nn.CircularPad1d(1)];
    expect(padded.map((layer) => (layer(x) as Tensor).flatten().toArray())).toEqual([
      [0, 0, 0, 1, 2, 0, 0],
      [0, 1, 2, 7],
      [2, 1, 0, 1, 2, 1, 0],
      [0, 0, 0, 1, 2],
      [2, 0, 1, 2, 0],
    ]);
    expect(() => new nn.ReflectionPad2d([1, 2])).toThrow(/must be a whole number, or 4 of them, got \[1, 2\]/);
    expect(() => new nn.ReflectionPad1d(3)(x)).toThrow(/can add at most 2 elements/);
  });
});

describe('pixels and channels', () => {
  it('are shuffled there and back', () => {
    const x = count(2, 8, 2, 3);
    expect(F.pixelShuffle(x, 2).shape).toEqual([2, 2, 4, 6]);
    expect(F.pixelUnshuffle(F.pixelShuffle(x, 2), 2).toArray()).toEqual(x.toArray());
    expect(F.pixelShuffle(count(4, 1, 1), 2).toArray()).toEqual([[[0, 1], [2, 3]]]);
    expect(F.channelShuffle(count(1, 6, 1), 2).flatten().toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => F.pixelShuffle(count(3, 2, 2), 2)).toThrow(/3 channels of \[3, 2, 2\] are not divisible by 2² = 4/);
    expect(() => F.pixelUnshuffle(count(1, 3, 2), 2)).toThrow(tg.ShapeError);
  });
});

it('normalizes over neighbours an empty batch too', () => {
  expect(F.localResponseNorm(tg.zeros([0, 4, 2, 3]), 2).shape).toEqual([0, 4, 2, 3]);
});

describe('bags of embeddings', () => {
  const weight = count(4, 2);

  it('are sums, means and maxima, without padding', () => {
    const [ids, offsets] = [int([0, 3, 1, 1, 2]), int([0, 2, 2])];
    const bags = (options: object): unknown => F.embeddingBag(ids, weight, offsets, options).toArray();
    expect(bags({ mode: 'sum' })).toEqual([[6, 8], [0, 0], [8, 11]]);
    expect(bags({ mode: 'mean', paddingIdx: 1 })).toEqual([[3, 4], [0, 0], [4, 5]]);
    expect(bags({ mode: 'max', paddingIdx: -1 })).toEqual([[0, 1], [0, 0], [4, 5]]);
    expect(F.embeddingBag(int([[1, 2]]), weight, null, { mode: 'sum', perSampleWeights: count(1, 2) }).toArray()).toEqual([[4, 5]]);
  });

  it('are refused where they do not fit', () => {
    expect(() => F.embeddingBag(int([[1]]), weight, int([0]))).toThrow(/offsets must be null/);
    expect(F.embeddingBag(int([1]).narrow(0, 0, 0), weight, int([1]).narrow(0, 0, 0)).shape).toEqual([0, 2]);
    expect(() => F.embeddingBag(int([1]), weight, int([1]).narrow(0, 0, 0))).toThrow(/must rise from 0/);
    expect(() => F.embeddingBag(int([1]), weight)).toThrow(/offsets missing/);
    expect(() => F.embeddingBag(int([1]), weight, int([1]))).toThrow(/must rise from 0/);
    expect(() => F.embeddingBag(int([[1]]), weight, null, { perSampleWeights: count(1, 1) })).toThrow(/are for mode 'sum', not 'mean'/);
    expect(() => new nn.EmbeddingBag(4, 2)(int([[4]]))).toThrow(/EmbeddingBag 4 × 2: .*4 at position \[0\] is out of bounds/);
  });
});

describe('the adaptive softmax', () => {
  it('is a distribution over all classes, whose labels it picks', () => {
    tg.manualSeed(0);
    const layer = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], { divValue: 2 });
    const x = tg.randn([6, 8]);
    const { output, loss } = layer(x, int([0, 5, 19, 12, 3, 9]));
    const near = (values: number[]): unknown => values.map((value) => expect.closeTo(value, 3));
    expect([...output.toTypedArray()]).toEqual(near([-2.2302, -5.3033, -3.6875, -3.9451, -1.4047, -3.5821]));
    expect(loss.item()).toBeCloseTo(3.3588, 3);
    const all = layer.logProb(x);
    expect([...all.exp().sum(1).toTypedArray()]).toEqual(near([1, 1, 1, 1, 1, 1]));
    expect(all.select(0, 2).at(19).item()).toBeCloseTo(output.at(2).item(), 5);
    expect(layer.predict(x).toArray()).toEqual([3, 2, 3, 3, 3, 0]);
    expect(() => layer(x, int([0, 0, 0, 0, 0, 20]))).toThrow(/label 20 must be from 0 to 19/);
    expect(() => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 4])).toThrow(/rising whole numbers between 0 and 20/);
  });
});

describe('functions of random numbers', () => {
  it('draw what PyTorch draws', () => {
    tg.manualSeed(3);
    const soft = F.gumbelSoftmax(tg.zeros([2, 3]));
    expect([...soft.toTypedArray()]).toEqual([0.888012, 0.091199, 0.020788, 0.745297, 0.101781, 0.152922].map((value) => expect.closeTo(value, 5)));
    const hard = F.gumbelSoftmax(tg.zeros([2, 3], { requiresGrad: true }), { hard: true });
    expect([...hard.sum(1).toTypedArray()]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]);
    expect(hard.requiresGrad).toBe(true);
  });

  it('rrelu takes the mean slope in evaluation', () => {
    const layer = new nn.RReLU(0.2, 0.4).eval();
    expect((layer(tg.tensor([-10, 10])) as Tensor).toArray()).toEqual([expect.closeTo(-3, 5), 10]);
    const y = layer.train()(tg.full([100], -1)) as Tensor;
    expect([y.min().item() >= -0.4, y.max().item() <= -0.2, y.std().item() > 0.03]).toEqual([true, true, true]);
    expect(() => F.rrelu(tg.ones([1]), 0.4, 0.2)).toThrow(/lower bound must not exceed the upper one/);
  });
});
