// npm start: trains a network to read handwritten digits.
import { fileURLToPath } from 'node:url';
import * as tg from 'tapegrad';
import { useBlas } from '@tapegrad/blas';
import { readMnist } from '@tapegrad/data/node';
import { Interruption } from './interruption.ts';
import { readOptions, usage } from './options.ts';
import { runProgram } from './program.ts';
import { Progress } from './progress.ts';
import { epochReport, filesReport, interruptionReport, resultOf, type Score } from './report.ts';
import { folderOf, readCheckpoint, resuming, RunFolder } from './run-folder.ts';
import { settle } from './settings.ts';
import { trainingCurve } from './training-curve.ts';
import { changeRate, Training, type Batch } from './training.ts';

const { nn, optim } = tg;
const { LabelledImages, DataLoader } = tg.data;

/** Mean and spread of the pixels of the training images, which run from 0 to 1. */
const PIXELS = { mean: 0.1307, std: 0.3081 };

await runProgram(async (args) => {
  const options = readOptions(args);
  if (options.help) {
    console.log(usage());
    return 0;
  }
  const { resume = null, out = resume === null ? 'runs/mnist' : folderOf(resume) } = options;
  const checkpoint = resume === null ? null : readCheckpoint(resume);
  const settings = resuming(resume, () => settle(options, checkpoint));

  // Native code multiplies matrices, where there is some; everything else stays as it is.
  const blas = await useBlas();

  // The data: 60 000 images to learn from, 10 000 others to test with.
  const from = fileURLToPath(new URL('.', import.meta.url));
  const files = readMnist(options.data === undefined ? { from } : { folder: options.data });
  const images = new LabelledImages(files.trainImages, files.trainLabels, PIXELS);
  const testImages = new LabelledImages(files.testImages, files.testLabels, PIXELS);
  const loader = new DataLoader<Batch>(images, { batchSize: settings.batchSize, shuffle: true });

  // The network, and how it learns.
  tg.manualSeed(settings.seed);
  const model = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );
  const lossFunction = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: settings.lr });
  const scheduler = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 0.5 ** epoch);

  const training = new Training({ model, optimizer, scheduler, loader });
  if (checkpoint !== null) {
    resuming(resume, () => training.restore(checkpoint));
    changeRate({ optimizer, scheduler }, settings.lr);
  }
  if (training.epoch >= settings.epochs) {
    const { epoch } = training;
    console.log(`nothing is left to do: ${resume} has ${epoch} epochs already; ask for more with --epochs`);
    return 0;
  }

  const folder = new RunFolder(out);
  const interruption = new Interruption(() => console.log('\nstopping after this batch (again: at once)'));
  const { name: backend } = tg.currentBackend();
  console.log(`training on ${images.length} images, testing on ${testImages.length}; backend: ${backend}`);
  if (blas.name !== null) console.log(`products of matrices: ${blas.summary}`);

  while (training.epoch < settings.epochs) {
    const label = `epoch ${training.epoch + 1}/${settings.epochs}`;
    const progress = new Progress({ label, total: images.length, from: training.imagesDone });

    for await (const [x, labels] of training.remaining(() => interruption.requested())) {
      const output = model(x);
      const loss = lossFunction(output, labels);
      model.zero_grad();
      loss.backward();
      optimizer.step();

      training.record(loss.item(), accuracy(output, labels));
      progress.update(training.imagesDone, training.means);
    }

    if (interruption.signal !== null) {
      folder.saveCheckpoint(training.checkpoint(settings));
      progress.note(interruptionReport(label, training, folder));
      return interruption.exitCode;
    }
    progress.finish(training.means);
    const score = evaluate(model, testImages);
    console.log(epochReport(label, score));
    training.endEpoch(score);
    folder.saveCheckpoint(training.checkpoint(settings));
  }

  const result = resultOf(training);
  folder.saveModel(model.stateDict());
  folder.saveCurve(trainingCurve(training.history, training.batches, result));
  console.log(`\n${result}\n${filesReport(folder)}`);
  return 0;
});

/** The part of a batch whose largest output is the right one. */
function accuracy(output: tg.Tensor, labels: tg.Tensor): number {
  return tg.noGrad(() => output.argmax(1).eq(labels).sum().item() / labels.shape[0]!);
}

/** How well a model does on a dataset. */
function evaluate(model: tg.nn.Module, dataset: tg.data.Dataset<Batch>): Score {
  const sums = { loss: 0, accuracy: 0 };
  tg.noGrad(() => {
    for (const [x, labels] of new DataLoader(dataset, { batchSize: 500 })) {
      const output = model(x) as tg.Tensor;
      const part = labels.shape[0]! / dataset.length;
      sums.loss += part * nn.functional.crossEntropy(output, labels).item();
      sums.accuracy += part * accuracy(output, labels);
    }
  });
  return sums;
}
