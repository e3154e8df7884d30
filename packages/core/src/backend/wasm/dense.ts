import { dtypeInfo } from '../../dtype.ts';
import { contiguousStrides, isContiguous, numel } from '../../shape.ts';
import { freeStorage, Storage } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { copy } from './copy.ts';
import { isFloatDType } from './floats.ts';

/** Whether a kernel can take an operand as it is. */
export function isDenseFloat({ dtype, shape, strides }: Strided): boolean {
  return isFloatDType(dtype) && isContiguous(shape, strides);
}

/**
 * Runs a kernel on floats that lie densely: other operands are copied before or after. Integers go through
 * doubles, in which sums of products of whole numbers are exact.
 */
export function throughFloats(
  outputs: readonly Strided[],
  inputs: readonly Strided[],
  kernel: (outputs: readonly Strided[], inputs: readonly Strided[]) => void,
): void {
  const spares: Storage[] = [];
  const dense = (t: Strided): Strided => {
    const dtype = isFloatDType(t.dtype) ? t.dtype : 'float64';
    if (isDenseFloat(t)) return t;
    const storage = new Storage(numel(t.shape) * dtypeInfo[dtype].bytes);
    spares.push(storage);
    return { storage, offset: 0, shape: t.shape, strides: contiguousStrides(t.shape), dtype };
  };
  const sources = inputs.map((input) => {
    const source = dense(input);
    if (source !== input) copy(source, input);
    return source;
  });
  const results = outputs.map(dense);
  kernel(results, sources);
  results.forEach((result, k) => {
    if (result !== outputs[k]) copy(outputs[k]!, result);
  });
  spares.forEach(freeStorage);
}

/** Runs a kernel on a dense int32 output, and copies that to where it belongs if it is elsewhere. */
export function throughIntegers(output: Strided, kernel: (output: Strided) => void): void {
  const { shape } = output;
  if (isContiguous(shape, output.strides)) {
    kernel(output);
    return;
  }
  const storage = new Storage(numel(shape) * dtypeInfo.int32.bytes);
  const dense: Strided = { storage, offset: 0, shape, strides: contiguousStrides(shape), dtype: 'int32' };
  kernel(dense);
  copy(output, dense);
  freeStorage(storage);
}
