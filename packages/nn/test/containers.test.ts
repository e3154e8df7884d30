import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const layer = (): nn.Linear => new nn.Linear(2, 2);

describe('Sequential', () => {
  it('calls its modules in turn, however they are given', () => {
    const [a, b] = [layer(), layer()];
    const x = tg.ones([3, 2]);
    const expected = b(a(x).relu()).toArray();
    const relu = new nn.ReLU();
    expect(new nn.Sequential(a, relu, b)(x).toArray()).toEqual(expected);
    expect(new nn.Sequential([a, relu, b])(x).toArray()).toEqual(expected);
    const named = new nn.Sequential({ first: a, relu, second: b });
    expect(named(x).toArray()).toEqual(expected);
    expect(Object.keys(named.stateDict())).toEqual(['first.weight', 'first.bias', 'second.weight', 'second.bias']);
    expect(new nn.Sequential()(x)).toBe(x);
  });

  it('is indexed, measured, sliced and iterated', () => {
    const [a, b, c] = [layer(), new nn.Tanh(), layer()];
    const net = new nn.Sequential(a, b, c);
    expect([net.length, net[0], net[2], net.at(-1)]).toEqual([3, a, c, c]);
    expect([...net]).toEqual([a, b, c]);
    expect(net.slice(1).values()).toEqual([b, c]);
    expect(net.slice(1).keys()).toEqual(['0', '1']);
    expect(() => net.at(3)).toThrow(/index 3 is out of range; it holds 3 modules/);
    net[1] = new nn.ReLU();
    expect(String(net[1])).toBe('ReLU()');
    expect(net(tg.ones([1, 2])).shape).toEqual([1, 2]);
  });

  it('grows and shrinks, and stays numbered', () => {
    const [a, b, c] = [layer(), new nn.Tanh(), layer()];
    const net = new nn.Sequential(a).append(c).insert(1, b);
    expect(net.values()).toEqual([a, b, c]);
    expect(Object.keys(net.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(net.pop(0)).toBe(a);
    expect([net.keys(), net.values()]).toEqual([['0', '1'], [b, c]]);
    expect(net.extend([a]).length).toBe(3);
    expect(net.pop()).toBe(a);
    expect(net.values()).toEqual([b, c]);
    expect(() => net.insert(9, a)).toThrow(/cannot insert at 9/);
  });

  it('refuses what is no module', () => {
    expect(() => new nn.Sequential((() => 0) as unknown as nn.Module)).toThrow(tg.ValueError);
    expect(() => new nn.Sequential({ act: Math.tanh as unknown as nn.Module })).toThrow(/a function \(tanh\); wrap it/);
    expect(() => new nn.Sequential({ forward: layer() })).toThrow(/already/);
  });
});

describe('ModuleList and ModuleDict', () => {
  it('hold modules that are found, and are not called', () => {
    const list = new nn.ModuleList([layer(), layer()]);
    expect(list.parameters()).toHaveLength(4);
    expect(list.length).toBe(2);
    expect(() => list(1)).toThrow(/only holds modules/);
    class Net extends nn.Module {
      layers = list;
      heads = new nn.ModuleDict({ left: layer() });
      forward(x: tg.Tensor): tg.Tensor {
        return [...this.layers].reduce((h, one) => one(h), x);
      }
    }
    expect(Object.keys(new Net().stateDict())).toEqual([
      'layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias', 'heads.left.weight', 'heads.left.bias',
    ]);
  });

  it('are changed by name', () => {
    const dict = new nn.ModuleDict();
    const a = layer();
    dict.set('a', a).set('b', layer());
    expect([dict.has('a'), dict.get('a'), dict.get('c'), dict.length]).toEqual([true, a, undefined, 2]);
    dict.set('b', a);
    expect(dict.entries()).toEqual([['a', a], ['b', a]]);
    expect(dict.pop('a')).toBe(a);
    expect(dict.keys()).toEqual(['b']);
    expect(() => dict.set('x.y', a)).toThrow(/dot/);
  });
});

describe('containers of parameters', () => {
  const parameter = (value: number): nn.Parameter => new nn.Parameter(tg.tensor([value]));

  it('are numbered or named, and part of the state', () => {
    class Net extends nn.Module {
      list = new nn.ParameterList([parameter(1), parameter(2)]);
      dict = new nn.ParameterDict({ scale: parameter(3) });
      forward(): void {}
    }
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual(['list.0', 'list.1', 'dict.scale']);
    expect([net.list.length, net.list[1]!.item(), net.list.at(-1).item(), [...net.list].length]).toEqual([2, 2, 2, 2]);
    expect(net.list.append(parameter(4)).values().map((p) => p.item())).toEqual([1, 2, 4]);
    expect(net.dict.set('shift', parameter(5)).pop('scale')!.item()).toBe(3);
    expect([net.dict.keys(), net.dict.get('scale'), net.dict.has('shift')]).toEqual([['shift'], undefined, true]);
    expect(String(net.list)).toBe('ParameterList((0): [1], (1): [1], (2): [1])');
  });

  it('hold nothing else', () => {
    expect(new nn.ParameterList([tg.ones([1])])[0]).toBeInstanceOf(nn.Parameter);
    expect(() => new nn.ParameterList([1 as never])).toThrow(/'0' must be a Parameter or another Tensor, got number/);
    expect(() => new nn.ParameterList().at(0)).toThrow(/index 0 is out of range; it holds 0 parameters/);
    expect(() => new nn.ParameterDict()()).toThrow(/only holds parameters/);
  });
});
