import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const { parametrize, spectralNorm, weightNorm } = nn.utils;
const near = (values: readonly number[]): unknown => values.map((value) => expect.closeTo(value, 5));
const flat = (x: Tensor): number[] => [...x.toTypedArray()];

class Symmetric extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).t());
  }
}

class Doubled extends nn.Module {
  calls = 0;

  forward(x: Tensor): Tensor {
    this.calls++;
    return x.mul(2);
  }

  rightInverse(x: Tensor): Tensor {
    return x.div(2);
  }
}

describe('a parametrization', () => {
  it('computes the parameter from what is learned', () => {
    const layer = parametrize.registerParametrization(new nn.Linear(2, 2, { bias: false }), 'weight', new Symmetric());
    const [[, upper], [lower]] = layer.weight.toArray() as [[number, number], [number, number]];
    expect(upper).toBe(lower);
    expect(layer.namedParameters().map(([name]) => name)).toEqual(['parametrizations.weight.original']);
    layer(tg.ones([1, 2])).sum().backward();
    expect(layer.getParameter('parametrizations.weight.original').grad!.toArray()).toEqual([[1, 2], [0, 1]]);
    expect([parametrize.isParametrized(layer), parametrize.isParametrized(layer, 'bias')]).toEqual([true, false]);
  });

  it('keeps the parameter for optimizers, and the value', () => {
    const layer = new nn.Linear(2, 1);
    const { weight } = layer;
    const before = flat(weight);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    expect(layer.getParameter('parametrizations.weight.original')).toBe(weight);
    expect(flat(layer.weight)).toEqual(before);
    expect(flat(weight)).toEqual(before.map((value) => value / 2));
  });

  it('stacks, is assigned through its inverses, and computed once where values are cached', () => {
    const layer = new nn.Linear(2, 1);
    const steps = [new Doubled(), new Doubled()];
    for (const step of steps) parametrize.registerParametrization(layer, 'weight', step);
    layer.weight = tg.tensor([[4, 8]]) as nn.Parameter;
    expect(layer.getParameter('parametrizations.weight.original').toArray()).toEqual([[1, 2]]);
    const { calls } = steps[0]!;
    expect([layer.parameters().length, steps[0]!.calls]).toEqual([2, calls]);
    parametrize.cached(() => [layer.weight, layer.weight, layer(tg.ones([1, 2]))]);
    expect(steps[0]!.calls).toBe(calls + 1);
    expect(layer.weight).not.toBe(layer.weight);
  });

  it('is taken away with the value or the original left', () => {
    const layer = new nn.Linear(2, 1);
    layer.weight.detach().copy_(tg.tensor([[1, 2]]));
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    parametrize.removeParametrizations(layer, 'weight');
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
    expect([layer.weight.toArray(), layer.weight instanceof nn.Parameter]).toEqual([[[1, 2]], true]);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    parametrize.removeParametrizations(layer, 'weight', { leaveParametrized: false });
    expect(layer.weight.toArray()).toEqual([[0.5, 1]]);
  });

  it('may not change the shape unless told so, and needs a parameter', () => {
    class Summed extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.sum(0);
      }
    }
    const layer = new nn.Linear(2, 2);
    const { weight } = layer;
    expect(() => parametrize.registerParametrization(layer, 'weight', new Summed())).toThrow(/is \[2, 2\], but its parametrization gives \[2\]/);
    expect(layer.weight).toBe(weight);
    expect(() => parametrize.registerParametrization(layer, 'weights', new Summed())).toThrow(/no parameter or buffer 'weights'/);
    expect(() => parametrize.removeParametrizations(layer, 'weight')).toThrow(/'weight' of Linear is not parametrized/);
  });
});

describe('weightNorm and spectralNorm', () => {
  it("learn a length and a direction under PyTorch's keys", () => {
    tg.manualSeed(0);
    const layer = weightNorm(new nn.Linear(3, 2));
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']);
    expect(flat(layer(tg.ones([1, 3])))).toEqual(near([-0.181235, -0.034668]));
    const net = new nn.Sequential(weightNorm(new nn.Linear(3, 2)));
    const old = { '0.bias': tg.zeros([2]), '0.weight_g': tg.tensor([[3], [4]]), '0.weight_v': tg.ones([2, 3]) };
    expect(net.loadStateDict(old).missingKeys).toEqual([]);
    expect(flat((net[0] as nn.Linear).weight.norm(2, 1))).toEqual(near([3, 4]));
    const other = weightNorm(new nn.Linear(3, 2), { dim: null });
    other.loadStateDict({ ...other.stateDict(), 'parametrizations.weight.original0': tg.tensor(2) });
    expect(other.weight.norm().item()).toBeCloseTo(2, 6);
  });

  it('divide by the largest singular value, which steps in training follow', () => {
    tg.manualSeed(0);
    const layer = spectralNorm(new nn.Linear(3, 2));
    const x = tg.ones([1, 3]);
    expect(flat(layer(x))).toEqual(near([-0.269626, -0.291038]));
    const keys = ['bias', 'parametrizations.weight.original', 'parametrizations.weight.0._u', 'parametrizations.weight.0._v'];
    expect(Object.keys(layer.stateDict())).toEqual(keys);
    layer(x).sum().backward();
    const gradient = layer.getParameter('parametrizations.weight.original').grad!;
    expect(flat(gradient)).toEqual([1.9953, 2.2174, 0.6625, 1.1468, 0.9719, 2.1964].map((value) => expect.closeTo(value, 3)));
    const u = flat(layer.getBuffer('parametrizations.weight.0._u'));
    layer.eval()(x);
    expect(flat(layer.getBuffer('parametrizations.weight.0._u'))).toEqual(u);
    const transposed = spectralNorm(new nn.ConvTranspose2d(2, 3, 2));
    expect(transposed.getBuffer('parametrizations.weight.0._u').shape).toEqual([3]);
  });

  it('can be taken away again', () => {
    const layer = spectralNorm(new nn.Linear(3, 2)).eval();
    const before = flat(layer.weight);
    parametrize.removeParametrizations(layer, 'weight');
    expect(flat(layer.weight)).toEqual(before);
    expect(() => spectralNorm(layer, { nPowerIterations: 0 })).toThrow(/must be positive/);
  });
});

describe('fuseConvBnEval', () => {
  it('gives one convolution for both', () => {
    for (const conv of [new nn.Conv2d(2, 3, 2, { bias: false }), new nn.ConvTranspose2d(2, 3, 2)]) {
      const norm = new nn.BatchNorm2d(3);
      norm(tg.randn([8, 3, 4, 4]).mul(3).add(1));
      tg.noGrad(() => norm.weight!.copy_(tg.tensor([1, 2, 3])));
      const x = tg.randn([1, 2, 4, 4]);
      const expected = norm.eval()(conv.eval()(x));
      expect(flat(nn.utils.fuseConvBnEval(conv, norm)(x))).toEqual(flat(expected).map((value) => expect.closeTo(value, 4)));
    }
    expect(() => nn.utils.fuseConvBnEval(new nn.Conv1d(1, 1, 1), new nn.BatchNorm1d(1))).toThrow(/call eval\(\)/);
  });
});

it('is taken back under the older names', () => {
  const { parametrizations, removeSpectralNorm, removeWeightNorm } = nn.utils;
  for (const [add, remove] of [[parametrizations.weightNorm, removeWeightNorm], [parametrizations.spectralNorm, removeSpectralNorm]] as const) {
    const layer = add(new nn.Linear(3, 2));
    const before = tg.noGrad(() => layer.eval().weight.tolist());
    expect(Object.keys(remove(layer).stateDict()).sort()).toEqual(['bias', 'weight']);
    expect(layer.weight.tolist()).toEqual(before);
  }
});
