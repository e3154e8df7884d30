import { elementwise, requireOptions, ValueError, type Binary, type Tensor, type Ternary, warnOnce } from '@tapegrad/core';
import { comesFrom, reduced, requireEqual, type LossOptions } from './reduction.ts';

const TINY = 1e-12;

const entropy: Binary = elementwise(
  'binary_cross_entropy',
  (x, target) => {
    const yes = x.log().max(-100);
    const no = x.neg().log1p().max(-100);
    return target.sub(1).mul(no).sub(target.mul(yes));
  },
  { partials: ([x, target]) => [x!.sub(target!).div(x!.neg().add(1).mul(x!).max(TINY)), null] },
);

const logitEntropy: Binary = elementwise(
  'binary_cross_entropy_with_logits',
  (x, target) => x.abs().neg().exp().log1p().sub(x.min(0)).add(x.sub(x.mul(target))),
  { partials: ([x, target]) => [x!.sigmoid().sub(target!), x!.neg()] },
);

const weightedLogitEntropy: Ternary = elementwise(
  'binary_cross_entropy_with_logits',
  (x, target, positive) => {
    const weight = positive.sub(1).mul(target).add(1);
    const softplus = x.abs().neg().exp().log1p().sub(x.min(0));
    return target.neg().add(1).mul(x).add(weight.mul(softplus));
  },
  {
    partials: ([x, target, positive]) => {
      const weight = positive!.sub(1).mul(target!).add(1);
      return [target!.neg().add(1).sub(weight.mul(x!.neg().sigmoid())), null, null];
    },
  },
);

/** Options of `binaryCrossEntropy`. */
export interface BinaryOptions extends LossOptions {
  /** Factor per element; broadcasts. */
  weight?: Tensor | null | undefined;
}

/**
 * −[t log x + (1 − t) log(1 − x)] for probabilities x; both logarithms are at least −100.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @numerics use `binaryCrossEntropyWithLogits` on what would go into the sigmoid
 * @throws ShapeError when the shapes differ
 * @throws ValueError when an element of x is not between 0 and 1
 * @source torch.nn.functional.binary_cross_entropy
 */
export function binaryCrossEntropy(x: Tensor, target: Tensor, options: BinaryOptions = {}): Tensor {
  const op = 'binaryCrossEntropy';
  requireOptions(op, options, ['weight', 'reduction']);
  const { weight, reduction } = options;
  requireEqual(op, x, target);
  x.detach()
    .toTypedArray()
    .forEach((value, i) => {
      if (value >= 0 && value <= 1) return;
      throw new ValueError(
        `${op}: all elements of the input should be between 0 and 1, but element ${i} is ${value}. ` +
          `Put a sigmoid before the loss, or use ${op}WithLogits without one`,
        { op },
      );
    });
  return reduced(op, weighted(entropy(x, target), weight), reduction);
}

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryLogitsOptions extends BinaryOptions {
  /** Factor of the positive examples, per class; broadcasts. */
  posWeight?: Tensor | null | undefined;
}

/**
 * Binary cross-entropy of sigmoid(x), in a form that does not overflow.
 * @shape any, the same -> [] (or the same, for reduction 'none')
 * @derivative sigmoid(x) − t
 * @throws ShapeError when the shapes differ
 * @source torch.nn.functional.binary_cross_entropy_with_logits
 */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  target: Tensor,
  options: BinaryLogitsOptions = {},
): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  requireOptions(op, options, ['weight', 'posWeight', 'reduction']);
  requireEqual(op, x, target);
  if (comesFrom(x, 'sigmoid')) {
    warnOnce(
      `${op} of probabilities`,
      `${op}: the input is what a sigmoid gave, and this loss takes another sigmoid of it. Leave it out of the model, or use binaryCrossEntropy.`,
    );
  }
  const { weight, posWeight, reduction } = options;
  const losses = posWeight == null ? logitEntropy(x, target) : weightedLogitEntropy(x, target, posWeight);
  return reduced(op, weighted(losses, weight), reduction);
}

function weighted(losses: Tensor, weight: Tensor | null | undefined): Tensor {
  return weight == null ? losses : losses.mul(weight);
}
