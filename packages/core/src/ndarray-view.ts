import type { NdArray } from 'ndarray';
import type { TypedArray } from './dtype.ts';
import { GradError } from './errors.ts';
import { modes } from './modes.ts';
import { contiguousStrides } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * A strided view of a typed array with the fields and methods of the package ndarray, whose functions know views by
 * these alone. That package writes code at run time to make views, which pages with a strict content security policy
 * forbid; this class needs nothing of the sort, and nothing to be loaded first.
 */
class NdArrayView implements Omit<NdArray<TypedArray>, 'T'> {
  data: TypedArray;
  shape: number[];
  stride: number[];
  offset: number;

  constructor(data: TypedArray, shape: number[], stride: number[], offset: number) {
    this.data = data;
    this.shape = shape;
    this.stride = stride;
    this.offset = offset;
  }

  get dtype(): 'float32' | 'float64' | 'int32' | 'uint8' {
    const name = Object.prototype.toString.call(this.data).slice(8, -'Array'.length - 1);
    return name.toLowerCase() as 'float32' | 'float64' | 'int32' | 'uint8';
  }

  get dimension(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((size, n) => size * n, 1);
  }

  /** Dimensions from the one whose neighbours lie closest. */
  get order(): number[] {
    const { stride } = this;
    return stride.map((_, d) => d).sort((a, b) => Math.abs(stride[a]!) - Math.abs(stride[b]!));
  }

  index(...at: number[]): number {
    return at.reduce((place, i, d) => place + i * this.stride[d]!, this.offset);
  }

  get(...at: number[]): number {
    return this.data[this.index(...at)]!;
  }

  /** Takes the place and then the value. */
  set(...at: number[]): number {
    const value = at.pop()!;
    return (this.data[this.index(...at)] = value);
  }

  /** The part from the given place on. */
  lo(...from: (number | null)[]): NdArray<TypedArray> {
    const starts = this.shape.map((_, d) => from[d] ?? 0);
    return make(this.data, this.shape.map((n, d) => n - starts[d]!), [...this.stride], this.index(...starts));
  }

  /** The part before the given place. */
  hi(...to: (number | null)[]): NdArray<TypedArray> {
    return make(this.data, this.shape.map((n, d) => to[d] ?? n), [...this.stride], this.offset);
  }

  /** Every n-th element per dimension; negative steps turn it around. */
  step(...steps: (number | null)[]): NdArray<TypedArray> {
    const by = this.shape.map((_, d) => steps[d] ?? 1);
    const starts = this.shape.map((n, d) => (by[d]! < 0 ? n - 1 : 0));
    const shape = this.shape.map((n, d) => Math.ceil(n / Math.abs(by[d]!)));
    return make(this.data, shape, this.stride.map((s, d) => s * by[d]!), this.index(...starts));
  }

  transpose(...order: number[]): NdArray<TypedArray> {
    const from = this.shape.map((_, d) => order[d] ?? d);
    return make(this.data, from.map((d) => this.shape[d]!), from.map((d) => this.stride[d]!), this.offset);
  }

  /** The part at the given places, without those dimensions; null keeps one. */
  pick(...at: (number | null)[]): NdArray<TypedArray> {
    const isPicked = (d: number): boolean => typeof at[d] === 'number' && at[d]! >= 0;
    const kept = this.shape.map((_, d) => d).filter((d) => !isPicked(d));
    const offset = this.index(...this.shape.map((_, d) => (isPicked(d) ? at[d]! : 0)));
    return make(this.data, kept.map((d) => this.shape[d]!), kept.map((d) => this.stride[d]!), offset);
  }
}

function make(data: TypedArray, shape: number[], stride: number[], offset: number): NdArray<TypedArray> {
  // The types of ndarray declare a property T that its views do not have.
  return new NdArrayView(data, shape, stride, offset) as unknown as NdArray<TypedArray>;
}

/**
 * A copy of the elements as an ndarray in row-major order; bool becomes bytes of 0 and 1.
 * @throws GradError when `x` requires grad, since changes of the copy could not be recorded; not inside noGrad
 * @example
 * console.log(tg.tensor([[1, 2], [3, 4]]).toNdarray().get(1, 0)); // → 3
 * @source torch.Tensor.numpy
 */
export function toNdarray(x: Tensor): NdArray<TypedArray> {
  if (modes.grad && x.requiresGrad) {
    throw new GradError(
      "Can't call toNdarray() on Tensor that requires grad. Use tensor.detach().toNdarray() instead; to look at the values, " +
        'use toArray()',
      { op: 'toNdarray' },
    );
  }
  return make(x.toTypedArray(), [...x.shape], contiguousStrides(x.shape), 0);
}
