import type { DType } from '../../dtype.ts';
import { type Expr, nodesOf, type PrimitiveName } from '../../expr/index.ts';
import type { FlatKernel, NestedKernel } from './elementwise-kernel.ts';
import type { LaneName } from './elementwise-lanes.ts';
import { isHeavy } from './elementwise-lowerings.ts';

/**
 * The kernels of one expression, found by numbers that stand for dtypes and modes. The last flat one for operands of
 * one dtype is looked at first, as most expressions only ever need one.
 */
export interface KernelCache {
  lastDType: DType | 'none';
  /** Which inputs were one element for all, one bit each. */
  lastSplats: number;
  last: FlatKernel;
  /** About what an element takes one thread. */
  readonly nanoseconds: number;
  readonly flat: Map<number, FlatKernel>;
  readonly strided: Map<number | string, NestedKernel>;
}

const nothing: FlatKernel = () => undefined;

/** The kernels that were compiled from an expression. */
export function cacheOf(expr: Expr): KernelCache {
  const slot = expr.compiled as { kernels: KernelCache | null };
  return (slot.kernels ??= {
    lastDType: 'none',
    lastSplats: 0,
    last: nothing,
    nanoseconds: nanosecondsOf(expr),
    flat: new Map(),
    strided: new Map(),
  });
}

/** What elements cost in memory, and what an instruction and a function cost. */
const MOVE_NANOSECONDS = 0.15;
const LIGHT_NANOSECONDS = 0.05;
const HEAVY_NANOSECONDS = 1;

/** About what an element of an expression takes one thread. */
export function nanosecondsOf(expr: Expr): number {
  let sum = MOVE_NANOSECONDS;
  for (const { name, args } of nodesOf(expr)) {
    if (args.length > 0) sum += isHeavy(name as PrimitiveName, 'float32') ? HEAVY_NANOSECONDS : LIGHT_NANOSECONDS;
  }
  return sum;
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
