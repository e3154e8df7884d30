import { type DType, dtypeInfo } from '../../dtype.ts';
import type { Expr } from '../../expr/index.ts';
import { isContiguous, numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Kernels, Strided } from '../types.ts';
import { cacheOf, type KernelCache, laneOf } from './elementwise-cache.ts';
import { compileFlat, FLAT_INPUTS, FLAT_PARAMS, type FlatKernel } from './elementwise-kernel.ts';
import { runStrided } from './elementwise-strided.ts';
import { isSharable, type Kernel } from './shared-modules.ts';
import { eachPiece, isWorthSharing, sharedWork } from './work.ts';

/** Whether all elements are one and the same. */
function isSplat(strides: readonly number[], shape: readonly number[]): boolean {
  for (let d = 0; d < strides.length; d++) if (strides[d] !== 0 && shape[d] !== 1) return false;
  return true;
}

function addressIn(x: Strided): number {
  const address = addressOf(x.storage);
  return x.offset === 0 ? address : address + x.offset * dtypeInfo[x.dtype].bytes;
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
  let isFlat = arity <= FLAT_INPUTS && expr.paramCount <= FLAT_PARAMS && isContiguous(shape, strides);
  let isOneType = compute === dtype;
  let splats = 0;
  for (let k = 0; k < arity && isFlat; k++) {
    const x = inputs[k]!;
    if (x.dtype !== dtype) isOneType = false;
    if ((x.shape === shape && x.strides === strides) || isContiguous(shape, x.strides)) continue;
    splats |= 1 << k;
    isFlat = isSplat(x.strides, shape);
  }
  if (!isFlat) {
    runStrided(cache, expr, out, inputs, params, compute);
    return;
  }
  const kernel =
    isOneType && cache.lastDType === dtype && cache.lastSplats === splats
      ? cache.last
      : flatKernel(cache, expr, out, inputs, compute, splats, isOneType);
  if (count >= LEAST_SHARED && isWorthSharing(count * cache.nanoseconds) && isSharable(kernel)) {
    shareFlat(kernel, count, count * cache.nanoseconds, out, inputs, splats, params);
    return;
  }
  const [x = null, y = null, z = null, w = null] = inputs;
  run(kernel, count, out, x, y, z, w, params);
}

/** The same for operands side by side, which need no look at how they lie. */
export const dense: Kernels['dense'] = (expr, count, out, x, y, z, w, params) => {
  const cache = (expr.compiled.kernels as KernelCache | null) ?? cacheOf(expr);
  if (cache.lastDType !== out.dtype || cache.lastSplats !== 0 || count >= LEAST_SHARED) {
    elementwise(expr, out, [x, y, z, w].filter((operand) => operand !== null), params, out.dtype);
    return;
  }
  run(cache.last, count, out, x, y, z, w, params);
};

/** Calls a flat kernel; null for inputs that it does not take. */
function run(
  kernel: FlatKernel,
  count: number,
  out: Strided,
  x: Strided | null,
  y: Strided | null,
  z: Strided | null,
  w: Strided | null,
  params: readonly number[],
): void {
  kernel(
    count,
    addressIn(out),
    x === null ? 0 : addressIn(x),
    y === null ? 0 : addressIn(y),
    z === null ? 0 : addressIn(z),
    w === null ? 0 : addressIn(w),
    params.length > 0 ? params[0]! : 0,
    params.length > 1 ? params[1]! : 0,
  );
}

/** Fewer elements are not worth a look at what is done with them. */
const LEAST_SHARED = 4096;
/** Elements of a piece at least, and what its size is a multiple of, so that the same ones are computed in vectors. */
const LEAST_PIECE = 2048;
const UNIT = 64;

/** Runs a flat kernel on several threads. */
function shareFlat(
  kernel: FlatKernel,
  count: number,
  nanoseconds: number,
  out: Strided,
  inputs: readonly Strided[],
  splats: number,
  params: readonly number[],
): void {
  const work = sharedWork(nanoseconds);
  const operands = [out, ...inputs];
  const addresses = operands.map(addressIn);
  const steps = operands.map(({ dtype }, k) => ((splats << 1) & (1 << k) ? 0 : dtypeInfo[dtype].bytes));
  const unused = new Array<number>(FLAT_INPUTS - inputs.length).fill(0);
  const [p = 0, q = 0] = params;
  eachPiece(work.width, count, UNIT, LEAST_PIECE, (first, size) => {
    work.task();
    const starts = addresses.map((address, k) => address + first * steps[k]!);
    work.call(kernel as Kernel, [size, ...starts, ...unused], [p, q]);
  });
  work.run();
}

function flatKernel(
  cache: KernelCache,
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  compute: DType,
  splats: number,
  isOneType: boolean,
): FlatKernel {
  const dtypes = [compute, out.dtype, ...inputs.map((x) => x.dtype)];
  const key = dtypes.reduce((sum, dtype) => sum * 5 + dtypeInfo[dtype].code, splats) * 5 + inputs.length;
  let kernel = cache.flat.get(key);
  if (kernel === undefined) {
    kernel = compileFlat(expr, {
      compute: laneOf[compute],
      outs: [{ dtype: out.dtype, mode: 'dense' }],
      inputs: inputs.map((x, k) => ({ dtype: x.dtype, mode: (splats & (1 << k)) === 0 ? 'dense' : 'splat' })),
      params: expr.paramCount,
    });
    cache.flat.set(key, kernel);
  }
  if (isOneType) {
    cache.lastDType = out.dtype;
    cache.lastSplats = splats;
    cache.last = kernel;
  }
  return kernel;
}
