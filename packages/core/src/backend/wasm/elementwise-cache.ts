import type { DType } from '../../dtype.ts';
import type { Expr } from '../../expr/index.ts';
import type { FlatKernel, NestedKernel } from './elementwise-kernel.ts';
import type { LaneName } from './elementwise-lanes.ts';

/**
 * The kernels of one expression, found by numbers that stand for dtypes and modes. The last flat one for operands of
 * one dtype is looked at first, as most expressions only ever need one.
 */
export interface KernelCache {
  lastDType: DType | null;
  /** Which inputs were one element for all, one bit each. */
  lastSplats: number;
  last: FlatKernel;
  readonly flat: Map<number, FlatKernel>;
  readonly strided: Map<number | string, NestedKernel>;
}

const nothing: FlatKernel = () => undefined;

/** The kernels that were compiled from an expression. */
export function cacheOf(expr: Expr): KernelCache {
  const slot = expr.compiled as { kernels: KernelCache | null };
  return (slot.kernels ??= { lastDType: null, lastSplats: 0, last: nothing, flat: new Map(), strided: new Map() });
}

/**
 * The lanes in which a dtype is computed: integers wrap in 32 bits, and bool is an integer until it is
 * stored.
 */
export const laneOf: Readonly<Record<DType, LaneName>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  uint8: 'int32',
  bool: 'int32',
};

/** Types of lanes by number. */
export const laneIndex: Readonly<Record<LaneName, number>> = { float32: 0, float64: 1, int32: 2 };
