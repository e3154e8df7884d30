import { avgPool1d, avgPool2d, avgPool3d, type PerDimension, requireOptions, type Tensor, ValueError } from '@tapegrad/core';

/** Options of the power-average poolings. */
export interface LPPoolOptions {
  /** Also take windows that overhang the end; default false. */
  ceilMode?: boolean | undefined;
}

type Step = PerDimension | null;

function lpPool(
  rank: number,
  x: Tensor,
  p: number,
  kernelSize: PerDimension,
  stride: Step,
  options: LPPoolOptions,
): Tensor {
  const op = `lpPool${rank}d`;
  requireOptions(op, options, ['ceilMode']);
  if (p === 0) throw new ValueError(`${op}: the norm's order must not be 0`, { op, argument: 'normType' });
  const sides = [kernelSize].flat();
  const count = sides.length === 1 ? sides[0]! ** rank : sides.reduce((product, side) => product * side, 1);
  const pool = [avgPool1d, avgPool2d, avgPool3d][rank - 1]!;
  const means = pool(x.pow(p), kernelSize, stride, { ceilMode: options.ceilMode });
  // A sum of odd powers may be negative; its root is taken of the size, and the sign put back.
  return means
    .sign()
    .mul(means.abs().relu())
    .mul(count)
    .pow(1 / p);
}

/**
 * The p-norm of each window, (Σ x^p)^(1/p), over sequences. The stride is the window's size unless given.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @numerics NaN where Σ x^p is negative
 * @source torch.nn.functional.lp_pool1d
 */
export function lpPool1d(
  x: Tensor,
  normType: number,
  kernelSize: PerDimension,
  stride: Step = null,
  options: LPPoolOptions = {},
): Tensor {
  return lpPool(1, x, normType, kernelSize, stride, options);
}

/**
 * As `lpPool1d` for images.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.functional.lp_pool2d
 */
export function lpPool2d(
  x: Tensor,
  normType: number,
  kernelSize: PerDimension,
  stride: Step = null,
  options: LPPoolOptions = {},
): Tensor {
  return lpPool(2, x, normType, kernelSize, stride, options);
}

/** As `lpPool1d` for volumes. @source torch.nn.functional.lp_pool3d */
export function lpPool3d(
  x: Tensor,
  normType: number,
  kernelSize: PerDimension,
  stride: Step = null,
  options: LPPoolOptions = {},
): Tensor {
  return lpPool(3, x, normType, kernelSize, stride, options);
}
