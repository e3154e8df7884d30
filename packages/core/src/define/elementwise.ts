import { TapegradError } from '../errors.ts';
import { input, output as outputLeaf, param, type Expr } from '../expr/index.ts';
import { described, refuseOptions } from '../option-names.ts';
import { Tensor } from '../tensor.ts';
import { NO_NUMBERS, Program, type ResultKind } from './program.ts';

/** What an elementwise operation takes: tensors, which broadcast, and plain numbers. */
export type Operand = Tensor | number | boolean;

/** Facts about an elementwise operation that its expression does not say. */
export interface ElementwiseOptions {
  /** dtype of the result: that of the inputs (default), made floating-point, or bool. */
  readonly result?: ResultKind;
  /**
   * Partials by hand where they are cheaper or more accurate than the derived ones, one per argument, in terms of
   * the arguments and the result `y`; null derives.
   */
  readonly partials?: (args: Expr[], y: Expr) => (Expr | null)[];
  /** Positions of arguments that are conditions. */
  readonly masks?: readonly number[];
  /** Whether plain numbers are refused, as PyTorch does for some operations. */
  readonly tensorsOnly?: boolean;
  /** Whether the first argument has to be a tensor, as that of a method is, even where the others may be numbers. */
  readonly tensorFirst?: boolean;
  /** Interval from which random test inputs are drawn. */
  readonly domain?: readonly [number, number];
  /** Inputs at kinks and edges, for tests: each with the value and, per argument, the partial that is expected there. */
  readonly points?: readonly SpecialPoint[];
}

/** One line of the sheet of edge values. */
export interface SpecialPoint {
  readonly at: readonly number[];
  readonly value?: number;
  readonly partials: readonly (number | null)[];
}

/** What is known of an elementwise operation beside how to call it. */
export interface ElementwiseOp {
  readonly name: string;
  readonly arity: number;
  readonly options: ElementwiseOptions;
  /** The program for a call in which the arguments marked in `tensorMask` (bit per position) are tensors. */
  variant(tensorMask: number): Program;
}

/** A callable elementwise operation of the signature F; as a method, `this` is the first argument. */
export type Elementwise<F extends (...args: never[]) => Tensor> = F & {
  readonly op: ElementwiseOp;
  /** The same computation with the first argument as the place of the result. */
  readonly inPlace: F;
};

/** An operation of one tensor. */
export type Unary = Elementwise<(x: Tensor) => Tensor>;

/** An operation of two operands. */
export type Binary = Elementwise<(x: Operand, other: Operand) => Tensor>;

/** An operation of two tensors, which takes no plain numbers. */
export type TensorBinary = Elementwise<(x: Tensor, other: Tensor) => Tensor>;

/** An operation of three operands. */
export type Ternary = Elementwise<(x: Operand, a: Operand, b: Operand) => Tensor>;

/**
 * Declares an elementwise operation by its scalar expression; everything else about it is derived.
 * `operands` turns the arguments of the call into those of the expression, for operations with defaults.
 */
/* @__NO_SIDE_EFFECTS__ */
export function elementwise<E extends Elementwise<(...args: never[]) => Tensor>>(
  name: string,
  build: (...args: Expr[]) => Expr,
  options: ElementwiseOptions = {},
  operands?: (...args: Parameters<E>) => readonly Operand[],
): E {
  const op = makeOp(name, build, options);
  const spread = operands as ((...args: unknown[]) => readonly Operand[]) | undefined;
  if (spread === undefined) {
    const call = op.arity === 1 ? callOfOne(op) : op.arity === 2 ? callOfTwo(op) : (...args: Operand[]): Tensor => applyElementwise(op, args);
    const inPlace = (...args: Operand[]): Tensor => applyElementwiseInPlace(op, args);
    return Object.assign(call, { op, inPlace }) as unknown as E;
  }
  const operandsOf = (args: readonly unknown[]): readonly Operand[] => {
    if (args.length > op.arity) refuseOptions(name, args[op.arity]);
    return spread(...args);
  };
  const call = (...args: unknown[]): Tensor => applyElementwise(op, operandsOf(args));
  const inPlace = (...args: unknown[]): Tensor => applyElementwiseInPlace(op, operandsOf(args));
  return Object.assign(call, { op, inPlace }) as unknown as E;
}

/** The call of an operation of one operand: `applyElementwise` without lists. */
function callOfOne(op: ElementwiseOp): (x: Operand) => Tensor {
  return function (x) {
    if (arguments.length === 1 && x instanceof Tensor) return op.variant(1).applyFew(x, null, null, NO_NUMBERS);
    return applyElementwise(op, arguments as unknown as readonly Operand[]);
  };
}

/** The call of an operation of two operands, the first of which nearly always is a tensor. */
function callOfTwo(op: ElementwiseOp): (x: Operand, y: Operand) => Tensor {
  const takesNumbers = op.options.tensorsOnly !== true;
  return function (x, y) {
    if (arguments.length === 2 && x instanceof Tensor) {
      if (y instanceof Tensor) return op.variant(3).applyFew(x, y, null, NO_NUMBERS);
      if (typeof y === 'number' && takesNumbers) return op.variant(1).applyFew(x, null, null, [y]);
    }
    return applyElementwise(op, arguments as unknown as readonly Operand[]);
  };
}

function makeOp(name: string, build: (...args: Expr[]) => Expr, options: ElementwiseOptions = {}): ElementwiseOp {
  const variants: (Program | undefined)[] = [];
  const arity = build.length;
  return {
    name,
    arity,
    options,
    variant: (mask) => (variants[mask] ??= makeVariant(name, arity, build, options, mask)),
  };
}

function makeVariant(
  name: string,
  arity: number,
  build: (...args: Expr[]) => Expr,
  options: ElementwiseOptions,
  mask: number,
): Program {
  let inputs = 0;
  let params = 0;
  const args = Array.from({ length: arity }, (_, i) => (mask & (1 << i) ? input(inputs++) : param(params++)));
  const isTensor = (_: unknown, i: number): boolean => (mask & (1 << i)) !== 0;
  const partials = options.partials?.(args, outputLeaf()) ?? args.map(() => null);
  return new Program(name, build(...args), inputs, {
    result: options.result ?? 'same',
    partials: partials.filter(isTensor),
    masks: options.masks === undefined ? [] : args.map((_, i) => options.masks!.includes(i)).filter(isTensor),
  });
}

/** Numbers become runtime parameters of the kernel. */
function applyElementwise(op: ElementwiseOp, operands: readonly Operand[]): Tensor {
  const mask = tensorMask(op, operands);
  if (mask === (1 << op.arity) - 1 && operands.length === op.arity) {
    return op.variant(mask).apply(operands as readonly Tensor[], NO_NUMBERS);
  }
  return op.variant(mask).apply(tensorsOf(op, operands), numbersOf(op, operands));
}

function applyElementwiseInPlace(op: ElementwiseOp, operands: readonly Operand[]): Tensor {
  const mask = tensorMask(op, operands);
  const tensors = tensorsOf(op, operands);
  return op.variant(mask).applyInPlace(tensors[0]!, tensors, numbersOf(op, operands));
}

/** Which operands are tensors, one bit each. */
function tensorMask(op: ElementwiseOp, operands: readonly Operand[]): number {
  if (operands.length > op.arity) refuseOptions(op.name, operands[op.arity]);
  let mask = 0;
  for (let i = 0; i < op.arity; i++) {
    const operand = operands[i];
    if (operand instanceof Tensor) mask |= 1 << i;
    else if (mustBeTensor(op, i) || (typeof operand !== 'number' && typeof operand !== 'boolean')) {
      throw badOperand(op, i, operand);
    }
  }
  if (mask === 0) throw badOperand(op, 0, operands[0]);
  return mask;
}

function tensorsOf(op: ElementwiseOp, operands: readonly Operand[]): Tensor[] {
  const tensors: Tensor[] = [];
  for (let i = 0; i < op.arity; i++) {
    const operand = operands[i];
    if (operand instanceof Tensor) tensors.push(operand);
  }
  return tensors;
}

function numbersOf(op: ElementwiseOp, operands: readonly Operand[]): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < op.arity; i++) {
    const operand = operands[i];
    if (!(operand instanceof Tensor)) numbers.push(Number(operand));
  }
  return numbers;
}

function mustBeTensor({ options }: ElementwiseOp, position: number): boolean {
  return options.tensorsOnly === true || (options.tensorFirst === true && position === 0);
}

function badOperand(op: ElementwiseOp, position: number, operand: unknown): TapegradError {
  const got = Array.isArray(operand) ? 'an array; wrap it: tensor([…])' : typeof operand === 'object' ? described(operand) : typeof operand;
  return new TapegradError(
    `${op.name}: argument ${position} must be a Tensor` +
      (mustBeTensor(op, position) ? '' : ' or a number (at least one a Tensor)') +
      `, got ${got}`,
    { op: op.name },
  );
}
