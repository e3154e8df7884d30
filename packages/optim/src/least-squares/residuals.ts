import { enableGrad, grad, jacobian, scope, stack, tensor, Tensor, ValueError, zeros } from '@tapegrad/core';
import { LinearModel } from './linear-model.ts';

/** A function of the parameters whose values are to become as small as possible. */
export type ResidualFunction = (x: Tensor) => Tensor;

/** The residuals at a point. */
export function residualsAt(fn: ResidualFunction, x: Float64Array, shape: readonly number[]): Float64Array {
  return scope(() => flat(fn(pointOf(x, shape))));
}

/**
 * The residuals at a point and their derivatives by the parameters.
 * @param given the derivatives where they are known; otherwise the tape finds them
 * @throws ValueError when they are not one per residual and parameter, or not finite
 */
export function linearize(
  fn: ResidualFunction,
  x: Float64Array,
  shape: readonly number[],
  given?: (x: Tensor) => Tensor,
): LinearModel {
  const model = scope(() => {
    if (given !== undefined) return new LinearModel(flat(fn(pointOf(x, shape))), flat(given(pointOf(x, shape))), x.length);
    const point = pointOf(x, shape).requiresGrad_();
    const residuals = enableGrad(() => asResiduals(fn(point)).reshape(-1));
    const rows = residuals.numel() > x.length ? byColumns(residuals, point) : jacobian((y) => fn(y).reshape(-1), point);
    return new LinearModel(flat(residuals), flat(rows), x.length);
  });
  const { residuals, jacobian: derivatives } = model;
  if (derivatives.length !== residuals.length * x.length) {
    throw new ValueError(
      `leastSquares: the jacobian has ${derivatives.length} elements, expected one per residual and parameter, ` +
        `${residuals.length} · ${x.length}`,
    );
  }
  if (residuals.every(Number.isFinite) && !derivatives.every(Number.isFinite)) {
    throw new ValueError(`leastSquares: the derivatives of the residuals at [${x.join(', ')}] are not finite`);
  }
  return model;
}

/**
 * One pass per parameter instead of one per residual: the gradient of u·r is Jᵀu, which is linear in u, and the gradient
 * of its element j by u is column j of J.
 */
function byColumns(residuals: Tensor, point: Tensor): Tensor {
  return enableGrad(() => {
    const u = zeros([residuals.numel()], { dtype: residuals.dtype, requiresGrad: true });
    if (!residuals.requiresGrad) return zeros([residuals.numel(), point.numel()], { dtype: residuals.dtype });
    const [row] = grad(residuals, [point], { gradOutputs: [u], createGraph: true, materializeGrads: true });
    const flatRow = row!.reshape(-1);
    const columns = Array.from({ length: point.numel() }, (_, j) => {
      if (!row!.requiresGrad) return u.detach().zerosLike();
      return grad(flatRow.select(0, j), [u], { retainGraph: true, materializeGrads: true })[0]!;
    });
    return stack(columns, 1);
  });
}

function pointOf(x: Float64Array, shape: readonly number[]): Tensor {
  return tensor(x).view([...shape]);
}

function asResiduals(value: unknown): Tensor {
  if (value instanceof Tensor && value.numel() > 0) return value;
  const got = value instanceof Tensor ? `shape [${value.shape.join(', ')}]` : typeof value;
  throw new ValueError(`leastSquares: the function must return a tensor of residuals, got ${got}`);
}

function flat(value: Tensor): Float64Array {
  return Float64Array.from(asResiduals(value).detach().reshape(-1).toTypedArray());
}
