import { afterAll, beforeAll, describe } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { NestedArray } from '../src/tensor.ts';
import type { Tensor } from '../src/index.ts';

/** Describes the same behaviour on every backend. */
export function describeOnEachBackend(name: string, body: () => void): void {
  describe.each(['wasm', 'reference'])(`${name} (%s)`, (backend) => {
    beforeAll(() => tg.useBackend(backend));
    afterAll(() => tg.useBackend('wasm'));
    body();
  });
}

/** The gradient of the sum of `f(x)` by x, weighted if weights are given. */
export function slope(f: (x: Tensor) => Tensor, x: tg.TensorData, weights?: tg.TensorData): NestedArray {
  const leaf = tg.tensor(x, { dtype: 'float64', requiresGrad: true });
  const y = f(leaf);
  const loss = weights === undefined ? y : y.mul(tg.tensor(weights, { dtype: 'float64' }));
  return tg.grad(loss.sum(), leaf)[0]!.toArray();
}

/** A tensor of int32. */
export function ints(values: tg.TensorData): Tensor {
  return tg.tensor(values, { dtype: 'int32' });
}
