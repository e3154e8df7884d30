import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setWarnings, tensor, type Tensor } from '@tapegrad/core';
import { SGD } from '../src/index.ts';

let said: string[] = [];
beforeEach(() => {
  said = [];
  jest.spyOn(console, 'warn').mockImplementation((message: unknown) => {
    said.push(String(message));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  setWarnings(true);
});

const start = (): { x: Tensor; optimizer: SGD } => {
  const x = tensor([1, 2], { requiresGrad: true });
  return { x, optimizer: new SGD([x], { lr: 0.1 }) };
};

describe('habits that catch mistakes', () => {
  it('lets loops be that clear gradients in any way, or give up clearing after a step without an earlier one', () => {
    const clear: ((x: Tensor, optimizer: SGD) => void)[] = [
      (_, optimizer) => optimizer.zeroGrad(),
      (_, optimizer) => optimizer.zeroGrad({ setToNone: false }),
      (x) => x.grad?.zero_(),
      (x) => (x.grad = null),
    ];
    for (const zero of clear) {
      const { x, optimizer } = start();
      for (let i = 0; i < 4; i++) {
        zero(x, optimizer);
        // Two backward passes per step: gradients of halves of a batch add up.
        for (let part = 0; part < 2; part++) x.square().sum().backward();
        optimizer.step();
      }
    }
    expect(said).toEqual([]);
  });

  it('says nothing when told so', () => {
    setWarnings(false);
    const { x, optimizer } = start();
    for (let i = 0; i < 4; i++) {
      if (i !== 1) x.square().sum().backward();
      optimizer.step();
    }
    expect(said).toEqual([]);
  });

  it('points out, once, a step that uses the gradients of the last one', () => {
    for (let run = 0; run < 2; run++) {
      const { x, optimizer } = start();
      x.square().sum().backward();
      optimizer.step();
      optimizer.step();
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^tapegrad: SGD\.step\(\) uses the gradients of the last step once more\. .*\n.*habits\.test\.ts:\d+/);
  });

  it('points out, once, gradients that were added to those of the last step', () => {
    const { x, optimizer } = start();
    for (let i = 0; i < 3; i++) {
      x.square().sum().backward();
      optimizer.step();
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/Call zeroGrad\(\) before each backward\(\)\.\n.*habits\.test\.ts:\d+/);
  });
});
