import type { Expr } from '../../expr/index.ts';
import { normalExp } from './elementwise-exponential.ts';
import type { LaneType } from './elementwise-lanes.ts';
import type { Lowering } from './elementwise-scratch.ts';

/**
 * The vector code that rows use instead of the usual one for a node, if there is any: in sums and shares of a row tiny
 * exponentials make no difference, but subnormal numbers are slow, and rows with a mask are full of them.
 */
export function exponential({ name }: Expr, type: LaneType): Lowering | undefined {
  return name === 'exp' && type.name === 'float32' ? normalExp : undefined;
}
