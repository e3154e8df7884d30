import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

describe('a state dict', () => {
  it('N006 holds detached tensors that share memory, in order', () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
    const state = net.stateDict({ prefix: 'net.' });
    expect(Object.keys(state)).toEqual(['net.0.weight', 'net.0.bias', 'net.1.weight', 'net.1.bias']);
    expect(state['net.0.weight']!.requiresGrad).toBe(false);
    tg.noGrad(() => net.parameters()[0]!.fill_(7));
    expect(state['net.0.weight']!.toArray()).toEqual([[7, 7], [7, 7]]);
    expect(net.stateDict({ keepVars: true })['0.weight']).toBe(net.parameters()[0]);
  });

  it('N006 carries extra state', () => {
    class Counter extends nn.Module {
      count = 3;
      forward(): void {}
      override getExtraState(): Tensor {
        return tg.tensor(this.count);
      }
      override setExtraState(state: Tensor): void {
        this.count = state.item();
      }
    }
    const net = new nn.Sequential(new Counter());
    const state = net.stateDict();
    expect(Object.keys(state)).toEqual(['0._extra_state']);
    net.loadStateDict({ '0._extra_state': tg.tensor(5) });
    expect((net.at(0) as Counter).count).toBe(5);
    expect(() => net.loadStateDict({})).toThrow(/"0._extra_state"/);
    net.loadStateDict(state);
    expect((net.at(0) as Counter).count).toBe(3);
  });

  it('N007 is copied into the parameters, which stay the same objects', () => {
    const [a, b] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    const { weight } = b;
    const version = weight.version;
    expect(b.loadStateDict(a.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(b.weight).toBe(weight);
    expect(weight.toArray()).toEqual(a.weight.toArray());
    expect(weight.version).toBeGreaterThan(version);
    b.double().loadStateDict(a.stateDict());
    expect(b.weight.dtype).toBe('float64');
  });

  it('N007 is refused with all that is wrong with it, and nothing changes', () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
    const before = net.parameters().map((parameter) => parameter.toArray());
    const state = { '0.weight': tg.ones([3, 2]), '0.bias': tg.ones([2]), '1.weight': tg.ones([1, 2]), extra: tg.ones([1]) };
    let error: unknown;
    try {
      net.loadStateDict(state);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(nn.StateDictError);
    const { message, missingKeys, unexpectedKeys } = error as nn.StateDictError;
    expect([missingKeys, unexpectedKeys]).toEqual([['1.bias'], ['extra']]);
    expect(message).toContain('Missing key(s) in the state dict: "1.bias".');
    expect(message).toContain('Unexpected key(s) in the state dict: "extra".');
    expect(message).toContain('size mismatch for 0.weight: the state dict has shape [3, 2], the shape in the current model is [2, 2].');
    expect(net.parameters().map((parameter) => parameter.toArray())).toEqual(before);
  });

  it('N007 may be partial when not strict, but not of other shapes', () => {
    const net = new nn.Linear(2, 2);
    expect(net.loadStateDict({ bias: tg.ones([2]), other: tg.ones([1]) }, { strict: false })).toEqual({
      missingKeys: ['weight'],
      unexpectedKeys: ['other'],
    });
    expect(net.bias!.toArray()).toEqual([1, 1]);
    expect(() => net.loadStateDict({ bias: tg.ones([3]) }, { strict: false })).toThrow(/size mismatch for bias/);
  });

  it('N007 may give one element for a scalar', () => {
    const net = new nn.Identity();
    const scalar = net.registerBuffer('scalar', tg.zeros([]));
    net.loadStateDict({ scalar: tg.ones([1]) });
    expect(scalar.item()).toBe(1);
  });

  it('N007 takes the place of the tensors with assign, keeping requiresGrad', () => {
    const net = new nn.Linear(2, 1);
    net.bias!.requiresGrad_(false);
    const weight = tg.ones([1, 2], { dtype: 'float64' });
    net.loadStateDict({ weight, bias: tg.ones([1]) }, { assign: true });
    expect(net.weight).toBeInstanceOf(nn.Parameter);
    expect([net.weight.dtype, net.weight.requiresGrad, net.bias!.requiresGrad]).toEqual(['float64', true, false]);
    tg.noGrad(() => weight.fill_(3));
    expect(net.weight.toArray()).toEqual([[3, 3]]);
  });

  it('N007 reaches into arrays with assign', () => {
    class Two extends nn.Module {
      weights = [new nn.Parameter(tg.ones([1])), new nn.Parameter(tg.ones([1]))];
      forward(): void {}
    }
    const two = new Two();
    two.loadStateDict({ 'weights.0': tg.zeros([1]), 'weights.1': tg.zeros([1]) }, { assign: true });
    expect(two.weights[1]!.toArray()).toEqual([0]);
  });
});
