import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, slope } from './each-backend.ts';
import { p, t } from './notation.ts';
import { generator } from './strided.ts';

const count = (n: number): tg.Tensor => tg.arange(0, n, 1, { dtype: 'float64' });

describeOnEachBackend('convolutions', () => {
  const edges = t([[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]]);
  const image = (): tg.Tensor => count(16).square().div(10).reshape(1, 1, 4, 4);
  const rounded = (x: tg.Tensor): unknown => x.mul(1e6).round().div(1e6).toArray();

  it('computes strided, padded, dilated and grouped windows', () => {
    expect(rounded(tg.conv2d(image(), edges, null, { stride: 2, padding: 1 }).squeeze())).toEqual([[-2.7, -4], [-35.6, -16]]);
    expect(rounded(tg.conv2d(image(), edges, null, { dilation: 2, padding: 2 }).squeeze().at(0))).toEqual([-10.8, -13.9, 6.4, 8.3]);
    const grouped = tg.conv2d(count(8).reshape(1, 2, 2, 2), count(8).add(1).reshape(2, 1, 2, 2), null, { groups: 2 });
    expect(grouped.flatten().toArray()).toEqual([20, 148]);
  });

  it('keeps the size with padding same, with the odd zero at the end', () => {
    expect(tg.conv1d(t([[[1, 2, 3]]]), t([[[1, 10]]]), null, { padding: 'same' }).flatten().toArray()).toEqual([21, 32, 3]);
    expect(() => tg.conv1d(t([[[1, 2, 3]]]), t([[[1]]]), null, { padding: 'same', stride: 2 })).toThrow(/not defined for strided/);
  });

  it('finds zeros behind the end only, too, in every channel', () => {
    const [x, w] = [count(24).reshape(1, 3, 8).requiresGrad_(), count(12).reshape(2, 3, 2).requiresGrad_()];
    const padded = tg.conv1d(tg.pad(x, [0, 1]), w);
    const same = tg.conv1d(x, w, null, { padding: 'same' });
    expect(same.toArray()).toEqual(padded.toArray());
    const slopes = [same, padded].map((y) => tg.grad(y.square().sum(), [x, w]).map((gradient) => gradient!.toArray()));
    expect(slopes[0]).toEqual(slopes[1]);
  });

  it('takes unbatched input and adds the bias per channel', () => {
    expect(tg.conv1d(t([[1, 2, 3]]), t([[[1, 1]], [[0, 1]]]), t([10, 20])).toArray()).toEqual([[13, 15], [22, 23]]);
  });

  it('closes under differentiation: the gradients of a gradient are convolutions again', () => {
    const x = p([[[1, 2, 3, 4]]]);
    const w = p([[[1, -1]]]);
    const [gx] = tg.grad(tg.conv1d(x, w).square().sum(), x, { createGraph: true });
    const [gxx, gxw] = tg.grad(gx!.square().sum(), [x, w]);
    const h = 1e-6;
    const energy = (a: tg.Tensor, b: tg.Tensor): number => tg.grad(tg.conv1d(a, b).square().sum(), a)[0]!.square().sum().item();
    const nudged = (y: tg.Tensor, i: number, by: number): tg.Tensor => {
      const values = y.detach().clone();
      values.flatten().setAt(i, values.flatten().at(i).add(by));
      return values.requiresGrad_();
    };
    for (let i = 0; i < 4; i++) {
      const numeric = (energy(nudged(x, i, h), w.detach()) - energy(nudged(x, i, -h), w.detach())) / (2 * h);
      expect(gxx!.flatten().at(i).item()).toBeCloseTo(numeric, 3);
    }
    for (let i = 0; i < 2; i++) {
      const numeric = (energy(x, nudged(w, i, h)) - energy(x, nudged(w, i, -h))) / (2 * h);
      expect(gxw!.flatten().at(i).item()).toBeCloseTo(numeric, 3);
    }
  });

  it('transposes with stride and output padding', () => {
    const y = tg.convTranspose2d(t([[[[1, 2], [3, 4]]]]), count(9).add(1).reshape(1, 1, 3, 3), null, {
      stride: 2,
      padding: 1,
      outputPadding: 1,
    });
    expect(y.squeeze().toArray()).toEqual([[5, 14, 10, 12], [14, 36, 24, 30], [15, 34, 20, 24], [24, 55, 32, 36]]);
    expect(() => tg.convTranspose1d(t([[1]]), t([[[1]]]), null, { outputPadding: 1 })).toThrow(/smaller than stride or dilation/);
  });

  it('says what does not fit', () => {
    const w = tg.zeros([8, 3, 3, 3]);
    expect(() => tg.conv2d(tg.zeros([2, 4, 8, 8]), w)).toThrow(/to have 3 channels, but got 4 channels instead/);
    expect(() => tg.conv2d(tg.zeros([8, 8]), w)).toThrow(/expected 3D \(unbatched\) or 4D \(batched\) input to conv2d/);
    expect(() => tg.conv2d(tg.zeros([1, 3, 2, 2]), w)).toThrow(/kernel can't be larger than the padded input/);
    expect(() => tg.conv2d(tg.zeros([1, 3, 5, 5]), w, null, { groups: 3 })).toThrow(tg.ShapeError);
    expect(() => tg.conv2d(tg.zeros([1, 3, 5, 5]), w, tg.zeros(3))).toThrow(/bias must be \[8\]/);
    expect(() => tg.conv2d(tg.zeros([1, 3, 5, 5]), w, null, { stride: 0 })).toThrow(/stride must be a whole number of at least 1/);
  });
});

describeOnEachBackend('poolings', () => {
  it('gives the gradient of a maximum to the first of equals, and adds overlapping windows up', () => {
    expect(slope((x) => tg.maxPool1d(x, 2), [[1, 1, 3, 2]])).toEqual([[1, 0, 1, 0]]);
    expect(slope((x) => tg.maxPool1d(x, 2, 1), [[1, 3, 2]])).toEqual([[0, 2, 0]]);
    expect(tg.maxPool1d(t([[1, NaN, 2]]), 3).item()).toBeNaN();
  });

  it('never lets padding win, and takes the first of a window of minus infinities', () => {
    expect(tg.maxPool1d(t([[-5, -6]]), 2, 2, { padding: 1 }).toArray()).toEqual([[-5, -6]]);
    expect(slope((x) => tg.maxPool1d(x, 2), [[-Infinity, -Infinity]])).toEqual([[1, 0]]);
  });

  it('gives the flat position of each maximum', () => {
    const { values, indices } = tg.maxPool2dWithIndices(count(16).reshape(1, 1, 4, 4), 2);
    expect([values.flatten().toArray(), indices.flatten().toArray()]).toEqual([[5, 7, 13, 15], [5, 7, 13, 15]]);
  });

  it('counts padding in means or not, and overhanging windows never', () => {
    const x = t([[1, 2, 3, 4, 5]]);
    expect(tg.avgPool1d(x, 2, 2, { padding: 1 }).toArray()).toEqual([[0.5, 2.5, 4.5]]);
    expect(tg.avgPool1d(x, 2, 2, { padding: 1, countIncludePad: false }).toArray()).toEqual([[1, 2.5, 4.5]]);
    expect(tg.avgPool1d(x, 2, 2, { ceilMode: true }).toArray()).toEqual([[1.5, 3.5, 5]]);
    expect(tg.avgPool1d(x, 2, 2, { divisorOverride: 1 }).toArray()).toEqual([[3, 7]]);
    expect(slope((y) => tg.avgPool1d(y, 2, 1), [[1, 2, 3]])).toEqual([[0.5, 1, 0.5]]);
  });

  it('adapts its windows to the output, which may overlap', () => {
    expect(tg.adaptiveAvgPool1d(t([[1, 2, 3, 4, 5]]), 3).toArray()).toEqual([[1.5, 3, 4.5]]);
    expect(tg.adaptiveAvgPool2d(count(12).reshape(1, 3, 4), [null, 2]).shape).toEqual([1, 3, 2]);
    expect(tg.adaptiveAvgPool1d(t([[Infinity, 2, 3]]), 2).toArray()).toEqual([[Infinity, 2.5]]);
    expect(slope((x) => tg.adaptiveAvgPool1d(x, 2), [[1, 2, 3]])).toEqual([[0.5, 1, 0.5]]);
  });

  it('says what does not fit', () => {
    expect(() => tg.maxPool2d(tg.zeros([1, 1, 4, 4]), 2, 2, { padding: 2 })).toThrow(/padding 2 should be at most half of the kernel size 2/);
    expect(() => tg.maxPool2d(tg.zeros([1, 1, 1, 4]), 2)).toThrow(/too small in dim 2/);
    expect(() => tg.avgPool2d(tg.zeros([4, 4]), 2)).toThrow(/3D \(unbatched\) or 4D \(batched\)/);
    expect(() => tg.avgPool1d(tg.zeros([1, 4]), 2, 2, { divisorOverride: 0 })).toThrow(tg.ValueError);
  });
});

describe('maxPool2d of windows inside', () => {
  // Single precision takes several windows at a time, double precision one after the other.
  const next = generator(7);
  const values = Array.from({ length: 2 * 5 * 19 }, () => [NaN, -Infinity, 1, 2, 3, 4][Math.floor(next() * 6)]!);

  it.each([1, 2, 3].flatMap((stride) => [1, 2, 3, 4].map((kernel) => [kernel, stride] as const)))(
    'finds the same in both precisions: kernel %d, stride %d',
    (kernel, stride) => {
      for (let width = kernel; width <= 19; width++) {
        const x = tg.tensor(values.slice(0, 2 * 5 * width)).reshape([1, 2, 5, width]);
        const [single, double] = [x, x.to('float64')].map((each) => tg.maxPool2dWithIndices(each, kernel, stride));
        expect(single!.values.toArray()).toEqual(double!.values.toArray());
        expect(single!.indices.toArray()).toEqual(double!.indices.toArray());
      }
    },
  );
});
