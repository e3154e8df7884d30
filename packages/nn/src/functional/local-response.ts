import { avgPool2d, pad, requireOptions, ShapeError, type Tensor, ValueError } from '@tapegrad/core';

/** Options of `localResponseNorm`. */
export interface LocalResponseOptions {
  /** Factor of the sum of squares; default 1e-4. */
  alpha?: number | undefined;
  /** Power of the divisor; default 0.75. */
  beta?: number | undefined;
  /** Added to the divisor; default 1. */
  k?: number | undefined;
}

/**
 * For each channel the squares of its neighbours, so many before and after, added up and divided by a number.
 */
function neighbourhood(x: Tensor, before: number, after: number, divisor: number): Tensor {
  const [batch, channels, ...places] = x.shape as [number, number, ...number[]];
  const count = places.reduce((product, size) => product * size, 1);
  const flat = pad(x.square().reshape([batch, 1, channels, count]), [0, 0, before, after]);
  const options = { divisorOverride: divisor };
  return avgPool2d(flat, [before + after + 1, 1], 1, options).reshape(x.shape);
}

/**
 * x / (k + alpha · mean of the squares of neighbouring channels)^beta.
 * @param size number of channels in a neighbourhood; missing ones count as 0
 * @shape [N, C, …] -> the same
 * @throws ShapeError with fewer than 3 dimensions; ValueError when size is not positive
 * @source torch.nn.functional.local_response_norm (Krizhevsky et al. 2012)
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseOptions = {}): Tensor {
  const op = 'localResponseNorm';
  requireOptions(op, options, ['alpha', 'beta', 'k']);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  if (x.ndim < 3) {
    throw new ShapeError(`${op}: expected 3D or higher input [N, C, …], got [${x.shape.join(', ')}]`, {
      op,
      shapes: [x.shape],
    });
  }
  if (!(Number.isInteger(size) && size > 0)) {
    throw new ValueError(`${op}: size must be a positive whole number, got ${size}`, {
      op,
      argument: 'size',
    });
  }
  if (x.numel() === 0) return x;
  const squares = neighbourhood(x, Math.floor(size / 2), Math.floor((size - 1) / 2), size);
  return x.div(squares.mul(alpha).add(k).pow(beta));
}

/**
 * As `localResponseNorm`, with neighbourhoods that reach equally far to both sides.
 * @source torch.nn.CrossMapLRN2d
 */
export function crossMapResponseNorm(x: Tensor, size: number, options: LocalResponseOptions = {}): Tensor {
  const op = 'crossMapResponseNorm';
  requireOptions(op, options, ['alpha', 'beta', 'k']);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  if (x.ndim !== 4)
    throw new ShapeError(`${op}: expected [N, C, H, W], got [${x.shape.join(', ')}]`, {
      op,
      shapes: [x.shape],
    });
  const reach = Math.floor((size - 1) / 2);
  const squares = neighbourhood(x, reach, reach, size);
  return x.mul(squares.mul(alpha).add(k).pow(-beta));
}
