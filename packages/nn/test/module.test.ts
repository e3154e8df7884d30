import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

class Scale extends nn.Module {
  factor: nn.Parameter | null = new nn.Parameter(tg.ones([2]));
  offset: Tensor | null = null;
  forward(x: Tensor): Tensor {
    return x.mul(this.factor!);
  }
}

class Net extends nn.Module {
  first = new nn.Linear(2, 3);
  layers = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
  heads = { left: new nn.Linear(3, 1), right: new nn.Linear(3, 1) };
  gain = new nn.Parameter(tg.ones([1]));
  shift = this.registerBuffer('shift', tg.zeros([1]));
  forward(x: Tensor): Tensor {
    const h = this.layers.reduce((value, layer) => layer(value).relu(), this.first(x));
    return this.heads.left(h).add(this.heads.right(h)).mul(this.gain).add(this.shift);
  }
}

const names = (module: nn.Module): string[] => module.namedParameters().map(([name]) => name);

describe('a module', () => {
  it('is a function that calls forward, and an instance of its class', () => {
    const net = new Net();
    const out: Tensor = net(tg.ones([5, 2]));
    expect(out.shape).toEqual([5, 1]);
    expect(typeof net).toBe('function');
    expect(net).toBeInstanceOf(Net);
    expect(net).toBeInstanceOf(nn.Module);
    // @ts-expect-error the type of the call is that of forward
    expect(() => net('text')).toThrow(/is not a function/);
  });

  it('is typed by its forward', () => {
    class Pair extends nn.Module {
      forward(x: Tensor, times: number): [Tensor, number] {
        return [x.mul(times), times];
      }
    }
    const [y, n] = new Pair()(tg.ones([2]), 3);
    expect(y.toArray()).toEqual([3, 3]);
    expect(n.toFixed(1)).toBe('3.0');
  });

  it('N001 registers a parameter that is assigned, and nothing else', () => {
    const module = new Scale();
    module.offset = tg.ones([2]);
    expect(names(module)).toEqual(['factor']);
    expect(Object.keys(module.stateDict())).toEqual(['factor']);
    module.factor = null;
    expect(names(module)).toEqual([]);
    module.factor = tg.ones([2]) as nn.Parameter;
    expect(() => module.parameters()).toThrow(/cannot assign a plain Tensor as parameter 'factor'.*Parameter or null expected/);
    const child = new Scale();
    Object.assign(module, { factor: null, child });
    expect(module.children()).toEqual([child]);
  });

  it('N001 lets a tensor replace a buffer', () => {
    const net = new Net();
    net.shift = tg.ones([1]);
    expect(net.namedBuffers()).toEqual([['shift', net.shift]]);
  });

  it('N001 makes parameters leaves that require grad', () => {
    const source = tg.ones([2], { requiresGrad: true });
    const parameter = new nn.Parameter(source.mul(2));
    expect([parameter.isLeaf, parameter.requiresGrad]).toEqual([true, true]);
    expect(new nn.Parameter(tg.ones([2]), { requiresGrad: false }).requiresGrad).toBe(false);
    expect(() => new nn.Parameter(tg.ones([2], { dtype: 'int32' }))).toThrow(/floating point/);
    expect(parameter).toBeInstanceOf(nn.Parameter);
    expect(parameter).toBeInstanceOf(tg.Tensor);
    expect(tg.ones([2])).not.toBeInstanceOf(nn.Parameter);
  });

  it('N002 checks the name and the value of a registered parameter', () => {
    const module = new Scale();
    const parameter = new nn.Parameter(tg.ones([1]));
    expect(() => module.registerParameter('a.b', parameter)).toThrow(/dot/);
    expect(() => module.registerParameter('', parameter)).toThrow(/empty/);
    expect(() => module.registerParameter('factor', parameter)).toThrow(/already/);
    expect(() => module.registerParameter('forward', parameter)).toThrow(/already/);
    expect(() => module.registerParameter(3 as unknown as string, parameter)).toThrow(/string/);
    const computed = parameter.mul(2) as nn.Parameter;
    expect(() => module.registerParameter('b', computed)).toThrow(/non-leaf/);
    module.registerParameter('b', parameter);
    module.registerParameter('none', null);
    expect(names(module)).toEqual(['factor', 'b']);
    expect(() => module.registerParameter('b', parameter)).toThrow(/already/);
  });

  it('N003 keeps buffers out of the parameters, and only persistent ones in the state', () => {
    const module = new Scale();
    module.registerBuffer('kept', tg.ones([1]), { key: 'kept_by_another_name' });
    module.registerBuffer('dropped', tg.ones([1]), { persistent: false });
    expect(names(module)).toEqual(['factor']);
    expect(Object.keys(module.stateDict())).toEqual(['factor', 'kept_by_another_name']);
    module.double();
    expect(module.buffers().map((buffer) => buffer.dtype)).toEqual(['float64', 'float64']);
    expect(() => module.registerBuffer('kept', tg.ones([1]))).toThrow(/already/);
    expect(() => module.registerBuffer('other', 1 as unknown as Tensor)).toThrow(/Tensor/);
  });

  it('N004 registers modules by name', () => {
    const module = new Scale();
    module.registerModule('inner', new nn.Linear(1, 1));
    module.addModule('later', null);
    expect(names(module)).toEqual(['factor', 'inner.weight', 'inner.bias']);
    expect(() => module.registerModule('a.b', new Scale())).toThrow(/dot/);
    expect(() => module.registerModule('inner', new Scale())).toThrow(/already/);
    expect(() => module.registerModule('x', {} as nn.Module)).toThrow(/Module/);
  });

  it('N005 lists own members first, then those of children in order, arrays and objects included', () => {
    const net = new Net();
    expect(names(net)).toEqual([
      'gain', 'first.weight', 'first.bias', 'layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias',
      'heads.left.weight', 'heads.left.bias', 'heads.right.weight', 'heads.right.bias',
    ]);
    expect(net.namedParameters({ recurse: false }).map(([name]) => name)).toEqual(['gain']);
    expect(net.namedParameters({ prefix: 'net' })[1]![0]).toBe('net.first.weight');
    expect(net.namedModules().map(([path]) => path)).toEqual(['', 'first', 'layers.0', 'layers.1', 'heads.left', 'heads.right']);
    expect(net.namedChildren().map(([name]) => name)).toEqual(['first', 'layers.0', 'layers.1', 'heads.left', 'heads.right']);
  });

  it('N005 lists shared tensors and modules once, unless asked', () => {
    const layer = new nn.Linear(2, 2);
    const net = new nn.Sequential(layer, layer);
    expect(net.parameters()).toHaveLength(2);
    expect(net.namedParameters({ removeDuplicate: false })).toHaveLength(4);
    expect(net.modules()).toHaveLength(2);
    expect(net.children()).toHaveLength(1);
    expect(Object.keys(net.stateDict())).toHaveLength(4);
  });

  it('N008 switches between training and evaluation', () => {
    const net = new Net();
    expect(net.eval()).toBe(net);
    expect(net.modules().map((module) => module.training)).toEqual(Array(6).fill(false));
    net.train();
    expect(net.layers[1]!.training).toBe(true);
    expect(() => net.train('no' as unknown as boolean)).toThrow(/true or false/);
  });

  it('N009 freezes parameters and forgets gradients', () => {
    const net = new Net();
    net(tg.ones([1, 2])).sum().backward();
    expect(net.first.weight.grad).not.toBeNull();
    net.zeroGrad({ setToNone: false });
    expect(net.first.weight.grad!.toArray()).toEqual([[0, 0], [0, 0], [0, 0]]);
    net.zero_grad();
    expect(net.parameters().every((parameter) => parameter.grad === null)).toBe(true);
    net.requiresGrad_(false);
    expect(net(tg.ones([1, 2])).requiresGrad).toBe(false);
  });

  it('N010 applies a function to children before their parent', () => {
    const seen: string[] = [];
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.Identity());
    expect(net.apply((module) => seen.push(module.constructor.name))).toBe(net);
    expect(seen).toEqual(['Linear', 'Identity', 'Sequential']);
  });

  it('N010 converts floating-point tensors in place, gradients too', () => {
    const net = new Net();
    const counter = net.first.registerBuffer('counter', tg.zeros([], { dtype: 'int32' }));
    const { weight } = net.first;
    const before = weight.toArray();
    net(tg.ones([1, 2])).sum().backward();
    const gradient = weight.grad!.toArray();
    net.double();
    expect(net.first.weight).toBe(weight);
    expect([weight.dtype, weight.grad!.dtype, counter.dtype]).toEqual(['float64', 'float64', 'int32']);
    expect([weight.toArray(), weight.grad!.toArray()]).toEqual([before, gradient]);
    net.zeroGrad();
    net(tg.ones([1, 2], { dtype: 'float64' })).sum().backward();
    expect(weight.grad!.dtype).toBe('float64');
    expect(net.to(tg.ones([1])).first.weight.dtype).toBe('float32');
    expect(() => net.to('int32')).toThrow(/float32 or float64/);
  });

  it('N010 makes graphs of before the conversion refuse to run', () => {
    const layer = new nn.Linear(2, 2);
    const loss = layer(tg.ones([1, 2], { requiresGrad: true })).sum();
    layer.double();
    expect(() => loss.backward()).toThrow(/modified/);
  });

  it('N012 finds members by path', () => {
    const net = new Net();
    expect(net.getSubmodule('layers.1')).toBe(net.layers[1]);
    expect(net.getSubmodule('')).toBe(net);
    expect(net.getParameter('heads.left.bias')).toBe(net.heads.left.bias);
    expect(net.getBuffer('shift')).toBe(net.shift);
    expect(() => net.getSubmodule('layers.2')).toThrow(/Net has no submodule 'layers.2'; it has first, layers.0/);
  });
});

describe('printing', () => {
  it('N011 shows the tree as PyTorch lays it out', () => {
    const net = new nn.Sequential(new nn.Linear(2, 3), new nn.Sequential(new nn.Identity()));
    expect(net.toString()).toBe(
      'Sequential(\n  (0): Linear(inFeatures=2, outFeatures=3, bias=true)\n  (1): Sequential(\n    (0): Identity()\n  )\n)',
    );
    expect(`${new nn.Sequential()}`).toBe('Sequential()');
  });

  it('N011 folds runs of equal modules in a list', () => {
    const list = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.Identity()]);
    expect(String(list)).toBe(
      'ModuleList(\n  (0-1): 2 x Linear(inFeatures=2, outFeatures=2, bias=true)\n  (2): Identity()\n)',
    );
  });

  it('N011 puts lines of a layer before its children', () => {
    class Block extends nn.Module {
      inner = new nn.Identity();
      forward(x: Tensor): Tensor {
        return x;
      }
      override extraRepr(): string {
        return 'one\ntwo';
      }
    }
    expect(String(new Block())).toBe('Block(\n  one\n  two\n  (inner): Identity()\n)');
  });
});

describe('errors', () => {
  it('name the path of the module at fault', () => {
    class Autoencoder extends nn.Module {
      encoder = new nn.Sequential({ fc1: new nn.Linear(400, 120) });
      forward(x: Tensor): Tensor {
        return this.encoder(x);
      }
    }
    const x = tg.ones([8, 256]);
    const message = 'encoder.fc1 (Linear 400 → 120): input is [8, 256], expected [..., 400]';
    expect(() => new Autoencoder()(x)).toThrow(message);
    expect(() => new Autoencoder()(x)).toThrow(tg.ShapeError);
    expect(() => new nn.Linear(400, 120)(x)).toThrow('Linear 400 → 120: input is [8, 256], expected [..., 400]');
  });

  it('keep the name of an operation that a model calls itself', () => {
    class Product extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.matmul(tg.ones([5, 5]));
      }
    }
    expect(() => new nn.Sequential(new Product())(tg.ones([2, 2]))).toThrow(/^0 \(Product\): matmul: x is \[2, 2\]/);
  });

  it('show the path in the stack too', () => {
    let stack = '';
    try {
      new nn.Sequential(new nn.Linear(2, 2))(tg.ones([3]));
    } catch (error) {
      stack = (error as Error).stack!;
    }
    expect(stack.split('\n')[0]).toBe('ShapeError: 0 (Linear 2 → 2): input is [3], expected [..., 2]');
  });
});
