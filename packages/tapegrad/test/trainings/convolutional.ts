import * as tg from 'tapegrad';
import type { Tensor } from 'tapegrad';

const { nn, optim } = tg;
const F = nn.functional;
const STEPS = 40;

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  bn1 = new nn.BatchNorm2d(8);
  conv2 = new nn.Conv2d(8, 16, 3, { padding: 1, stride: 2, bias: false });
  bn2 = new nn.BatchNorm2d(16);
  drop2d = new nn.Dropout2d(0.1);
  dropout = new nn.Dropout(0.25);
  fc1 = new nn.Linear(16 * 3 * 3, 32);
  bn3 = new nn.BatchNorm1d(32);
  fc2 = new nn.Linear(32, 10);

  forward(x: Tensor): Tensor {
    x = F.maxPool2d(F.relu(this.bn1(this.conv1(x))), 2);
    x = this.drop2d(F.relu(this.bn2(this.conv2(x))));
    x = tg.flatten(x, 1);
    x = this.dropout(F.relu(this.bn3(this.fc1(x))));
    return this.fc2(x);
  }
}

/** The port of `convolutional.py`. */
export function train(dtype: tg.DTypeName): number[] {
  const images = tg.rand([64, 1, 12, 12]).to(dtype);
  const labels = tg.randint(0, 10, [64]);
  const model = new Net().to(dtype);
  const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 5e-4, nesterov: true });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { totalSteps: STEPS });
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    model.train();
    const batch = tg.randperm(64).at(':16');
    optimizer.zeroGrad();
    const loss = criterion(model(images.at(batch)), labels.at(batch));
    loss.backward();
    const norm = nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    losses.push(loss.item());
    if (step % 10 === 9) {
      losses.push(norm.item());
      model.eval();
      losses.push(tg.noGrad(() => F.crossEntropy(model(images), labels).item()));
    }
  }
  return losses;
}
