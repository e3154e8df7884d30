import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tg from '@tapegrad/core';
import type { DType, Tensor } from '@tapegrad/core';
import { dropBlas, useBlas } from '../src/index.ts';
import { blasProduct } from '../src/product.ts';
import { javascriptGemms } from './cblas.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const { name, file, summary } = await useBlas();
dropBlas();
console.log(name === null ? `${summary}; its place is taken by one written in JavaScript` : `compared with ${summary}`);

let turnOff = (): void => {};
afterEach(() => turnOff());

/** Lets the BLAS that was found compute products, or, for want of one, functions that are called as it would be. */
async function turnOn(): Promise<void> {
  if (name !== null) {
    await useBlas();
    turnOff = dropBlas;
  } else {
    turnOff = tg.replaceProducts((own, heap) => (...args) => {
      blasProduct(javascriptGemms(heap), own, heap, () => 0)(...args);
    });
  }
}

/** The numbers of some tensors, computed by our own kernels and by the BLAS. */
async function both(body: () => Tensor[]): Promise<[own: number[][], other: number[][]]> {
  const numbers = (): number[][] => body().map((x) => [...x.detach().reshape([-1]).toTypedArray()].map(Number));
  const own = numbers();
  await turnOn();
  const other = numbers();
  turnOff();
  return [own, other];
}

/** The largest difference, in parts of the largest number; infinite where NaN or infinities differ. */
function difference([own, other]: [number[][], number[][]]): number {
  const [a, b] = [own.flat(), other.flat()];
  const scale = Math.max(1, ...a.filter(Number.isFinite).map(Math.abs));
  return a.reduce((most, x, i) => Math.max(most, Object.is(x, b[i]) ? 0 : (Math.abs(x - b[i]!) / scale || Infinity)), 0);
}

const tolerances = { float32: 2e-6, float64: 1e-14 } as const;
const floats = ['float32', 'float64'] as const;
const random = (shape: number[], dtype: DType): Tensor => tg.randn(shape, { dtype });

/** Ways in which a matrix may lie. */
const layouts: Readonly<Record<string, (rows: number, columns: number, dtype: DType) => Tensor>> = {
  dense: (m, n, dtype) => random([m, n], dtype),
  transposed: (m, n, dtype) => random([n, m], dtype).t(),
  part: (m, n, dtype) => random([m + 3, n + 5], dtype).narrow(0, 2, m).narrow(1, 4, n),
  'part, transposed': (m, n, dtype) => random([n + 5, m + 3], dtype).narrow(1, 2, m).narrow(0, 4, n).t(),
  'same rows': (m, n, dtype) => random([1, n], dtype).expand([m, n]),
  'same columns': (m, n, dtype) => random([m, 1], dtype).expand([m, n]),
  'overlapping rows': (m, n, dtype) => random([2 * m + n], dtype).asStrided([m, n], [2, 1]),
  'overlapping columns': (m, n, dtype) => random([m + 2 * n], dtype).asStrided([m, n], [1, 2]),
  stepped: (m, n, dtype) => random([m, n, 2], dtype).select(2, 1),
};

describe.each(floats)('products in %s are the same within rounding', (dtype) => {
  it.each(Object.keys(layouts))('with a left matrix that is %s', async (left) => {
    for (const right of Object.values(layouts)) {
      for (const [m, k, n] of [
        [40, 30, 20],
        [1, 130, 90],
        [90, 130, 1],
        [70, 1, 110],
        [2, 300, 31],
        [100, 300, 70],
      ] as const) {
        const [a, b] = [layouts[left]!(m, k, dtype), right(k, n, dtype)];
        expect(difference(await both(() => [a.matmul(b), b.t().matmul(a.t())]))).toBeLessThan(tolerances[dtype] * 10);
      }
    }
  });

  it('in batches, with vectors, and with nothing to multiply', async () => {
    const [a, b, one] = [random([3, 4, 20, 30], dtype), random([3, 4, 30, 25], dtype), random([30, 40], dtype)];
    const of = (...shape: number[]): Tensor => random(shape, dtype);
    const [row, tall, empty] = [of(90), of(90, 200), of(20, 0)];
    const products = await both(() => [
      a.matmul(b),
      a.matmul(one),
      a.mT.matmul(b.narrow(2, 0, 20)),
      row.matmul(tall),
      tall.t().matmul(row),
      empty.matmul(of(0, 500)),
      of(0, 20).matmul(of(20, 500)),
    ]);
    expect(difference(products)).toBeLessThan(tolerances[dtype] * 10);
    expect(products[1][5]).toEqual(new Array(10000).fill(0));
    expect(products[1][6]).toEqual([]);
  });

  it('with NaN and infinities, where zeros meet them too', async () => {
    const [a, b] = [tg.ones([40, 30], { dtype }), tg.ones([30, 20], { dtype })];
    for (const [i, value] of [NaN, Infinity, -Infinity, 0].entries()) a.select(0, 2 * i).select(0, 3).fill_(value);
    for (const [i, value] of [0, NaN, Infinity].entries()) b.select(1, 3 * i).select(0, 3).fill_(value);
    const [own, other] = await both(() => [a.matmul(b)]);
    expect(other).toEqual(own);
    expect(own[0]!.some(Number.isNaN) && own[0]!.includes(Infinity) && own[0]!.includes(30)).toBe(true);
  });

  it.each([
    ['3 by 3', [2, 8, 12, 12], [10, 8, 3, 3], { padding: 1 }],
    ['with steps and holes', [2, 4, 15, 13], [6, 4, 3, 2], { stride: [2, 1], dilation: [1, 2], padding: [2, 0] }],
    ['in groups', [3, 8, 9, 9], [16, 2, 3, 3], { groups: 4 }],
    ['channel by channel', [2, 6, 16, 16], [6, 1, 5, 5], { groups: 6, padding: 2 }],
    ['1 by 1', [2, 30, 8, 8], [20, 30, 1, 1], {}],
  ] as const)('in a convolution %s and its gradients', async (_what, shape, kernel, options) => {
    const [x, w] = [random([...shape], dtype), random([...kernel], dtype)];
    const g = random([...tg.conv2d(x, w, null, options).shape], dtype);
    const results = await both(() => {
      const [input, weight] = [x.detach().requiresGrad_(), w.detach().requiresGrad_()];
      const out = tg.conv2d(input, weight, null, options);
      out.backward(g);
      return [out, input.grad!, weight.grad!];
    });
    expect(difference(results)).toBeLessThan(tolerances[dtype] * 10);
  });
});

describe('a BLAS', () => {
  it('leaves integers and everything else alone', async () => {
    const a = tg.arange(900).reshape([30, 30]).to('int32');
    const [own, other] = await both(() => [a.matmul(a), a.to('float32').div(900).exp()]);
    expect(other).toEqual(own);
  });

  it('finds matrices after the heap has grown', async () => {
    const before = tg.memory().heap;
    const [a, b] = [random([64, 64], 'float32'), random([64, 64], 'float32')];
    const results = await both(() => {
      const first = a.matmul(b);
      const large = tg.zeros([2 ** 23]).add(1);
      return [first, a.matmul(b), large.narrow(0, 0, 4096).reshape([64, 64]).matmul(b)];
    });
    expect(tg.memory().heap).toBeGreaterThan(before);
    expect(difference(results)).toBeLessThan(1e-5);
    expect(results[1][1]).toEqual(results[1][0]);
  });

  it('has derivatives of every order, like our kernels', async () => {
    await turnOn();
    const [x, w] = [random([24, 20], 'float64').requiresGrad_(), random([20, 18], 'float64').requiresGrad_()];
    expect(tg.gradcheck((a, b) => a.matmul(b).tanh().mean(0), [x, w])).toBe(true);
    expect(tg.gradgradcheck((a, b) => a.matmul(b).tanh().mean(), [x.narrow(0, 0, 2), w.narrow(1, 0, 2)])).toBe(true);
  });

  it('trains to the same weights', async () => {
    const [x, target] = [random([64, 40], 'float64'), random([64, 10], 'float64')];
    const start = [random([40, 32], 'float64').mul(0.1), random([32, 10], 'float64').mul(0.1)];
    const results = await both(() => {
      const weights = start.map((w) => w.clone().requiresGrad_());
      for (let step = 0; step < 50; step++) {
        const loss = x.matmul(weights[0]!).tanh().matmul(weights[1]!).sub(target).square().mean();
        for (const w of weights) w.grad = null;
        loss.backward();
        tg.noGrad(() => weights.forEach((w) => void w.sub_(w.grad!.mul(0.5))));
      }
      return weights;
    });
    expect(difference(results)).toBeLessThan(1e-11);
  });
});

describe('useBlas', () => {
  it('says what it found in one line, or why nothing', async () => {
    const report = await useBlas({ threads: 2 });
    dropBlas();
    expect(report.summary).not.toContain('\n');
    expect(report.name).toBe(name);
    if (report.name === null) expect(report.summary).toMatch(/^no BLAS: ./);
    else expect(report.summary).toBe(`${[report.name, report.version].join(' ').trim()}, 2 threads, ${file}`);
  });

  it.each([0, 1.5, NaN, -1])('refuses %s threads before it does anything', async (threads) => {
    await expect(useBlas({ threads })).rejects.toThrow(`useBlas: threads must be a whole number from 1, got ${threads}`);
  });

  it('refuses a library that is not there, and says who named it', async () => {
    await expect(useBlas({ library: '/nowhere/libblas.so' })).rejects.toThrow(/nowhere/);
  });

  it.each([
    ['none', /^no BLAS: TAPEGRAD_BLAS is none$/],
    ['/nowhere/libblas.so', /^DeviceError: useBlas: \/nowhere\/libblas\.so, which .*TAPEGRAD_BLAS/],
    ['', /^[^\n]+$/],
  ])('looks at the environment variable TAPEGRAD_BLAS when it is "%s"', (value, expected) => {
    const program = ['packages/dev/run.mjs', 'packages/blas/test/report.ts'];
    const env = { ...process.env, TAPEGRAD_BLAS: value };
    expect(execFileSync(process.execPath, program, { cwd: ROOT, env, encoding: 'utf8' }).trimEnd()).toMatch(expected);
  });
});
