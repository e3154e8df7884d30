import { kernels } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { input, param, type Expr } from '../expr/index.ts';
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

/** Overwrites the targets, element by element, and records nothing. */
export type Update = (targets: readonly Tensor[], inputs: readonly Tensor[], params: readonly number[]) => void;

/**
 * Declares how several tensors of one shape are overwritten together, element by element, as an optimizer does with
 * its state and a parameter. `build` gets expressions for the targets, the inputs and the numbers, and returns the new
 * value of each target in order. A value sees the new values of the targets before it and the old ones of itself and
 * those after it.
 */
export function defineUpdate(
  signature: UpdateSignature,
  build: (targets: Expr[], inputs: Expr[], params: Expr[]) => Expr[],
): Update {
  const leaves = (count: number, leaf: (i: number) => Expr): Expr[] => Array.from({ length: count }, (_, i) => leaf(i));
  const values = build(
    leaves(signature.targets, input),
    leaves(signature.inputs, (i) => input(signature.targets + i)),
    leaves(signature.params, param),
  );
  return (targets, inputs, params) => {
    const all = [...targets, ...inputs];
    const { shape, dtype } = targets[0]!;
    for (const x of all) {
      if (!sameShape(x.shape, shape) || x.dtype !== dtype) {
        throw new ShapeError(
          `update: all tensors must have one shape and dtype, got ${shapeString(shape)} ${dtype} and ` +
            `${shapeString(x.shape)} ${x.dtype}`,
          { shapes: [shape, x.shape], dtypes: [dtype, x.dtype] },
        );
      }
    }
    values.forEach((value, i) => {
      kernels('update').elementwise(value, targets[i]!, all, params, dtype);
      targets[i]!.storage.version++;
    });
  };
}
