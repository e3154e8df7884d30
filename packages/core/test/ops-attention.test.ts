import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';

const { scaledDotProductAttention: attention } = tg;

/** Queries, keys and values of two heads in float64. */
function operands(): [tg.Tensor, tg.Tensor, tg.Tensor] {
  tg.manualSeed(3);
  const draw = (...shape: number[]): tg.Tensor => tg.randn([2, ...shape], { dtype: 'float64' }).requiresGrad_();
  return [draw(3, 4), draw(5, 4), draw(5, 2)];
}

/** The same by its definition: masked scores, exponentials, shares. */
function defined(q: tg.Tensor, k: tg.Tensor, v: tg.Tensor, seen: tg.Tensor, scale: number): tg.Tensor {
  const powers = q.matmul(k.mT).mul(scale).exp().mul(seen.to('float64'));
  const total = powers.sum(-1, { keepdim: true });
  return powers.div(tg.where(total.eq(0), 1, total)).matmul(v);
}

const lower = tg.ones([3, 5], { dtype: 'float64' }).tril().ne(0);
const some = tg.tensor([[true, false, true, true, false], [false, false, false, false, false], [false, true, true, true, true]]);

describe('scaledDotProductAttention', () => {
  const forms: [string, tg.AttentionOptions, tg.Tensor][] = [
    ['without a mask', {}, tg.ones([3, 5]).ne(0)],
    ['with the causal mask', { isCausal: true }, lower],
    ['with a boolean mask, one query of which sees nothing', { attnMask: some }, some],
    ['with a mask of its own for each head', { attnMask: tg.stack([some, lower]) }, tg.stack([some, lower])],
    ['with another scale', { scale: 0.3, isCausal: true }, lower],
  ];
  it.each(forms)('is the mean of what is seen %s', (_, options, seen) => {
    const [q, k, v] = operands();
    const [actual, expected] = [attention(q, k, v, options), defined(q, k, v, seen, options.scale ?? 0.5)];
    expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-14);
    const g = tg.randn(actual.shape, { dtype: 'float64' });
    const gradients = [actual, expected].map((y) => tg.grad(y, [q, k, v], { gradOutputs: g }));
    gradients[0]!.forEach((x, i) => expect(x!.sub(gradients[1]![i]!).abs().max().item()).toBeLessThan(1e-14));
  });

  it.each(forms)('has gradients of the first and second order %s', (_, options) => {
    const inputs = operands();
    expect(tg.gradcheck((q, k, v) => attention(q!, k!, v!, options), inputs)).toBe(true);
    expect(tg.gradgradcheck((q, k, v) => attention(q!, k!, v!, options), inputs)).toBe(true);
  });

  it('does not overflow', () => {
    const x = tg.tensor([[1e4], [-1e4]]);
    expect(attention(x, x, x).toArray()).toEqual([[1e4], [-1e4]]);
    expect(attention(x, x, x, { isCausal: true }).toArray()).toEqual([[1e4], [-1e4]]);
  });

  it('refuses masks of other dtypes', () => {
    const [q, k, v] = operands();
    expect(() => attention(q, k, v, { attnMask: tg.ones([3, 5], { dtype: 'int32' }) })).toThrow(/attnMask must be bool or float64/);
  });
});
