import { elementwise, type Elementwise, type Unary } from '../define/elementwise.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, reduceNames } from '../option-names.ts';
import { normalizeDim, normalizeDims, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Dims, ReduceOptions } from './reduction.ts';

// At 0 a norm has a derivative of 0, the subgradient of smallest norm, but (up to order 2) no second one. So what stands
// for the 0 is a root, whose own derivative is not finite there.

/** √x with derivative 0 at 0. */
const root: Unary = elementwise('norm', (x) => x.sqrt(), {
  partials: (_, y) => [y.eq(0).where(y.sqrt(), y.reciprocal().mul(0.5))],
});

type WithPower = Elementwise<(x: Tensor, p: number) => Tensor>;

/** |x|^p with derivative 0 at 0, and a second one only for p above 2. */
const magnitude: WithPower = elementwise('norm', (x, p) => x.abs().pow(p), {
  partials: ([x, p]) => [x!.eq(0).where(p!.gt(2).where(0, x!.abs().sqrt()), x!.sign().mul(p!).mul(x!.abs().pow(p!.sub(1)))), null],
});

/** x^(1/p) with derivative 0 at 0. */
const powerRoot: WithPower = elementwise('norm', (x, p) => x.pow(p.reciprocal()), {
  partials: ([x, p], y) => [x!.eq(0).where(0, y.div(x!).div(p!)), null],
});

/** 1 where x is not 0; no direction changes that, so the derivative is 0. */
const isNonzero: Unary = elementwise('norm', (x) => x.ne(0).where(1, 0));

/** How the norms of particular orders are folded; the others go by powers. */
const orders: ReadonlyMap<number, (x: Tensor, dims: Dims, options: ReduceOptions) => Tensor> = new Map([
  [0, (x, dims, options) => isNonzero(x).sum(dims, options)],
  [1, (x, dims, options) => x.abs().sum(dims, options)],
  [2, (x, dims, options) => root(x.square().sum(dims, options))],
  [Infinity, (x, dims, options) => x.abs().amax(dims, options)],
  [-Infinity, (x, dims, options) => x.abs().amin(dims, options)],
]);

/**
 * The p-norm of the elements over dimensions, all by default: (Σ |x|^p)^(1/p), the number of nonzero elements for 0,
 * and the largest or smallest magnitude for ±Infinity.
 * @derivative 0 where the norm is 0, where second derivatives of orders up to 2 are NaN; for Infinity shared evenly among
 * equal magnitudes
 * @throws DTypeError for integers
 * @source torch.linalg.vector_norm
 */
export function vectorNorm(x: Tensor, ord = 2, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('vectorNorm', options, reduceNames);
  const source = options.dtype === undefined ? x : x.to(options.dtype);
  if (!isFloating(source.dtype)) {
    throw new DTypeError(`norm: the input must be floating-point, got ${x.dtype}; use x.to('float32').norm()`, {
      op: 'norm',
      dtypes: [x.dtype],
    });
  }
  const dims = normalizeDims('norm', dim, x.ndim);
  const fold = orders.get(ord);
  const kept: ReduceOptions = { keepdim: options.keepdim };
  if (fold !== undefined) return fold(source, dims, kept);
  return powerRoot(magnitude(source, ord).sum(dims, kept), ord);
}

/**
 * The norm of the elements over dimensions, all by default; 'fro' is 2.
 * @derivative 0 where the norm is 0, where second derivatives of orders up to 2 are NaN
 * @throws DTypeError for integers
 * @source torch.norm
 */
export function norm(x: Tensor, p: number | 'fro' = 2, dim?: Dims, options: ReduceOptions = none): Tensor {
  checkOptions('norm', options, reduceNames);
  if (typeof p !== 'number' && p !== 'fro') {
    throw new ValueError(
      `norm: p must be a number or 'fro', got ${String(p)}; other norms of matrices are linalg.matrixNorm(x, ord)`,
      { op: 'norm', argument: 'p' },
    );
  }
  return x.vectorNorm(p === 'fro' ? 2 : p, dim, options);
}

/** The p-norm of the difference of two tensors, which broadcast. @derivative 0 where they are equal @source torch.dist */
export function dist(x: Tensor, other: Tensor, p = 2): Tensor {
  return x.sub(other).norm(p);
}

/**
 * x with every slice along a dimension whose p-norm exceeds `maxnorm` scaled down to it.
 * @throws ShapeError for fewer than 2 dimensions
 * @throws ValueError when p is not positive or `maxnorm` is negative
 * @source torch.renorm
 */
export function renorm(x: Tensor, p: number, dim: number, maxnorm: number): Tensor {
  if (x.ndim < 2) {
    throw new ShapeError(`renorm: the input needs at least 2 dimensions, got ${shapeString(x.shape)}`, { op: 'renorm', shapes: [x.shape] });
  }
  if (!(p > 0 && maxnorm >= 0)) {
    throw new ValueError(`renorm: p must be positive and maxnorm not negative, got ${p} and ${maxnorm}`, { op: 'renorm' });
  }
  const d = normalizeDim('renorm', dim, x.ndim);
  const norms = x.vectorNorm(p, x.shape.map((_, k) => k).filter((k) => k !== d), { keepdim: true });
  // A little more than the norm, so that rounding leaves no slice above the limit.
  const factors = norms.add(1e-7).reciprocal().mul(maxnorm);
  return x.mul(factors.maskedFill(norms.detach().le(maxnorm), 1));
}
