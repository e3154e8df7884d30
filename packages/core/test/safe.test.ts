import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, slope } from './each-backend.ts';

const { safe } = tg;
const inf = Infinity;
const t = (data: tg.TensorData): tg.Tensor => tg.tensor(data, { dtype: 'float64' });

/** The sum of the second derivatives of `f`, row by row. */
function bend(f: (x: tg.Tensor) => tg.Tensor, data: tg.TensorData): unknown {
  const x = tg.tensor(data, { dtype: 'float64', requiresGrad: true });
  const [first] = tg.grad(f(x).sum(), x, { createGraph: true });
  return tg.grad(first!.sum(), x, { materializeGrads: true })[0]!.toArray();
}

describeOnEachBackend('where PyTorch has NaN, the safe forms', () => {
  it('keep what is not chosen out of values and of gradients of every order', () => {
    const log = (x: tg.Tensor): tg.Tensor => safe.where(x.gt(0), x, (y) => y.log());
    expect(log(t([0, 1])).toArray()).toEqual([0, 0]);
    expect(slope(log, [0, 2])).toEqual([0, 0.5]);
    expect(bend(log, [0, 2])).toEqual([0, -0.25]);
    expect(slope((x) => tg.where(x.gt(0), x.log(), 0), [0, 2])).toEqual([NaN, 0.5]);
    expect(safe.where(t([1, 0]), t([3, 4]), (x) => x.sub(5).reciprocal(), { inside: 6, otherwise: -7 }).toArray()).toEqual([-0.5, -7]);
  });

  it('have roots and norms without a slope at 0', () => {
    expect(slope((x) => safe.sqrt(x), [0, 4])).toEqual([0, 0.25]);
    expect(safe.sqrt(t([-1, NaN, 9])).toArray()).toEqual([NaN, NaN, 3]);
    expect(safe.norm(t([[3, 4], [0, 0]]), 1).toArray()).toEqual([5, 0]);
    expect(safe.norm(t([[3, 4], [0, 0]]), 1, { keepdim: true }).shape).toEqual([2, 1]);
    expect(slope((x) => safe.norm(x, 1), [[4, 0], [0, 0]])).toEqual([[1, 0], [0, 0]]);
    expect(bend((x) => safe.norm(x), [0, 0])).toEqual([0, 0]);
    expect(bend((x) => x.norm(), [0, 0])).toEqual([NaN, NaN]);
  });

  it('give nothing to slices without an element', () => {
    const rows = [[1, 1], [-inf, -inf]];
    expect(safe.softmax(t(rows), 1).toArray()).toEqual([[0.5, 0.5], [0, 0]]);
    expect(slope((x) => safe.softmax(x, 1), rows, [[1, 2], [1, 2]])).toEqual([[-0.25, 0.25], [0, 0]]);
    expect(safe.logsumexp(t([[0, 0], [-inf, -inf]]), 1).toArray()).toEqual([Math.LN2, -inf]);
    expect(slope((x) => safe.logsumexp(x, -1, { keepdim: true }), rows)).toEqual([[0.5, 0.5], [0, 0]]);
  });

  it('agree with the plain ones elsewhere, to the second order', () => {
    const x = tg.tensor([[0.5, -1], [2, 0.25]], { dtype: 'float64', requiresGrad: true });
    const pairs: [(x: tg.Tensor) => tg.Tensor, (x: tg.Tensor) => tg.Tensor][] = [
      [(y) => safe.softmax(y, 1), (y) => y.softmax(1)],
      [(y) => safe.logsumexp(y, 0), (y) => y.logsumexp(0)],
      [(y) => safe.norm(y, 0), (y) => y.norm(2, 0)],
    ];
    for (const [ours, plain] of pairs) {
      expect(ours(x).toArray()).toEqual(plain(x).toArray());
      expect(tg.gradcheck(ours, [x])).toBe(true);
      expect(tg.gradgradcheck(ours, [x])).toBe(true);
    }
  });
});
