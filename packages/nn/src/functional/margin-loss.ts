import {
  type Binary, elementwise, type Elementwise, IndexError, logsigmoid, oneHot, requireOptions, ShapeError, tensor,
  type Tensor, ValueError,
} from '@tapegrad/core';
import { reduced, requireEqual, type LossOptions } from './reduction.ts';

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  /** How far apart things are to be. */
  margin?: number | undefined;
}

const hinge: Elementwise<(x: Tensor, target: Tensor, margin: number) => Tensor> = elementwise(
  'hinge_embedding_loss',
  (x, target, margin) => {
    const room = margin.sub(x);
    return target.eq(1).where(0, room.lt(0).where(0, room)).add(target.eq(-1).where(0, x));
  },
);

/**
 * A distance x where the target is 1, and what it lacks of the margin (default 1) where it is −1.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @throws ValueError for an unknown reduction
 * @source torch.nn.functional.hinge_embedding_loss
 */
export function hingeEmbeddingLoss(x: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  requireOptions('hingeEmbeddingLoss', options, ['margin', 'reduction']);
  return reduced('hingeEmbeddingLoss', hinge(x, target, options.margin ?? 1), options.reduction);
}

type Ranking = Elementwise<(x1: Tensor, x2: Tensor, target: Tensor, margin: number) => Tensor>;

const ranking: Ranking = elementwise('margin_ranking_loss', (x1, x2, target, margin) => {
  const lack = margin.sub(target.mul(x1.sub(x2)));
  return lack.lt(0).where(0, lack);
});

/**
 * max(0, −t (x1 − x2) + margin): with a target of 1 the first is to be larger, with −1 the second. The margin
 * is 0 unless given.
 * @shape any, the same, the same -> [] (or the same, for reduction 'none')
 * @throws ShapeError when the numbers of dimensions differ
 * @source torch.nn.functional.margin_ranking_loss
 */
export function marginRankingLoss(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const op = 'marginRankingLoss';
  requireOptions(op, options, ['margin', 'reduction']);
  if (x1.ndim !== x2.ndim || x1.ndim !== target.ndim) {
    const shapes = [x1.shape, x2.shape, target.shape];
    throw new ShapeError(
      `${op}: all tensors must have as many dimensions, got ${shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')}`,
      { op, shapes },
    );
  }
  return reduced(op, ranking(x1, x2, target, options.margin ?? 0), options.reduction);
}

const softMargin: Binary = elementwise(
  'soft_margin_loss',
  (x, target) => {
    const exponent = target.mul(x).neg();
    return exponent.max(0).add(exponent.abs().neg().exp().log1p());
  },
  { partials: ([x, target]) => [target!.neg().mul(target!.mul(x!).neg().sigmoid()), null] },
);

/**
 * log(1 + e^(−t x)) for targets of 1 and −1.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @throws ShapeError when the shapes differ
 * @source torch.nn.functional.soft_margin_loss
 */
export function softMarginLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireOptions('softMarginLoss', options, ['reduction']);
  requireEqual('softMarginLoss', x, target);
  return reduced('softMarginLoss', softMargin(x, target), options.reduction);
}

/** Options of `multilabelSoftMarginLoss`. */
export interface MultilabelSoftOptions extends LossOptions {
  /** Factor per class. @shape [C] */
  weight?: Tensor | null | undefined;
}

/**
 * The mean over the classes of the binary cross-entropy of sigmoid(x).
 * @shape [..., C], the same -> [] (or [...], for reduction 'none')
 * @throws ShapeError when the shapes differ
 * @source torch.nn.functional.multilabel_soft_margin_loss
 */
export function multilabelSoftMarginLoss(
  x: Tensor,
  target: Tensor,
  options: MultilabelSoftOptions = {},
): Tensor {
  const op = 'multilabelSoftMarginLoss';
  requireOptions(op, options, ['weight', 'reduction']);
  requireEqual(op, x, target);
  const { weight, reduction } = options;
  const losses = target
    .mul(logsigmoid(x))
    .add(target.rsub(1).mul(logsigmoid(x.neg())))
    .neg();
  const weighted = weight == null ? losses : losses.mul(weight);
  return reduced(op, x.ndim === 0 ? weighted : weighted.mean(-1), reduction);
}

/** Options of `multiMarginLoss`. */
export interface MultiMarginOptions extends MarginOptions {
  /** Power of what lacks, 1 (default) or 2. */
  p?: number | undefined;
  /** Factor per class. @shape [C] */
  weight?: Tensor | null | undefined;
}

type Lack = Elementwise<(x: Tensor, right: Tensor, isRight: Tensor, margin: number) => Tensor>;

const lack: Lack = elementwise(
  'multi_margin_loss',
  (x, right, isRight, margin) => {
    const value = margin.sub(right).add(x);
    return isRight.where(0, value.gt(0).where(value, 0));
  },
  { masks: [2] },
);

/**
 * By how much the score of the right class does not exceed each other one by the margin (default 1): the sum
 * over the classes, divided by their number.
 * @shape scores [N, C] or [C], labels [N] or [] -> [] (or like the labels, for reduction 'none')
 * @derivative 0 where the margin is just met
 * @throws ShapeError when scores, labels or weight do not fit; IndexError when a label is not a class
 * @throws ValueError when p is neither 1 nor 2
 * @source torch.nn.functional.multi_margin_loss
 */
export function multiMarginLoss(x: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const op = 'multiMarginLoss';
  requireOptions(op, options, ['p', 'margin', 'weight', 'reduction']);
  const { p = 1, margin = 1, weight, reduction } = options;
  if (p !== 1 && p !== 2) throw new ValueError(`${op}: p must be 1 or 2, got ${p}`, { op, argument: 'p' });
  const scores = x.ndim < 2 ? x.reshape([1, x.numel()]) : x;
  const [rows, classes] = scores.shape as [number, number];
  if (scores.ndim !== 2 || classes === 0 || target.ndim > 1 || target.numel() !== rows) {
    throw new ShapeError(
      `${op}: the input is [${x.shape.join(', ')}] and the target [${target.shape.join(', ')}]; expected scores ` +
        '[N, C] or [C] and as many labels',
      { op, shapes: [x.shape, target.shape] },
    );
  }
  if (weight != null && (weight.ndim !== 1 || weight.shape[0] !== classes)) {
    throw new ShapeError(`${op}: the weight must be [${classes}], got [${weight.shape.join(', ')}]`, {
      op,
      argument: 'weight',
      shapes: [weight.shape],
    });
  }
  const labels = target.reshape([rows, 1]);
  const right = scores.gather(1, labels);
  const isRight = oneHot(labels.to('int32'), classes).reshape([rows, classes]).to('bool');
  const lacking = lack(scores, right, isRight, margin);
  const losses = (p === 1 ? lacking : lacking.square()).sum(1).div(classes);
  const weighted = weight == null ? losses : losses.mul(weight.indexSelect(0, labels.flatten()));
  return reduced(op, weighted.reshape(target.shape), reduction);
}

/** For each row of targets, which classes are named before the first −1: as a list, and as marks. */
function namedClasses(op: string, target: Tensor, rows: number, classes: number) {
  const labels = target.toTypedArray();
  const listed = new Int32Array(rows * classes);
  const isListed = new Uint8Array(rows * classes);
  const isTarget = new Uint8Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (let at = row * classes; at < (row + 1) * classes; at++) {
      const label = labels[at]!;
      if (label === -1) break;
      if (!(label >= 0 && label < classes)) {
        throw new IndexError(
          `${op}: class label ${label} in row ${row} is out of range: labels go from 0 to ${classes - 1}, and −1 ends them`,
          { op, argument: 'target' },
        );
      }
      listed[at] = label;
      isListed[at] = 1;
      isTarget[row * classes + label] = 1;
    }
  }
  const marks = (values: Uint8Array): Tensor => tensor(values, { dtype: 'bool' }).reshape([rows, classes]);
  return {
    listed: tensor(listed, { dtype: 'int32' }).reshape([rows, classes]),
    isListed: marks(isListed),
    isTarget: marks(isTarget),
  };
}

type PairLack = Elementwise<(x: Tensor, named: Tensor, counts: Tensor) => Tensor>;

const pairLack: PairLack = elementwise(
  'multilabel_margin_loss',
  (x, named, counts) => {
    const value = named.neg().add(1).add(x);
    return counts.where(value.gt(0).where(value, 0), 0);
  },
  { masks: [2] },
);

/**
 * By how much the score of each named class does not exceed that of each other class by 1: the sum over the
 * pairs, divided by the number of classes.
 * @param target labels of the classes, of which those before the first −1 count
 * @shape [N, C] or [C], the same -> [] (or [N], for reduction 'none')
 * @throws ShapeError when the shapes differ; IndexError when a label is not a class
 * @source torch.nn.functional.multilabel_margin_loss
 */
export function multilabelMarginLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const op = 'multilabelMarginLoss';
  requireOptions(op, options, ['reduction']);
  requireEqual(op, x, target);
  const scores = x.ndim < 2 ? x.reshape([1, x.numel()]) : x;
  if (scores.ndim !== 2 || scores.shape[1] === 0) {
    throw new ShapeError(`${op}: expected scores [N, C] or [C], got [${x.shape.join(', ')}]`, {
      op,
      shapes: [x.shape],
    });
  }
  const [rows, classes] = scores.shape as [number, number];
  const { listed, isListed, isTarget } = namedClasses(op, target, rows, classes);
  const counts = isListed.unsqueeze(2).logicalAnd(isTarget.logicalNot().unsqueeze(1));
  const pairs = pairLack(scores.unsqueeze(1), scores.gather(1, listed).unsqueeze(2), counts);
  const losses = pairs.sum([1, 2]).div(classes);
  return reduced(op, x.ndim < 2 ? losses.reshape([]) : losses, options.reduction);
}
