import type { RowFold } from '../types.ts';
import { f32x4, type FunctionBuilder, f64x2, type Local, v128 } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';
import type { FloatType } from './floats.ts';

const starts: Readonly<Record<RowFold['kind'], number>> = { sum: 0, max: -Infinity, min: Infinity };

/** The running result of a fold over a row: partial results side by side, and sums of many in double precision. */
export class RowTotal {
  private readonly f: FunctionBuilder;
  private readonly float: FloatType;
  private readonly kind: RowFold['kind'];
  private readonly partials: readonly Local<'v128'>[];
  private readonly total: Local<'v128'> | null;

  constructor(f: FunctionBuilder, float: FloatType, kind: RowFold['kind'], width: number) {
    this.f = f;
    this.float = float;
    this.kind = kind;
    this.partials = Array.from({ length: width }, () => f.local('v128'));
    this.total = kind === 'sum' && float.type === 'f32' ? f.local('v128') : null;
  }

  /** Starts a row. */
  reset(): void {
    this.clear();
    if (this.total !== null) this.f.set(this.total, f64x2.const(0));
  }

  private clear(): void {
    for (const partial of this.partials) this.f.set(partial, this.float.lanes.const(starts[this.kind]));
  }

  /** Takes a vector, or the lanes of it that the mask names. */
  take(place: number, value: Vector, mask: Vector | null): void {
    const partial = this.partials[place]!;
    this.f.set(partial, this.combine(partial, mask === null ? value : this.masked(value, mask)));
  }

  private masked(value: Vector, mask: Vector): Vector {
    if (this.kind === 'sum') return v128.and(value, mask);
    return v128.bitselect(value, this.float.lanes.const(starts[this.kind]), mask);
  }

  /** Extremes keep what they have where the new value is NaN. */
  private combine(a: Vector, b: Vector): Vector {
    const { lanes } = this.float;
    return this.kind === 'sum' ? lanes.add(a, b) : this.kind === 'max' ? lanes.pmax(a, b) : lanes.pmin(a, b);
  }

  /** Adds the partial sums to the total, so that their error does not grow with the length of the row. */
  spill(): void {
    const { f, total } = this;
    if (total === null) return;
    f.set(total, f64x2.add(total, this.halves()));
    this.clear();
  }

  /** Joins the partial results in the first. */
  private joined(): Local<'v128'> {
    const { f, partials } = this;
    for (let half = partials.length / 2; half >= 1; half /= 2) {
      for (let k = 0; k < half; k++) f.set(partials[k]!, this.combine(partials[k]!, partials[k + half]!));
    }
    return partials[0]!;
  }

  private halves(): Vector {
    const sum = this.joined();
    return f64x2.add(f64x2.promoteF32x4(sum), f64x2.promoteF32x4(f32x4.shuffle(sum, sum, [2, 3, 2, 3])));
  }

  /** The fold of the whole row, in all lanes. */
  result(): Vector {
    const { f, float, total } = this;
    if (total !== null) {
      f.set(total, f64x2.add(total, this.halves()));
      f.set(total, f32x4.demoteF64x2(f64x2.add(total, f64x2.shuffle(total, total, [1, 0]))));
      return f32x4.shuffle(total, total, [0, 0, 0, 0]);
    }
    const joined = this.joined();
    if (float.type === 'f32') f.set(joined, this.combine(joined, f32x4.shuffle(joined, joined, [1, 0, 3, 2])));
    return this.combine(joined, f64x2.shuffle(joined, joined, [1, 0]));
  }
}
