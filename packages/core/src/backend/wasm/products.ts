import { heapMemory, views } from '../../heap.ts';
import { ownPatchProducts, patchProducts } from './convolution.ts';
import { gemm, type MatrixProduct, product } from './gemm.ts';
import * as patches from './patch-matrix.ts';

/** The memory that addresses of matrices are places in. */
export interface Heap {
  /** All of it; another array after it has grown, so look here at each use and keep nothing. */
  readonly u8: Uint8Array;
}

/**
 * Lets another function compute the products of floating-point matrices, those of convolutions included: one that calls
 * a native library, for instance. Meant for packages that bring one.
 *
 * The function must leave every element of c as the product says, within rounding, NaN and infinities included. It
 * may touch neither the memory between c's rows nor the operands, must be done when it returns, and allocates nothing
 * on the heap. What it can't do, or not faster, it gives to `own`.
 *
 * @param make gets our own product and the heap, and returns the other one
 * @returns a function that puts our own product back
 */
export function replaceProducts(make: (own: MatrixProduct, heap: Heap) => MatrixProduct): () => void {
  heapMemory();
  product.gemm = make(gemm, views);
  patchProducts.forward = patches.forward;
  patchProducts.weightGradient = patches.weightGradient;
  return () => {
    product.gemm = gemm;
    Object.assign(patchProducts, ownPatchProducts);
  };
}
