import { withoutEntry } from '../../shape.ts';
import { type Strided } from '../types.ts';
import { forOuter, walk } from './walk.ts';

/** What is done with a run of lines: where each operand starts, and its step from line to line. */
export type LineBody = (starts: readonly number[], lines: number, steps: readonly number[]) => void;

/**
 * Visits all lines along a dimension in runs of lines that follow each other with fixed steps. Operands have
 * equal shapes except at `dim`; starts and steps are in elements, and starts include the operands' offsets.
 */
export function forLines(dim: number, operands: readonly Strided[], body: LineBody): void {
  const nest = walk(
    withoutEntry(operands[0]!.shape, dim),
    operands.map(({ strides }) => withoutEntry(strides, dim)),
    1,
  );
  const last = nest.sizes.length - 1;
  const steps = nest.strides.map((strides) => strides[last]!);
  if (nest.sizes.includes(0)) return;
  forOuter(nest, last, (offsets) => {
    const starts = offsets.map((offset, k) => operands[k]!.offset + offset);
    body(starts, nest.sizes[last]!, steps);
  });
}
