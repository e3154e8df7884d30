import { checkIndex } from '../define/bounds.ts';
import { rowProgram } from '../define/row-program.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { normalizeDim, reducedShape, sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const labelLoss = rowProgram('label_cross_entropy', ['element', 'row!'], (row, x, label) => {
  const centred = x.sub(row.max(x));
  const total = row.sum(centred.exp());
  const picked = row.sum(row.column.eq(label).where(centred, 0));
  return { outputs: [{ sort: 'row', value: total.log().sub(picked) }] };
});

/**
 * Minus the log-probability of the right class among scores along a dimension, one per row.
 * @shape scores [N, C, *] with the classes at `dim`, labels [N, *] -> [N, *]
 * @derivative g (softmax(x) − onehot)
 * @numerics the largest score is taken off first, so that none overflows
 * @throws ShapeError when the labels do not have the shape of the scores without `dim`
 * @throws DTypeError for scores of integers and for labels that are not
 * @throws IndexError when a label is not a class
 */
export function labelCrossEntropy(x: Tensor, labels: Tensor, dim: number): Tensor {
  const op = 'labelCrossEntropy';
  const d = normalizeDim(op, dim, x.ndim);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: the scores must be floating-point, got ${x.dtype}; use x.to('float32')`, { op, dtypes: [x.dtype] });
  }
  if (x.ndim === 0 || !sameShape(labels.shape, reducedShape(x.shape, [d], false))) {
    throw new ShapeError(
      `${op}: the scores are ${shapeString(x.shape)} with classes at dim ${d}, so the labels must be ` +
        `${shapeString(reducedShape(x.shape, [d], false))}, got ${shapeString(labels.shape)}`,
      { op, argument: 'labels', shapes: [x.shape, labels.shape] },
    );
  }
  const index = checkIndex(op, labels, x.shape[d]!, d, 'labels');
  return labelLoss.apply([x, index.unsqueeze(d)], x.shape, d)[0]!.squeeze(d);
}
