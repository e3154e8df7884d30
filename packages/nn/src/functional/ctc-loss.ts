import {
  cat,
  DTypeError,
  elementwise,
  IndexError,
  requireOptions,
  ShapeError,
  tensor,
  ValueError,
  type Elementwise,
  type Tensor,
} from '@tapegrad/core';
import { checkReduction, type LossOptions } from './reduction.ts';

/** Options of `ctcLoss`. */
export interface CTCOptions extends LossOptions {
  /** The class that stands for no label; default 0. */
  blank?: number | undefined;
  /** Give 0, and no gradient, where a target cannot be aligned with its input; default false. */
  zeroInfinity?: boolean | undefined;
}

/** Lengths as numbers, or as a tensor of integers. */
export type Lengths = readonly number[] | Tensor;

type Step = Elementwise<
  (stay: Tensor, next: Tensor, skip: Tensor, emit: Tensor, maySkip: Tensor, isActive: Tensor) => Tensor
>;

/**
 * One step of all paths: the log-probability of being in each state, from that of the state itself, the one
 * before it,
 * and, past a blank, the one before that. Where the input has ended, the states stay as they are.
 */
const advance: Step = elementwise(
  'ctc_step',
  (stay, next, skip, emit, maySkip, isActive) => {
    const third = maySkip.where(skip, -Infinity);
    const largest = stay.max(next).max(third);
    const level = largest.eq(-Infinity).where(0, largest);
    const total = stay.sub(level).exp().add(next.sub(level).exp()).add(third.sub(level).exp());
    return isActive.where(total.log().add(level).add(emit), stay);
  },
  {
    masks: [4, 5],
    partials: ([stay, next, skip, emit, maySkip, isActive], y) => {
      // Each predecessor's share of the probability, without that of what is emitted.
      const isReached = isActive!.and(y.ne(-Infinity));
      const total = isReached.where(y.sub(emit!), 0);
      const share = (from: typeof y): typeof y => isReached.where(from.sub(total).exp(), 0);
      return [
        isActive!.where(share(stay!), 1),
        share(next!),
        maySkip!.where(share(skip!), 0),
        isReached.where(1, 0),
        null,
        null,
      ];
    },
  },
);

type LogAdd = Elementwise<(a: Tensor, b: Tensor) => Tensor>;

const logAdd: LogAdd = elementwise(
  'ctc_end',
  (a, b) => {
    const largest = a.max(b);
    const level = largest.eq(-Infinity).where(0, largest);
    return a.sub(level).exp().add(b.sub(level).exp()).log().add(level);
  },
  {
    partials: ([a, b], y) => {
      const total = y.eq(-Infinity).where(0, y);
      return [a, b].map((from) => y.eq(-Infinity).where(0, from!.sub(total).exp()));
    },
  },
);

const OP = 'ctcLoss';

function numbersOf(lengths: Lengths, name: string, batch: number, most: number): number[] {
  if (
    !Array.isArray(lengths) &&
    ((lengths as Tensor).isFloatingPoint() || (lengths as Tensor).dtype === 'bool')
  ) {
    throw new DTypeError(`${OP}: ${name} must be integers, got ${(lengths as Tensor).dtype}`, {
      op: OP,
      argument: name,
    });
  }
  const list = Array.isArray(lengths)
    ? [...(lengths as readonly number[])]
    : [...(lengths as Tensor).toTypedArray()];
  if (list.length !== batch || list.some((n) => !(n >= 0 && n <= most))) {
    throw new ValueError(
      `${OP}: ${name} must be ${batch} numbers from 0 to ${most}, got [${list.join(', ')}]`,
      { op: OP, argument: name },
    );
  }
  return list;
}

/** The labels of each sequence, from a row each or all in one row. */
function labelsOf(targets: Tensor, lengths: readonly number[], classes: number, blank: number): number[][] {
  const values = targets.toTypedArray();
  const isMatrix = targets.ndim === 2;
  const total = lengths.reduce((sum, n) => sum + n, 0);
  if (isMatrix ? targets.shape[0] !== lengths.length : targets.ndim !== 1 || values.length !== total) {
    throw new ShapeError(
      `${OP}: the targets are [${targets.shape.join(', ')}]; expected [${lengths.length}, S], or all ${total} labels in one row`,
      { op: OP, argument: 'targets', shapes: [targets.shape] },
    );
  }
  let start = 0;
  return lengths.map((length, row) => {
    const from = isMatrix ? row * targets.shape[1]! : start;
    start += length;
    const labels = [...values.subarray(from, from + length)];
    const wrong = labels.find((label) => label < 0 || label >= classes || label === blank);
    if (wrong !== undefined) {
      throw new IndexError(
        `${OP}: label ${wrong} of sequence ${row} must be one of the ${classes} classes, and not the blank ${blank}`,
        {
          op: OP,
          argument: 'targets',
        },
      );
    }
    return labels;
  });
}

/**
 * The states that paths go through: blank, label, blank, label, …, blank, as class and with what may be
 * skipped.
 */
function statesOf(
  labels: readonly number[][],
  blank: number,
): { classes: Tensor; maySkip: Tensor; count: number } {
  const count = 2 * Math.max(0, ...labels.map((row) => row.length)) + 1;
  const classes = new Int32Array(labels.length * count).fill(blank);
  const maySkip = new Uint8Array(labels.length * count);
  labels.forEach((row, n) =>
    row.forEach((label, i) => {
      classes[n * count + 2 * i + 1] = label;
      maySkip[n * count + 2 * i + 1] = Number(i === 0 || label !== row[i - 1]);
    }),
  );
  const shape = [labels.length, count];
  return {
    classes: tensor(classes, { dtype: 'int32' }).reshape(shape),
    maySkip: tensor(maySkip, { dtype: 'bool' }).reshape(shape),
    count,
  };
}

/**
 * Minus the log-probability that an input spells its target: the sum over all ways to stretch the target to
 * the
 * input's length by repeating labels and putting blanks between them.
 * @param logProbs as `logSoftmax` gives them: the gradient is that with regard to what went into it
 * @param inputLengths how many steps of each input count
 * @param targetLengths how many labels of each target count
 * @shape [T, N, C] or [T, C]; targets [N, S], [S] or all labels in one row -> [] (or [N], for reduction
 * 'none')
 * @numerics 'mean' divides each loss by the target's length first; a target that does not fit gives Infinity
 * @throws ShapeError, ValueError, IndexError when lengths or labels do not fit
 * @source torch.nn.functional.ctc_loss (Graves et al. 2006)
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CTCOptions = {},
): Tensor {
  requireOptions(OP, options, ['blank', 'zeroInfinity', 'reduction']);
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options;
  checkReduction(OP, reduction);
  if (logProbs.ndim !== 3 && logProbs.ndim !== 2) {
    throw new ShapeError(
      `${OP}: the log-probabilities must be [T, N, C] or [T, C], got [${logProbs.shape.join(', ')}]`,
      {
        op: OP,
        shapes: [logProbs.shape],
      },
    );
  }
  const x = logProbs.ndim === 2 ? logProbs.unsqueeze(1) : logProbs;
  const [steps, batch, classes] = x.shape as [number, number, number];
  if (!(blank >= 0 && blank < classes)) {
    throw new ValueError(`${OP}: blank must be one of the ${classes} classes, got ${blank}`, {
      op: OP,
      argument: 'blank',
    });
  }
  if (targets.isFloatingPoint() || targets.dtype === 'bool') {
    throw new DTypeError(`${OP}: the targets must be integers, got ${targets.dtype}`, {
      op: OP,
      argument: 'targets',
      dtypes: [targets.dtype],
    });
  }
  const inputs = numbersOf(inputLengths, 'inputLengths', batch, steps);
  const lengths = numbersOf(
    targetLengths,
    'targetLengths',
    batch,
    targets.ndim === 2 ? targets.shape[1]! : targets.numel(),
  );
  const losses = lossesOf(x, labelsOf(targets, lengths, classes, blank), inputs, blank, zeroInfinity);
  const kept = zeroInfinity ? losses.maskedFill(losses.detach().eq(Infinity), 0) : losses;
  if (reduction === 'sum') return kept.sum();
  if (reduction === 'none') return logProbs.ndim === 2 ? kept.squeeze(0) : kept;
  return kept
    .div(
      tensor(
        Float64Array.from(lengths, (n) => Math.max(n, 1)),
        { dtype: x.dtype },
      ),
    )
    .mean();
}

function lossesOf(
  x: Tensor,
  labels: readonly number[][],
  inputs: readonly number[],
  blank: number,
  zeroInfinity: boolean,
): Tensor {
  const [steps, batch] = x.shape as [number, number, number];
  const { classes, maySkip, count } = statesOf(labels, blank);
  const isActive = tensor(
    Uint8Array.from({ length: steps * batch }, (_, i) => Number(Math.floor(i / batch) < inputs[i % batch]!)),
    { dtype: 'bool' },
  ).reshape([steps, batch, 1]);
  const emitted = x.gather(2, classes.unsqueeze(0).expand([steps, batch, count]));
  // Two places in front: all paths start in the second, and are nowhere else.
  const nowhere = x.detach().newZeros([batch, 2]).fill_(-Infinity);
  const start = nowhere.clone();
  start.narrow(1, 1, 1).fill_(0);
  let front = start;
  let states = x.detach().newZeros([batch, count]).fill_(-Infinity);
  for (let t = 0; t < steps; t++) {
    const line = cat([front, states], 1);
    states = advance(
      states,
      line.narrow(1, 1, count),
      line.narrow(1, 0, count),
      emitted.select(0, t),
      maySkip,
      isActive.select(0, t),
    );
    front = nowhere;
  }
  const last = tensor(
    Int32Array.from(labels, (row) => 2 * row.length),
    { dtype: 'int32' },
  ).unsqueeze(1);
  const before = last.sub(1).clamp(0);
  const isEmpty = last.eq(0);
  const end = logAdd(states.gather(1, last), states.gather(1, before).maskedFill(isEmpty, -Infinity)).squeeze(
    1,
  );
  const isNothing = tensor(
    Uint8Array.from(labels, (row, n) => Number(row.length === 0 && inputs[n] === 0)),
    { dtype: 'bool' },
  );
  return projected(x, end.neg().maskedFill(isNothing, 0), isActive, zeroInfinity);
}

/** A term of a loss, without a derivative where the loss is infinite. */
const finiteTerm: Elementwise<(loss: Tensor, term: Tensor) => Tensor> = elementwise('ctc_loss', (_, term) => term, {
  partials: ([loss]) => [null, loss!.eq(Infinity).where(NaN, 1)],
});

/**
 * The losses with the gradient that arises in front of the logSoftmax which made x: a term is added whose
 * value is 0
 * and whose gradient is e^x.
 */
function projected(x: Tensor, losses: Tensor, isActive: Tensor, zeroInfinity: boolean): Tensor {
  const total = x.exp().maskedFill(isActive.logicalNot(), 0).sum([0, 2]);
  const term = zeroInfinity ? total : finiteTerm(losses.detach(), total);
  return losses.add(term.sub(term.detach()));
}
