import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kernels, Strided } from '../src/backend/types.ts';
import { wasmBackend } from '../src/backend/wasm/index.ts';
import { Scratch } from '../src/backend/wasm/scratch.ts';
import { dtypeInfo } from '../src/dtype.ts';
import { input } from '../src/expr/index.ts';
import { heapExtent, views } from '../src/heap.ts';
import { numel } from '../src/shape.ts';
import { addressOf, hostArray, nextTick } from '../src/storage.ts';
import { ofEverySort, softmax } from './row-computations.ts';
import { generator, random, strided } from './strided.ts';

const kernels: Kernels = wasmBackend.kernels;
type Range = readonly [start: number, end: number];

/** What kernels asked for as scratch memory, to the byte. */
let taken: Range[] = [];
const take = Scratch.prototype.take;

beforeAll(() => {
  Scratch.prototype.take = function (this: Scratch, bytes: number): number {
    const address = take.call(this, bytes);
    taken.push([address, address + bytes]);
    return address;
  };
});
afterAll(() => {
  Scratch.prototype.take = take;
});

/** The first byte that a call changes outside of its dense outputs and its scratch memory, or null. */
function strayWrite(
  outputs: readonly Strided[],
  inputs: readonly Strided[],
  call: () => void,
): string | null {
  const prepare = (): void => {
    nextTick();
    for (const operand of [...outputs, ...inputs]) addressOf(operand.storage);
  };
  // The first call makes room for everything, so that nothing moves in the second, which sees other numbers.
  prepare();
  call();
  prepare();
  for (const input of inputs) {
    if (input.dtype === 'int32') continue;
    hostArray(input.storage, input.dtype).forEach((value, k, array) => (array[k] = 0.25 - 1.5 * value));
  }
  taken = [];
  const before = views.u8.slice(0, heapExtent());
  call();
  const allowed = outputs.map((out): Range => {
    const start = addressOf(out.storage) + out.offset * dtypeInfo[out.dtype].bytes;
    return [start, start + numel(out.shape) * dtypeInfo[out.dtype].bytes];
  });
  for (const [start, end] of [...allowed, ...taken]) before.set(views.u8.subarray(start, end), start);
  const now = views.u8.subarray(0, before.length);
  if (Buffer.compare(before, now) !== 0) {
    const stray = before.findIndex((byte, at) => byte !== now[at]);
    return `byte ${stray}; scratch is at ${taken.join(' and ')}`;
  }
  return null;
}

const transposed = (x: Strided): Strided => ({
  ...x,
  shape: [x.shape[1]!, x.shape[0]!],
  strides: [1, x.shape[1]!],
});

describe('kernels write to nothing but their outputs and the scratch memory they asked for', () => {
  it('matrix products', () => {
    const next = generator(1);
    const sizes = [
      [1, 64, 500],
      [3, 300, 200],
      [5, 7, 9],
      [20, 800, 40],
      [32, 256, 512],
      [64, 100, 33],
      [130, 260, 70],
      [47, 50, 40],
      [52, 60, 21],
    ];
    for (const dtype of ['float32', 'float64'] as const) {
      for (const [m, k, n] of sizes as [number, number, number][]) {
        for (const a of [random([m, k], next, dtype), transposed(random([k, m], next, dtype))]) {
          for (const b of [random([k, n], next, dtype), transposed(random([n, k], next, dtype))]) {
            const out = strided([m, n], dtype);
            expect(strayWrite([out], [a, b], () => kernels.matmul(out, a, b))).toBeNull();
          }
        }
      }
    }
  });

  it('copies and sums of parts and permutations', () => {
    const next = generator(4);
    for (const dtype of ['float32', 'float64', 'bool'] as const) {
      for (const size of [1, 3, 6, 32, 200]) {
        const x = random([2, 5, 3, size + 2], next, dtype);
        const part = { ...x, offset: 1, shape: [2, 5, 3, size] };
        const [batch, row, head, element] = x.strides as [number, number, number, number];
        const permuted = { ...part, shape: [2, 3, 5, size], strides: [batch, head, row, element] };
        for (const source of [part, permuted]) {
          const out = strided(source.shape, dtype);
          expect(strayWrite([out], [source], () => kernels.copy(out, source))).toBeNull();
          if (dtype === 'bool') continue;
          for (const dims of [[1], [0, 3]]) {
            const sum = strided(
              source.shape.map((n, d) => (dims.includes(d) ? 1 : n)),
              dtype,
            );
            expect(strayWrite([sum], [source], () => kernels.reduce('sum', sum, source, dims))).toBeNull();
          }
        }
      }
    }
  });

  it('convolutions and poolings', () => {
    const next = generator(2);
    for (const [channels, filters, size, stride, padding, groups] of [
      [3, 7, 13, 1, 1, 1],
      [40, 50, 9, 1, 1, 1],
      [8, 12, 30, 2, 2, 4],
      [2, 1, 25, 3, 0, 1],
    ] as const) {
      const window = {
        kernel: [3, 3],
        stride: [stride, stride],
        padding: [padding, padding],
        dilation: [1, 1],
        groups,
      };
      const windows = Math.floor((size + 2 * padding - 3) / stride) + 1;
      const x = random([2, channels, size, size], next);
      const w = random([filters, channels / groups, 3, 3], next);
      const g = random([2, filters, windows, windows], next);
      expect(strayWrite([g], [x, w], () => kernels.convolution(g, x, w, window))).toBeNull();
      expect(strayWrite([w], [g, x], () => kernels.convolutionWeight(w, g, x, window))).toBeNull();
      if (stride > 1) {
        expect(strayWrite([x], [g, w], () => kernels.convolutionInput(x, g, w, window))).toBeNull();
      }
      const pooled = strided([2, channels, windows, windows]);
      const indices = strided(pooled.shape, 'int32');
      expect(
        strayWrite([pooled, indices], [x], () => kernels.maxPool(pooled, indices, x, window)),
      ).toBeNull();
      const mean = { ...window, countIncludePad: true, paddingAfter: [padding, padding], divisor: null };
      expect(strayWrite([pooled], [x], () => kernels.averagePool(pooled, x, mean))).toBeNull();
      expect(strayWrite([x], [pooled], () => kernels.averagePoolTranspose(x, pooled, mean))).toBeNull();
    }
  });

  it('kernels on rows and columns', () => {
    const next = generator(3);
    for (const [rows, columns] of [
      [1, 1],
      [3, 7],
      [300, 37],
      [130, 64],
    ] as const) {
      for (const dtype of ['float32', 'float64'] as const) {
        const x = random([rows, columns], next, dtype);
        const same = strided([rows, columns], dtype);
        for (const dims of [[0], [1], [0, 1]]) {
          const out = strided(
            [rows, columns].map((size, d) => (dims.includes(d) ? 1 : size)),
            dtype,
          );
          expect(strayWrite([out], [x], () => kernels.reduce('sum', out, x, dims))).toBeNull();
        }
        for (const log of [false, true]) {
          expect(strayWrite([same], [x], () => softmax(kernels, same, x, 1, log))).toBeNull();
        }
        const outs = [same, strided([rows, 1], dtype), strided([1, columns], dtype)];
        const other = random([rows, columns], next, dtype);
        const both = { values: [input(0).add(input(2)), input(1).mul(input(0))], paramCount: 0, compiled: { kernels: null } };
        expect(strayWrite([same, other], [x], () => kernels.update(both, [same, other], [x], []))).toBeNull();
        const call = (): void => kernels.rows(ofEverySort, [rows, columns], outs, [x, x], [columns]);
        expect(strayWrite(outs, [x], call)).toBeNull();
        const source = transposed(random([columns, rows], next, dtype));
        expect(strayWrite([same], [source], () => kernels.copy(same, source))).toBeNull();
        const index = random([rows, columns], () => 0.5, 'int32');
        expect(strayWrite([same], [x, index], () => kernels.gather(same, x, index, 0))).toBeNull();
      }
    }
  });
});
