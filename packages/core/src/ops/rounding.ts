import { elementwise, type Elementwise, type Unary } from '../define/elementwise.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { Tensor } from '../tensor.ts';

/** Rounded down. @derivative 0 @source torch.floor */
export const floor: Unary = elementwise('floor', (x) => x.floor(), { points: [{ at: [1.5], value: 1, partials: [0] }] });

/** Rounded up. @derivative 0 @source torch.ceil */
export const ceil: Unary = elementwise('ceil', (x) => x.ceil(), { points: [{ at: [1.5], value: 2, partials: [0] }] });

const wholeRound: Unary = elementwise('round', (x) => x.round(), { points: [{ at: [2.5], value: 2, partials: [0] }] });

type Scaled = Elementwise<(x: Tensor, scale: number) => Tensor>;
const fractionRound: Scaled = elementwise('round', (x, scale) => x.mul(scale).round().div(scale));
const coarseRound: Scaled = elementwise('round', (x, scale) => x.div(scale).round().mul(scale));

/** How `round` rounds. */
export interface RoundOptions {
  /** How many digits after the point are kept; below 0, so many before it become 0. Default 0. */
  decimals?: number | undefined;
}

const roundNames: OptionNames<RoundOptions> = { decimals: 1 };

type Round = (x: Tensor, options?: RoundOptions) => Tensor;

function roundBy(place: 'call' | 'inPlace'): Round {
  return (x, options = none) => {
    checkOptions('round', options, roundNames);
    const { decimals = 0 } = options;
    if (decimals === 0) return place === 'call' ? wholeRound(x) : wholeRound.inPlace(x);
    if (!Number.isInteger(decimals)) {
      throw new ValueError(`round: decimals must be a whole number, got ${decimals}`, { op: 'round', argument: 'decimals' });
    }
    if (x instanceof Tensor && !isFloating(x.dtype)) {
      throw new DTypeError(`round: decimals are for floating-point tensors, got ${x.dtype}; use x.to('float32')`, {
        op: 'round',
        dtypes: [x.dtype],
      });
    }
    const scaled = decimals > 0 ? fractionRound : coarseRound;
    return (place === 'call' ? scaled : scaled.inPlace)(x, 10 ** Math.abs(decimals));
  };
}

/** Rounded to the nearest integer, or to a number of decimals, halves to the even one. @derivative 0 @source torch.round */
export const round: Elementwise<Round> = Object.assign(roundBy('call'), { op: wholeRound.op, inPlace: roundBy('inPlace') });

/** Rounded towards 0. @derivative 0 @source torch.trunc */
export const trunc: Unary = elementwise('trunc', (x) => x.trunc(), { points: [{ at: [-1.5], value: -1, partials: [0] }] });

/** What trunc cuts off. @derivative 1 @source torch.frac */
export const frac: Unary = elementwise('frac', (x) => x.sub(x.trunc()), { points: [{ at: [1.5], value: 0.5, partials: [1] }] });
