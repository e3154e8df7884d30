import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided, UpdateComputation } from '../types.ts';
import { isDenseFloat, throughFloats } from './dense.ts';
import { nanosecondsOf } from './elementwise-cache.ts';
import { blockLayout, compileNested, type NestedKernel, type OperandType } from './elementwise-kernel.ts';
import type { FloatDType } from './floats.ts';
import { Scratch } from './scratch.ts';
import { isSharable, type Kernel } from './shared-modules.ts';
import { cuts, isWorthSharing, sharedWork } from './work.ts';

/** Elements of a piece at least, and what its size is a multiple of, so that the same ones are computed in vectors. */
const LEAST_PIECE = 2048;
const UNIT = 64;
const blocks = new Scratch();

/** What is kept with a computation: one kernel per dtype, and about what an element takes one thread. */
interface Compiled extends Partial<Record<FloatDType, NestedKernel>> {
  readonly nanoseconds: number;
}

/** Overwrites all targets in one pass over their elements. Operands that are not dense go through a copy. */
export function update(
  computation: UpdateComputation,
  targets: readonly Strided[],
  inputs: readonly Strided[],
  params: readonly number[],
): void {
  const count = numel(targets[0]!.shape);
  if (count === 0) return;
  if (targets.every(isDenseFloat) && inputs.every(isDenseFloat)) run(computation, count, [...targets, ...targets, ...inputs], params);
  else throughFloats(targets, [...targets, ...inputs], (outs, sources) => run(computation, count, [...outs, ...sources], params));
}

function run(computation: UpdateComputation, count: number, operands: readonly Strided[], params: readonly number[]): void {
  const compiled = compiledOf(computation);
  const { dtype } = operands[0]!;
  const kernel = (compiled[dtype as FloatDType] ??= compile(computation, dtype as FloatDType, operands.length));
  const { bytes } = dtypeInfo[dtype];
  const addresses = new Array<number>(operands.length);
  for (let k = 0; k < addresses.length; k++) addresses[k] = addressOf(operands[k]!.storage) + operands[k]!.offset * bytes;
  const blockBytes = Math.ceil((blockLayout.operand(params.length, operands.length) * 4) / 16) * 16;
  const nanoseconds = count * compiled.nanoseconds;
  if (!isWorthSharing(nanoseconds) || !isSharable(kernel)) {
    const block = blocks.take(blockBytes);
    fillBlock(block, params, addresses, count);
    kernel(block);
    return;
  }
  const work = sharedWork(nanoseconds);
  let block = blocks.take(blockBytes * work.width);
  const at = cuts(work.width, count, UNIT, LEAST_PIECE);
  for (let i = 1; i < at.length; i++) {
    const size = at[i]! - at[i - 1]!;
    fillBlock(block, params, addresses, size);
    for (let k = 0; k < addresses.length; k++) addresses[k]! += size * bytes;
    work.task();
    work.call(kernel as Kernel, [block]);
    block += blockBytes;
  }
  work.run();
}

/** Writes the arguments of a call for so many elements from these addresses on. */
function fillBlock(block: number, params: readonly number[], addresses: readonly number[], count: number): void {
  const { f64, i32 } = views;
  for (let k = 0; k < params.length; k++) f64[block / 8 + k] = params[k]!;
  const start = block / 4 + blockLayout.integers(params.length);
  i32[start] = 1;
  i32[start + 1] = count;
  for (let k = 0; k < addresses.length; k++) i32[block / 4 + blockLayout.operand(params.length, k)] = addresses[k]!;
}

function compiledOf({ values, compiled }: UpdateComputation): Compiled {
  const slot = compiled as { kernels: Compiled | null };
  return (slot.kernels ??= { nanoseconds: values.reduce((sum, value) => sum + nanosecondsOf(value), 0) });
}

function compile({ values, paramCount }: UpdateComputation, dtype: FloatDType, operandCount: number): NestedKernel {
  const dense = (count: number): OperandType[] => Array.from({ length: count }, () => ({ dtype, mode: 'dense' }));
  return compileNested(values, {
    compute: dtype,
    outs: dense(values.length),
    inputs: dense(operandCount - values.length),
    params: paramCount,
  });
}
