import * as tg from 'tapegrad';
import type { Tensor } from 'tapegrad';

const { nn, optim } = tg;
const F = nn.functional;
const { DataLoader, TensorDataset, randomSplit } = tg.data;
const EPOCHS = 8;

class VAE extends nn.Module {
  encoder = new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 32), new nn.LeakyReLU(0.2));
  fcMu = new nn.Linear(32, 4);
  fcLogvar = new nn.Linear(32, 4);
  fcDecode = new nn.Linear(4, 16 * 2 * 2);
  decoder = new nn.Sequential(
    new nn.ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    new nn.ELU(),
    new nn.ConvTranspose2d(8, 1, 4, { stride: 2, padding: 1 }),
    new nn.Sigmoid(),
  );

  reparameterize(mu: Tensor, logvar: Tensor): Tensor {
    const std = tg.exp(logvar.mul(0.5));
    const eps = tg.randnLike(std);
    return mu.add(eps.mul(std));
  }

  forward(x: Tensor): [recon: Tensor, mu: Tensor, logvar: Tensor] {
    let h = this.encoder(x) as Tensor;
    const [mu, logvar] = [this.fcMu(h), this.fcLogvar(h)];
    const z = this.reparameterize(mu, logvar);
    h = this.fcDecode(z).view(-1, 16, 2, 2);
    return [this.decoder(h) as Tensor, mu, logvar];
  }
}

function lossFunction([recon, mu, logvar]: [Tensor, Tensor, Tensor], x: Tensor): Tensor {
  const bce = F.binaryCrossEntropy(recon, x, { reduction: 'sum' });
  const kld = tg.sum(logvar.add(1).sub(mu.pow(2)).sub(logvar.exp())).mul(-0.5);
  return bce.add(kld);
}

/** The port of `vae.py`. */
export function train(dtype: tg.DTypeName): number[] {
  const images = tg.rand([60, 1, 8, 8]).to(dtype);
  const [trainSet, testSet] = randomSplit(new TensorDataset(images), [44, 16]);
  const loader = new DataLoader(trainSet!, { batchSize: 10, shuffle: true });
  const model = new VAE().to(dtype);
  const optimizer = new optim.Adam(model.parameters(), { lr: 2e-3, amsgrad: true });
  const losses: number[] = [];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    model.train();
    for (const [x] of loader) {
      optimizer.zeroGrad();
      const loss = lossFunction(model(x!), x!).div(x!.size(0));
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    model.eval();
    tg.noGrad(() => {
      for (const [x] of new DataLoader(testSet!, { batchSize: 16 })) losses.push(lossFunction(model(x!), x!).item());
    });
  }
  tg.noGrad(() => {
    const h = model.fcDecode(tg.randn([5, 4]).to(dtype)).view(-1, 16, 2, 2);
    losses.push((model.decoder(h) as Tensor).mean().item());
  });
  return losses;
}
