import { elementwise, type Binary, type Operand, type TensorBinary, type Unary } from '../define/elementwise.ts';
import { dtypeInfo } from '../dtype.ts';
import { DTypeError, TapegradError } from '../errors.ts';
import { scalarFunction, type ScalarFunction } from '../expr/index.ts';
import { Tensor } from '../tensor.ts';

/** Lets only whole numbers through, bools only where they make sense. */
function wholeNumbers(
  op: string,
  highest: 'bool' | 'int32',
  lowest: 'bool' | 'int32',
  ...operands: readonly Operand[]
): readonly Operand[] {
  const { category: least } = dtypeInfo[lowest];
  for (const operand of operands) {
    const dtype = operand instanceof Tensor ? operand.dtype : Number.isInteger(Number(operand)) ? highest : 'float32';
    const { category } = dtypeInfo[dtype];
    if (category < 2 && (category >= least || !(operand instanceof Tensor))) continue;
    const wanted = lowest === 'bool' ? 'integers or bools' : 'integers';
    throw new DTypeError(`${op}: the operands must hold ${wanted}, got ${dtype}; use x.to('int32')`, { op, dtypes: [dtype] });
  }
  return operands;
}

type Two = (x: Operand, other: Operand) => readonly Operand[];

const logical =
  (op: string): Two =>
  (x, other) =>
    wholeNumbers(op, 'bool', 'bool', x, other);
const shift =
  (op: string): Two =>
  (x, other) =>
    wholeNumbers(op, 'int32', 'int32', x, other);

/** The bits that are set in both; for bools whether both are true. @throws DTypeError for floats @source torch.bitwise_and */
export const bitwiseAnd: Binary = elementwise('bitwise_and', (x, y) => x.bitAnd(y), {}, logical('bitwiseAnd'));

/** The bits that are set in one or both; for bools whether one is true. @throws DTypeError for floats @source torch.bitwise_or */
export const bitwiseOr: Binary = elementwise('bitwise_or', (x, y) => x.bitOr(y), {}, logical('bitwiseOr'));

/** The bits that are set in exactly one; for bools whether they differ. @throws DTypeError for floats @source torch.bitwise_xor */
export const bitwiseXor: Binary = elementwise('bitwise_xor', (x, y) => x.bitXor(y), {}, logical('bitwiseXor'));

const flipped: Unary = elementwise('bitwise_not', (x) => x.bitNot());
const negated: Unary = elementwise('bitwise_not', (x) => x.eq(0).where(1, 0));

function notOf(x: Tensor): Unary {
  wholeNumbers('bitwiseNot', 'bool', 'bool', x);
  return x.dtype === 'bool' ? negated : flipped;
}

/** Every bit turned over; for bools, false for true. @throws DTypeError for floats @source torch.bitwise_not */
export const bitwiseNot: Unary = Object.assign((x: Tensor) => notOf(x)(x), {
  op: flipped.op,
  inPlace: (x: Tensor) => notOf(x).inPlace(x),
});

/**
 * x · 2^other by moving bits; those that leave 32 bits are lost.
 * @throws DTypeError for floats and bools
 * @source torch.bitwise_left_shift
 */
export const bitwiseLeftShift: Binary = elementwise('bitwise_left_shift', (x, y) => x.shiftLeft(y), {}, shift('bitwiseLeftShift'));

/** x / 2^other, rounded down, by moving bits. @throws DTypeError for floats and bools @source torch.bitwise_right_shift */
export const bitwiseRightShift: Binary = elementwise('bitwise_right_shift', (x, y) => x.shiftRight(y), {}, shift('bitwiseRightShift'));

/** Euclid's algorithm. */
function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [Math.abs(a), Math.abs(b)];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

const divisor: ScalarFunction = scalarFunction('gcd', (a, b) => greatestCommonDivisor(a, b));
const multiple: ScalarFunction = scalarFunction('lcm', (a, b) =>
  a === 0 || b === 0 ? 0 : Math.abs((a / greatestCommonDivisor(a, b)) * b),
);

function tensors(op: string): (x: Tensor, other: Tensor) => readonly Operand[] {
  return (x, other) => {
    for (const operand of [x, other]) {
      if (!(operand instanceof Tensor)) throw new TapegradError(`${op}: both operands must be Tensors, got ${typeof operand}`, { op });
    }
    return wholeNumbers(op, 'int32', 'int32', x, other);
  };
}

/** The greatest common divisor; gcd(0, 0) is 0. @throws DTypeError for floats and bools @source torch.gcd */
export const gcd: TensorBinary = elementwise('gcd', (x, y) => divisor(x, y), { tensorsOnly: true }, tensors('gcd'));

/** The least common multiple; 0 if either is 0. @throws DTypeError for floats and bools @source torch.lcm */
export const lcm: TensorBinary = elementwise('lcm', (x, y) => multiple(x, y), { tensorsOnly: true }, tensors('lcm'));
