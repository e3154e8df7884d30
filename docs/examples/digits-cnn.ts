// A convolutional network reads handwritten digits (MNIST): batch norm, and a learning rate that goes once up and down
// (OneCycleLR). `npm start` trains a plain network on the same images, with checkpoints and all.
import * as tg from 'tapegrad';
import { useBlas } from '@tapegrad/blas';
import { readDigits } from './digits.ts';
import type { Example } from './stage.ts';
import type { Batch } from './training.ts';

const { nn, optim } = tg;
const { DataLoader } = tg.data;

/** A convolution, its norm, and half the height and width. */
const reduce = (from: number, to: number): tg.nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(to),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  );

export const digitsCnn: Example = async (stage) => {
  await useBlas();
  tg.manualSeed(0);
  const sizes = stage.quick ? { train: 1000, test: 300 } : undefined;
  const { train, test } = readDigits({ mean: 0.1307, std: 0.3081, channels: true }, sizes);
  const loader = new DataLoader<Batch>(train, { batchSize: 100, shuffle: true });
  const epochs = 2;

  const model = new nn.Sequential(
    reduce(1, 16),
    reduce(16, 32),
    reduce(32, 64),
    new nn.Flatten(),
    new nn.Linear(64 * 3 * 3, 10),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.001 });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.01, { totalSteps: epochs * loader.length });

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const progress = stage.progress(`epoch ${epoch}/${epochs}`, train.length, 'images');
    let done = 0;
    for await (const [images, labels] of loader) {
      const loss = nn.functional.crossEntropy(model(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      scheduler.step();
      progress.update((done += labels.shape[0]!), { loss: loss.item() });
    }
    progress.finish();
  }

  model.eval();
  let right = 0;
  for await (const [images, labels] of new DataLoader<Batch>(test, { batchSize: 500 })) {
    right += tg.noGrad(() => model(images).argmax(1).eq(labels).sum().item());
  }
  const accuracy = right / test.length;
  stage.say(`${test.length - right} of ${test.length} test images are misread: accuracy ${(100 * accuracy).toFixed(2)} %`);
  return { accuracy };
};
