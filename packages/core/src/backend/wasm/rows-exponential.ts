import type { Expr } from '../../expr/index.ts';
import { f32x4, v128 } from './assembler.ts';
import { float32Functions } from './elementwise-functions.ts';
import type { LaneType } from './elementwise-lanes.ts';
import type { Lowering } from './elementwise-scratch.ts';

/** Below it exponentials are subnormal, which is slow. Rows with a mask are full of them. */
const SMALLEST = -87.3;

/** exp(x) with 0 for what would be subnormal: in sums and shares of a row it makes no difference. */
const flushed: Lowering = (s, a, b, c, node) => {
  const isTiny = s.keep(f32x4.lt(a, SMALLEST));
  const x = s.keep(f32x4.pmax(a, SMALLEST));
  return v128.andNot(float32Functions.exp!(s, x, b, c, node), isTiny);
};

/** The vector code that rows use instead of the usual one for a node, if there is any. */
export function exponential({ name }: Expr, type: LaneType): Lowering | undefined {
  return name === 'exp' && type.name === 'float32' ? flushed : undefined;
}
