import { type DType, dtypeInfo } from '../../dtype.ts';
import type { Expr } from '../../expr/index.ts';
import { isContiguous, numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { cacheOf, type KernelCache, laneOf } from './elementwise-cache.ts';
import { compileFlat, FLAT_INPUTS, FLAT_PARAMS, type FlatKernel } from './elementwise-kernel.ts';
import { runStrided } from './elementwise-strided.ts';

/** Whether all elements are one and the same. */
function isSplat(strides: readonly number[], shape: readonly number[]): boolean {
  for (let d = 0; d < strides.length; d++) if (strides[d] !== 0 && shape[d] !== 1) return false;
  return true;
}

/** The address of an operand, whose dtype is most often the one of out. */
function addressIn(x: Strided, dtype: DType, bytes: number): number {
  const address = addressOf(x.storage);
  if (x.offset === 0) return address;
  return address + x.offset * (x.dtype === dtype ? bytes : dtypeInfo[x.dtype].bytes);
}

/**
 * out = expr(inputs, params), element by element. Dense operands and scalars take one call of a flat kernel;
 * others are walked by loops of which the two inner ones are a kernel.
 */
export function elementwise(
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  params: readonly number[],
  compute: DType,
): void {
  const { shape, strides, dtype } = out;
  const count = numel(shape);
  if (count === 0) return;
  const cache = (expr.compiled.kernels as KernelCache | null) ?? cacheOf(expr);
  const arity = inputs.length;
  if (arity > FLAT_INPUTS || expr.paramCount > FLAT_PARAMS || !isContiguous(shape, strides)) {
    runStrided(cache, expr, out, inputs, params, compute);
    return;
  }
  const { code, bytes } = dtypeInfo[dtype];
  let key = (compute === dtype ? code : dtypeInfo[compute].code) * 5 + code;
  for (let k = 0; k < arity; k++) {
    const x = inputs[k]!;
    key = key * 10 + (x.dtype === dtype ? code : dtypeInfo[x.dtype].code) * 2;
    if ((x.shape === shape && x.strides === strides) || isContiguous(shape, x.strides)) continue;
    if (!isSplat(x.strides, shape)) {
      runStrided(cache, expr, out, inputs, params, compute);
      return;
    }
    key++;
  }
  key = key * 5 + arity;
  const kernel = cache.lastKey === key ? cache.last : flatKernel(cache, key, expr, out, inputs, compute);
  kernel(
    count,
    addressIn(out, dtype, bytes),
    arity > 0 ? addressIn(inputs[0]!, dtype, bytes) : 0,
    arity > 1 ? addressIn(inputs[1]!, dtype, bytes) : 0,
    arity > 2 ? addressIn(inputs[2]!, dtype, bytes) : 0,
    arity > 3 ? addressIn(inputs[3]!, dtype, bytes) : 0,
    params.length > 0 ? params[0]! : 0,
    params.length > 1 ? params[1]! : 0,
  );
}

function flatKernel(
  cache: KernelCache,
  key: number,
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  compute: DType,
): FlatKernel {
  let kernel = cache.flat.get(key);
  if (kernel === undefined) {
    kernel = compileFlat(expr, {
      compute: laneOf[compute],
      out: { dtype: out.dtype, mode: 'dense' },
      inputs: inputs.map((x) => ({
        dtype: x.dtype,
        mode: isContiguous(out.shape, x.strides) ? 'dense' : 'splat',
      })),
      params: expr.paramCount,
    });
    cache.flat.set(key, kernel);
  }
  cache.lastKey = key;
  cache.last = kernel;
  return kernel;
}
