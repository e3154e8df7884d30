import { type DType, dtypeInfo } from '../../dtype.ts';
import type { Expr } from '../../expr/index.ts';
import { allocate, views } from '../../heap.ts';
import { isContiguous, numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import {
  blockLayout,
  compileFlat,
  compileNested,
  FLAT_INPUTS,
  FLAT_PARAMS,
  type FlatKernel,
  type Mode,
  type NestedKernel,
  type Signature,
} from './elementwise-kernel.ts';
import type { LaneName } from './elementwise-lanes.ts';
import { walk } from './walk.ts';

/**
 * The kernels of one expression. The last flat one is looked at first, as most expressions only ever need
 * one.
 */
interface KernelCache {
  lastKey: number;
  last: FlatKernel;
  readonly flat: Map<number, FlatKernel>;
  readonly nested: Map<number | string, NestedKernel>;
}

/** Integers wrap in 32 bits whatever their size, and bool is an integer until it is stored. */
const laneOf: Readonly<Record<DType, LaneName>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  uint8: 'int32',
  bool: 'int32',
};

const laneIndex: Readonly<Record<LaneName, number>> = { float32: 0, float64: 1, int32: 2 };
const modeIndex: Readonly<Record<Mode, number>> = { dense: 0, splat: 1, strided: 2 };

const nothing: FlatKernel = () => undefined;

function cacheOf(expr: Expr): KernelCache {
  const slot = expr.compiled as { kernels: KernelCache | null };
  return (slot.kernels ??= { lastKey: -1, last: nothing, flat: new Map(), nested: new Map() });
}

/** Whether all elements are one and the same. */
function isSplat(strides: readonly number[], shape: readonly number[]): boolean {
  for (let d = 0; d < strides.length; d++) if (strides[d] !== 0 && shape[d] !== 1) return false;
  return true;
}

function addressIn(x: Strided): number {
  return addressOf(x.storage) + x.offset * dtypeInfo[x.dtype].bytes;
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
  const { shape } = out;
  const count = numel(shape);
  if (count === 0) return;
  const arity = inputs.length;
  if (arity > FLAT_INPUTS || expr.paramCount > FLAT_PARAMS || !isContiguous(shape, out.strides)) {
    runNested(expr, out, inputs, params, compute);
    return;
  }
  let key = dtypeInfo[compute].code * 5 + dtypeInfo[out.dtype].code;
  for (let k = 0; k < arity; k++) {
    const x = inputs[k]!;
    key = key * 10 + dtypeInfo[x.dtype].code * 2;
    if (x.shape === shape && x.strides === out.strides) continue;
    if (isContiguous(shape, x.strides)) continue;
    if (!isSplat(x.strides, shape)) {
      runNested(expr, out, inputs, params, compute);
      return;
    }
    key++;
  }
  key = key * 5 + arity;
  const cache = (expr.compiled.kernels as KernelCache | null) ?? cacheOf(expr);
  const kernel = cache.lastKey === key ? cache.last : flatKernel(cache, key, expr, out, inputs, compute);
  kernel(
    count,
    addressIn(out),
    arity > 0 ? addressIn(inputs[0]!) : 0,
    arity > 1 ? addressIn(inputs[1]!) : 0,
    arity > 2 ? addressIn(inputs[2]!) : 0,
    arity > 3 ? addressIn(inputs[3]!) : 0,
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

/** Most operands and parameters that an argument block holds. */
const BLOCK_BYTES = 2048;
let block = 0;

function modeOf(stride: number, bytes: number): Mode {
  return stride === 0 ? 'splat' : stride === bytes ? 'dense' : 'strided';
}

function runNested(
  expr: Expr,
  out: Strided,
  inputs: readonly Strided[],
  params: readonly number[],
  compute: DType,
): void {
  const operands = [out, ...inputs];
  const { sizes, strides } = walk(
    out.shape,
    operands.map((x) => x.strides),
    2,
  );
  const depth = sizes.length;
  const sizesInBytes = operands.map((x) => dtypeInfo[x.dtype].bytes);
  const modes = operands.map((_, k) => {
    const mode = modeOf(strides[k]![depth - 1]! * sizesInBytes[k]!, sizesInBytes[k]!);
    // A single element may be anywhere; results are never stored as a splat.
    return sizes[depth - 1] === 1 || (k === 0 && mode === 'splat') ? 'dense' : mode;
  });
  const kernel = nestedKernel(expr, {
    compute: laneOf[compute],
    out: { dtype: out.dtype, mode: modes[0]! },
    inputs: inputs.map((x, k) => ({ dtype: x.dtype, mode: modes[k + 1]! })),
    params: expr.paramCount,
  });
  const addresses = operands.map(addressIn);
  if (block === 0) block = allocate(BLOCK_BYTES, 2 ** 32);
  params.forEach((value, k) => (views.f64[block / 8 + k] = value));
  const at = block / 4;
  const start = at + blockLayout.integers(expr.paramCount);
  views.i32[start] = sizes[depth - 2]!;
  views.i32[start + 1] = sizes[depth - 1]!;
  operands.forEach((_, k) => {
    const first = at + blockLayout.operand(expr.paramCount, k);
    views.i32[first + 1] = strides[k]![depth - 2]! * sizesInBytes[k]!;
    views.i32[first + 2] = strides[k]![depth - 1]! * sizesInBytes[k]!;
  });
  const visit = (level: number): void => {
    if (level === depth - 2) {
      for (let k = 0; k < addresses.length; k++) {
        views.i32[at + blockLayout.operand(expr.paramCount, k)] = addresses[k]!;
      }
      kernel(block);
      return;
    }
    for (let i = 0; i < sizes[level]!; i++) {
      visit(level + 1);
      for (let k = 0; k < addresses.length; k++) addresses[k]! += strides[k]![level]! * sizesInBytes[k]!;
    }
    for (let k = 0; k < addresses.length; k++)
      addresses[k]! -= sizes[level]! * strides[k]![level]! * sizesInBytes[k]!;
  };
  visit(0);
}

function nestedKernel(expr: Expr, signature: Signature): NestedKernel {
  const { compute, out, inputs, params } = signature;
  let key: string | number = laneIndex[compute] * 64 + params;
  for (const { dtype, mode } of [out, ...inputs])
    key = key * 15 + dtypeInfo[dtype].code * 3 + modeIndex[mode];
  // Longer keys no longer fit a number.
  if (inputs.length > 9) key = JSON.stringify(signature);
  const { nested } = cacheOf(expr);
  let kernel = nested.get(key);
  if (kernel === undefined) nested.set(key, (kernel = compileNested(expr, signature)));
  return kernel;
}
