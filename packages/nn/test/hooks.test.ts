import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const x = (): Tensor => tg.ones([2]);

describe('hooks', () => {
  it('N020 see the arguments and the output, and may replace them', () => {
    const module = new nn.Identity();
    const pre = module.registerForwardPreHook((self, [given]) => {
      expect(self).toBe(module);
      return (given as Tensor).add(1);
    });
    const post = module.registerForwardHook((_, [given], output) => {
      expect((given as Tensor).toArray()).toEqual([2, 2]);
      return (output as Tensor).mul(10);
    });
    expect(module(x()).toArray()).toEqual([20, 20]);
    pre.remove();
    post.remove();
    expect(module(x()).toArray()).toEqual([1, 1]);
  });

  it('N020 may replace several arguments by an array', () => {
    class Difference extends nn.Module {
      forward(a: Tensor, b: Tensor): Tensor {
        return a.sub(b);
      }
    }
    const module = new Difference();
    module.registerForwardPreHook((_, [a, b]) => [b, a]);
    expect(module(x(), x().mul(3)).toArray()).toEqual([2, 2]);
  });

  it('N021 run in order, prepended ones first', () => {
    const module = new nn.Identity();
    const fired: number[] = [];
    for (const [i, prepend] of [[0, false], [1, true], [2, false], [3, false], [4, true]] as const) {
      module.registerForwardPreHook(() => void fired.push(i), { prepend });
    }
    module(x());
    expect(fired).toEqual([4, 1, 0, 2, 3]);
    fired.length = 0;
    for (const [i, prepend] of [[10, false], [11, true]] as const) {
      module.registerForwardHook(() => void fired.push(i), { prepend });
    }
    module(x());
    expect(fired).toEqual([4, 1, 0, 2, 3, 11, 10]);
  });

  it('N021 of all modules run before own ones', () => {
    const module = new nn.Sequential(new nn.Identity());
    const fired: string[] = [];
    const handles = [
      nn.registerModuleForwardPreHook(({ constructor: { name } }) => void fired.push(`pre ${name}`)),
      nn.registerModuleForwardHook(({ constructor: { name } }) => void fired.push(`post ${name}`)),
      module.registerForwardPreHook(() => void fired.push('own pre')),
      module.registerForwardHook(() => void fired.push('own post')),
    ];
    module(x());
    expect(fired).toEqual(['pre Sequential', 'own pre', 'pre Identity', 'post Identity', 'post Sequential', 'own post']);
    handles.forEach((handle) => handle.remove());
    module(x());
    expect(fired).toHaveLength(6);
  });

  it('N024 with alwaysCall run even if forward throws', () => {
    const module = new nn.Linear(3, 3);
    const seen: unknown[] = [];
    module.registerForwardHook((_, __, output) => void seen.push(output), { alwaysCall: true });
    module.registerForwardHook(() => void seen.push('not called'));
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    module.registerForwardHook(() => { throw new Error('in the hook'); }, { alwaysCall: true });
    expect(() => module(x())).toThrow(/Linear 3 → 3/);
    expect(seen).toEqual([undefined]);
    expect(warn.mock.calls[0]![0]).toMatch(/in the hook/);
    warn.mockRestore();
  });

  it('N025 are not part of the state and can be removed twice', () => {
    const module = new nn.Linear(1, 1);
    const handle = module.registerForwardHook(() => undefined);
    expect(Object.keys(module.stateDict())).toEqual(['weight', 'bias']);
    handle.remove();
    handle.remove();
    expect(module(tg.ones([1])).shape).toEqual([1]);
  });

  it('N022 see the gradients of arguments and outputs, and may replace the former', () => {
    class Product extends nn.Module {
      forward(a: Tensor, b: Tensor, times: number): Tensor {
        return a.mul(b).mul(times);
      }
    }
    const module = new Product();
    const seen: (number | null)[][] = [];
    const values = (gradients: nn.ModuleGradients): (number | null)[] => gradients.map((g) => g?.item() ?? null);
    const handle = module.registerFullBackwardHook((self, gradInputs, gradOutputs) => {
      expect(self).toBe(module);
      seen.push(values(gradInputs), values(gradOutputs));
      return [gradInputs[0]!.mul(100), ...gradInputs.slice(1)];
    });
    const run = (): number[] => {
      const a = tg.tensor(3, { requiresGrad: true });
      const b = tg.tensor(5, { requiresGrad: true });
      module(a, b, 2).mul(7).backward();
      return [a.grad!.item(), b.grad!.item()];
    };
    expect(run()).toEqual([7000, 42]);
    expect(seen).toEqual([[70, 42, null], [7]]);
    handle.remove();
    expect(run()).toEqual([70, 42]);
    expect(seen).toHaveLength(2);
  });

  it('N022 run without gradients of arguments when none requires one', () => {
    const module = new nn.Linear(2, 1);
    const seen: unknown[] = [];
    module.registerFullBackwardHook((_, gradInputs, gradOutputs) => void seen.push(gradInputs, gradOutputs[0]!.toArray()));
    module(x()).sum().backward();
    expect(seen).toEqual([[null], [1]]);
    expect(module.weight.grad!.toArray()).toEqual([[1, 1]]);
    module.eval();
    tg.noGrad(() => module(x()));
    expect(seen).toHaveLength(2);
  });

  it('N022 leave inputs that are changed in place to be refused', () => {
    class Doubled extends nn.Module {
      forward(a: Tensor): Tensor {
        return a.mul_(2);
      }
    }
    const module = new Doubled();
    module.registerFullBackwardHook(() => undefined);
    const input = tg.ones([2], { requiresGrad: true }).mul(1);
    expect(() => module(input)).toThrow(/is being modified inplace/);
  });

  it('N023 see the gradients of the outputs first, and may replace them', () => {
    const module = new nn.Identity();
    const order: string[] = [];
    module.registerFullBackwardHook((_, gradInputs, gradOutputs) => {
      order.push(`hook ${gradInputs[0]!.item()} ${gradOutputs[0]!.item()}`);
    });
    module.registerFullBackwardPreHook((_, gradOutputs) => {
      order.push(`pre ${gradOutputs[0]!.item()}`);
      return [gradOutputs[0]!.mul(10)];
    });
    const input = tg.tensor(1, { requiresGrad: true });
    module(input).mul(3).backward();
    expect(order).toEqual(['pre 3', 'hook 30 30']);
    expect(input.grad!.item()).toBe(30);
    module.registerFullBackwardPreHook(() => []);
    expect(() => module(input).backward()).toThrow(/an array of 1 gradients/);
  });
});
