import { beforeAll } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor, TensorData } from '../src/index.ts';
import type { NestedArray } from '../src/tensor.ts';

/** A float64 constant. */
export function t(values: TensorData): Tensor {
  return tg.tensor(values, { dtype: 'float64' });
}

/** A float64 leaf that requires grad. */
export function p(values: TensorData): Tensor {
  return tg.tensor(values, { dtype: 'float64', requiresGrad: true });
}

/** The gradient's values, null when there is none. */
export function g(x: Tensor): NestedArray | null {
  return x.grad?.toArray() ?? null;
}

/** Float64 ones. */
export function ones(...shape: number[]): Tensor {
  return tg.ones(shape, { dtype: 'float64' });
}

/** Float64 zeros. */
export function zeros(...shape: number[]): Tensor {
  return tg.zeros(shape, { dtype: 'float64' });
}

/** Makes sure that kernels can run, on whatever backend is current. */
export function useAnyBackend(): void {
  beforeAll(async () => {
    if (tg.currentBackend().name === 'none') await tg.useBackend('reference');
  });
}
