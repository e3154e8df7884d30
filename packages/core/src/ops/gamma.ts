import { elementwise, type Elementwise, type Unary } from '../define/elementwise.ts';
import { ValueError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';

/** log |Γ(x)|; infinite at 0, −1, −2, … @derivative digamma @source torch.lgamma */
export const lgamma: Unary = elementwise('lgamma', (x) => x.lgamma(), { result: 'float', domain: [0.3, 4] });

/** The derivative of log Γ. @source torch.digamma */
export const digamma: Unary = elementwise('digamma', (x) => x.digamma(), {
  result: 'float',
  domain: [0.3, 4],
  points: [
    { at: [0], value: -Infinity, partials: [null] },
    { at: [-1], value: NaN, partials: [null] },
  ],
});

const ofOrder: Elementwise<(x: Tensor, n: number) => Tensor> = elementwise('polygamma', (x, n) => x.polygamma(n), { result: 'float' });

/**
 * The derivative of digamma of order n; 0 is digamma itself.
 * @param n a whole number of at least 0. It comes second here, since it is x's method; `special.polygamma` has it first.
 * @derivative the next order
 * @throws ValueError for negative or broken orders
 * @source torch.polygamma
 */
export function polygamma(x: Tensor, n: number): Tensor {
  if (!(Number.isInteger(n) && n >= 0)) {
    throw new ValueError(`polygamma: the order must be a whole number of at least 0, got ${n}`, { op: 'polygamma', argument: 'n' });
  }
  return ofOrder(x, n);
}

/**
 * The logarithm of the multivariate gamma function of dimension p: p (p − 1)/4 · log π + Σ log Γ(x − j/2) over j < p.
 * @throws ValueError when p is not a whole number of at least 1, or an element is not greater than (p − 1)/2
 * @source torch.mvlgamma
 */
export function mvlgamma(x: Tensor, p: number): Tensor {
  const refuse = (what: string): ValueError => new ValueError(`mvlgamma: ${what}`, { op: 'mvlgamma', shapes: [x.shape] });
  if (!(Number.isInteger(p) && p >= 1)) throw refuse(`p must be a whole number of at least 1, got ${p}`);
  if (
    x
      .detach()
      .le((p - 1) / 2)
      .any()
      .item() === 1
  ) {
    throw refuse(`all elements must be greater than (p − 1)/2 = ${(p - 1) / 2}, where the function is not defined`);
  }
  let sum = x.lgamma();
  for (let j = 1; j < p; j++) sum = sum.add(x.sub(j / 2).lgamma());
  return sum.add(((p * (p - 1)) / 4) * Math.log(Math.PI));
}
