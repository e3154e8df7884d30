import { numel } from '../../shape.ts';
import { hostArray } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { forLines } from './lines.ts';

/** Stable sort along dim; NaN counts as largest. */
export function sort(values: Strided, indices: Strided, x: Strided, dim: number, descending: boolean): void {
  if (numel(x.shape) === 0) return;
  const from = hostArray(x.storage, x.dtype);
  const to = hostArray(values.storage, values.dtype);
  const found = hostArray(indices.storage, 'int32');
  const size = x.shape[dim] ?? 1;
  const [xStep, valueStep, indexStep] = [x, values, indices].map((t) => t.strides[dim] ?? 0) as [
    number,
    number,
    number,
  ];
  const line = new Line(size);
  forLines(dim, [x, values, indices], ([xAt = 0, valueAt = 0, indexAt = 0], lines, steps) => {
    const [xLine = 0, valueLine = 0, indexLine = 0] = steps;
    for (let l = 0; l < lines; l++) {
      const start = xAt + l * xLine;
      for (let i = 0; i < size; i++) line.input[i] = from[start + i * xStep]!;
      const order = line.sort(descending);
      const [v, q] = [valueAt + l * valueLine, indexAt + l * indexLine];
      for (let i = 0; i < size; i++) {
        to[v + i * valueStep] = line.input[order[i]!]!;
        found[q + i * indexStep] = order[i]!;
      }
    }
  });
}

/** Pieces of this length are sorted by insertion before they are merged. */
const PIECE = 8;

/** Buffers to sort lines of one size. */
class Line {
  readonly input: Float64Array;
  /** Keys that rise in the wanted order. */
  private readonly keys: Float64Array;
  private order: Int32Array;
  private other: Int32Array;

  constructor(size: number) {
    this.input = new Float64Array(size);
    this.keys = new Float64Array(size);
    this.order = new Int32Array(size);
    this.other = new Int32Array(size);
  }

  /** The indices of the input in sorted order; equal elements keep theirs. */
  sort(descending: boolean): Int32Array {
    const { input, keys } = this;
    const size = input.length;
    let numbers = 0;
    for (let i = 0; i < size; i++) if (!Number.isNaN(input[i]!)) numbers++;
    const first = descending ? size - numbers : 0;
    let [number, nan] = [first, descending ? 0 : numbers];
    for (let i = 0; i < size; i++) {
      const value = input[i]!;
      keys[i] = descending ? -value : value;
      if (Number.isNaN(value)) this.order[nan++] = i;
      else this.order[number++] = i;
    }
    for (let start = first; start < first + numbers; start += PIECE) {
      insertionSort(keys, this.order, start, Math.min(start + PIECE, first + numbers));
    }
    for (let width = PIECE; width < numbers; width *= 2) {
      this.other.set(this.order);
      for (let start = first; start < first + numbers; start += 2 * width) {
        const middle = Math.min(start + width, first + numbers);
        merge(keys, this.order, this.other, start, middle, Math.min(middle + width, first + numbers));
      }
      [this.order, this.other] = [this.other, this.order];
    }
    return this.order;
  }
}

function insertionSort(keys: Float64Array, order: Int32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const index = order[i]!;
    const key = keys[index]!;
    let j = i;
    for (; j > start && keys[order[j - 1]!]! > key; j--) order[j] = order[j - 1]!;
    order[j] = index;
  }
}

function merge(
  keys: Float64Array,
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    const takeLeft = right >= end || (left < middle && keys[from[left]!]! <= keys[from[right]!]!);
    to[at] = takeLeft ? from[left++]! : from[right++]!;
  }
}
