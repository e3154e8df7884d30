import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const { utils } = nn;

function withGrad(...gradient: number[]): Tensor {
  const x = tg.zeros([gradient.length], { dtype: 'float64', requiresGrad: true });
  x.grad = tg.tensor(gradient, { dtype: 'float64' });
  return x;
}

describe('clipGradNorm_', () => {
  it('scales the gradients together and returns the norm before', () => {
    const [a, b] = [withGrad(3), withGrad(4)];
    expect(utils.clipGradNorm_([a, tg.zeros([2], { requiresGrad: true }), b], 1).item()).toBe(5);
    expect(a.grad!.item()).toBeCloseTo(0.59999988, 8);
    expect(b.grad!.item()).toBeCloseTo(0.79999984, 8);
  });

  it('leaves small gradients and takes other norms', () => {
    const a = withGrad(3, -4);
    expect(utils.clipGradNorm_(a, 10).item()).toBe(5);
    expect(a.grad!.toArray()).toEqual([3, -4]);
    expect(utils.clipGradNorm_(a, 10, { normType: 1 }).item()).toBe(7);
    expect(utils.clipGradNorm_(a, 2, { normType: Infinity }).item()).toBe(4);
    expect(a.grad!.toArray()).toEqual([expect.closeTo(1.5, 5), expect.closeTo(-2, 5)]);
    expect(utils.clipGradNorm_([], 1).item()).toBe(0);
  });

  it('can be taken in two steps', () => {
    const [a, b] = [withGrad(3), withGrad(4)];
    const total = utils.getTotalNorm([a.grad!, b.grad!]);
    expect([total.item(), utils.getTotalNorm([]).item()]).toEqual([5, 0]);
    utils.clipGradsWithNorm_([a, b], 1, total);
    expect([a.grad!.item(), b.grad!.item()]).toEqual([expect.closeTo(0.6, 5), expect.closeTo(0.8, 5)]);
  });

  it('refuses a norm that is not finite, if asked, and changes nothing', () => {
    const a = withGrad(1, NaN);
    expect(() => utils.clipGradNorm_(a, 1, { errorIfNonfinite: true })).toThrow(/is NaN, so they cannot be clipped/);
    expect(a.grad!.toArray()).toEqual([1, NaN]);
  });
});

describe('parameter lists', () => {
  it('clipGradValue_ limits each element', () => {
    const a = withGrad(-3, 0.5, 2);
    utils.clipGradValue_(a, 1);
    expect(a.grad!.toArray()).toEqual([-1, 0.5, 1]);
  });

  it('become one vector and come back', () => {
    const layer = new nn.Linear(2, 3);
    const vector = utils.parametersToVector(layer.parameters());
    expect([vector.shape, vector.requiresGrad]).toEqual([[9], true]);
    const { weight } = layer;
    utils.vectorToParameters(tg.arange(9), layer.parameters());
    expect(layer.weight).toBe(weight);
    expect([weight.toArray(), layer.bias!.toArray()]).toEqual([[[0, 1], [2, 3], [4, 5]], [6, 7, 8]]);
    expect(() => utils.vectorToParameters(tg.zeros([4]), layer.parameters())).toThrow(/9 elements together, the vector is \[4\]/);
  });
});
