import type { Strided } from '../backend/types.ts';
import { empty, kernels } from '../dispatch.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { custom } from './rules.ts';

/** A tensor without dimensions as a kernel that works along one sees it. */
export function line(x: Strided): Strided {
  if (x.shape.length > 0) return x;
  return { storage: x.storage, offset: x.offset, shape: [1], strides: [1], dtype: x.dtype };
}

/** Elements picked along a dimension by an index that was checked. */
export const gathered: (inputs: readonly Tensor[], dim: number) => Tensor[] = custom<number>('gather', {
  forward: ([x, index], dim) => {
    const out = empty(index!.shape, x!.dtype);
    kernels().gather(line(out), line(x!), line(index!), dim);
    return [out];
  },
  savesInputs: [1],
  vjp: (node, [g], dim, [meta]) => [gatherTranspose(g!, node.input(1), dim, meta!.shape), null],
});

interface Spread {
  readonly dim: number;
  readonly shape: Shape;
}

const spread = custom<Spread>('gather_backward', {
  forward: ([g, index], { dim, shape }) => {
    const out = empty(shape, g!.dtype).zero_();
    if (g!.numel() > 0) kernels().scatter(line(out), line(index!), line(g!), dim, true);
    return [out];
  },
  savesInputs: [1],
  vjp: (node, [g], { dim }) => [gathered([g!, node.input(1)], dim)[0]!, null],
});

/**
 * Elements added up in zeros of a shape at the places that they were gathered from. The index has the shape of g; it was
 * checked when it was gathered by.
 */
export function gatherTranspose(g: Tensor, index: Tensor, dim: number, shape: Shape): Tensor {
  return spread([g, index], { dim, shape })[0]!;
}
