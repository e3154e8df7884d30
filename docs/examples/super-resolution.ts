// Doubles the size of a picture with a trained network: a small ESRGAN whose weights come from the npm package
// @upscalerjs/default-model (MIT licence), in TensorFlow.js's format. What comes out is compared with the picture that the
// package itself holds as the right answer.
import * as tg from 'tapegrad';
import { packageFile } from './package-file.ts';
import { decodePng, encodePng, type Picture } from './png.ts';
import type { Example } from './stage.ts';

const { nn } = tg;

const PACKAGE = '@upscalerjs/default-model';

/** A convolution that keeps the size of its image. */
const conv = (from: number, to: number, size: number): tg.nn.Conv2d => new nn.Conv2d(from, to, size, { padding: 'same' });

/** Adds to the features what a convolution over them and four new ones finds; names are those of the weights. */
class DenseBlock extends nn.Module {
  readonly grow = conv(64, 4, 3);
  readonly merge = conv(68, 64, 1);

  forward(x: tg.Tensor): tg.Tensor {
    return this.merge(tg.cat([x, this.grow(x).relu()], 1)).add(x);
  }
}

/** @shape [n, 3, h, w] -> [n, 3, 2h, 2w], both from 0 to 255 */
export class Upscaler extends nn.Module {
  readonly shallow = conv(3, 64, 3);
  readonly deep = conv(64, 64, 3);
  readonly blocks = [new DenseBlock(), new DenseBlock()];
  readonly fuse = new nn.Sequential(conv(128, 64, 1), conv(64, 64, 3));
  readonly enlarge = new nn.Sequential(
    conv(64, 64, 5),
    new nn.ReLU(),
    conv(64, 32, 3),
    new nn.ReLU(),
    conv(32, 12, 3),
    new nn.Upsample({ scaleFactor: 2 }),
    conv(12, 3, 3),
  );

  forward(x: tg.Tensor): tg.Tensor {
    const shallow = this.shallow(x);
    const first = this.blocks[0]!(this.deep(shallow));
    const second = this.blocks[1]!(first);
    return this.enlarge(this.fuse(tg.cat([first, second], 1)).add(shallow));
  }
}

/** Each layer's name here and in the file. */
const LAYERS: Readonly<Record<string, string>> = {
  shallow: 'F_m1',
  deep: 'F_0',
  'blocks.0.grow': 'F_1_1',
  'blocks.0.merge': 'LFF_1',
  'blocks.1.grow': 'F_2_1',
  'blocks.1.merge': 'LFF_2',
  'fuse.0': 'GFF_1',
  'fuse.1': 'GFF_2',
  'enlarge.0': 'UPN1',
  'enlarge.2': 'UPN2',
  'enlarge.4': 'UPN3',
  'enlarge.6': 'SR',
};

interface Manifest {
  readonly weightsManifest: readonly { readonly weights: readonly { readonly name: string; readonly shape: number[] }[] }[];
}

/** The weights as a state dict: one file holds them all, one after the other in the order of the manifest. */
function readWeights(): Record<string, tg.Tensor> {
  const { weightsManifest } = JSON.parse(packageFile(`${PACKAGE}/models/model.json`).toString()) as Manifest;
  const bytes = packageFile(`${PACKAGE}/models/group1-shard1of1.bin`);
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const tensors = new Map<string, tg.Tensor>();
  let at = 0;
  for (const { name, shape } of weightsManifest.flatMap((group) => group.weights)) {
    const size = shape.reduce((n, d) => n * d, 1);
    tensors.set(name, tg.tensor(values.subarray(at, (at += size))).view(shape));
  }
  return Object.fromEntries(
    Object.entries(LAYERS).flatMap(([ours, theirs]) => [
      // There: height, width, in, out. Here: out, in, height, width.
      [`${ours}.weight`, tensors.get(`${theirs}/kernel`)!.permute([3, 2, 0, 1]).contiguous()],
      [`${ours}.bias`, tensors.get(`${theirs}/bias`)!],
    ]),
  );
}

/** The colours of a picture. @shape [1, 3, height, width] */
function toTensor({ width, height, channels, pixels }: Picture): tg.Tensor {
  return tg.tensor(pixels).view([1, height, width, channels]).permute([0, 3, 1, 2]).narrow(1, 0, 3).float();
}

function toPicture(image: tg.Tensor): Picture {
  const [, , height, width] = image.shape as [number, number, number, number];
  const bytes = image.clamp(0, 255).round().permute([0, 2, 3, 1]).contiguous().toTypedArray();
  return { width, height, channels: 3, pixels: Uint8Array.from(bytes as Float32Array) };
}

export const superResolution: Example = async (stage) => {
  const model = new Upscaler();
  model.loadStateDict(readWeights());
  const parameters = [...model.parameters()].reduce((n, p) => n + p.numel(), 0);

  const small = toTensor(decodePng(packageFile(`${PACKAGE}/assets/fixture.png`)));
  const golden = toTensor(decodePng(packageFile(`${PACKAGE}/assets/samples/2x/result.png`)));
  const start = performance.now();
  const large = tg.noGrad(() => model(small));
  const seconds = (performance.now() - start) / 1000;

  const difference = large.clamp(0, 255).sub(golden).abs();
  const [largest, mean] = [difference.max().item(), difference.mean().item()];
  const differing = large.clamp(0, 255).round().ne(golden).sum().item();
  stage.say(
    `${small.shape.slice(2).join(' × ')} pixels became ${large.shape.slice(2).join(' × ')} in ${seconds.toFixed(2)} s, ` +
      `by ${parameters.toLocaleString('en')} weights`,
    `difference from the picture in the package: at most ${largest.toFixed(4)} of 255, ${mean.toFixed(4)} in the mean`,
    `once rounded as that one is, ${differing} of ${golden.numel().toLocaleString('en')} bytes differ`,
  );
  stage.save('large.png', encodePng(toPicture(large)));
  return { largest, mean, differing };
};
