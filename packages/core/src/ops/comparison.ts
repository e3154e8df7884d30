import { elementwise, type Binary, type Elementwise, type Operand, type TensorBinary, type Unary } from '../define/elementwise.ts';
import { dtypeInfo } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { constant } from '../expr/index.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Whether x equals other, element by element, as bool. @source torch.eq */
export const eq: Binary = elementwise('eq', (x, y) => x.eq(y), { result: 'bool', tensorFirst: true });

/** Whether x differs from other. @source torch.ne */
export const ne: Binary = elementwise('ne', (x, y) => x.ne(y), { result: 'bool', tensorFirst: true });

/** Whether x is less than other. @source torch.lt */
export const lt: Binary = elementwise('lt', (x, y) => x.lt(y), { result: 'bool', tensorFirst: true });

/** Whether x is at most other. @source torch.le */
export const le: Binary = elementwise('le', (x, y) => x.le(y), { result: 'bool', tensorFirst: true });

/** Whether x is greater than other. @source torch.gt */
export const gt: Binary = elementwise('gt', (x, y) => x.gt(y), { result: 'bool', tensorFirst: true });

/** Whether x is at least other. @source torch.ge */
export const ge: Binary = elementwise('ge', (x, y) => x.ge(y), { result: 'bool', tensorFirst: true });

/** Whether both are not zero. @source torch.logical_and */
export const logicalAnd: TensorBinary = elementwise('logical_and', (x, y) => x.ne(0).and(y.ne(0)), {
  result: 'bool',
  tensorsOnly: true,
});

/** Whether at least one is not zero. @source torch.logical_or */
export const logicalOr: TensorBinary = elementwise('logical_or', (x, y) => x.ne(0).or(y.ne(0)), {
  result: 'bool',
  tensorsOnly: true,
});

/** Whether exactly one is not zero. @source torch.logical_xor */
export const logicalXor: TensorBinary = elementwise('logical_xor', (x, y) => x.ne(0).xor(y.ne(0)), {
  result: 'bool',
  tensorsOnly: true,
});

/** Whether x is zero. @source torch.logical_not */
export const logicalNot: Unary = elementwise('logical_not', (x) => x.eq(0), { result: 'bool' });

/** Whether x is not a number. @source torch.isnan */
export const isnan: Unary = elementwise('isnan', (x) => x.isnan(), { result: 'bool' });

/** Whether x is infinite. @source torch.isinf */
export const isinf: Unary = elementwise('isinf', (x) => x.isinf(), { result: 'bool' });

/** Whether x is neither infinite nor NaN. @source torch.isfinite */
export const isfinite: Unary = elementwise('isfinite', (x) => x.isfinite(), { result: 'bool' });

/** Whether x is −∞. @source torch.isneginf */
export const isneginf: Unary = elementwise('isneginf', (x) => x.isinf().and(x.lt(0)), { result: 'bool' });

/** Whether x is +∞. @source torch.isposinf */
export const isposinf: Unary = elementwise('isposinf', (x) => x.isinf().and(x.gt(0)), { result: 'bool' });

/** 0 for negative numbers, 1 for positive ones, and where x is 0 what `values` says. @derivative none @source torch.heaviside */
export const heaviside: TensorBinary = elementwise('heaviside', (x, values) => x.eq(0).where(values, x.lt(0).or(x.isnan()).where(0, 1)), {
  tensorsOnly: true,
  partials: () => [constant(0), constant(0)],
});

/** How close `isclose` wants numbers to be. */
export interface ClosenessOptions {
  /** Relative to |other|; default 1e-5. */
  rtol?: number | undefined;
  /** Absolute; default 1e-8. */
  atol?: number | undefined;
  /** Whether NaN is close to NaN; default false. */
  equalNan?: boolean | undefined;
}

const closenessNames: OptionNames<ClosenessOptions> = { rtol: 1, atol: 1, equalNan: 1 };

type IsClose = Elementwise<(x: Tensor, other: Tensor, options?: ClosenessOptions) => Tensor>;

/**
 * Whether |x − other| ≤ atol + rtol · |other|; infinities are close to themselves only.
 * @throws ValueError for negative tolerances
 * @throws DTypeError for different dtypes
 * @source torch.isclose
 */
export const isclose: IsClose = elementwise(
  'isclose',
  (x, y, rtol, atol, equalNan) => {
    const distance = x.sub(y).abs();
    const near = distance.isfinite().and(distance.le(atol.add(rtol.mul(y).abs())));
    return x.eq(y).or(equalNan.ne(0).and(x.isnan()).and(y.isnan())).or(near);
  },
  { result: 'bool' },
  (x: Tensor, other: Tensor, options: ClosenessOptions = none) => {
    checkOptions('isclose', options, closenessNames);
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
    if (!(x instanceof Tensor && other instanceof Tensor)) {
      throw new ValueError('isclose: both arguments must be Tensors; wrap numbers: tensor(2)', { op: 'isclose' });
    }
    if (!(rtol >= 0 && atol >= 0)) {
      throw new ValueError(`isclose: rtol and atol must be at least 0, got ${rtol} and ${atol}`, { op: 'isclose' });
    }
    if (x.dtype !== other.dtype) {
      throw new DTypeError(`isclose: both arguments must have one dtype, got ${x.dtype} and ${other.dtype}; use x.typeAs(other)`, {
        op: 'isclose',
        dtypes: [x.dtype, other.dtype],
      });
    }
    return [x, other, rtol, atol, Number(equalNan)];
  },
);

/** What `nanToNum` puts in the place of what is not finite. */
export interface Replacements {
  /** For NaN; default 0. */
  nan?: number | null | undefined;
  /** For +∞; default the largest number of the dtype. */
  posinf?: number | null | undefined;
  /** For −∞; default the lowest number of the dtype. */
  neginf?: number | null | undefined;
}

const replacementNames: OptionNames<Replacements> = { nan: 1, posinf: 1, neginf: 1 };

/** NaN and infinities replaced by numbers. @derivative 0 where something was replaced @source torch.nan_to_num */
export const nanToNum: Elementwise<(x: Tensor, options?: Replacements) => Tensor> = elementwise(
  'nan_to_num',
  (x, nan, high, low) => x.isnan().where(nan, x.isinf().where(x.gt(0).where(high, low), x)),
  { result: 'first', points: [{ at: [NaN, 7, 8, 9], value: 7, partials: [0] }, { at: [-Infinity, 7, 8, 9], value: 9, partials: [0] }] },
  (x: Tensor, options: Replacements = none) => {
    checkOptions('nanToNum', options, replacementNames);
    const { nan, posinf, neginf } = options;
    const { min, max } = dtypeInfo[x.dtype];
    return [x, nan ?? 0, posinf ?? max, neginf ?? min];
  },
);

type Clamp = (x: Tensor, min?: Operand | null, max?: Operand | null) => Tensor;

const clampBoth: Elementwise<(x: Operand, min: Operand, max: Operand) => Tensor> = elementwise(
  'clamp',
  (x, min, max) => x.max(min).min(max),
  {
    tensorFirst: true,
    partials: ([x, low, high]) => [
      x!.ge(low!).and(x!.le(high!)).where(1, 0),
      x!.lt(low!).and(low!.lt(high!)).where(1, 0),
      x!.gt(high!).or(high!.lt(low!)).where(1, 0),
    ],
    points: [
      { at: [1, -1, 1], value: 1, partials: [1, null, null] },
      { at: [-1, -1, 1], value: -1, partials: [1, null, null] },
      { at: [0, 2, 1], value: 1, partials: [0, null, null] },
    ],
  },
);

/** x, but at least min. @derivative 1 where x is not below min, else to min @source torch.clamp_min */
export const clampMin: Binary = elementwise('clamp_min', (x, min) => x.max(min), {
  tensorFirst: true,
  partials: ([x, low]) => [x!.ge(low!).where(1, 0), x!.lt(low!).where(1, 0)],
  points: [{ at: [1, 1], value: 1, partials: [1, 0] }, { at: [0, 1], value: 1, partials: [0, 1] }],
});

/** x, but at most max. @derivative 1 where x is not above max, else to max @source torch.clamp_max */
export const clampMax: Binary = elementwise('clamp_max', (x, max) => x.min(max), {
  tensorFirst: true,
  partials: ([x, high]) => [x!.le(high!).where(1, 0), x!.gt(high!).where(1, 0)],
  points: [{ at: [1, 1], value: 1, partials: [1, 0] }, { at: [2, 1], value: 1, partials: [0, 1] }],
});

function clampBy(place: 'call' | 'inPlace'): Clamp {
  return (x, min, max) => {
    if (min !== undefined && min !== null) {
      if (max === undefined || max === null) return place === 'call' ? clampMin(x, min) : clampMin.inPlace(x, min);
      return place === 'call' ? clampBoth(x, min, max) : clampBoth.inPlace(x, min, max);
    }
    if (max === undefined || max === null) throw new ValueError('clamp: at least one of min and max must be given');
    return place === 'call' ? clampMax(x, max) : clampMax.inPlace(x, max);
  };
}

/**
 * x limited to [min, max]; either may be left out. If min exceeds max, every element becomes max.
 * @derivative 1 inside, the bounds included
 * @source torch.clamp
 */
export const clamp: Elementwise<Clamp> = Object.assign(clampBy('call'), { op: clampBoth.op, inPlace: clampBy('inPlace') });

/** x with the elements replaced by `value` where the mask is true. @source torch.Tensor.masked_fill */
export const maskedFill: Elementwise<(x: Tensor, mask: Tensor, value: Operand) => Tensor> = elementwise(
  'masked_fill',
  (x, mask, value) => mask.ne(0).where(value, x),
  { masks: [1], result: 'first' },
  (x: Tensor, mask: Tensor, value: Operand) => {
    if (value instanceof Tensor && value.ndim > 0) {
      throw new ShapeError(
        `maskedFill: the value must be a number or a zero-dimensional tensor, got shape ${shapeString(value.shape)}; use ` +
          'where(mask, value, x) for a value per element',
        { op: 'maskedFill', argument: 'value', shapes: [value.shape] },
      );
    }
    return [x, mask, value];
  },
);

/** `value` everywhere, in the shape and dtype of x. @derivative 0 for x @source torch.Tensor.fill_ */
export const fill: Binary = elementwise('fill', (_, value) => value, { result: 'first' });

/** Zero everywhere. @derivative 0 @source torch.Tensor.zero_ */
export const zero: Elementwise<(x: Tensor) => Tensor> = elementwise(
  'zero',
  (_, value) => value,
  { result: 'first' },
  (x: Tensor) => [x, 0],
);
