// What an installed tapegrad must be able to do anywhere: a gradient, and a network that learns.
import * as tg from 'tapegrad';

/** Trains exclusive-or from a fixed seed and returns what came out, as text. */
export function smoke() {
  const x = tg.tensor([[1, 2], [3, 4]], { requiresGrad: true });
  x.mul(x).sum().backward();

  tg.manualSeed(0);
  const { nn, optim } = tg;
  const input = tg.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const target = tg.tensor([[0], [1], [1], [0]]);
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
  const lossFunction = new nn.MSELoss();
  let loss;
  for (let step = 0; step < 200; step += 1) {
    loss = lossFunction(model(input), target);
    model.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return `gradient ${JSON.stringify(x.grad.tolist())}, learned ${loss.item() < 0.01}`;
}
