import { empty, kernels } from '../dispatch.ts';
import type { Tensor } from '../tensor.ts';
import { custom } from './rules.ts';

/** Elements added before and after along a dimension, or cut off where negative. */
export type Margin = readonly [before: number, after: number];

const framing = custom<{ margins: readonly Margin[]; value: number }>('constant_pad_nd', {
  forward: ([x], { margins, value }) => {
    const { dtype } = x!;
    const out = empty(x!.shape.map((n, d) => n + margins[d]![0] + margins[d]![1]), dtype).fill_(value);
    const { storage, strides } = out;
    const offset = margins.reduce((at, [before], d) => at + before * strides[d]!, 0);
    kernels().copy({ storage, offset, shape: x!.shape, strides, dtype }, x!);
    return [out];
  },
  vjp: (_, [g], { margins }, [meta]) => [
    margins.reduce((rest, [before], d) => rest.narrow(d, before, meta!.shape[d]!), g!),
  ],
});

/** The tensor with a constant around it: one margin per dimension, none of which cuts off more than there is. */
export function framed(x: Tensor, margins: readonly Margin[], value = 0): Tensor {
  // Negative margins cut off.
  const cut = margins.reduce((rest, [before, after], d) => {
    const start = Math.min(Math.max(-before, 0), x.shape[d]!);
    const length = Math.max(x.shape[d]! - start - Math.max(-after, 0), 0);
    return length === x.shape[d] ? rest : rest.narrow(d, start, length);
  }, x);
  const added = margins.map(([before, after]): Margin => [Math.max(before, 0), Math.max(after, 0)]);
  if (added.every(([before, after]) => before === 0 && after === 0)) return cut.clone();
  return framing([cut], { margins: added, value })[0]!;
}

/** The tensor with a constant before and after it along one dimension. */
export function extended(x: Tensor, dim: number, [before, after]: Margin, value = 0): Tensor {
  return framed(x, x.shape.map((_, d) => (d === dim ? [before, after] : [0, 0])), value);
}

/** One tensor and then another along a dimension; their other sizes are equal. */
export function followedBy(first: Tensor, second: Tensor, dim: number): Tensor {
  return extended(first, dim, [0, second.shape[dim]!]).add(extended(second, dim, [first.shape[dim]!, 0]));
}
