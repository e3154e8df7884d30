// A variational autoencoder (Kingma and Welling 2013) learns to draw digits: it presses images through 20 numbers that are
// kept close to random ones, so that random numbers become images.
import * as tg from 'tapegrad';
import { useBlas } from '@tapegrad/blas';
import { readDigits } from './digits.ts';
import { encodePng, type Picture } from './png.ts';
import type { Example } from './stage.ts';
import type { Batch } from './training.ts';

const { nn, optim } = tg;

const PIXELS = 28 * 28;
const CODE = 20;

class Autoencoder extends nn.Module {
  readonly encoder = new nn.Sequential(new nn.Flatten(), new nn.Linear(PIXELS, 400), new nn.ReLU(), new nn.Linear(400, 2 * CODE));
  readonly decoder = new nn.Sequential(new nn.Linear(CODE, 400), new nn.ReLU(), new nn.Linear(400, PIXELS));

  /** @returns scores of the pixels, and mean and logarithm of the variance of the code from which they were drawn */
  forward(x: tg.Tensor): [scores: tg.Tensor, mean: tg.Tensor, logVariance: tg.Tensor] {
    const [mean, logVariance] = this.encoder(x).chunk(2, 1) as [tg.Tensor, tg.Tensor];
    // Noise from outside, scaled and moved: so the draw has a derivative.
    const code = mean.add(logVariance.div(2).exp().mul(tg.randnLike(mean)));
    return [this.decoder(code), mean, logVariance];
  }
}

/** How much of the images is lost, and how far their codes are from standard normal ones; both per image. */
function lossOf(model: Autoencoder, images: tg.Tensor): tg.Tensor {
  const [scores, mean, logVariance] = model(images);
  const lost = nn.functional.binaryCrossEntropyWithLogits(scores, images.flatten(1), { reduction: 'sum' });
  const distance = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).sum().div(2);
  return lost.add(distance).div(images.shape[0]!);
}

/** Images side by side. @param images [rows · columns, 784], from 0 to 1 */
function sheet(images: tg.Tensor, rows: number, columns: number): Picture {
  const whole = images.view([rows, columns, 28, 28]).transpose(1, 2).reshape([rows * 28, columns * 28]);
  const bytes = whole.mul(255).round().toTypedArray() as Float32Array;
  return { width: columns * 28, height: rows * 28, channels: 1, pixels: Uint8Array.from(bytes) };
}

export const vae: Example = async (stage) => {
  await useBlas();
  tg.manualSeed(0);
  const { train, test } = readDigits({}, stage.quick ? { train: 2000, test: 500 } : undefined);
  const loader = new tg.data.DataLoader<Batch>(train, { batchSize: 100, shuffle: true });
  const model = new Autoencoder();
  const optimizer = new optim.Adam(model.parameters(), { lr: stage.quick ? 0.003 : 0.001 });
  const epochs = stage.quick ? 1 : 10;

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const progress = stage.progress(`epoch ${epoch}/${epochs}`, train.length, 'images');
    let [done, sum] = [0, 0];
    for await (const [images] of loader) {
      const loss = lossOf(model, images);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      sum += loss.item() * images.shape[0]!;
      done += images.shape[0]!;
      progress.update(done, { loss: sum / done });
    }
    progress.finish();
  }

  let sum = 0;
  for await (const [images] of new tg.data.DataLoader<Batch>(test, { batchSize: 500 })) {
    sum += tg.noGrad(() => lossOf(model, images).item()) * images.shape[0]!;
  }
  const loss = sum / test.length;
  stage.say(`test images: at most ${loss.toFixed(2)} nats per image`);
  const samples = tg.noGrad(() => model.decoder(tg.randn([100, CODE])).sigmoid());
  stage.save('samples.png', encodePng(sheet(samples, 10, 10)));
  return { loss };
};
