import { expect, it } from '@jest/globals';
import { collectGarbage } from '../src/collector.ts';
import * as tg from '../src/index.ts';

/** Weak references to what shows that the operands of a convolution, its result and its gradients are still wanted. */
function ownersOfOneStep(): WeakRef<object>[] {
  const x = tg.ones([4, 8, 24, 24]).requiresGrad_();
  const w = tg.ones([32, 8, 5, 5]).requiresGrad_();
  const y = tg.conv2d(x, w, null, { padding: 1, stride: 2 });
  y.backward(tg.ones(y.shape));
  return [x, w, y, x.grad!, w.grad!].map((t) => new WeakRef(t.owner!));
}

it('a convolution that is done keeps none of its operands', () => {
  const owners = ownersOfOneStep();
  expect(collectGarbage()).toBe(true);
  expect(owners.map((owner) => owner.deref())).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
