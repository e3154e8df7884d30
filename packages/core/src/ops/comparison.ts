import { elementwise, type Binary, type Elementwise, type Operand, type TensorBinary, type Unary } from '../define/elementwise.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Whether x equals other, element by element, as bool. @source torch.eq */
export const eq: Binary = elementwise('eq', (x, y) => x.eq(y), { result: 'bool' });

/** Whether x differs from other. @source torch.ne */
export const ne: Binary = elementwise('ne', (x, y) => x.ne(y), { result: 'bool' });

/** Whether x is less than other. @source torch.lt */
export const lt: Binary = elementwise('lt', (x, y) => x.lt(y), { result: 'bool' });

/** Whether x is at most other. @source torch.le */
export const le: Binary = elementwise('le', (x, y) => x.le(y), { result: 'bool' });

/** Whether x is greater than other. @source torch.gt */
export const gt: Binary = elementwise('gt', (x, y) => x.gt(y), { result: 'bool' });

/** Whether x is at least other. @source torch.ge */
export const ge: Binary = elementwise('ge', (x, y) => x.ge(y), { result: 'bool' });

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

type Clamp = (x: Tensor, min?: Operand | null, max?: Operand | null) => Tensor;

const clampBoth: Elementwise<(x: Operand, min: Operand, max: Operand) => Tensor> = elementwise(
  'clamp',
  (x, min, max) => x.max(min).min(max),
  {
    partials: ([x, low, high]) => [
      x!.ge(low!).and(x!.le(high!)).where(1, 0),
      x!.lt(low!).and(low!.lt(high!)).where(1, 0),
      x!.gt(high!).or(high!.le(low!)).where(1, 0),
    ],
    points: [
      { at: [1, -1, 1], value: 1, partials: [1, null, null] },
      { at: [-1, -1, 1], value: -1, partials: [1, null, null] },
      { at: [0, 2, 1], value: 1, partials: [0, null, null] },
    ],
  },
);
const clampLow: Binary = elementwise('clamp_min', (x, min) => x.max(min), {
  partials: ([x, low]) => [x!.ge(low!).where(1, 0), x!.lt(low!).where(1, 0)],
});
const clampHigh: Binary = elementwise('clamp_max', (x, max) => x.min(max), {
  partials: ([x, high]) => [x!.le(high!).where(1, 0), x!.gt(high!).where(1, 0)],
});

function clampBy(place: 'call' | 'inPlace'): Clamp {
  return (x, min, max) => {
    if (min !== undefined && min !== null) {
      if (max === undefined || max === null) return place === 'call' ? clampLow(x, min) : clampLow.inPlace(x, min);
      return place === 'call' ? clampBoth(x, min, max) : clampBoth.inPlace(x, min, max);
    }
    if (max === undefined || max === null) throw new ValueError('clamp: at least one of min and max must be given');
    return place === 'call' ? clampHigh(x, max) : clampHigh.inPlace(x, max);
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
