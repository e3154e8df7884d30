import { beforeAll, describe, expect, it } from '@jest/globals';
import { tensor, useBackend, type Tensor } from '@tapegrad/core';
import { LBFGS, registerOptimizerStepPostHook, registerOptimizerStepPreHook, SGD } from '../src/index.ts';

beforeAll(() => useBackend('reference'));

const parameter = (): Tensor => tensor([1], { requiresGrad: true });
const closureOf = (p: Tensor): (() => Tensor) => () => {
  p.grad = null;
  const loss = p.square().sum();
  loss.backward();
  return loss;
};

describe.each([
  ['SGD', (p: Tensor) => new SGD([p], { lr: 0.25 })],
  ['LBFGS', (p: Tensor) => new LBFGS([p], { lr: 0.5, maxIter: 1 })],
] as const)('hooks of a step of %s', (_, make) => {
  it('run around it, those of all optimizers outside, until they are removed', () => {
    const p = parameter();
    const optimizer = make(p);
    const closure = closureOf(p);
    const seen: unknown[] = [];
    const note = (name: string) => (own: unknown, args: readonly unknown[]): void => {
      seen.push(name, own === optimizer, args[0] === closure, p.item());
    };
    const handles = [
      optimizer.registerStepPreHook(note('before')),
      optimizer.registerStepPostHook(note('after')),
      registerOptimizerStepPreHook(note('before all')),
      registerOptimizerStepPostHook(note('after all')),
    ];
    optimizer.step(closure);
    const stepped = p.item();
    expect(stepped).toBe(0.5);
    expect(seen).toEqual([
      'before all', true, true, 1, 'before', true, true, 1, 'after', true, true, stepped, 'after all', true, true, stepped,
    ]);
    handles.forEach((handle) => handle.remove());
    optimizer.step(closure);
    expect(seen).toHaveLength(16);
  });

  it('may give it another closure, and nothing else', () => {
    const p = parameter();
    const optimizer = make(p);
    const handle = optimizer.registerStepPreHook(() => [closureOf(p)]);
    expect((optimizer.step() as unknown as Tensor).item()).toBe(1);
    expect(p.item()).toBe(0.5);
    handle.remove();
    optimizer.registerStepPreHook(() => 3 as never);
    expect(() => optimizer.step(closureOf(p))).toThrow('must return nothing or an array of arguments, got 3');
    expect(p.item()).toBe(0.5);
    expect(() => optimizer.registerStepPostHook(null as never)).toThrow('a hook must be a function, got null');
  });
});

describe('hooks of the state dict', () => {
  it('see and replace it, in the order in which they were registered or before the others', () => {
    const optimizer = new SGD([parameter()], { lr: 0.25 });
    const seen: string[] = [];
    optimizer.registerStateDictPreHook(() => void seen.push('second'));
    optimizer.registerStateDictPreHook(() => void seen.push('first'), { prepend: true });
    optimizer.registerStateDictPostHook((_, dict) => ({ ...dict, epoch: 3 }));
    optimizer.registerLoadStateDictPreHook((_, dict) => {
      seen.push(`load ${(dict as unknown as { epoch: number }).epoch}`);
      return { ...dict, param_groups: dict.param_groups.map((group) => ({ ...group, lr: 0.125 })) };
    });
    optimizer.registerLoadStateDictPostHook((own) => void seen.push(`loaded ${own.paramGroups[0]!.lr}`));
    const dict = optimizer.stateDict();
    expect(dict).toMatchObject({ epoch: 3, state: {} });
    optimizer.loadStateDict(dict);
    expect(seen).toEqual(['first', 'second', 'load 3', 'loaded 0.125']);
    expect(() => optimizer.registerStateDictPreHook(() => undefined, { prepends: true } as object)).toThrow('Did you mean prepend?');
  });
});
