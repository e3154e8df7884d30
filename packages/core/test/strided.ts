import { dtypeInfo, type DType } from '../src/dtype.ts';
import { contiguousStrides, numel, type Shape } from '../src/shape.ts';
import { hostArray, Storage } from '../src/storage.ts';
import type { Strided } from '../src/backend/types.ts';

/** How the elements of a tensor made for a test lie in memory. `repeated` has stride 0 at its first dimension. */
export type Layout = 'dense' | 'shifted' | 'reversed' | 'spaced' | 'repeated';

interface Placement {
  readonly strides: number[];
  readonly offset: number;
  readonly length: number;
}

/** Strides for each layout; every one but `repeated` gives each element a place of its own. */
export const layouts: Readonly<Record<Layout, (shape: Shape) => Placement>> = {
  dense: (shape) => ({ strides: contiguousStrides(shape), offset: 0, length: numel(shape) }),
  shifted: (shape) => ({ strides: contiguousStrides(shape), offset: 3, length: numel(shape) + 5 }),
  reversed: (shape) => ({
    strides: contiguousStrides([...shape].reverse()).reverse(),
    offset: 0,
    length: numel(shape),
  }),
  spaced: (shape) => ({
    strides: contiguousStrides(shape.map((size) => size + 1)).map((stride) => stride * 2),
    offset: 1,
    length: 2 * numel(shape.map((size) => size + 1)) + 1,
  }),
  repeated: (shape) => ({
    strides: contiguousStrides(shape).map((stride, d) => (d === 0 ? 0 : stride)),
    offset: 0,
    length: numel(shape),
  }),
};

/** A tensor of a kernel's view for a test; where elements share a place, the last value stays. */
export function strided(
  values: ArrayLike<number>,
  shape: Shape,
  dtype: DType = 'float64',
  layout: Layout = 'dense',
): Strided {
  const { strides, offset, length } = layouts[layout](shape);
  const storage = new Storage(length * dtypeInfo[dtype].bytes);
  const elements = hostArray(storage, dtype);
  elements.fill(77);
  const x = { storage, offset, shape, strides, dtype };
  placesOf(x).forEach((place, i) => {
    elements[place] = values[i]!;
  });
  return x;
}

/** An output of a kernel for a test, filled with a number that no kernel leaves there by chance. */
export function blank(shape: Shape, dtype: DType = 'float64', layout: Layout = 'dense'): Strided {
  return strided(new Float64Array(numel(shape)).fill(dtype === 'bool' ? 1 : 99), shape, dtype, layout);
}

/** The elements in row-major order. */
export function numbersOf(x: Strided): number[] {
  const elements = hostArray(x.storage, x.dtype);
  return placesOf(x).map((place) => elements[place]!);
}

function placesOf({ shape, strides, offset }: Strided): number[] {
  let places = [offset];
  shape.forEach((size, d) => {
    places = places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * strides[d]!));
  });
  return places;
}
