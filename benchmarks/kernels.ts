/**
 * Speed of the kernels alone, one thread: GFLOP/s of products, nanoseconds per element of the rest.
 * Run by hand: `node packages/dev/run.mjs benchmarks/kernels.ts [matmul|training|elementwise|strided|rows|convolution …]`.
 * Times are CPU time, of the shortest of many short rounds: what else the machine does only ever makes them longer.
 */
import type { DType } from '../packages/core/src/dtype.ts';
import type { Kernels, RowComputation, Strided } from '../packages/core/src/backend/types.ts';
import { wasmBackend } from '../packages/core/src/backend/wasm/index.ts';
import { constant, type Expr, input } from '../packages/core/src/expr/index.ts';
import { contiguousStrides, numel } from '../packages/core/src/shape.ts';
import { hostArray, nextTick, Storage } from '../packages/core/src/storage.ts';

const ROUNDS = 80;
const ROUND_MS = 2;
const WARM_UP_MS = 60;
const kernels: Kernels = wasmBackend.kernels;

/** CPU time of one call in nanoseconds. */
function nanoseconds(call: () => void): number {
  const run = (times: number): number => {
    const before = process.cpuUsage();
    for (let k = 0; k < times; k++) {
      nextTick();
      call();
    }
    // Only together they are exact: the system estimates how much was whose.
    const { user, system } = process.cpuUsage(before);
    return (user + system) * 1000;
  };
  const end = performance.now() + WARM_UP_MS;
  while (performance.now() < end) run(1);
  let times = 1;
  while (run(times) < ROUND_MS * 1e6) times *= 2;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, run(times) / times);
  return best;
}

function tensor(shape: readonly number[], dtype: DType = 'float32', transposed = false): Strided {
  const strides = transposed ? [1, shape[0]!] : contiguousStrides(shape);
  return part(shape, strides, numel(shape), dtype);
}

/** Elements with these strides, of so many in all. */
function part(shape: readonly number[], strides: readonly number[], size: number, dtype: DType = 'float32'): Strided {
  const storage = new Storage(size * (dtype === 'float64' ? 8 : 4));
  const array = hostArray(storage, dtype);
  for (let k = 0; k < array.length; k++) array[k] = ((k * 7919) % 1000) / 500 - 1;
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

/** Products of all heads of an attention, of queries, keys or values that are chunks of [batch, block, 3 · width]. */
function attention([batch, heads, block, size]: readonly [number, number, number, number]): void {
  const width = heads * size;
  const total = batch * block * 3 * width;
  const chunk = part([batch, heads, block, size], [block * 3 * width, size, 3 * width, 1], total);
  const turned = { ...chunk, shape: [batch, heads, size, block], strides: [block * 3 * width, size, 1, 3 * width] };
  const scores = tensor([batch, heads, block, block]);
  const mixed = tensor(chunk.shape);
  const work = 2 * batch * heads * block * block * size;
  const name = `[${chunk.shape.join(', ')}]`;
  report(`queries by keys of ${name}`, nanoseconds(() => kernels.matmul(scores, chunk, turned)), work, 'GFLOP/s');
  report(`scores by values of ${name}`, nanoseconds(() => kernels.matmul(mixed, scores, chunk)), work, 'GFLOP/s');
}

/** An elementwise function and its gradient from the incoming one, as fused kernels. */
function elementwise(name: string, value: Expr, gradient: Expr, count = 16384): void {
  const [x, g, out] = [tensor([count]), tensor([count]), tensor([count])];
  const forward = nanoseconds(() => kernels.elementwise(value, out, [x], [], 'float32'));
  report(name, forward, count, 'ns/elem');
  const backward = nanoseconds(() => kernels.elementwise(gradient, out, [g, x], [], 'float32'));
  report('  its gradient', backward, count, 'ns/elem');
}

/** x σ(2 √(2/π) (x + 0.044715 x³)), and the sigmoid in it. */
function geluOf(x: Expr): { value: Expr; sigmoid: Expr; slope: Expr } {
  const [a, b] = [1.5957691216057308, 0.07135481627260025];
  const sigmoid = x.mul(x.mul(x).mul(b).add(a)).sigmoid();
  return { value: x.mul(sigmoid), sigmoid, slope: x.mul(x).mul(3 * b).add(a) };
}

function geluGradient(g: Expr, x: Expr): Expr {
  const { sigmoid, slope } = geluOf(x);
  return g.mul(sigmoid.mul(constant(1).sub(sigmoid).mul(x.mul(slope)).add(1)));
}

/** What a call costs for operands that lie in pieces, beside dense ones. */
function strided(name: string, shape: readonly number[], strides: readonly number[], size: number): void {
  const [out, dense, x] = [tensor(shape), tensor(shape), part(shape, strides, size)];
  const sum = input(0).add(input(1));
  const count = numel(shape);
  report(`copy of ${name}`, nanoseconds(() => kernels.copy(out, x)), count, 'ns/elem');
  const add = nanoseconds(() => kernels.elementwise(sum, out, [dense, x], [], 'float32'));
  report(`addition of ${name}`, add, count, 'ns/elem');
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
  training: () => {
    // A linear layer of 128 to 512, its gradients in x and in w; then one step of a recurrent layer.
    matmul(512, 128, 512, 'float32', false, true);
    matmul(512, 512, 128);
    matmul(512, 512, 128, 'float32', true);
    matmul(32, 128, 512, 'float32', false, true);
    matmul(32, 512, 128);
    matmul(512, 32, 128, 'float32', true);
    matmul(64, 784, 512, 'float32', false, true);
    matmul(512, 64, 784, 'float32', true);
    attention([8, 4, 64, 32]);
    reduce([512, 384], [0]);
    reduce([32, 512], [0]);
  },
  elementwise: () => {
    const [g, x] = [input(0), input(1)];
    elementwise('exp', g.exp(), g.mul(x));
    elementwise('tanh', g.tanh(), g.mul(constant(1).sub(x.mul(x))));
    elementwise('sigmoid', g.sigmoid(), g.mul(x.mul(constant(1).sub(x))));
    elementwise('gelu by tanh', geluOf(g).value, geluGradient(g, x));
  },
  strided: () => {
    strided('[65536]', [65536], [1], 65536);
    strided('a chunk [32, 128] of [32, 512]', [32, 128], [512, 1], 32 * 512);
    strided('heads [8, 4, 64, 32] of [8, 64, 384]', [8, 4, 64, 32], [64 * 384, 32, 384, 1], 8 * 64 * 384);
    strided('a vector along [512, 384]', [512, 384], [0, 1], 384);
    strided('a chunk [2, 8] of [2, 32]', [2, 8], [32, 1], 64);
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
