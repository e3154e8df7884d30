/**
 * Speed of the kernels alone, one thread: GFLOP/s of products, nanoseconds per element of the rest.
 * Run by hand: `node packages/dev/run.mjs benchmarks/kernels.ts [matmul|rows|convolution …]`. Times are CPU
 * time, the best of several rounds, so that what else the machine does shows less.
 */
import type { DType } from '../packages/core/src/dtype.ts';
import type { Kernels, RowComputation, Strided } from '../packages/core/src/backend/types.ts';
import { wasmBackend } from '../packages/core/src/backend/wasm/index.ts';
import { input } from '../packages/core/src/expr/index.ts';
import { contiguousStrides, numel } from '../packages/core/src/shape.ts';
import { hostArray, nextTick, Storage } from '../packages/core/src/storage.ts';

const ROUNDS = 9;
const ROUND_MS = 30;
const kernels: Kernels = wasmBackend.kernels;

/** CPU time of one call in nanoseconds. */
function nanoseconds(call: () => void): number {
  const run = (times: number): number => {
    const before = process.cpuUsage();
    for (let k = 0; k < times; k++) {
      nextTick();
      call();
    }
    return process.cpuUsage(before).user * 1000;
  };
  let times = 1;
  while (run(times) < ROUND_MS * 1e6) times *= 2;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, run(times) / times);
  return best;
}

function tensor(shape: readonly number[], dtype: DType = 'float32', transposed = false): Strided {
  const storage = new Storage(numel(shape) * (dtype === 'float64' ? 8 : 4));
  const array = hostArray(storage, dtype);
  for (let k = 0; k < array.length; k++) array[k] = ((k * 7919) % 1000) / 500 - 1;
  const strides = transposed ? [1, shape[0]!] : contiguousStrides(shape);
  return { storage, offset: 0, shape, strides, dtype };
}

function report(name: string, time: number, amount: number, unit: 'GFLOP/s' | 'ns/elem'): void {
  const rate = unit === 'GFLOP/s' ? amount / time : time / amount;
  const figure = rate.toFixed(rate < 10 ? 3 : 1).padStart(9);
  console.log(`${name.padEnd(52)}${figure} ${unit}  ${(time / 1000).toFixed(2)} µs`);
}

function matmul(m: number, k: number, n: number, dtype: DType = 'float32', a = false, b = false): void {
  const [x, y, out] = [tensor([m, k], dtype, a), tensor([k, n], dtype, b), tensor([m, n], dtype)];
  const name = `matmul ${m}x${k}${a ? 'T' : ''} ${k}x${n}${b ? 'T' : ''} ${dtype}`;
  report(
    name,
    nanoseconds(() => kernels.matmul(out, x, y)),
    2 * m * k * n,
    'GFLOP/s',
  );
}

function reduce(shape: readonly number[], dims: readonly number[], kind: 'sum' | 'max' = 'sum'): void {
  const x = tensor(shape);
  const out = tensor(shape.map((size, d) => (dims.includes(d) ? 1 : size)));
  const time = nanoseconds(() => kernels.reduce(kind, out, x, dims));
  report(`${kind} of [${shape.join(', ')}] over ${dims.join(', ')}`, time, numel(shape), 'ns/elem');
}

/** Softmax of rows, or its logarithm, as a computation along them. */
function softmaxOf(log: boolean): RowComputation {
  const centred = input(0).sub(input(2));
  const value = log ? centred.sub(input(3).log()) : centred.exp().mul(input(3).reciprocal());
  return {
    inputCount: 1,
    folds: [
      { kind: 'max', value: input(0) },
      { kind: 'sum', value: centred.exp() },
    ],
    outputs: [{ sort: 'element', value }],
    compiled: { kernels: null },
  };
}

function softmax(shape: readonly number[], log: boolean): void {
  const [x, out] = [tensor(shape), tensor(shape)];
  const computation = softmaxOf(log);
  const time = nanoseconds(() => kernels.rows(computation, shape, [out], [x], []));
  report(`${log ? 'log' : ''}softmax of [${shape.join(', ')}]`, time, numel(shape), 'ns/elem');
}

function copy(shape: readonly number[], transposed: boolean): void {
  const [x, out] = [tensor(shape, 'float32', transposed), tensor(shape)];
  const time = nanoseconds(() => kernels.copy(out, x));
  report(`copy of [${shape.join(', ')}]${transposed ? ' transposed' : ''}`, time, numel(shape), 'ns/elem');
}

interface Convolution {
  readonly n: number;
  readonly c: number;
  readonly size: number;
  readonly o: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
}

function convolution({ n, c, size, o, kernel, stride = 1, padding = 0, groups = 1 }: Convolution): void {
  const windows = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const [x, w] = [tensor([n, c, size, size]), tensor([o, c / groups, kernel, kernel])];
  const out = tensor([n, o, windows, windows]);
  const pair = (value: number): [number, number] => [value, value];
  const window = {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    dilation: pair(1),
    groups,
  };
  const work = 2 * numel(out.shape) * (c / groups) * kernel * kernel;
  const name = `${n}x${c}x${size}x${size} to ${o}, ${kernel}x${kernel}, stride ${stride}, groups ${groups}`;
  report(
    `conv ${name}`,
    nanoseconds(() => kernels.convolution(out, x, w, window)),
    work,
    'GFLOP/s',
  );
  report(
    '  its gradient in x',
    nanoseconds(() => kernels.convolutionInput(x, out, w, window)),
    work,
    'GFLOP/s',
  );
  report(
    '  its gradient in w',
    nanoseconds(() => kernels.convolutionWeight(w, out, x, window)),
    work,
    'GFLOP/s',
  );
}

function maxPool(shape: readonly number[]): void {
  const x = tensor(shape);
  const pooled = shape.map((size, d) => (d < 2 ? size : size / 2));
  const [out, indices] = [tensor(pooled), tensor(pooled, 'int32')];
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
  const time = nanoseconds(() => kernels.maxPool(out, indices, x, window));
  report(`maxPool 2x2 to [${pooled.join(', ')}]`, time, numel(pooled), 'ns/elem');
}

const groups: Readonly<Record<string, () => void>> = {
  matmul: () => {
    for (const n of [32, 64, 128, 256, 512, 1024]) matmul(n, n, n);
    for (const n of [32, 128, 512]) matmul(n, n, n, 'float64');
    matmul(512, 512, 512, 'float32', true, false);
    matmul(512, 512, 512, 'float32', false, true);
    matmul(32, 2, 16, 'float32', false, true);
    matmul(32, 16, 16, 'float32', false, true);
    matmul(1, 16, 16, 'float32', false, true);
    matmul(64, 784, 400, 'float32', false, true);
    matmul(64, 400, 10, 'float32', false, true);
    matmul(400, 64, 784, 'float32', true, false);
    matmul(1, 1000, 1000);
    matmul(1000, 1000, 1);
  },
  rows: () => {
    for (const dims of [[0], [1], [0, 1]]) reduce([1024, 64], dims);
    for (const dims of [[0], [1], [0, 1]]) reduce([1024, 1024], dims);
    reduce([32, 16], [0]);
    reduce([32, 16, 14, 14], [0, 2, 3]);
    reduce([1024, 64], [1], 'max');
    for (const log of [false, true]) {
      softmax([64, 10], log);
      softmax([2048, 64], log);
      softmax([64, 1000], log);
    }
    copy([1024, 64], false);
    copy([1024, 64], true);
  },
  convolution: () => {
    maxPool([64, 6, 28, 28]);
    convolution({ n: 8, c: 64, size: 56, o: 64, kernel: 3, padding: 1 });
    convolution({ n: 8, c: 64, size: 56, o: 128, kernel: 3, stride: 2, padding: 1 });
    convolution({ n: 8, c: 64, size: 56, o: 64, kernel: 1 });
    convolution({ n: 64, c: 1, size: 28, o: 6, kernel: 5, padding: 2 });
    convolution({ n: 64, c: 6, size: 14, o: 16, kernel: 5 });
    convolution({ n: 8, c: 64, size: 56, o: 64, kernel: 3, padding: 1, groups: 64 });
  },
};

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(groups)) if (wanted.length === 0 || wanted.includes(name)) run();
