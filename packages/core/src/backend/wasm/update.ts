import { dtypeInfo } from '../../dtype.ts';
import { allocate, views } from '../../heap.ts';
import { numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided, UpdateComputation } from '../types.ts';
import { throughFloats } from './dense.ts';
import { blockLayout, compileNested, type NestedKernel, type OperandType } from './elementwise-kernel.ts';
import type { FloatDType } from './floats.ts';

/** Most that an argument block holds. */
const BLOCK_BYTES = 1024;
let block = 0;

/** What is kept with a computation: one kernel per dtype. */
type Compiled = Partial<Record<FloatDType, NestedKernel>>;

/** Overwrites all targets in one pass over their elements. Operands that are not dense go through a copy. */
export function update(
  computation: UpdateComputation,
  targets: readonly Strided[],
  inputs: readonly Strided[],
  params: readonly number[],
): void {
  const count = numel(targets[0]!.shape);
  if (count === 0) return;
  throughFloats(targets, [...targets, ...inputs], (outs, sources) => run(computation, count, [...outs, ...sources], params));
}

function run(computation: UpdateComputation, count: number, operands: readonly Strided[], params: readonly number[]): void {
  const kernel = kernelFor(computation, operands);
  if (block === 0) block = allocate(BLOCK_BYTES, 2 ** 32);
  const addresses = operands.map(({ storage, offset, dtype }) => addressOf(storage) + offset * dtypeInfo[dtype].bytes);
  const { f64, i32 } = views;
  params.forEach((value, k) => (f64[block / 8 + k] = value));
  const start = block / 4 + blockLayout.integers(params.length);
  i32[start] = 1;
  i32[start + 1] = count;
  addresses.forEach((address, k) => (i32[block / 4 + blockLayout.operand(params.length, k)] = address));
  kernel(block);
}

function kernelFor(computation: UpdateComputation, operands: readonly Strided[]): NestedKernel {
  const { values, paramCount } = computation;
  const slot = computation.compiled as { kernels: Compiled | null };
  const dtype = operands[0]!.dtype as FloatDType;
  const dense = (some: readonly Strided[]): OperandType[] => some.map(() => ({ dtype, mode: 'dense' }));
  slot.kernels ??= {};
  return (slot.kernels[dtype] ??= compileNested(values, {
    compute: dtype,
    outs: dense(operands.slice(0, values.length)),
    inputs: dense(operands.slice(values.length)),
    params: paramCount,
  }));
}
