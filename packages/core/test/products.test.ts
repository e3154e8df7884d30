import { afterEach, describe, expect, it } from '@jest/globals';
import { reference } from '../src/backend/reference/index.ts';
import type { Kernels, Strided } from '../src/backend/types.ts';
import { wasmBackend as wasm } from '../src/backend/wasm/index.ts';
import type { MatrixProduct } from '../src/backend/wasm/gemm.ts';
import { type Heap, replaceProducts } from '../src/backend/wasm/products.ts';
import { addressOf, hostArray, storageOf } from '../src/storage.ts';
import { Draw } from './draw.ts';
import { trials } from './kernel-trials.ts';
import { blank, operand } from './operand.ts';
import { difference, fill, gapsAreUntouched, run, values } from './strided.ts';

let restore = (): void => {};
afterEach(() => restore());

/** A product by the schoolbook, over the heap as it is when it is called. */
function schoolbook({ u8 }: Heap): MatrixProduct {
  return (dtype, m, n, k, a, aRow, aStep, b, bStep, bColumn, c, cRow, add) => {
    const array = dtype === 'float32' ? new Float32Array(u8.buffer) : new Float64Array(u8.buffer);
    const bytes = array.BYTES_PER_ELEMENT;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const at = (c + i * cRow) / bytes + j;
        let sum = add ? array[at]! : 0;
        for (let p = 0; p < k; p++) {
          sum += array[(a + i * aRow + p * aStep) / bytes]! * array[(b + p * bStep + j * bColumn) / bytes]!;
        }
        array[at] = sum;
      }
    }
  };
}

function copyOf(x: Strided): Strided {
  return { ...x, storage: storageOf(Uint8Array.from(hostArray(x.storage, 'uint8')), x.dtype) };
}

const withProducts = ['matmul', 'convolution', 'convolutionInput', 'convolutionWeight'] as const;

describe.each([
  ['our own', (own: MatrixProduct) => own],
  ['another', (_: MatrixProduct, heap: Heap): MatrixProduct => (...args) => schoolbook(heap)(...args)],
])('kernels whose products are computed by %s function', (_name, make) => {
  it.each(withProducts)('agree with the reference on %s', (kernel: keyof Kernels) => {
    restore = replaceProducts(make);
    for (let seed = 1; seed <= 80; seed++) {
      const trial = trials[kernel](new Draw(seed));
      const [expected, actual] = [trial.outputs.map(copyOf), trial.outputs.map(copyOf)];
      run(() => trial.run(reference.kernels, expected));
      run(() => trial.run(wasm.kernels, actual));
      for (const [i, result] of actual.entries()) {
        const problem = difference(values(result), values(expected[i]!), trial.tolerance);
        const about = { seed, problem, about: trial.about };
        expect(problem === null ? null : about).toBeNull();
        expect(gapsAreUntouched(result)).toBe(true);
      }
    }
  });
});

describe('replaceProducts', () => {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => (i % 7) - 3);

  it('calls the function for products, but not for empty ones, until it is undone', () => {
    const calls: number[][] = [];
    restore = replaceProducts((own) => (...args) => {
      calls.push([args[1], args[2], args[3]]);
      own(...args);
    });
    const product = (m: number, k: number, n: number): number[] => {
      const [a, b, out] = [operand(numbers(m * k), [m, k]), operand(numbers(k * n), [k, n]), blank([m, n])];
      run(() => wasm.kernels.matmul(out, a, b));
      return values(out);
    };
    const first = product(3, 4, 5);
    expect(calls).toEqual([[3, 5, 4]]);
    expect([product(3, 0, 5), product(0, 4, 5), product(3, 4, 0)]).toEqual([new Array(15).fill(0), [], []]);
    expect(calls).toHaveLength(1);
    restore();
    expect(product(3, 4, 5)).toEqual(first);
    expect(calls).toHaveLength(1);
  });

  it('gives a product that overwrites or adds', () => {
    let own!: MatrixProduct;
    restore = replaceProducts((product) => (own = product));
    for (const [m, n, k] of [
      [2, 3, 8],
      [40, 50, 600],
      [1, 70, 20],
      [5, 1, 9],
    ] as const) {
      const [a, b] = [operand(numbers(m * k), [m, k]), operand(numbers(k * n), [k, n])];
      const [once, twice] = [fill(blank([m, n]), () => NaN), blank([m, n])];
      const multiply = (out: Strided, add: boolean): void => {
        run(() => {
          const [x, y, z] = [a, b, out].map(({ storage }) => addressOf(storage)) as [number, number, number];
          own('float64', m, n, k, x, k * 8, 8, y, n * 8, 8, z, n * 8, add);
        });
      };
      multiply(once, false);
      multiply(twice, false);
      multiply(twice, true);
      expect(values(once)).not.toContain(NaN);
      expect(values(twice)).toEqual(values(once).map((value) => 2 * value));
    }
  });
});
