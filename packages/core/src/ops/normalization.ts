import { elementwise, type Elementwise, type Ternary } from '../define/elementwise.ts';
import { resultType } from '../define/promotion.ts';
import { rowProgram, type RowProgram } from '../define/row-program.ts';
import { custom } from '../define/rules.ts';
import { isFloating } from '../dtype.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, notATensor, type OptionNames } from '../option-names.ts';
import { numel, sameShape, shapeString, type Shape } from '../shape.ts';
import type { Gradient } from '../tape.ts';
import { Tensor } from '../tensor.ts';

interface Attrs {
  readonly dims: readonly number[];
  readonly eps: number;
}

const squaredDistance: Elementwise<(x: Tensor, mean: Tensor) => Tensor> = elementwise('squared_distance', (x, mean) => {
  return x.sub(mean).mul(x.sub(mean));
});
const centredTimes: Ternary = elementwise('normalize', (x, mean, factor) => x.sub(mean).mul(factor));
const centredTimesPlus: Elementwise<(x: Tensor, mean: Tensor, factor: Tensor, shift: Tensor) => Tensor> = elementwise(
  'normalize',
  (x, mean, factor, shift) => x.sub(mean).mul(factor).add(shift),
);
const scaleAndShift: Ternary = elementwise('scale_and_shift', (x, scale, shift) => x.mul(scale).add(shift));
const backwardStep: Elementwise<(g: Tensor, y: Tensor, meanG: Tensor, meanGY: Tensor, inverse: Tensor) => Tensor> = elementwise(
  'normalize_backward',
  (g, y, meanG, meanGY, inverse) => g.sub(meanG).sub(y.mul(meanGY)).mul(inverse),
);

/**
 * (x − mean) / √(variance + eps) over dimensions, with the inverse deviation as a second result that can be
 * differentiated too: so the rule needs nothing but the results, and its own derivative is the same rule again. Mean and
 * biased variance come along for running statistics, which are never differentiated.
 */
const normalized = custom<Attrs>('normalize', {
  results: 4,
  forward: ([input], { dims, eps }) => {
    const x = input!.detach();
    const mean = x.mean(dims, { keepdim: true });
    const variance = squaredDistance(x, mean).mean(dims, { keepdim: true });
    const inverse = variance.add(eps).rsqrt();
    return [centredTimes(x, mean, inverse), inverse, mean, variance];
  },
  savesOutputs: [0, 1],
  vjp(node, [g, h], { dims }, [meta]) {
    const y = node.output(0);
    const inverse = node.output(1);
    let gradient: Gradient = null;
    if (g) {
      const keep = { keepdim: true };
      gradient = backwardStep(g, y, g.mean(dims, keep), g.mul(y).mean(dims, keep), inverse);
    }
    if (h) {
      const count = numel(dims.map((d) => meta!.shape[d]!));
      const part = y.mul(h.mul(inverse.square()).div(-count));
      gradient = gradient === null ? part : gradient.add(part);
    }
    return [gradient];
  },
});

/** Programs that normalise rows, then scale and shift them by a number per column where asked to. */
/* @__NO_SIDE_EFFECTS__ */
function rowNormalization(hasWeight: boolean, hasBias: boolean): RowProgram {
  const vectors = Number(hasWeight) + Number(hasBias);
  return rowProgram('layer_norm', ['element', ...new Array<'column'>(vectors).fill('column')], (row, x, ...parameters) => {
    const total = row.sum(x);
    const centred = x.sub(total.div(row.count));
    // To first order, squares around the mean do not depend on it.
    const variance = row.sum(centred.square(), [total]).div(row.count);
    let value = centred.mul(variance.add(row.param(0)).rsqrt());
    if (hasWeight) value = value.mul(parameters[0]!);
    if (hasBias) value = value.add(parameters[vectors - 1]!);
    return { outputs: [{ sort: 'element', value }] };
  });
}

const rowNormalizations: readonly RowProgram[] = [
  rowNormalization(false, false),
  rowNormalization(true, false),
  rowNormalization(false, true),
  rowNormalization(true, true),
];

/* @__NO_SIDE_EFFECTS__ */
function rootMeanSquare(hasWeight: boolean): RowProgram {
  return rowProgram('rms_norm', hasWeight ? ['element', 'column'] : ['element'], (row, x, weight) => {
    const scaled = x.mul(row.sum(x.square()).div(row.count).add(row.param(0)).rsqrt());
    return { outputs: [{ sort: 'element', value: weight === undefined ? scaled : scaled.mul(weight) }] };
  });
}

const rowScalings: readonly RowProgram[] = [rootMeanSquare(false), rootMeanSquare(true)];

/** Rows along the last dimension with mean 0 and variance 1, times weight, plus bias. */
function normalizedRows(x: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number): Tensor {
  const program = rowNormalizations[Number(weight !== null) + 2 * Number(bias !== null)]!;
  return alongRows(program, [x, weight, bias], eps);
}

function alongRows(program: RowProgram, given: readonly (Tensor | null)[], eps: number): Tensor {
  const operands = given.filter((operand) => operand !== null);
  const [x] = operands as [Tensor];
  const dtype = resultType(operands, []);
  if (!isFloating(dtype)) {
    throw new DTypeError(`normalization: the input must be floating-point, got ${dtype}; use x.to('float32')`, { dtypes: [dtype] });
  }
  return program.apply(operands.map((operand) => operand.to(dtype)), x.shape, x.ndim - 1, [eps])[0]!;
}

/** A vector with one number per channel, laid along dimension 1. */
function perChannel(vector: Tensor, rank: number): Tensor {
  return vector.reshape([vector.numel(), ...new Array<number>(rank - 2).fill(1)]);
}

function checkVector(op: string, name: string, vector: Tensor | null | undefined, size: number): void {
  if (vector === null || vector === undefined || (vector.ndim === 1 && vector.shape[0] === size)) return;
  if (!(vector instanceof Tensor)) throw notATensor(op, name, vector);
  throw new ShapeError(`${op}: ${name} must be [${size}], one number per channel, got ${shapeString(vector.shape)}`, {
    op,
    argument: name,
    shapes: [vector.shape],
  });
}

/** x · weight + bias, with what is not given left out. */
function affine(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined): Tensor {
  if (weight && bias) return scaleAndShift(x, weight, bias);
  if (weight) return x.mul(weight);
  return bias ? x.add(bias) : x;
}

/** Options of `batchNorm` and `instanceNorm`. */
export interface BatchNormOptions {
  /** Normalise by the batch's own statistics and update the running ones; default false. */
  training?: boolean | undefined;
  /** Share of the batch in the new running statistics; default 0.1. */
  momentum?: number | undefined;
  /** Added to the variance; default 1e-5. */
  eps?: number | undefined;
}

const epsName: { readonly eps: 1 } = { eps: 1 };

const batchNormNames: OptionNames<BatchNormOptions> = { training: 1, momentum: 1, eps: 1 };

function blend(running: Tensor | null | undefined, fresh: Tensor, momentum: number): void {
  running?.detach().mul_(1 - momentum).add_(fresh.detach().reshape(running.shape).to(running.dtype), { alpha: momentum });
}

/**
 * Each channel with mean 0 and variance 1 over batch and space, then scaled and shifted. In training the batch's
 * statistics are used, and the running ones (where given) are updated in place: the mean, and the unbiased variance.
 * @shape [N, C, *] -> [N, C, *]
 * @throws ShapeError when a vector does not fit the channels; ValueError when training sees 1 value per channel
 * @source torch.nn.functional.batch_norm
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: BatchNormOptions = none,
): Tensor {
  checkOptions('batchNorm', options, batchNormNames);
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  const rank = x.ndim;
  // Nothing to normalise: the parameters still get gradients of 0.
  if (x.numel() === 0) return affine(x.clone(), weight?.at(0), bias?.at(0));
  if (rank < 2) {
    throw new ShapeError(`batchNorm: the input must be [batch, channels, …], got ${shapeString(x.shape)}`, { op: 'batchNorm', shapes: [x.shape] });
  }
  const channels = x.shape[1]!;
  for (const [name, vector] of Object.entries({ runningMean, runningVar, weight, bias })) {
    checkVector('batchNorm', name, vector, channels);
  }
  const scale = weight ? perChannel(weight, rank) : null;
  const shift = bias ? perChannel(bias, rank) : null;
  if (!training) {
    if (runningMean === null || runningVar === null) {
      throw new ValueError('batchNorm: runningMean and runningVar must be given when training is false', { op: 'batchNorm' });
    }
    const inverse = perChannel(runningVar, rank).add(eps).rsqrt();
    const factor = scale === null ? inverse : inverse.mul(scale);
    const mean = perChannel(runningMean, rank);
    return shift === null ? centredTimes(x, mean, factor) : centredTimesPlus(x, mean, factor, shift);
  }
  const count = x.numel() / Math.max(channels, 1);
  if (count === 1) {
    throw new ValueError(`batchNorm: expected more than 1 value per channel when training, got input of size ${shapeString(x.shape)}`, {
      op: 'batchNorm',
      shapes: [x.shape],
    });
  }
  const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
  const [y, , mean, variance] = normalized([x], { dims, eps });
  blend(runningMean, mean!, momentum);
  blend(runningVar, variance!.mul(count / (count - 1)), momentum);
  return affine(y!, scale, shift);
}

/**
 * Each sample with mean 0 and variance 1 over its last dimensions, then scaled and shifted element by element.
 * @param normalizedShape sizes of these dimensions, or the size of the last one
 * @throws ShapeError when the input, weight or bias do not end in them
 * @source torch.nn.functional.layer_norm
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: { eps?: number | undefined } = none,
): Tensor {
  checkOptions('layerNorm', options, epsName);
  const sizes = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  return overLast('layerNorm', x, sizes, { weight, bias }, (rows, vectors) => {
    return normalizedRows(rows, vectors['weight'] ?? null, vectors['bias'] ?? null, options.eps ?? 1e-5);
  });
}

/**
 * Each sample divided by the root of its mean square over its last dimensions, then scaled element by element.
 * @param normalizedShape sizes of these dimensions
 * @param options eps is added to the mean square; default the distance from 1 to the next number of the dtype
 * @throws ShapeError when the input or the weight do not end in them
 * @source torch.nn.functional.rms_norm
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: Shape,
  weight?: Tensor | null,
  options: { eps?: number | null | undefined } = none,
): Tensor {
  checkOptions('rmsNorm', options, epsName);
  const eps = options.eps ?? (x.dtype === 'float64' ? 2 ** -52 : 2 ** -23);
  return overLast('rmsNorm', x, normalizedShape, { weight }, (rows, vectors) => {
    return alongRows(rowScalings[Number(vectors['weight'] !== undefined)]!, [rows, vectors['weight'] ?? null], eps);
  });
}

/** Runs a normalization of rows over the last dimensions, which are made one, with vectors as long. */
function overLast(
  op: string,
  x: Tensor,
  sizes: Shape,
  given: Readonly<Record<string, Tensor | null | undefined>>,
  run: (rows: Tensor, vectors: Readonly<Record<string, Tensor>>) => Tensor,
): Tensor {
  const lead = x.ndim - sizes.length;
  if (sizes.length === 0 || lead < 0 || !sameShape(x.shape.slice(lead), sizes)) {
    throw new ShapeError(
      `${op}: given normalizedShape=${shapeString(sizes)}, expected input with shape [*, ${sizes.join(', ')}], but got ` +
        `input of size ${shapeString(x.shape)}`,
      { op, shapes: [x.shape, sizes] },
    );
  }
  const isVector = sizes.length === 1;
  const vectors: Record<string, Tensor> = {};
  for (const [name, parameter] of Object.entries(given)) {
    if (!parameter) continue;
    if (!(parameter instanceof Tensor)) throw notATensor(op, name, parameter);
    if (!sameShape(parameter.shape, sizes)) {
      throw new ShapeError(`${op}: ${name} must be ${shapeString(sizes)} as normalizedShape, got ${shapeString(parameter.shape)}`, {
        op,
        argument: name,
        shapes: [parameter.shape, sizes],
      });
    }
    vectors[name] = isVector ? parameter : parameter.flatten();
  }
  return isVector ? run(x, vectors) : run(x.flatten(lead), vectors).reshape(x.shape);
}

/**
 * Each sample's groups of channels with mean 0 and variance 1, then scaled and shifted per channel.
 * @shape [N, C, *] -> [N, C, *]
 * @throws ShapeError when the groups do not divide the channels
 * @throws ValueError when there is one sample whose groups have one value each, which is then always 0
 * @source torch.nn.functional.group_norm
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: { eps?: number | undefined } = none,
): Tensor {
  checkOptions('groupNorm', options, epsName);
  const channels = x.shape[1] ?? 0;
  if (x.ndim < 2 || !Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0) {
    throw new ShapeError(
      `groupNorm: expected the number of channels in the input to be divisible by numGroups, but got input of shape ` +
        `${shapeString(x.shape)} and numGroups=${numGroups}`,
      { op: 'groupNorm', shapes: [x.shape] },
    );
  }
  if (x.numel() === numGroups) {
    throw new ValueError(`groupNorm: expected more than 1 value per group, got input of size ${shapeString(x.shape)} in ${numGroups} groups`, {
      op: 'groupNorm',
      shapes: [x.shape],
    });
  }
  checkVector('groupNorm', 'weight', weight, channels);
  checkVector('groupNorm', 'bias', bias, channels);
  const size = x.numel() / Math.max(x.shape[0]! * numGroups, 1);
  const groups = x.reshape([x.shape[0]!, numGroups, size]);
  const y = normalizedRows(groups, null, null, options.eps ?? 1e-5).reshape(x.shape);
  return affine(y, weight ? perChannel(weight, x.ndim) : null, bias ? perChannel(bias, x.ndim) : null);
}

/** Options of `instanceNorm`. */
export interface InstanceNormOptions {
  /** Use each sample's own statistics (default) rather than the running ones. */
  useInputStats?: boolean | undefined;
  /** Share of the batch in the new running statistics; default 0.1. */
  momentum?: number | undefined;
  /** Added to the variance; default 1e-5. */
  eps?: number | undefined;
}

const instanceNormNames: OptionNames<InstanceNormOptions> = { useInputStats: 1, momentum: 1, eps: 1 };

/**
 * Each channel of each sample with mean 0 and variance 1 over space, then scaled and shifted per channel.
 * @shape [N, C, *] -> [N, C, *]
 * @throws ValueError when there is only 1 spatial element
 * @source torch.nn.functional.instance_norm
 */
export function instanceNorm(
  x: Tensor,
  runningMean?: Tensor | null,
  runningVar?: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: InstanceNormOptions = none,
): Tensor {
  checkOptions('instanceNorm', options, instanceNormNames);
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  if (!useInputStats) return batchNorm(x, runningMean ?? null, runningVar ?? null, weight, bias, { eps });
  const [batch, channels] = x.shape as [number, number];
  const count = numel(x.shape.slice(2));
  if (x.ndim < 2 || count === 1) {
    throw new ValueError(`instanceNorm: expected more than 1 spatial element when training, got input of size ${shapeString(x.shape)}`, {
      op: 'instanceNorm',
      shapes: [x.shape],
    });
  }
  for (const [name, vector] of Object.entries({ runningMean, runningVar, weight, bias })) {
    checkVector('instanceNorm', name, vector, channels);
  }
  const rows = x.reshape([batch, channels, count]);
  if (runningMean || runningVar) {
    const [variance, mean] = rows.detach().varMean(2);
    blend(runningMean, mean.mean(0), momentum);
    blend(runningVar, variance.mean(0), momentum);
  }
  const y = normalizedRows(rows, null, null, eps).reshape(x.shape);
  return affine(y, weight ? perChannel(weight, x.ndim) : null, bias ? perChannel(bias, x.ndim) : null);
}
