import { elementwise, type Unary } from '../define/elementwise.ts';
import { constant } from '../expr/index.ts';
import type { Tensor } from '../tensor.ts';

// What functions of complex numbers are for real ones, which are all that tensors hold.

/** The angle of the number in the complex plane: 0, π for negative numbers, NaN for NaN. @derivative 0 @source torch.angle */
export const angle: Unary = elementwise('angle', (x) => x.isnan().where(x, x.lt(0).where(Math.PI, 0)), {
  result: 'float',
  partials: () => [constant(0)],
  points: [
    { at: [-2], value: Math.PI, partials: [0] },
    { at: [NaN], value: NaN, partials: [0] },
  ],
});

/** x: the conjugate of a real number. @source torch.conj */
export function conj(x: Tensor): Tensor {
  return x;
}

/** x: the conjugate of a real number. @source torch.conj_physical */
export function conjPhysical(x: Tensor): Tensor {
  return x;
}

/** x: the real part of a real number. @source torch.real */
export function real(x: Tensor): Tensor {
  return x;
}

/** x: no conjugation waits to be done. @source torch.resolve_conj */
export function resolveConj(x: Tensor): Tensor {
  return x;
}

/** x: no negation waits to be done. @source torch.resolve_neg */
export function resolveNeg(x: Tensor): Tensor {
  return x;
}

/** Whether each number has no imaginary part: true. @source torch.isreal */
export const isreal: Unary = elementwise('isreal', (x) => x.eq(x).or(x.ne(x)), { result: 'bool' });
