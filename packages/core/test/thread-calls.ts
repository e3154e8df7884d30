import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';

/** Calls that are large enough for several threads, by what they call; each gives its results. */
export function largeCalls(): Record<string, () => Tensor[]> {
  tg.manualSeed(1);
  const calls: Record<string, () => Tensor[]> = {};
  const add = (name: string, call: () => Tensor | Tensor[]): void => {
    calls[name] = () => [call()].flat();
  };
  /** Gradients of the sum of squares, and the result. */
  const gradients = (inputs: readonly Tensor[], call: (...leaves: Tensor[]) => Tensor): Tensor[] => {
    const leaves = inputs.map((x) => x.detach().requiresGrad_());
    const out = call(...leaves);
    out.square().sum().backward();
    return [out.detach(), ...leaves.map((leaf) => leaf.grad!)];
  };

  const sizes = [[128, 128, 128], [257, 700, 1103], [1000, 700, 3], [5, 3000, 900], [1, 2000, 3000], [2500, 300, 70]];
  for (const [m, k, n] of sizes as [number, number, number][]) {
    const [a, b] = [tg.randn([m, k]), tg.randn([k, n])];
    const [across, upright] = [a.T.contiguous().T, b.T.contiguous().T];
    add(`matmul ${m} ${k} ${n}`, () => a.matmul(b));
    add(`matmul ${m} ${k} ${n}, both transposed`, () => across.matmul(upright));
  }
  const double = tg.randn([300, 300], { dtype: 'float64' });
  add('matmul float64', () => double.matmul(double));
  const batches = [tg.randn([48, 64, 32]), tg.randn([48, 32, 64])] as const;
  add('matmul of a batch', () => batches[0].matmul(batches[1]));
  add('matmul of a large batch', () => tg.ones([10, 130, 150]).mul(0.1).matmul(tg.ones([10, 150, 140]).mul(0.3)));

  const steps = [tg.randn([103, 1100]), tg.randn([40, 300]), tg.randn([33, 300]), tg.randn([1100, 300])];
  add('products of steps', () => {
    return gradients(steps, (sum, first, second, w) => {
      const products = tg.stepProducts(sum!.mul(1), w!, [40, 30, 33]);
      const [a, b, c] = [first!, first!.narrow(0, 0, 30), second!].map((x, t) => tg.stepProduct(products, t, x));
      return tg.cat([a!, b!, c!]);
    });
  });

  const images = tg.randn([8, 32, 28, 28]);
  const filters = tg.randn([48, 32, 3, 3]).mul(0.1);
  const conv = (options: tg.ConvolutionOptions) => (x: Tensor, w: Tensor) => tg.conv2d(x, w, null, options);
  add('convolution', () => gradients([images, filters], conv({ padding: 1 })));
  add('convolution without padding', () => gradients([images, filters], conv({})));
  add('convolution with steps', () => gradients([images, filters], conv({ padding: 1, stride: 2 })));
  add('convolution of one image', () => gradients([tg.ones([1, 32, 56, 56]), filters], conv({ padding: 1 })));
  const few = [images.narrow(1, 0, 4), filters.narrow(1, 0, 4).narrow(0, 0, 16)];
  add('convolution of few channels', () => gradients(few, conv({})));
  const small = [tg.randn([33, 6, 14, 14]), tg.randn([16, 6, 5, 5]).mul(0.1)];
  add('convolution of small images', () => gradients(small, conv({})));
  add('convolution of small images in groups', () => gradients([small[0]!, small[1]!.narrow(1, 0, 3)], conv({ groups: 2 })));
  add('convolution in groups', () => gradients([images, filters.narrow(1, 0, 8)], conv({ padding: 1, groups: 4 })));
  add('convolution per channel', () => gradients([images, filters.narrow(1, 0, 1).narrow(0, 0, 32)], conv({ groups: 32 })));
  const volume = tg.randn([2, 8, 16, 16, 16]);
  add('convolution in three dimensions', () => tg.conv3d(volume, tg.ones([12, 8, 3, 3, 3]), null, { padding: 1 }));
  const many = tg.cat([images, images.neg()]);
  add('max pooling', () => gradients([many], (x) => tg.maxPool2d(x, 2)));
  add('max pooling with padding', () => gradients([images], (x) => tg.maxPool2d(x, 3, 2, { padding: 1 })));
  add('average pooling', () => gradients([images], (x) => tg.avgPool2d(x, 3, 2, { padding: 1 })));

  const flat = tg.randn([1 << 19]);
  const table = tg.randn([1024, 384]);
  add('elementwise', () => flat.exp().add(1));
  add('elementwise with a function of Math', () => flat.sin());
  add('elementwise with other functions', () => flat.narrow(0, 0, 1 << 16).abs().pow(1.7));
  add('elementwise of another dtype', () => flat.to('float64').mul(0.3).to('int32'));
  add('elementwise with numbers', () => flat.mul(5e9).add(-1e15));
  const tall = tg.cat([table, table.neg()]);
  add('elementwise with broadcasting', () => tall.add(tall.narrow(0, 0, 1)).mul(tall.narrow(1, 0, 1)));
  add('elementwise across', () => table.T.exp().add(tg.ones([384, 1024]).T.contiguous().T));
  const four = table.reshape([16, 64, 6, 64]);
  add('elementwise in four dimensions', () => four.permute([2, 0, 1, 3]).exp().add(four.reshape([6, 16, 64, 64])));
  add('in place', () => table.clone().mul_(2).add_(table));
  const renew = tg.defineUpdate({ targets: 2, inputs: 1, params: 1 }, ([x], [g], [rate]) => [g!.exp(), x!.mul(rate!)]);
  const [source, ...targets] = [flat.narrow(0, 7, 100_003), tg.zeros([100_003]), tg.zeros([100_003])];
  add('update', () => {
    for (const target of targets) target.zero_();
    renew(targets, [source!], [0.3]);
    return targets;
  });
  const long = tg.randn([1 << 20]);
  add('copy', () => long.clone());
  add('transposition', () => table.T.contiguous());
  add('permutation', () => four.permute([0, 2, 1, 3]).contiguous());
  add('every second element', () => flat.reshape([-1, 2]).narrow(1, 0, 1).contiguous());
  const longest = tg.cat([long, long.neg()]);
  add('sum of all', () => longest.sum());
  add('sum of all, and a rest', () => longest.narrow(0, 0, (1 << 21) - 1003).sum());
  add('largest of all', () => longest.max());
  add('sums of rows', () => tg.ones([4096, 384]).mul(0.1).sum(1));
  add('sums of columns', () => tg.ones([4096, 384]).mul(0.1).sum(0));
  add('sums per channel', () => tg.ones([16, 32, 40, 40]).mul(0.1).sum([0, 2, 3]));
  add('softmax', () => gradients([table], (x) => x.softmax(-1)));
  add('layer norm', () => {
    const [weight, bias] = [tg.ones([384]).mul(1.5), tg.ones([384])];
    return gradients([table, weight, bias], (x, w, b) => tg.layerNorm(x, 384, w, b));
  });
  add('batch norm', () => {
    return gradients([many], (x) => tg.batchNorm(x, tg.zeros([32]), tg.ones([32]), null, null, { training: true }));
  });
  add('log softmax', () => gradients([table], (x) => x.logSoftmax(-1)));
  return calls;
}

/** The bytes of all results. */
export function bytesOf(results: readonly Tensor[]): Uint8Array[] {
  return results.map((x) => {
    const values = x.contiguous().reshape([-1]).toTypedArray();
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  });
}

/** Tasks so far, and how many of them other threads did. */
export function taskCounts(): { helped: number; all: number } {
  const [, helped, all] = /(\d+) of (\d+)/.exec(tg.parallelInfo()) ?? [];
  return { helped: Number(helped ?? 0), all: Number(all ?? 0) };
}

/** Starts so many threads and works until the others help, which takes its time where many programs run. */
export function startThreads(threads: number): void {
  tg.setNumThreads(threads);
  const x = tg.ones([300, 300]);
  const end = performance.now() + 60_000;
  while (taskCounts().helped === 0) {
    if (performance.now() > end) throw new Error(`no other thread helped within a minute: ${tg.parallelInfo()}`);
    tg.scope(() => void x.matmul(x));
  }
}
