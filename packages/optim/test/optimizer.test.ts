import { beforeAll, describe, expect, it } from '@jest/globals';
import { tensor, useBackend, type Tensor } from '@tapegrad/core';
import { Adam, AdamW, lrScheduler, SGD } from '../src/index.ts';

beforeAll(() => useBackend('reference'));

const parameter = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe('Optimizer', () => {
  it('O001 refuses parameters that cannot be optimized', () => {
    expect(() => new SGD([])).toThrow(/empty parameter list/);
    expect(() => new SGD(parameter([1]) as never)).toThrow(/single Tensor/);
    expect(() => new SGD([parameter([1]).mul(2)])).toThrow(/non-leaf/);
    const p = parameter([1]);
    expect(() => new SGD([{ params: [p] }, { params: [p] }])).toThrow(/more than one parameter group/);
    expect(() => new SGD(['x'] as never)).toThrow(/can only optimize Tensors|params/);
  });

  it('O002 reads the options of a group at each step and fills in defaults', () => {
    const p = parameter([1]);
    const q = parameter([1]);
    const optimizer = new SGD([{ params: [p], lr: 1 }, { params: q }], { lr: 0.5 });
    p.grad = tensor([1]);
    q.grad = tensor([1]);
    optimizer.step();
    expect([p.item(), q.item()]).toEqual([0, 0.5]);
    optimizer.paramGroups[1]!.lr = 2;
    q.grad = tensor([1]);
    optimizer.step();
    expect(q.item()).toBe(-1.5);
  });

  it('O003 returns the loss of the closure, and leaves parameters without a gradient alone', () => {
    const p = parameter([1]);
    const q = parameter([5]);
    const optimizer = new AdamW([p, q], { lr: 0.1 });
    const loss = optimizer.step(() => {
      optimizer.zeroGrad();
      const value = p.square().sum();
      value.backward();
      return value;
    });
    expect(loss.item()).toBe(1);
    expect(q.item()).toBe(5);
    expect(optimizer.state.has(q)).toBe(false);
  });

  it('O004 forgets gradients, or fills them with zeros', () => {
    const p = parameter([1]);
    const optimizer = new SGD([p]);
    p.grad = tensor([3]);
    optimizer.zero_grad({ setToNone: false });
    expect(p.grad!.toArray()).toEqual([0]);
    optimizer.zeroGrad();
    expect(p.grad).toBeNull();
  });

  it('O006 goes on with the same numbers after its state was saved and loaded', () => {
    const make = (): { p: Tensor; optimizer: Adam } => {
      const p = parameter([1, -2]);
      return { p, optimizer: new Adam([p], { lr: 0.1, weightDecay: 0.01 }) };
    };
    const train = (p: Tensor, optimizer: Adam, steps: number): void => {
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        p.square().sum().backward();
        optimizer.step();
      }
    };
    const straight = make();
    train(straight.p, straight.optimizer, 6);
    const before = make();
    train(before.p, before.optimizer, 3);
    const dict = before.optimizer.stateDict();
    expect(Object.keys(dict.state[0]!).sort()).toEqual(['exp_avg', 'exp_avg_sq', 'step']);
    expect(dict.param_groups[0]!.weight_decay).toBe(0.01);
    const p = tensor(before.p.detach()).requiresGrad_();
    const after = new Adam([p], { lr: 9 });
    after.loadStateDict(dict);
    train(p, after, 3);
    expect(p.toArray()).toEqual(straight.p.toArray());
  });

  it('O012 reads a learning rate that PyTorch saved as a tensor', () => {
    const optimizer = new SGD([parameter([1])]);
    const dict = optimizer.stateDict();
    optimizer.loadStateDict({ ...dict, param_groups: [{ ...dict.param_groups[0]!, lr: tensor(0.5) }] });
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  });

  it('O006 refuses a state of other groups before anything has changed', () => {
    const one = new SGD([parameter([1])], { lr: 0.5 });
    const two = new SGD([parameter([1]), parameter([2])], { lr: 0.1 });
    expect(() => one.loadStateDict(two.stateDict())).toThrow(/doesn't match the size/);
    const groups = new SGD([{ params: [parameter([1])] }, { params: [parameter([1])] }]);
    expect(() => one.loadStateDict(groups.stateDict())).toThrow(/different number of parameter groups/);
    expect(one.paramGroups[0]!.lr).toBe(0.5);
  });

  it('O010 counts steps from 1', () => {
    const p = parameter([1]);
    const optimizer = new Adam([p]);
    p.grad = tensor([1]);
    optimizer.step();
    expect(optimizer.state.get(p)!['step']).toBe(1);
  });

  it('O011 refuses options out of range', () => {
    const p = parameter([1]);
    expect(() => new SGD([p], { lr: -1 })).toThrow('Invalid learning rate: -1');
    expect(() => new SGD([p], { momentum: -1 })).toThrow('Invalid momentum value: -1');
    expect(() => new SGD([p], { nesterov: true })).toThrow('Nesterov momentum requires a momentum and zero dampening');
    expect(() => new Adam([p], { betas: [1, 0.9] })).toThrow('Invalid beta parameter at index 0: 1');
    expect(() => new Adam([p], { eps: -1 })).toThrow('Invalid epsilon value: -1');
    expect(() => new AdamW([p], { weightDecay: -1 })).toThrow('Invalid weight_decay value: -1');
  });
});

describe('LambdaLR', () => {
  it('multiplies the first rate by its function and resumes from its state', () => {
    const optimizer = new SGD([parameter([1])], { lr: 2 });
    const scheduler = new lrScheduler.LambdaLR(optimizer, (epoch) => 0.5 ** epoch);
    expect(scheduler.getLastLr()).toEqual([2]);
    optimizer.step();
    scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBe(1);
    const other = new SGD([parameter([1])], { lr: 2 });
    const resumed = new lrScheduler.LambdaLR(other, (epoch) => 0.5 ** epoch);
    resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())) as Record<string, unknown>);
    other.step();
    resumed.step();
    expect(resumed.getLastLr()).toEqual([0.5]);
  });
});
