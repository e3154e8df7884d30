// Trains for many steps in one synchronous loop, without dispose, scope or a pause, holding on to a tensor now and then.
// Prints one line of JSON: resident memory in MiB after each report, and whether the held tensors kept their values.
import { manualSeed, memory, nn, optim, rand, type Tensor } from '../src/index.ts';

const steps = Number(process.argv[2]);
manualSeed(0);
const model = new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Linear(32, 32), new nn.Tanh(), new nn.Linear(32, 4));
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const x = rand([32, 16]);
const y = rand([32, 4]);
const criterion = new nn.MSELoss();

const held: { tensor: Tensor; values: ArrayLike<number> }[] = [];
const resident: Record<number, number> = {};
for (let step = 1; step <= steps; step++) {
  const output = model(x) as Tensor;
  const loss = criterion(output, y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % (steps / 20) === 0) {
    held.push({ tensor: output, values: output.toTypedArray() });
    resident[step] = process.memoryUsage().rss / 2 ** 20;
  }
}
const intact = held.every(({ tensor, values }) => tensor.toTypedArray().every((value, i) => value === values[i]));
console.log(JSON.stringify({ resident, intact, evicted: memory().evicted, heap: memory().heap }));
