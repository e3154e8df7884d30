import * as tg from '@tapegrad/core';
import type { Operand, Tensor } from '@tapegrad/core';
import { camelCase, type PythonCall, type Signature } from './signature.ts';

/** Operators that are a method of the same name without arguments. */
const unary = (...names: string[]): Record<string, Signature> => Object.fromEntries(names.map((name) => [name, `x.${camelCase(name)}()`]));

/** Operators of two operands. */
const binary = (...names: string[]): Record<string, Signature> =>
  Object.fromEntries(names.map((name) => [name, `other => x.${camelCase(name)}(other)`]));

/** Functions of the namespace `special`, of one operand or two. */
const special = (operands: 'x' | 'x, other', ...names: string[]): Record<string, Signature> =>
  Object.fromEntries(
    names.map((name) => [`special.${name}`, `${operands === 'x' ? '' : 'other => '}tg.special.${camelCase(name)}(${operands})`]),
  );

/** Python's operators with the operands in reverse order. */
const reflected = (form: (other: Operand, x: Operand) => unknown): Signature => ({ input, args }: PythonCall): unknown =>
  form(args[0] as Operand, input as Operand);

/** Those that are a method of the operand on the right, which has to be a tensor. */
const method = (name: 'add' | 'bitwiseAnd' | 'bitwiseOr' | 'bitwiseXor' | 'mul'): Signature => ({ input, args }: PythonCall): unknown =>
  tg.Tensor.prototype[name].call(input as Tensor, args[0] as Operand);

/** Elementwise operators that `signatures` takes in. */
export const elementwiseSignatures: Readonly<Record<string, Signature>> = {
  ...unary(
    'angle', 'bitwise_not', 'byte', 'conj', 'conj_physical', 'deg2rad', 'digamma', 'frexp', 'isneginf', 'isposinf', 'isreal',
    'lgamma', 'positive', 'rad2deg', 'real', 'resolve_conj', 'resolve_neg', 'signbit', 'sinc',
  ),
  ...binary(
    'bitwise_and', 'bitwise_or', 'bitwise_xor', 'bitwise_left_shift', 'bitwise_right_shift', 'copysign', 'float_power', 'fmax',
    'fmin', 'gcd', 'heaviside', 'lcm', 'ldexp', 'logaddexp', 'logaddexp2', 'nextafter', 'xlogy',
  ),
  ...special(
    'x', 'airy_ai', 'bessel_j0', 'bessel_j1', 'bessel_y0', 'bessel_y1', 'entr', 'erfcx', 'i0e', 'i1', 'i1e', 'log_ndtr',
    'modified_bessel_i0', 'modified_bessel_i1', 'modified_bessel_k0', 'modified_bessel_k1', 'ndtr', 'ndtri',
    'scaled_modified_bessel_k0', 'scaled_modified_bessel_k1', 'spherical_bessel_j0',
  ),
  ...special(
    'x, other', 'chebyshev_polynomial_t', 'chebyshev_polynomial_u', 'chebyshev_polynomial_v', 'chebyshev_polynomial_w',
    'hermite_polynomial_h', 'hermite_polynomial_he', 'laguerre_polynomial_l', 'legendre_polynomial_p',
    'shifted_chebyshev_polynomial_t', 'shifted_chebyshev_polynomial_u', 'shifted_chebyshev_polynomial_v',
    'shifted_chebyshev_polynomial_w', 'xlog1py', 'zeta',
  ),
  i0: 'tg.i0(x)',
  igamma: 'other => tg.igamma(x, other)',
  igammac: 'other => tg.igammac(x, other)',
  __radd__: method('add'),
  __rand__: method('bitwiseAnd'),
  __rmul__: method('mul'),
  __ror__: method('bitwiseOr'),
  __rxor__: method('bitwiseXor'),
  __rdiv__: reflected((other, x) => tg.reciprocal(x as Tensor).mul(other)),
  __rmod__: reflected((other, x) => tg.remainder(other, x)),
  // PyTorch makes a new tensor of the base, which has no history.
  __rpow__: reflected((other, x) => tg.pow(other instanceof tg.Tensor ? other.detach() : other, x)),
  addcdiv: 'tensor1, tensor2, value => x.addcdiv(tensor1, tensor2, { value })',
  addcmul: 'tensor1, tensor2, value => x.addcmul(tensor1, tensor2, { value })',
  isclose: 'other, rtol, atol, equal_nan => x.isclose(other, { rtol, atol, equal_nan })',
  isin: 'test_elements, assume_unique, invert => tg.isin(x, test_elements, { invert })',
  logit: 'eps => x.logit(eps)',
  nan_to_num: 'nan, posinf, neginf => x.nanToNum({ nan, posinf, neginf })',
  polygamma: 'n => x.polygamma(n)',
  ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`polygamma/polygamma_n_${n}`, 'n => x.polygamma(n)'])),
  ...Object.fromEntries([1, 3, 5].map((p) => [`mvlgamma/mvlgamma_p_${p}`, 'p => x.mvlgamma(p)'])),
  'special.polygamma/special_polygamma_n_0': 'n => x.polygamma(n)',
  ...Object.fromEntries(['0', '3', 'neg_3'].map((digits) => [`round/decimals_${digits}`, 'decimals => x.round({ decimals })'])),
  round: 'decimals => x.round({ decimals })',
};
