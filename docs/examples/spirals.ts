import * as tg from 'tapegrad';
import { nn, optim, type Tensor } from 'tapegrad';
const { DataLoader, TensorDataset } = tg.data;

tg.manualSeed(0);
const radius = tg.rand([600]);
const arm = tg.randint(0, 3, [600]);
const angle = radius.mul(5).add(arm.mul(2.1)).add(tg.randn([600]).mul(0.1));
const points = tg.stack([radius.mul(angle.cos()), radius.mul(angle.sin())], 1);

class Net extends nn.Module {
  hidden = new nn.Linear(2, 64);
  drop = new nn.Dropout(0.1);
  out = new nn.Linear(64, 3);

  forward(x: Tensor): Tensor {
    return this.out(this.drop(this.hidden(x).tanh()));
  }
}

const model = new Net();
const loader = new DataLoader(new TensorDataset(points, arm), { batchSize: 50, shuffle: true });
const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.05 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.03, weightDecay: 0.01 });
const scheduler = new optim.lrScheduler.StepLR(optimizer, 40, { gamma: 0.5 });

for (let epoch = 0; epoch < 100; epoch++) {
  model.train();
  let total = 0;
  for (const [x, y] of loader) {
    optimizer.zeroGrad();
    const loss = criterion(model(x), y);
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    total += loss.item() * x.shape[0]!;
  }
  scheduler.step();
  if (epoch % 20 === 19) {
    console.log(epoch + 1, (total / 600).toFixed(6));
  }
}

model.eval();
const right = tg.noGrad(() => model(points).argmax(1).eq(arm).sum().item());
console.log('accuracy', right / 600);
