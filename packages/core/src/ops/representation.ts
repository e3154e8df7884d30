import { elementwise, type Binary, type Operand, type TensorBinary, type Unary } from '../define/elementwise.ts';
import { promoteTypes } from '../dtype.ts';
import { TapegradError } from '../errors.ts';
import { constant, scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { Tensor } from '../tensor.ts';

/** Whether the sign bit is set: negative numbers and −0. @source torch.signbit */
export const signbit: Unary = elementwise('signbit', (x) => x.signbit(), { result: 'bool' });

/**
 * The magnitude of x with the sign of other.
 * @derivative 1 where the signs agree, −1 where they differ, 0 where x is 0; for the sign 0
 * @source torch.copysign
 */
export const copysign: Binary = elementwise('copysign', (x, y) => y.signbit().where(x.abs().neg(), x.abs()), {
  result: 'float',
  tensorFirst: true,
  partials: ([x, y]) => [x!.sign().mul(y!.signbit().where(-1, 1)), constant(0)],
  points: [
    { at: [0, -1], partials: [0, 0] },
    { at: [3, -2], value: -3, partials: [-1, 0] },
    { at: [-3, -2], value: -3, partials: [1, 0] },
  ],
});

/** x · 2^other. @source torch.ldexp */
export const ldexp: TensorBinary = elementwise('ldexp', (x, y) => x.mul(y.exp2()), { result: 'float', tensorsOnly: true });

/** The e for which |x| lies in [2^(e−1), 2^e); 0 for 0, infinities and NaN. */
function exponentOf(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude > 0 && magnitude < Infinity)) return 0;
  // The logarithm may be rounded up to the next integer or down from one.
  let e = Math.floor(Math.log2(magnitude)) + 1;
  while (scaled(magnitude, -e) >= 1) e++;
  while (scaled(magnitude, -e) < 0.5) e--;
  return e;
}

/** x · 2^e in two steps, neither of which overflows. */
function scaled(x: number, e: number): number {
  const half = Math.trunc(e / 2);
  return x * 2 ** half * 2 ** (e - half);
}

const exponent: ScalarFunction = scalarFunction('exponent', (x) => exponentOf(x));
const mantissa: ScalarFunction = scalarFunction(
  'mantissa',
  (x) => scaled(x, -exponentOf(x)),
  (_, x) => exponent(x).neg().exp2(),
);

const mantissaOf: Unary = elementwise('frexp', (x) => mantissa(x), { result: 'float' });
const exponentIn: Unary = elementwise('frexp', (x) => exponent(x), { result: 'float' });

/** A number taken apart: mantissa · 2^exponent. */
export interface MantissaAndExponent {
  /** In [0.5, 1) by magnitude, or 0, infinite or NaN as the number is. */
  readonly mantissa: Tensor;
  /** int32 */
  readonly exponent: Tensor;
}

/** Mantissas in [0.5, 1) and powers of 2. @derivative of the mantissa, 2^−exponent @source torch.frexp */
export function frexp(x: Tensor): MantissaAndExponent {
  return { mantissa: mantissaOf(x), exponent: exponentIn(x.detach()).to('int32') };
}

/** The neighbour of a in the direction of b, among the floats that `integers` counts in `floats`. */
function neighbour(a: number, b: number, floats: Float32Array | Float64Array, integers: Int32Array | BigInt64Array): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (a === b) return b;
  floats[0] = a;
  // Floats of one sign have the order of their bits; the step is away from 0 or towards it.
  if (a === 0) integers.fill((integers instanceof Int32Array ? 1 : 1n) as never);
  else if (integers instanceof Int32Array) integers[0]! += b > a === a > 0 ? 1 : -1;
  else integers[0]! += b > a === a > 0 ? 1n : -1n;
  return a === 0 && b < 0 ? -floats[0]! : floats[0]!;
}

const next32: ScalarFunction = scalarFunction('nextFloat32', (a, b) => {
  const floats = new Float32Array(1);
  return neighbour(Math.fround(a), Math.fround(b), floats, new Int32Array(floats.buffer));
});
const next64: ScalarFunction = scalarFunction('nextFloat64', (a, b) => {
  const floats = new Float64Array(1);
  return neighbour(a, b, floats, new BigInt64Array(floats.buffer));
});
const nextIn: Readonly<Record<'float32' | 'float64', TensorBinary>> = {
  float32: elementwise('nextafter', (x, y) => next32(x, y), { result: 'float', tensorsOnly: true }),
  float64: elementwise('nextafter', (x, y) => next64(x, y), { result: 'float', tensorsOnly: true }),
};

function nextOf(x: Operand, other: Operand): TensorBinary {
  if (!(x instanceof Tensor && other instanceof Tensor)) {
    throw new TapegradError(`nextafter: both operands must be Tensors, got ${typeof (x instanceof Tensor ? other : x)}`, {
      op: 'nextafter',
    });
  }
  return promoteTypes(x.dtype, other.dtype) === 'float64' ? nextIn.float64 : nextIn.float32;
}

/** The next number that the dtype holds, from x in the direction of other. @derivative 0 @source torch.nextafter */
export const nextafter: TensorBinary = Object.assign((x: Tensor, other: Tensor) => nextOf(x, other)(x, other), {
  op: nextIn.float64.op,
  inPlace: (x: Tensor, other: Tensor) => nextOf(x, other).inPlace(x, other),
});
