import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { manualSeed, memory, MemoryError, nn, optim, rand, setMemoryBudget, tensor, zeros, type Tensor } from '../src/index.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

interface Report {
  resident: Record<string, number>;
  intact: boolean;
  evicted: number;
}

describe('a synchronous training loop without any ceremony', () => {
  it('keeps resident memory flat and every held tensor right', () => {
    const { stdout, stderr } = spawnSync(process.execPath, [path('../../dev/run.mjs'), path('train-loop.ts'), '20000'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const report = JSON.parse(stdout.trim().split('\n').at(-1)!) as Report;
    expect(report.intact).toBe(true);
    // Nothing was freed by hand, so much more than what is resident must have been moved out.
    expect(report.evicted).toBeGreaterThan(2 ** 28);
    expect(report.resident['20000']! - report.resident['2000']!).toBeLessThan(20);
  }, 120_000);
});

it('keeps few small results that nobody holds, however many there were', () => {
  let x = zeros([1]);
  for (let i = 0; i < 2_000_000; i++) x = x.add(1);
  expect(memory().byDType.float32!.tensors).toBeLessThan(3000);
  expect(x.item()).toBe(2_000_000);
});

describe('a heap smaller than what a program holds', () => {
  const budget = memory().budget;
  afterEach(() => setMemoryBudget(budget));

  it('trains to the same numbers as a large one', () => {
    const train = (): unknown => {
      manualSeed(1);
      const model = new nn.Sequential(new nn.Linear(256, 512), new nn.ReLU(), new nn.Linear(512, 256));
      const optimizer = new optim.Adam(model.parameters());
      const x = rand([32, 256]);
      for (let step = 0; step < 3; step++) {
        optimizer.zeroGrad();
        (model(x) as Tensor).square().mean().backward();
        optimizer.step();
      }
      return model.parameters().map((p) => p.toTypedArray());
    };
    const expected = train();
    // Parameters, gradients and two moments take 4 MiB; one operation at a time needs much less.
    setMemoryBudget(memory().heap + 2 ** 20);
    expect(train()).toEqual(expected);
  });

  it('says how much was asked for when one operation does not fit', () => {
    setMemoryBudget(memory().heap);
    const large = zeros([2 ** 10]);
    expect(() => large.expand([2 ** 16, 2 ** 10]).clone()).toThrow(MemoryError);
    expect(() => large.expand([2 ** 16, 2 ** 10]).clone()).toThrow(/268435456 bytes were asked for/);
    expect(tensor([1, 2]).sum().item()).toBe(3);
  });
});
