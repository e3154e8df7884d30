import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';

const options = { dtype: 'float64' } as const;

/** Random float64 matrices; a leaf that requires grad. */
export function random(...shape: number[]): Tensor {
  return tg.randn(shape, options).requiresGrad_();
}

/** Square matrices whose condition is small: random ones plus a multiple of the identity. */
export function wellConditioned(...shape: number[]): Tensor {
  const n = shape.at(-1)!;
  return tg.randn(shape, options).mul(0.5).add(tg.eye(n, n, options).mul(n / 2)).requiresGrad_();
}

/** Symmetric positive-definite matrices of a function of any square ones. */
export function positiveDefinite(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  return x.matmul(x.mT).add(tg.eye(n, n, options));
}

/** The symmetric part. */
export function symmetric(x: Tensor): Tensor {
  return x.add(x.mT).mul(0.5);
}

/** The largest difference of two tensors. */
export function distance(x: Tensor, y: Tensor): number {
  return x.numel() === 0 ? 0 : x.detach().sub(y.detach()).abs().max().item();
}

/** How far the columns are from being orthonormal. */
export function skewness(columns: Tensor): number {
  const n = columns.shape.at(-1)!;
  return distance(columns.mT.matmul(columns), tg.eye(n, n, options).expand([...columns.shape.slice(0, -2), n, n]));
}
