import { ShapeError, type Tensor } from '@tapegrad/core';

export { batchNorm, groupNorm, instanceNorm, layerNorm } from '@tapegrad/core';

/** Distance from 1 to the next number. */
const steps: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/**
 * Each sample divided by the root of its mean square over the last dimensions, then scaled element by
 * element.
 * @throws ShapeError when the input does not end in normalizedShape
 * @source torch.nn.functional.rms_norm
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  weight?: Tensor | null,
  options: { eps?: number | null | undefined } = {},
): Tensor {
  const lead = x.ndim - normalizedShape.length;
  if (normalizedShape.length === 0 || normalizedShape.some((size, d) => size !== x.shape[lead + d])) {
    throw new ShapeError(
      `rmsNorm: input is [${x.shape.join(', ')}], expected [..., ${normalizedShape.join(', ')}] as ` +
        'normalizedShape',
      { op: 'rmsNorm', shapes: [x.shape, normalizedShape] },
    );
  }
  const dims = normalizedShape.map((_, d) => lead + d);
  const scale = x.square().mean(dims, { keepdim: true }).add(options.eps ?? steps[x.dtype]!).rsqrt();
  const normalized = x.mul(scale);
  return weight == null ? normalized : normalized.mul(weight);
}
