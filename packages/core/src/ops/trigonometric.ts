import { elementwise, type TensorBinary, type Unary } from '../define/elementwise.ts';

/** The sine of an angle in radians. @source torch.sin */
export const sin: Unary = elementwise('sin', (x) => x.sin(), { result: 'float' });

/** The cosine of an angle in radians. @source torch.cos */
export const cos: Unary = elementwise('cos', (x) => x.cos(), { result: 'float' });

/** The tangent of an angle in radians. @derivative 1 + y² @source torch.tan */
export const tan: Unary = elementwise('tan', (x) => x.tan(), {
  result: 'float',
  domain: [-1.3, 1.3],
  partials: (_, y) => [y.mul(y).add(1)],
});

/** The angle in [−π/2, π/2] whose sine is x. @source torch.asin */
export const asin: Unary = elementwise('asin', (x) => x.asin(), { result: 'float', domain: [-0.9, 0.9] });

/** The angle in [0, π] whose cosine is x. @source torch.acos */
export const acos: Unary = elementwise('acos', (x) => x.acos(), { result: 'float', domain: [-0.9, 0.9] });

/** The angle in (−π/2, π/2) whose tangent is x. @source torch.atan */
export const atan: Unary = elementwise('atan', (x) => x.atan(), { result: 'float' });

/** The angle of the point (other, x) in (−π, π]. @source torch.atan2 */
export const atan2: TensorBinary = elementwise('atan2', (y, x) => y.atan2(x), {
  result: 'float',
  tensorsOnly: true,
  points: [{ at: [0, 0], value: 0, partials: [NaN, NaN] }],
});

/** √(x² + other²). @source torch.hypot */
export const hypot: TensorBinary = elementwise('hypot', (x, y) => x.hypot(y), {
  tensorsOnly: true,
  points: [{ at: [0, 0], value: 0, partials: [NaN, NaN] }],
});

/** The hyperbolic sine. @source torch.sinh */
export const sinh: Unary = elementwise('sinh', (x) => x.sinh(), { result: 'float' });

/** The hyperbolic cosine. @source torch.cosh */
export const cosh: Unary = elementwise('cosh', (x) => x.cosh(), { result: 'float' });

/** The hyperbolic tangent. @derivative 1 − y² @source torch.tanh */
export const tanh: Unary = elementwise('tanh', (x) => x.tanh(), {
  result: 'float',
  partials: (_, y) => [y.mul(y).neg().add(1)],
});

/** The inverse of sinh. @source torch.asinh */
export const asinh: Unary = elementwise('asinh', (x) => x.asinh(), { result: 'float' });

/** The inverse of cosh on [1, ∞). @source torch.acosh */
export const acosh: Unary = elementwise('acosh', (x) => x.acosh(), { result: 'float', domain: [1.2, 4] });

/** The inverse of tanh on (−1, 1). @source torch.atanh */
export const atanh: Unary = elementwise('atanh', (x) => x.atanh(), { result: 'float', domain: [-0.9, 0.9] });

/** sin(πx) / (πx), 1 at 0. @derivative 0 at 0, where PyTorch has NaN for the second one; right to the fourth here @source torch.sinc */
export const sinc: Unary = elementwise(
  'sinc',
  (x) => {
    const angle = x.mul(Math.PI);
    return x.eq(0).where(1, angle.sin().div(angle));
  },
  {
    result: 'float',
    partials: ([x]) => {
      const angle = x!.mul(Math.PI);
      const slope = angle.cos().mul(angle).sub(angle.sin()).div(x!.square().mul(Math.PI));
      // At 0 the series, of which derivatives can be taken again.
      const series = x!.mul(-(Math.PI ** 2) / 3).add(x!.mul(x!.square()).mul(Math.PI ** 4 / 30));
      return [x!.eq(0).where(series, slope)];
    },
    points: [{ at: [0], value: 1, partials: [0] }],
  },
);

/** Degrees in radians. @source torch.deg2rad */
export const deg2rad: Unary = elementwise('deg2rad', (x) => x.mul(Math.PI / 180), { result: 'float' });

/** Radians in degrees. @source torch.rad2deg */
export const rad2deg: Unary = elementwise('rad2deg', (x) => x.mul(180 / Math.PI), { result: 'float' });
