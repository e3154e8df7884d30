import { describe, expect, it } from '@jest/globals';
import { ones, tensor, zeros, type Tensor } from '@tapegrad/core';
import * as nn from '../src/index.ts';

describe('functionalCall', () => {
  it('E306 runs a module with other tensors and leaves it as it was', () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
    const before = net.namedParameters();
    const weight = tensor([[1, 2], [3, 4]], { requiresGrad: true });
    const state = { '0.weight': weight, '0.bias': zeros(2), '1.weight': ones([1, 2]), '1.bias': zeros(1) };
    const y = nn.functionalCall(net, state, [tensor([1, 1])]) as Tensor;
    expect(y.toArray()).toEqual([10]);
    y.sum().backward();
    expect(weight.grad!.toArray()).toEqual([[1, 1], [1, 1]]);
    expect(net.namedParameters()).toEqual(before);
    expect(net.parameters().every((p) => p.grad === null)).toBe(true);
  });

  it('E306 takes what is left out from the module, unless that is refused', () => {
    const layer = new nn.Linear(2, 1);
    const x = tensor([1, 2]);
    const expected = layer(x).sub(layer.bias!).toArray();
    expect(nn.functionalCall(layer, { bias: zeros(1) }, [x]).toArray()).toEqual(expected);
    expect(() => nn.functionalCall(layer, { bias: zeros(1) }, [x], { strict: true })).toThrow(/missing: weight/);
    expect(() => nn.functionalCall(layer, { b: zeros(1) }, [x])).toThrow(/unexpected: b/);
    expect(() => nn.functionalCall(layer, { bias: zeros(2) }, [x])).toThrow('bias is [2], but the module\'s is [1]');
  });

  it('E306 replaces a shared tensor everywhere, and restores after an error', () => {
    const shared = new nn.Linear(2, 2, { bias: false });
    const net = new nn.Sequential(shared, shared);
    const twice = tensor([[2, 0], [0, 2]]);
    expect((nn.functionalCall(net, { '0.weight': twice }, [ones(2)]) as Tensor).toArray()).toEqual([4, 4]);
    const { weight } = shared;
    expect(() => nn.functionalCall(net, { '0.weight': twice }, [ones(3)])).toThrow(/expected \[\.\.\., 2\]/);
    expect(shared.weight).toBe(weight);
  });
});
