import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import { SGD } from '../src/index.ts';

describe('zeroGrad', () => {
  it('E048 forgets gradients, or zeroes them where they lie', () => {
    const x = tg.tensor([1], { requiresGrad: true });
    const unused = tg.tensor([1], { requiresGrad: true });
    const optimizer = new SGD([x, unused], { lr: 0.1 });
    x.grad = tg.tensor([3]);
    optimizer.zeroGrad();
    expect(x.grad).toBeNull();
    const held = tg.tensor([3]);
    x.grad = held;
    optimizer.zeroGrad({ setToNone: false });
    expect([x.grad.toArray(), held.toArray(), unused.grad]).toEqual([[0], [0], null]);
    optimizer.zero_grad();
    expect(x.grad).toBeNull();
  });

  it('E048 cuts a gradient that has a graph', () => {
    const x = tg.tensor([2], { requiresGrad: true });
    const [gradient] = tg.grad(x.pow(3), x, { createGraph: true });
    x.grad = gradient!;
    new SGD([x], { lr: 0.1 }).zeroGrad({ setToNone: false });
    expect([x.grad.toArray(), x.grad.requiresGrad]).toEqual([[0], false]);
  });
});
