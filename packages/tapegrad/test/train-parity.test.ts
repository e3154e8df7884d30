import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { readMnist } from '@tapegrad/data/node';
import * as tg from 'tapegrad';

const { nn, optim } = tg;
const STEPS = 120;
const BATCH = 64;
const PIXELS = 784;

type Losses = Record<'float32' | 'float64', Record<string, number[]>>;

const recorded = JSON.parse(readFileSync(new URL('data/train-mlp.json', import.meta.url), 'utf8')) as Losses;
const docs = fileURLToPath(new URL('../../../docs', import.meta.url));
const { trainImages, trainLabels } = readMnist({ from: docs });

function trained(dtype: 'float32' | 'float64', seed: number): number[] {
  tg.manualSeed(seed);
  const model = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(PIXELS, 128),
    new nn.ReLU(),
    new nn.Linear(128, 64),
    new nn.Tanh(),
    new nn.Linear(64, 10),
  ).to(dtype);
  const lossFn = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  return Array.from({ length: STEPS }, (_, i) => {
    const pixels = trainImages.data.subarray(i * BATCH * PIXELS, (i + 1) * BATCH * PIXELS);
    const labels = trainLabels.data.subarray(i * BATCH, (i + 1) * BATCH);
    const yPred = model(tg.tensor(pixels, { dtype }).div(255).reshape(BATCH, 28, 28));
    const loss = lossFn(yPred, tg.tensor(labels, { dtype: 'int64' }));
    model.zero_grad();
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}

describe('training on MNIST gives the losses of PyTorch', () => {
  // [dtype, seed, allowed relative difference at every step]
  const runs = [
    ['float64', 0, 1e-8],
    ['float64', 1234, 1e-8],
    ['float32', 0, 2e-4],
    ['float32', 1234, 2e-4],
  ] as const;

  it.each(runs)('in %s with seed %i', (dtype, seed, tolerance) => {
    const expected = recorded[dtype][seed]!;
    const losses = trained(dtype, seed);
    expect(expected).toHaveLength(STEPS);
    losses.forEach((loss, i) => expect(Math.abs(loss - expected[i]!)).toBeLessThanOrEqual(tolerance * expected[i]!));
  }, 120_000);
});
