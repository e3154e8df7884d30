import { describe, expect, it } from '@jest/globals';
import type { MatrixProduct } from '@tapegrad/core';
import { blasProduct, isRight, type Gemm, type Gemms } from '../src/product.ts';
import { javascriptGemms } from './cblas.ts';

const never: MatrixProduct = () => {
  throw new Error('left to our own kernels');
};

/** A product of dense 20 by 20 matrices at these places in the heap. */
function multiply(product: MatrixProduct, [a, b, c]: readonly [number, number, number]): void {
  product('float32', 20, 20, 20, a, 80, 4, b, 80, 4, c, 80, false);
}

describe('the product by a BLAS', () => {
  it('asks where the heap is once, and again when it is another array', () => {
    const calls: number[][] = [];
    const gemm: Gemm = (...args) => void calls.push([args[7], args[9], args[12]]);
    const heap = { u8: new Uint8Array(1) };
    const bases = new Map<Uint8Array, number>([[heap.u8, 5000]]);
    let asked = 0;
    const product = blasProduct({ float32: gemm, float64: gemm }, never, heap, (array) => {
      asked++;
      return bases.get(array)!;
    });
    multiply(product, [16, 32, 48]);
    multiply(product, [16, 32, 64]);
    expect(asked).toBe(1);
    heap.u8 = new Uint8Array(2);
    bases.set(heap.u8, 90000);
    multiply(product, [16, 32, 48]);
    expect(asked).toBe(2);
    expect(calls).toEqual([
      [5016, 5032, 5048],
      [5016, 5032, 5064],
      [90016, 90032, 90048],
    ]);
  });

  it('leaves small matrices to our own kernels', () => {
    const taken: string[] = [];
    const gemm: Gemm = () => void taken.push('BLAS');
    const product = blasProduct({ float32: gemm, float64: gemm }, () => void taken.push('own'), { u8: new Uint8Array(1) }, () => 0);
    product('float32', 8, 8, 8, 0, 32, 4, 0, 32, 4, 0, 32, false);
    multiply(product, [0, 0, 0]);
    expect(taken).toEqual(['own', 'BLAS']);
  });
});

describe('a library', () => {
  /** Products over arrays that lie one after the other, as they are asked for. */
  function arrays(change: (gemms: Gemms) => Gemms = (gemms) => gemms): boolean {
    const u8 = new Uint8Array(4096);
    const gemms = change(javascriptGemms({ u8 }));
    let end = 0;
    const placed: (Float32Array | Float64Array)[] = [];
    const places: number[] = [];
    const addressOf = (array: Float32Array | Float64Array): number => {
      const at = end;
      end += 128;
      u8.set(new Uint8Array(array.buffer), at);
      placed.push(array);
      places.push(at);
      return at;
    };
    const backAfter =
      (gemm: Gemm): Gemm =>
      (...args) => {
        gemm(...args);
        placed.forEach((array, i) => new Uint8Array(array.buffer).set(u8.subarray(places[i]!, places[i]! + array.byteLength)));
      };
    return isRight({ float32: backAfter(gemms.float32), float64: backAfter(gemms.float64) }, addressOf);
  }

  it('is tried on a small product before it is trusted', () => {
    expect(arrays()).toBe(true);
    expect(arrays((gemms) => ({ ...gemms, float64: () => {} }))).toBe(false);
    const ignoresTransposition = (gemm: Gemm): Gemm => (order, aLies, _bLies, ...rest) => gemm(order, aLies, 111, ...rest);
    expect(arrays(({ float32, float64 }) => ({ float32: ignoresTransposition(float32), float64 }))).toBe(false);
  });
});
