import type { Strided } from '../src/backend/types.ts';
import type { DType } from '../src/dtype.ts';
import { numel, type Shape } from '../src/shape.ts';
import { fill, generator, layouts, pick, strided } from './strided.ts';

/** Sizes that dimensions take: around the widths of vectors and blocks, small ones more often. */
export const sizes: readonly number[] = [1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 70, 130];
const specials = [NaN, Infinity, -Infinity, -0, 0];

/** What values operands take: exact in every dtype, without pattern, with NaN and infinities, or near 1. */
export type Values = 'small' | 'plain' | 'special' | 'near one';

/** A source of random operands. */
export class Draw {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = generator(seed);
    for (let i = 0; i < 8; i++) this.next();
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  one<T>(list: readonly T[]): T {
    return pick(list, this.next);
  }

  /** A shape of at most 3000 elements; `minimum` 0 allows empty ones. */
  shape(rank: number, minimum = 1): number[] {
    const shape: number[] = [];
    for (let d = 0; d < rank; d++) {
      const fitting = sizes.filter((size) => size * numel(shape) <= 3000);
      shape.push(minimum === 0 && this.chance(0.05) ? 0 : this.one(fitting));
    }
    return shape;
  }

  /** A tensor in a random layout. */
  tensor(shape: Shape, dtype: DType, values: Values = 'plain'): Strided {
    const value = this.valuesOf(dtype, values);
    return fill(strided(shape, dtype, this.one(layouts)), value);
  }

  /** A tensor whose elements lie side by side, anywhere in its storage. */
  sideBySide(shape: Shape, dtype: DType, values: Values = 'plain'): Strided {
    return fill(strided(shape, dtype, this.one(['dense', 'offset'])), this.valuesOf(dtype, values));
  }

  /** A tensor that may repeat elements along some dimensions. */
  operand(shape: Shape, dtype: DType, values: Values = 'plain'): Strided {
    if (this.chance(0.7)) return this.tensor(shape, dtype, values);
    const repeated = shape.map(() => this.chance(0.5));
    const x = this.tensor(
      shape.map((size, d) => (repeated[d] ? Math.min(size, 1) : size)),
      dtype,
      values,
    );
    return { ...x, shape, strides: x.strides.map((stride, d) => (repeated[d] ? 0 : stride)) };
  }

  /** Indices below `bound`. */
  indices(shape: Shape, bound: number): Strided {
    return fill(this.operand(shape, 'int32'), () => this.integer(0, bound - 1));
  }

  private valuesOf(dtype: DType, values: Values): () => number {
    if (dtype === 'bool') return () => this.integer(0, 1);
    if (dtype === 'uint8') return () => this.integer(0, values === 'small' ? 8 : 255);
    const integer = (): number => this.integer(values === 'small' ? -8 : -40, values === 'small' ? 8 : 40);
    if (dtype === 'int32') {
      return () =>
        values === 'special' && this.chance(0.3) ? Math.floor(this.next() * 2 ** 32) | 0 : integer();
    }
    if (values === 'small') return () => this.integer(-16, 16) / 2;
    if (values === 'near one') return () => 0.9 + this.next() * 0.2;
    if (values === 'plain') return () => this.next() * 4 - 2;
    const share = this.one([0, 0.02, 0.3]);
    return () => (this.chance(share) ? this.one(specials) : this.integer(-6, 6) / 2);
  }
}
