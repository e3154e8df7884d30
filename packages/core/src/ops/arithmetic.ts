import { elementwise, type Binary, type Elementwise, type Operand, type TensorBinary, type Ternary, type Unary } from '../define/elementwise.ts';
import { DTypeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { Tensor } from '../tensor.ts';

/** A weight for the second operand of `add` and `sub`. */
export interface AlphaOption {
  /** Factor of the second operand; default 1. */
  alpha?: number;
}

const alphaName: OptionNames<AlphaOption> = { alpha: 1 };

const plainAdd: Binary = elementwise('add', (x, y) => x.add(y));
const plainSub: Binary = elementwise('sub', (x, y) => x.sub(y));
const scaledAdd: Ternary = elementwise('add', (x, y, alpha) => x.add(y.mul(alpha)));

type Alpha = (x: Operand, other: Operand, options?: AlphaOption) => Tensor;

/** The two forms with what `alpha` does to the second operand; differences of bools are refused. */
function weighted(plain: Binary, scaled: Ternary, sign: 1 | -1, isDifference: boolean): Elementwise<Alpha> {
  const call: Alpha = (x, other, options) => {
    if (isDifference) refuseBoolDifference(plain.op.name, x, other);
    if (options === undefined) return plain(x, other);
    checkOptions(plain.op.name, options, alphaName);
    return options.alpha === undefined ? plain(x, other) : scaled(x, other, sign * options.alpha);
  };
  const inPlace: Alpha = (x, other, options) => {
    if (isDifference) refuseBoolDifference(plain.op.name, x, other);
    if (options === undefined) return plain.inPlace(x, other);
    checkOptions(`${plain.op.name}_`, options, alphaName);
    return options.alpha === undefined ? plain.inPlace(x, other) : scaled.inPlace(x, other, sign * options.alpha);
  };
  return Object.assign(call, { op: plain.op, inPlace });
}

function refuseBoolDifference(op: string, x: Operand, other: Operand): void {
  if (x instanceof Tensor && other instanceof Tensor && x.dtype === 'bool' && other.dtype === 'bool') {
    throw new DTypeError(`${op}: the difference of two bool tensors is not defined; use logicalXor(x, y) instead`, {
      op,
      dtypes: ['bool', 'bool'],
    });
  }
}

/** x + alpha · other. @source torch.add */
export const add: Elementwise<Alpha> = weighted(plainAdd, scaledAdd, 1, false);

/** x − alpha · other. @throws DTypeError for two bool tensors @source torch.sub */
export const sub: Elementwise<Alpha> = weighted(plainSub, scaledAdd, -1, true);

const plainRsub: Binary = elementwise('rsub', (x, y) => y.sub(x), { tensorFirst: true });
const scaledRsub: Ternary = elementwise('rsub', (x, y, alpha) => y.sub(x.mul(alpha)), { tensorFirst: true });

/** other − alpha · x. @throws DTypeError for two bool tensors @source torch.rsub */
export const rsub: Elementwise<Alpha> = weighted(plainRsub, scaledRsub, 1, true);

/** x · other. @source torch.mul */
export const mul: Binary = elementwise('mul', (x, y) => x.mul(y));

const trueDiv: Binary = elementwise('div', (x, y) => x.div(y), { result: 'float' });
const floorQuotient: Binary = elementwise('div', (x, y) => x.floorDiv(y));
const truncQuotient: Binary = elementwise('div', (x, y) => x.div(y).trunc());

/** How `div` rounds. */
export interface DivOptions {
  /** 'floor' or 'trunc'; without it the quotient is exact and integers become floating-point. */
  roundingMode?: 'floor' | 'trunc' | null;
}

const divNames: OptionNames<DivOptions> = { roundingMode: 1 };

type Div = (x: Operand, other: Operand, options?: DivOptions) => Tensor;

const quotients: Readonly<Record<string, Binary>> = { none: trueDiv, floor: floorQuotient, trunc: truncQuotient };

function quotientOf(options: DivOptions | undefined): Binary {
  if (options === undefined) return trueDiv;
  checkOptions('div', options, divNames);
  const rounded = quotients[options.roundingMode ?? 'none'];
  if (rounded !== undefined) return rounded;
  throw new ValueError(`div: roundingMode must be 'floor' or 'trunc', got '${String(options.roundingMode)}'`, {
    op: 'div',
    argument: 'roundingMode',
  });
}

/** x / other. Rounded quotients have gradient 0. @throws ValueError for another way to round @source torch.div */
export const div: Elementwise<Div> = Object.assign(((x, other, options) => quotientOf(options)(x, other)) as Div, {
  op: trueDiv.op,
  inPlace: ((x, other, options) => quotientOf(options).inPlace(x, other)) as Div,
});

/** The quotient rounded down. @derivative 0 @source torch.floor_divide */
export const floorDivide: Binary = elementwise('floor_divide', (x, y) => x.floorDiv(y));

/** What is left after division, with the sign of the divisor. @source torch.remainder */
export const remainder: Binary = elementwise('remainder', (x, y) => x.remainder(y));

/** What is left after division, with the sign of the dividend. @source torch.fmod */
export const fmod: Binary = elementwise('fmod', (x, y) => x.fmod(y), { tensorFirst: true });

/** −x. @throws DTypeError for bool @source torch.neg */
export const neg: Unary = elementwise('neg', (x) => x.neg(), {}, (x: Tensor) => {
  if (x.dtype === 'bool') {
    throw new DTypeError('neg: −x is not defined for bool tensors; to invert a mask use x.logicalNot()', {
      op: 'neg',
      dtypes: ['bool'],
    });
  }
  return [x];
});

/** 1 / x. @derivative −y² @source torch.reciprocal */
export const reciprocal: Unary = elementwise('reciprocal', (x) => x.reciprocal(), {
  result: 'float',
  partials: (_, y) => [y.mul(y).neg()],
  points: [{ at: [0], value: Infinity, partials: [-Infinity] }],
});

/** x². @source torch.square */
export const square: Unary = elementwise('pow', (x) => x.mul(x));

const generalPow: Binary = elementwise('pow', (x, p) => x.pow(p), {
  domain: [0.2, 3],
  points: [
    { at: [0, 0], value: 1, partials: [0, 0] },
    { at: [0, 0.5], value: 0, partials: [Infinity, 0] },
    { at: [0, 1], value: 0, partials: [1, 0] },
    { at: [0, 2], value: 0, partials: [0, 0] },
    { at: [-2, 2], value: 4, partials: [-4, NaN] },
    { at: [0, -1], partials: [null, -Infinity] },
    { at: [NaN, 0], value: 1, partials: [0, null] },
  ],
});

/**
 * x raised to a power.
 * @derivative p·x^(p−1), exactly 0 where p is 0; for the exponent y·log x, 0 where x is 0 and p ≥ 0
 * @source torch.pow
 */
export const pow: Binary = Object.assign(
  (x: Operand, p: Operand) => (p === 2 && x instanceof Tensor ? square(x) : generalPow(x, p)),
  { op: generalPow.op, inPlace: generalPow.inPlace },
);

/** |x|. @derivative the sign, 0 at 0 @source torch.abs */
export const abs: Unary = elementwise('abs', (x) => x.abs(), { points: [{ at: [0], value: 0, partials: [0] }] });

/** −1, 0 or 1. @derivative 0 @source torch.sign */
export const sign: Unary = elementwise('sign', (x) => x.sign(), { points: [{ at: [0], value: 0, partials: [0] }] });

/** The larger one; NaN wins, and equal operands share the gradient. @source torch.maximum */
export const maximum: TensorBinary = elementwise('maximum', (x, y) => x.max(y), {
  tensorsOnly: true,
  points: [{ at: [2, 2], value: 2, partials: [0.5, 0.5] }],
});

/** The smaller one; NaN wins, and equal operands share the gradient. @source torch.minimum */
export const minimum: TensorBinary = elementwise('minimum', (x, y) => x.min(y), {
  tensorsOnly: true,
  points: [{ at: [2, 2], value: 2, partials: [0.5, 0.5] }],
});

/** start + weight · (end − start). @source torch.lerp */
export const lerp: Ternary = elementwise('lerp', (s, e, w) => {
  const d = e.sub(s);
  return w.abs().lt(0.5).where(s.add(w.mul(d)), e.sub(d.mul(w.neg().add(1))));
}, { partials: ([s, e, w]) => [w!.neg().add(1), w!, e!.sub(s!)] });

/**
 * The larger one, where NaN counts as missing.
 * @derivative to x where it is chosen, also where both are equal
 * @source torch.fmax
 */
export const fmax: TensorBinary = elementwise('fmax', (x, y) => x.ge(y).or(y.isnan()).where(x, y), {
  tensorsOnly: true,
  points: [
    { at: [2, 2], value: 2, partials: [1, 0] },
    { at: [NaN, 2], value: 2, partials: [0, 1] },
    { at: [2, NaN], value: 2, partials: [1, 0] },
  ],
});

/**
 * The smaller one, where NaN counts as missing.
 * @derivative to x where it is chosen, also where both are equal
 * @source torch.fmin
 */
export const fmin: TensorBinary = elementwise('fmin', (x, y) => x.le(y).or(y.isnan()).where(x, y), {
  tensorsOnly: true,
  points: [
    { at: [2, 2], value: 2, partials: [1, 0] },
    { at: [NaN, 2], value: 2, partials: [0, 1] },
  ],
});

/** The weight of a product or quotient that is added. */
export interface ValueOption {
  /** Factor; default 1. */
  value?: number | undefined;
}

const valueName: OptionNames<ValueOption> = { value: 1 };

type AddCombined = Elementwise<(x: Tensor, a: Tensor, b: Tensor, options?: ValueOption) => Tensor>;
type Combined = (x: Tensor, a: Tensor, b: Tensor, options?: ValueOption) => readonly Operand[];

function combined(op: string): Combined {
  return (x, a, b, options = none) => {
    checkOptions(op, options, valueName);
    if (a instanceof Tensor && b instanceof Tensor) return [x, a, b, options.value ?? 1];
    throw new ValueError(`${op}: the operands must be Tensors`, { op });
  };
}

/** x + value · a · b. @source torch.addcmul */
export const addcmul: AddCombined = elementwise(
  'addcmul',
  (x, a, b, value) => x.add(a.mul(b).mul(value)),
  { tensorFirst: true },
  combined('addcmul'),
);

/** x + value · a / b. @source torch.addcdiv */
export const addcdiv: AddCombined = elementwise(
  'addcdiv',
  (x, a, b, value) => x.add(a.div(b).mul(value)),
  { result: 'float', tensorFirst: true },
  combined('addcdiv'),
);

/** x raised to a power, in float64 whatever the dtypes. @source torch.float_power */
export function floatPower(x: Operand, exponent: Operand): Tensor {
  const double = (operand: Operand): Operand => (operand instanceof Tensor ? operand.to('float64') : operand);
  return pow(double(x), double(exponent));
}

/** x itself. @throws DTypeError for bool @source torch.positive */
export function positive(x: Tensor): Tensor {
  if (x.dtype === 'bool') throw new DTypeError('positive: +x is not defined for bool tensors', { op: 'positive', dtypes: ['bool'] });
  return x;
}
