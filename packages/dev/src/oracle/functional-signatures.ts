import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { functional } from '@tapegrad/nn';
import { camelCase, type PythonCall, type Signature } from './signature.ts';
import { Unsupported } from './values.ts';

/** The seed before every call of PyTorch that draws random numbers. */
const SEED = 42;

/** A call that draws random numbers, from the stream that PyTorch's started with. */
const seeded = (call: (input: Tensor, options: Record<string, never>) => unknown): Signature => ({ input, args, kwargs }) => {
  if (args.length > 0) throw new Unsupported(`${args.length} positional arguments`);
  tg.manualSeed(SEED);
  return call(input as Tensor, kwargs as Record<string, never>);
};

/** The same names in camelCase, without those that are null. */
function optionsOf(kwargs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(kwargs).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [camelCase(name), value]));
}

type Pooling = (x: Tensor, window: unknown, options?: unknown) => unknown;

/** A function of nn.functional, or the one that gives indices too. */
function pooling(name: string, both: unknown): Pooling {
  return (functional as unknown as Record<string, Pooling>)[both === true ? `${name}WithIndices` : name]!;
}

const adaptiveMaxPool = (rank: number): Signature => ({ input, args, kwargs }) => {
  const [size = kwargs['output_size'], both = kwargs['return_indices']] = args;
  return pooling(`adaptiveMaxPool${rank}d`, both)(input as Tensor, size);
};

const fractionalMaxPool = (rank: number): Signature => ({ input, args, kwargs }) => {
  const { kernel_size: named, return_indices: both, _random_samples: randomSamples, ...rest } = kwargs;
  const options = optionsOf({ ...rest, randomSamples });
  tg.manualSeed(SEED);
  return pooling(`fractionalMaxPool${rank}d`, both)(input as Tensor, args[0] ?? named, options);
};

const maxUnpool = (rank: number): Signature =>
  `indices, kernel_size, stride, padding, output_size => F.maxUnpool${rank}d(x, indices, kernel_size, stride, { padding, output_size })`;

const unpools = Object.fromEntries(
  [1, 2, 3].flatMap((rank) => [
    [`nn.functional.max_unpool${rank}d`, maxUnpool(rank)],
    [`nn.functional.max_unpool${rank}d/grad`, maxUnpool(rank)],
  ]),
);

const interpolate: Signature =
  'size, scale_factor, mode, align_corners, recompute_scale_factor => ' +
  'F.interpolate(x, { size, scale_factor, mode, align_corners, recompute_scale_factor })';

const interpolations = Object.fromEntries(
  ['area', 'bicubic', 'bilinear', 'linear', 'nearest', 'trilinear'].map((mode) => [`nn.functional.interpolate/${mode}`, interpolate]),
);

/** The inverse deviation that PyTorch's native normalisations give back beside the mean. */
function inverseDeviation(x: Tensor, dims: number[], eps: number, keepdim: boolean): [mean: Tensor, inverse: Tensor] {
  const variance = x.var(dims, { unbiased: false, keepdim });
  return [x.mean(dims, { keepdim }), variance.add(eps).rsqrt()];
}

/** PyTorch's operators of nn.functional that are not in the other table. */
export const functionalSignatures: Readonly<Record<string, Signature>> = {
  'nn.functional.adaptive_max_pool1d': adaptiveMaxPool(1),
  'nn.functional.adaptive_max_pool2d': adaptiveMaxPool(2),
  'nn.functional.adaptive_max_pool3d': adaptiveMaxPool(3),
  'nn.functional.fractional_max_pool2d': fractionalMaxPool(2),
  'nn.functional.fractional_max_pool3d': fractionalMaxPool(3),
  ...unpools,
  ...interpolations,
  'nn.functional.upsample_bilinear': 'size, scale_factor => F.upsampleBilinear(x, { size, scale_factor })',
  'nn.functional.upsample_nearest': 'size, scale_factor => F.upsampleNearest(x, { size, scale_factor })',
  'nn.functional.grid_sample': 'grid, mode, padding_mode, align_corners => F.gridSample(x, grid, { mode, padding_mode, align_corners })',
  'nn.functional.unfold': 'kernel_size, dilation, padding, stride => F.unfold(x, kernel_size, { dilation, padding, stride })',
  'nn.functional.fold':
    'output_size, kernel_size, dilation, padding, stride => F.fold(x, output_size, kernel_size, { dilation, padding, stride })',
  'nn.functional.pixel_shuffle': 'upscale_factor => F.pixelShuffle(x, upscale_factor)',
  'nn.functional.pixel_unshuffle': 'downscale_factor => F.pixelUnshuffle(x, downscale_factor)',
  'nn.functional.local_response_norm': 'size, alpha, beta, k => F.localResponseNorm(x, size, { alpha, beta, k })',
  'nn.functional.normalize': 'p, dim, eps => F.normalize(x, { p, dim, eps })',
  'nn.functional.cosine_similarity': 'x2, dim, eps => F.cosineSimilarity(x, x2, dim, { eps })',
  'nn.functional.pairwise_distance': 'x2, p, eps, keepdim => F.pairwiseDistance(x, x2, { p, eps, keepdim })',
  'nn.functional.pdist': 'p => F.pdist(x, p)',

  'nn.functional.cosine_embedding_loss':
    'x2, target, margin, size_average, reduce, reduction => F.cosineEmbeddingLoss(x, x2, target, { margin, reduction })',
  'nn.functional.ctc_loss': ({ input, args, kwargs }: PythonCall) => {
    const [targets, inputLengths, targetLengths] = args as [Tensor, Tensor, Tensor];
    return functional.ctcLoss(input as Tensor, targets, inputLengths, targetLengths, optionsOf(kwargs));
  },
  'nn.functional.gaussian_nll_loss': 'target, var, full, eps, reduction => F.gaussianNllLoss(x, target, var, { full, eps, reduction })',
  'nn.functional.hinge_embedding_loss':
    'target, margin, size_average, reduce, reduction => F.hingeEmbeddingLoss(x, target, { margin, reduction })',
  'nn.functional.kl_div': 'target, size_average, reduce, reduction, log_target => F.klDiv(x, target, { reduction, log_target })',
  'nn.functional.margin_ranking_loss':
    'x2, target, margin, size_average, reduce, reduction => F.marginRankingLoss(x, x2, target, { margin, reduction })',
  'nn.functional.multi_margin_loss':
    'target, p, margin, weight, size_average, reduce, reduction => F.multiMarginLoss(x, target, { p, margin, weight, reduction })',
  'nn.functional.multilabel_margin_loss': 'target, size_average, reduce, reduction => F.multilabelMarginLoss(x, target, { reduction })',
  'nn.functional.multilabel_soft_margin_loss':
    'target, weight, size_average, reduce, reduction => F.multilabelSoftMarginLoss(x, target, { weight, reduction })',
  'nn.functional.poisson_nll_loss':
    'target, log_input, full, size_average, eps, reduce, reduction => F.poissonNllLoss(x, target, { log_input, full, eps, reduction })',
  'nn.functional.soft_margin_loss': 'target, size_average, reduce, reduction => F.softMarginLoss(x, target, { reduction })',
  'nn.functional.triplet_margin_loss':
    'positive, negative, margin, p, eps, swap, size_average, reduce, reduction => ' +
    'F.tripletMarginLoss(x, positive, negative, { margin, p, eps, swap, reduction })',
  'nn.functional.triplet_margin_with_distance_loss':
    'positive, negative, distance_function, margin, swap, reduction => ' +
    'F.tripletMarginWithDistanceLoss(x, positive, negative, { distance_function, margin, swap, reduction })',

  // The samples have weight and ids in the order of the op below.
  'nn.functional.embedding_bag': ({ input, args, kwargs }: PythonCall) => {
    const { offsets = null, sparse: _, ...rest } = kwargs;
    return functional.embeddingBag(args[0] as Tensor, input as Tensor, offsets as Tensor | null, optionsOf(rest));
  },

  'nn.functional.dropout': seeded((x, { p, training }) => functional.dropout(x, p, training)),
  'nn.functional.dropout2d': seeded((x, { p, training }) => functional.dropout2d(x, p, training)),
  'nn.functional.dropout3d': seeded((x, { p, training }) => functional.dropout3d(x, p, training)),
  'nn.functional.alpha_dropout': seeded((x, { p, training }) => functional.alphaDropout(x, p, training)),
  'nn.functional.feature_alpha_dropout/with_train': seeded((x, { p, training }) => functional.featureAlphaDropout(x, p, training)),
  'nn.functional.feature_alpha_dropout/without_train': seeded((x, { p, training }) => functional.featureAlphaDropout(x, p, training)),
  'nn.functional.rrelu': seeded((x, { lower, upper, training }) => functional.rrelu(x, lower, upper, training)),

  'nn.functional._scaled_dot_product_attention': ({ input, args, kwargs }: PythonCall) => {
    const { need_attn_weights: _, ...rest } = kwargs;
    const [key, value] = args as [Tensor, Tensor];
    const attend = (values: Tensor): Tensor => {
      tg.manualSeed(SEED);
      return tg.scaledDotProductAttention(input as Tensor, key, values, optionsOf(rest));
    };
    // The weights are what attention makes of unit vectors.
    const size = key.shape.at(-2)!;
    const units = tg.ones([size, size], { dtype: value.dtype }).tril().triu();
    return [attend(value), attend(units.expand([...key.shape.slice(0, -2), size, size]))];
  },

  native_batch_norm: ({ input, args }: PythonCall) => {
    const [weight, bias, mean, variance, training, momentum, eps] = args as [Tensor, Tensor, Tensor, Tensor, boolean, number, number];
    const x = input as Tensor;
    const out = tg.batchNorm(x, mean, variance, weight, bias, { training, momentum, eps });
    if (!training) return [out, x.newZeros([0]), x.newZeros([0])];
    return [out, ...inverseDeviation(x, x.shape.map((_, d) => d).filter((d) => d !== 1), eps, false)];
  },
  native_layer_norm: ({ input, args }: PythonCall) => {
    const [shape, weight, bias, eps] = args as [number[], Tensor | null, Tensor | null, number];
    const x = input as Tensor;
    const out = tg.layerNorm(x, shape, weight, bias, { eps });
    return [out, ...inverseDeviation(x, shape.map((_, d) => x.ndim - shape.length + d), eps, true)];
  },
};
