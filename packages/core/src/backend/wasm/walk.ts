import type { Shape, Strides } from '../../shape.ts';

/** Nested loops over several operands at once, outermost first: sizes, and per operand its strides. */
export interface Walk {
  readonly sizes: number[];
  readonly strides: number[][];
}

/**
 * The shortest nest of loops that visits all elements: dimensions of size 1 are dropped and neighbours merged
 * where all operands allow it. Loops are ordered by falling stride of the first operand.
 * @param depth at least so many loops; the outer ones may have size 1
 */
export function walk(shape: Shape, operands: readonly Strides[], depth: number): Walk {
  const first = operands[0]!;
  const dims: number[] = [];
  for (let d = 0; d < shape.length; d++) if (shape[d] !== 1) dims.push(d);
  for (let k = 1; k < dims.length; k++) {
    for (let j = k; j > 0 && Math.abs(first[dims[j - 1]!]!) < Math.abs(first[dims[j]!]!); j--) {
      const d = dims[j]!;
      dims[j] = dims[j - 1]!;
      dims[j - 1] = d;
    }
  }
  const sizes: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (const d of dims) {
    const size = shape[d]!;
    const last = sizes.length - 1;
    if (last >= 0 && goesOn(strides, operands, last, d, size)) {
      sizes[last] = sizes[last]! * size;
      for (let k = 0; k < operands.length; k++) strides[k]![last] = operands[k]![d]!;
    } else {
      sizes.push(size);
      for (let k = 0; k < operands.length; k++) strides[k]!.push(operands[k]![d]!);
    }
  }
  while (sizes.length < depth) {
    sizes.unshift(1);
    for (const list of strides) list.unshift(0);
  }
  return { sizes, strides };
}

/** Whether the loop of dimension d continues that of level `last` in every operand. */
function goesOn(
  strides: readonly number[][],
  operands: readonly Strides[],
  last: number,
  d: number,
  size: number,
): boolean {
  for (let k = 0; k < operands.length; k++) {
    if (strides[k]![last] !== operands[k]![d]! * size) return false;
  }
  return true;
}

/**
 * Runs a body for each index of the outer loops of a walk.
 * @param loops how many of the loops are meant
 * @param body gets the offset of each operand there; the list is reused
 */
export function forOuter(nest: Walk, loops: number, body: (offsets: readonly number[]) => void): void {
  const offsets = nest.strides.map(() => 0);
  visit(nest, loops, 0, offsets, body);
}

function visit(
  nest: Walk,
  loops: number,
  level: number,
  offsets: number[],
  body: (offsets: readonly number[]) => void,
): void {
  if (level >= loops) {
    body(offsets);
    return;
  }
  const size = nest.sizes[level]!;
  for (let i = 0; i < size; i++) {
    visit(nest, loops, level + 1, offsets, body);
    for (let k = 0; k < offsets.length; k++) offsets[k]! += nest.strides[k]![level]!;
  }
  for (let k = 0; k < offsets.length; k++) offsets[k]! -= size * nest.strides[k]![level]!;
}
