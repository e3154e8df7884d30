import type { Tensor } from '../tensor.ts';

// Functions that are methods of tensors too, under the names that they have among the special functions.

/** log |Γ(x)|. @source torch.special.gammaln */
export function gammaln(x: Tensor): Tensor {
  return x.lgamma();
}

/** The derivative of log Γ. @source torch.special.digamma */
export function digamma(x: Tensor): Tensor {
  return x.digamma();
}

/** The derivative of log Γ. @source torch.special.psi */
export function psi(x: Tensor): Tensor {
  return x.digamma();
}

/** The derivative of digamma of order n. @throws ValueError for negative or broken orders @source torch.special.polygamma */
export function polygamma(n: number, x: Tensor): Tensor {
  return x.polygamma(n);
}

/** The logarithm of the multivariate gamma function. @throws ValueError where it is not defined @source torch.special.multigammaln */
export function multigammaln(x: Tensor, p: number): Tensor {
  return x.mvlgamma(p);
}

/** 1 / (1 + e^−x). @source torch.special.expit */
export function expit(x: Tensor): Tensor {
  return x.sigmoid();
}
