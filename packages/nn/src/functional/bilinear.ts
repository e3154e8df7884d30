import { ShapeError, type Tensor } from '@tapegrad/core';

/**
 * A form in two inputs, y_k = x1ᵀ W_k x2 + b_k.
 * @shape [..., m], [..., n], [k, m, n], [k] -> [..., k]
 * @throws ShapeError when the inputs do not fit each other or the weight
 * @source torch.nn.functional.bilinear
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const [outputs, m, n] = weight.shape as [number, number, number];
  const batch = x1.shape.slice(0, -1);
  const alike = x1.ndim === x2.ndim && batch.every((size, d) => size === x2.shape[d]);
  if (weight.ndim !== 3 || x1.ndim === 0 || !alike || x1.shape.at(-1) !== m || x2.shape.at(-1) !== n) {
    const [a, b, w] = [x1, x2, weight].map(({ shape }) => `[${shape.join(', ')}]`);
    throw new ShapeError(
      `bilinear: inputs are ${a} and ${b}, expected [..., ${m}] and [..., ${n}] for the weight ${w}`,
      {
        op: 'bilinear',
        shapes: [x1.shape, x2.shape, weight.shape],
      },
    );
  }
  // One product with all W_k side by side, then the sum over x2 for each k.
  const sides = x1.reshape([-1, m]).matmul(weight.permute(1, 0, 2).reshape([m, outputs * n]));
  const forms = sides.reshape([-1, outputs, n]).mul(x2.reshape([-1, 1, n])).sum(-1);
  const out = forms.reshape([...batch, outputs]);
  return bias == null ? out : out.add(bias);
}
