import type { UpdateComputation } from '../backend/types.ts';
import { kernels } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { input, param, substitute, type Expr } from '../expr/index.ts';
import { sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** How many tensors of each sort an update works on, and how many numbers it takes. */
export interface UpdateSignature {
  /** Tensors that are overwritten. */
  readonly targets: number;
  /** Tensors that are only read. */
  readonly inputs: number;
  readonly params: number;
}

/** The new values of the targets, as expressions. */
export type UpdateFormula = (targets: Expr[], inputs: Expr[], params: Expr[]) => Expr[];

/** Overwrites the targets, element by element, and records nothing. */
export type Update = (targets: readonly Tensor[], inputs: readonly Tensor[], params: readonly number[]) => void;

/**
 * Declares how several tensors of one shape are overwritten together, element by element, as an optimizer does with
 * its state and a parameter. `build` gets expressions for the targets, the inputs and the numbers, and returns the new
 * value of each target in order. A value sees the new values of the targets before it and the old ones of itself and
 * those after it.
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineUpdate(signature: UpdateSignature, build: UpdateFormula): Update {
  let computation: UpdateComputation | undefined;
  return (targets, inputs, params) => {
    const { shape, dtype } = targets[0]!;
    for (const x of [...targets, ...inputs]) {
      if (!sameShape(x.shape, shape) || x.dtype !== dtype) {
        throw new ShapeError(
          `update: all tensors must have one shape and dtype, got ${shapeString(shape)} ${dtype} and ` +
            `${shapeString(x.shape)} ${x.dtype}`,
          { shapes: [shape, x.shape], dtypes: [dtype, x.dtype] },
        );
      }
    }
    kernels('update').update((computation ??= computationOf(signature, build)), targets, inputs, params);
    for (const target of targets) target.storage.version++;
  };
}

/** The new values in terms of the old elements alone, so that one pass writes all targets. */
function computationOf({ targets, inputs, params }: UpdateSignature, build: UpdateFormula): UpdateComputation {
  const leaves = (count: number, leaf: (i: number) => Expr): Expr[] => Array.from({ length: count }, (_, i) => leaf(i));
  const all = leaves(targets + inputs, input);
  const values = build(all.slice(0, targets), all.slice(targets), leaves(params, param));
  values.forEach((value, i) => (all[i] = values[i] = substitute(value, { inputs: all })));
  return { values, paramCount: params, compiled: { kernels: null } };
}
