import type { Heap } from '@tapegrad/core';
import type { Gemm, Gemms } from '../src/product.ts';

const TRANSPOSED = 112;

/** CBLAS's products in JavaScript, as strict as OpenBLAS about what it is told; addresses are places in the heap. */
export function javascriptGemms(heap: Heap): Gemms {
  const gemm =
    (arrayOf: () => Float32Array | Float64Array): Gemm =>
    (order, aLies, bLies, m, n, k, alpha, a, aLine, b, bLine, beta, c, cLine) => {
      const array = arrayOf();
      const bytes = array.BYTES_PER_ELEMENT;
      const [aTurned, bTurned] = [aLies === TRANSPOSED, bLies === TRANSPOSED];
      const complaints = [
        order !== 101 && 'order',
        [m, n, k].some((size) => !(size > 0)) && 'size',
        aLine < (aTurned ? m : k) && 'lda',
        bLine < (bTurned ? k : n) && 'ldb',
        cLine < n && 'ldc',
        [a, b, c].some((address) => address % bytes !== 0) && 'address',
      ].filter((complaint) => complaint !== false);
      if (complaints.length > 0) throw new RangeError(`illegal ${complaints.join(', ')}`);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) {
            const x = array[a / bytes + (aTurned ? p * aLine + i : i * aLine + p)]!;
            sum += x * array[b / bytes + (bTurned ? j * bLine + p : p * bLine + j)]!;
          }
          const at = c / bytes + i * cLine + j;
          array[at] = alpha * sum + (beta === 0 ? 0 : beta * array[at]!);
        }
      }
    };
  return {
    float32: gemm(() => new Float32Array(heap.u8.buffer)),
    float64: gemm(() => new Float64Array(heap.u8.buffer)),
  };
}
