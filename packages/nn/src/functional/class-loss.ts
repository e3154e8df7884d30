import {
  DTypeError, IndexError, labelCrossEntropy, noGrad, requireOptions, scope, ShapeError, Tensor, ValueError, warnOnce,
} from '@tapegrad/core';
import { checkReduction, comesFrom, reduced, type LossOptions } from './reduction.ts';

/** Options of `nllLoss`. */
export interface NLLOptions extends LossOptions {
  /** Factor per class. @shape [C] */
  weight?: Tensor | null | undefined;
  /** Label of elements that do not count; default −100. */
  ignoreIndex?: number | undefined;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NLLOptions {
  /** Share of the target that is spread evenly over all classes, 0 to 1; default 0. */
  labelSmoothing?: number | undefined;
}

/** Labels that were checked, with those to ignore replaced by class 0. */
interface Labels {
  readonly index: Tensor;
  /** Where a label is to be ignored; null if nowhere. */
  readonly ignored: Tensor | null;
  /** How many labels count. */
  readonly count: number;
}

/**
 * Minus the log-probability of the right class.
 * @shape log-probabilities [N, C, …] or [C], class labels [N, …] or [] -> [] (or like the labels, for
 * reduction 'none')
 * @throws ShapeError, DTypeError when input and target do not fit
 * @throws IndexError when a label is not a class
 * @numerics the mean divides by the sum of the weights of the labels that count; NaN if there are none
 * @source torch.nn.functional.nll_loss
 */
export function nllLoss(x: Tensor, target: Tensor, options: NLLOptions = {}): Tensor {
  requireOptions('nllLoss', options, ['weight', 'ignoreIndex', 'reduction']);
  if (comesFrom(x, 'softmax')) {
    warnOnce(
      'nllLoss of probabilities',
      'nllLoss: the input is what softmax gave, and this loss takes logarithms of probabilities. Use logSoftmax, or crossEntropy without either.',
    );
  }
  return pickLosses('nllLoss', x, target, options);
}

/**
 * Cross-entropy between softmax(x) and a target, which is a class label per row or, with the shape of x,
 * probabilities.
 * @shape scores [N, C, …] or [C], labels [N, …] or [], or probabilities like the scores -> []
 * @derivative (softmax(x) − onehot)/N
 * @numerics computed from `logSoftmax`, so that no score overflows; x must be scores, not probabilities
 * @throws ShapeError, DTypeError when input and target do not fit
 * @throws IndexError when a label is not a class
 * @example
 * const scores = tg.tensor([[2, 0, 0], [0, 0, 2]]);
 * console.log(F.crossEntropy(scores, tg.tensor([0, 1], { dtype: 'int32' })).item().toFixed(4)); // → 1.2395
 * @source torch.nn.functional.cross_entropy
 */
export function crossEntropy(x: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const op = 'crossEntropy';
  requireOptions(op, options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']);
  const { labelSmoothing = 0, reduction = 'mean' } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(`${op}: labelSmoothing must be between 0 and 1, got ${labelSmoothing}`, { op });
  }
  checkReduction(op, reduction);
  checkInput(op, x, options.weight);
  if (comesFrom(x, 'softmax') || (looks < MOST_LOOKS && areProbabilities(x))) warnProbabilities(op);
  if (x.ndim === target.ndim && x.shape.every((size, d) => size === target.shape[d])) {
    return probabilityLoss(op, x, target, options);
  }
  const dim = classDim(x);
  if (labelSmoothing === 0) {
    return labelLosses(op, x, target, options, (index) => labelCrossEntropy(x, index, dim));
  }
  const logProbs = x.logSoftmax(dim);
  const classes = x.shape[dim]!;
  const picked = pickLosses(op, logProbs, target, options).mul(1 - labelSmoothing);
  return picked.add(spreadLosses(op, logProbs, target, options).mul(labelSmoothing / classes));
}

/** How many calls have their values looked at: a model that gives probabilities does so from the first batch on. */
const MOST_LOOKS = 2;
let looks = 0;

/** Whether no score is negative, and over the classes they sum to 1. */
function areProbabilities(x: Tensor): boolean {
  looks++;
  const dim = classDim(x);
  if (x.shape[dim]! < 2 || x.numel() === 0) return false;
  return noGrad(() => scope(() => x.min().item() >= 0 && x.sum(dim).sub(1).abs().max().item() < 1e-4));
}

function warnProbabilities(op: string): void {
  warnOnce(
    `${op} of probabilities`,
    `${op}: the scores are probabilities: they come from softmax, or each row sums to 1. Softmax is part of this loss; leave it out of the ` +
      'model, or use nllLoss(x.log(), target).',
  );
}

/** The dimension of the classes. */
function classDim(x: Tensor): number {
  return x.ndim === 1 ? 0 : 1;
}

function probabilityLoss(op: string, x: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  const { labelSmoothing = 0, reduction = 'mean', weight, ignoreIndex = -100 } = options;
  if (!target.isFloatingPoint()) {
    throw new DTypeError(
      `${op}: the target has the shape of the input, so it holds class probabilities, but its dtype is ` +
        `${target.dtype}; convert them: target.to('float32')`,
      { op, argument: 'target', dtypes: [target.dtype] },
    );
  }
  if (ignoreIndex >= 0)
    throw new ValueError(`${op}: ignoreIndex is for class labels, not for probabilities`, { op });
  const dim = classDim(x);
  const classes = x.shape[dim]!;
  const smooth = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const terms = perClass(x.logSoftmax(dim).mul(smooth), weight, dim);
  if (reduction === 'mean') return terms.sum().div(-(x.numel() / classes));
  return reduced(op, terms.sum(dim).neg(), reduction);
}

/** −Σ over classes of w · log p: what label smoothing mixes in. */
function spreadLosses(op: string, logProbs: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  const { weight, reduction = 'mean' } = options;
  const dim = classDim(logProbs);
  const { index, ignored, count } = checkLabels(op, logProbs, target, options);
  const losses = without(perClass(logProbs, weight, dim).sum(dim).neg(), ignored);
  if (reduction !== 'mean') return reduced(op, losses, reduction);
  return losses.sum().div(weight == null ? count : labelWeights(weight, index, ignored).sum());
}

function pickLosses(op: string, logProbs: Tensor, target: Tensor, options: NLLOptions): Tensor {
  checkReduction(op, options.reduction ?? 'mean');
  checkInput(op, logProbs, options.weight);
  const dim = classDim(logProbs);
  return labelLosses(op, logProbs, target, options, (index) => {
    return logProbs.gather(dim, index.unsqueeze(dim)).squeeze(dim).neg();
  });
}

/** The losses that `lossesOf` gives for labels, weighted by class and reduced. */
function labelLosses(
  op: string,
  x: Tensor,
  target: Tensor,
  options: NLLOptions,
  lossesOf: (index: Tensor) => Tensor,
): Tensor {
  const { weight, reduction = 'mean' } = options;
  const { index, ignored, count } = checkLabels(op, x, target, options);
  const losses = without(lossesOf(index), ignored);
  if (weight == null) return reduction === 'mean' ? losses.sum().div(count) : reduced(op, losses, reduction);
  const weights = labelWeights(weight, index, ignored);
  const weighted = losses.mul(weights);
  return reduction === 'mean' ? weighted.sum().div(weights.sum()) : reduced(op, weighted, reduction);
}

function without(losses: Tensor, ignored: Tensor | null): Tensor {
  return ignored === null ? losses : losses.maskedFill(ignored, 0);
}

function perClass(x: Tensor, weight: Tensor | null | undefined, dim: number): Tensor {
  if (weight == null) return x;
  return x.mul(weight.reshape(x.shape.map((_, d) => (d === dim ? -1 : 1))));
}

function labelWeights(weight: Tensor, index: Tensor, ignored: Tensor | null): Tensor {
  return without(weight.indexSelect(0, index.flatten()).reshape(index.shape), ignored);
}

function checkInput(op: string, x: Tensor, weight: Tensor | null | undefined): void {
  if (x.ndim === 0)
    throw new ShapeError(`${op}: the input needs a dimension of classes: [N, C, …] or [C]`, { op });
  const classes = x.shape[classDim(x)]!;
  if (weight != null && (weight.ndim !== 1 || weight.shape[0] !== classes)) {
    throw new ShapeError(
      `${op}: the weight must have one element for each of the ${classes} classes, got ` +
        `[${weight.shape.join(', ')}]`,
      { op, argument: 'weight', shapes: [weight.shape] },
    );
  }
}

function checkLabels(op: string, x: Tensor, target: Tensor, { ignoreIndex = -100 }: NLLOptions): Labels {
  if (!(target instanceof Tensor)) {
    throw new DTypeError(`${op}: the target must be a Tensor, such as tensor([0, 1], { dtype: 'int32' })`, { op, argument: 'target' });
  }
  const dim = classDim(x);
  const expected = x.shape.filter((_, d) => d !== dim);
  if (target.ndim !== expected.length || expected.some((size, d) => size !== target.shape[d])) {
    throw new ShapeError(
      `${op}: the input is [${x.shape.join(', ')}], so class labels must have the shape ` +
        `[${expected.join(', ')}]${op === 'crossEntropy' ? ' and probabilities that of the input' : ''}, but the target is ` +
        `[${target.shape.join(', ')}]`,
      { op, argument: 'target', shapes: [x.shape, target.shape] },
    );
  }
  if (target.isFloatingPoint() || target.dtype === 'bool') {
    throw new DTypeError(
      `${op}: class labels must be integers, got ${target.dtype}; convert them: target.to('int32')`,
      {
        op,
        argument: 'target',
        dtypes: [target.dtype],
      },
    );
  }
  const labels = target.toTypedArray();
  const classes = x.shape[dim]!;
  let count = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === ignoreIndex) continue;
    if (label < 0 || label >= classes) throw outOfRange(op, target, i, label, classes);
    count++;
  }
  const index = target.to('int32');
  if (count === labels.length) return { index, ignored: null, count };
  const ignored = index.eq(ignoreIndex);
  return { index: index.maskedFill(ignored, 0), ignored, count };
}

function outOfRange(op: string, { shape }: Tensor, i: number, label: number, classes: number): IndexError {
  let rest = i;
  const place = shape.map((_, d) => {
    const step = shape.slice(d + 1).reduce((product, size) => product * size, 1);
    const at = Math.floor(rest / step);
    rest -= at * step;
    return at;
  });
  const row = shape.length === 0 ? 'the target' : `target[${place.join(', ')}]`;
  return new IndexError(
    `${op}: class label ${label} at ${row} is out of range: the input has ${classes} classes, so labels go ` +
      `from 0 to ${classes - 1}${label === classes ? '. Do the labels start at 1? Then subtract 1' : ''}`,
    { op, argument: 'target' },
  );
}
