import { afterAll, describe, expect, it } from '@jest/globals';
import * as tg from 'tapegrad';
import type { Tensor } from 'tapegrad';

const { nn, optim } = tg;
const STEPS = 8;

afterAll(() => tg.setNumThreads(1));

/** Runs until other threads do their share, which takes its time where many programs run. */
function startThreads(threads: number): void {
  tg.setNumThreads(threads);
  const x = tg.ones([300, 300]);
  const end = performance.now() + 60_000;
  if (threads === 1) return;
  while (!/[1-9]\d* of/.test(tg.parallelInfo())) {
    if (performance.now() > end) throw new Error(tg.parallelInfo());
    tg.scope(() => void x.matmul(x));
  }
}

/** All losses and, at the end, all parameters. */
function trained(model: tg.nn.Module, loss: () => Tensor): number[] {
  const parameters = [...model.parameters()];
  const optimizer = new optim.AdamW(parameters, { lr: 1e-3 });
  const losses = Array.from({ length: STEPS }, () => {
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    optimizer.step();
    return value.item();
  });
  return [...losses, ...parameters.flatMap((p) => [...(p.detach().reshape([-1]).toTypedArray() as Float32Array)])];
}

function lenet(): number[] {
  tg.manualSeed(3);
  const model = new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(400, 120),
    new nn.ReLU(),
    new nn.Linear(120, 10),
  );
  const x = tg.rand([64, 1, 28, 28]);
  const labels = tg.arange(64).remainder(10).to('int32');
  return trained(model, () => nn.functional.crossEntropy(model(x) as Tensor, labels));
}

class Block extends nn.Module {
  norm1: tg.nn.LayerNorm = new nn.LayerNorm(128);
  qkv: tg.nn.Linear = new nn.Linear(128, 384);
  project: tg.nn.Linear = new nn.Linear(128, 128);
  norm2: tg.nn.LayerNorm = new nn.LayerNorm(128);
  up: tg.nn.Linear = new nn.Linear(128, 512);
  down: tg.nn.Linear = new nn.Linear(512, 128);

  forward(x: Tensor): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const heads = this.qkv(this.norm1(x)).chunk(3, 2).map((part) => part.reshape([batch, length, 4, width / 4]).transpose(1, 2));
    const [q, k, v] = heads as [Tensor, Tensor, Tensor];
    const mixed = nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true });
    const attended = x.add(this.project(mixed.transpose(1, 2).reshape([batch, length, width])));
    return attended.add(this.down(this.up(this.norm2(attended)).gelu({ approximate: 'tanh' })));
  }
}

class Language extends nn.Module {
  token: tg.nn.Embedding = new nn.Embedding(65, 128);
  blocks: tg.nn.Sequential = new nn.Sequential(new Block(), new Block());
  norm: tg.nn.LayerNorm = new nn.LayerNorm(128);
  head: tg.nn.Linear = new nn.Linear(128, 65);

  forward(ids: Tensor): Tensor {
    return this.head(this.norm(this.blocks(this.token(ids)) as Tensor));
  }
}

function gpt(): number[] {
  tg.manualSeed(4);
  const model = new Language();
  const ids = tg.randint(0, 65, [8, 64]);
  const labels = tg.randint(0, 65, [512]);
  return trained(model, () => nn.functional.crossEntropy((model(ids) as Tensor).reshape([-1, 65]), labels));
}

describe('training on several threads takes the same path to the bit', () => {
  it.each([['LeNet', lenet], ['a small GPT', gpt]] as const)('of %s', (_, train) => {
    startThreads(1);
    const alone = train();
    expect(alone[STEPS - 1]!).toBeLessThan(alone[0]!);
    for (const threads of [2, 3]) {
      startThreads(threads);
      const together = train();
      expect(together.length).toBe(alone.length);
      expect(together.findIndex((value, k) => !Object.is(value, alone[k]))).toBe(-1);
    }
  });
});
