import { describe, expect, it } from '@jest/globals';
import { ones, randn, tensor, ValueError, zeros, type Tensor } from '@tapegrad/core';
import * as nn from '../src/index.ts';

const F = nn.functional;
const x: Tensor = randn([4, 3]);
const image: Tensor = randn([2, 4, 6, 6]);
const labels: Tensor = tensor([0, 1, 2, 0], { dtype: 'int32' });
const signs: Tensor = tensor([1, -1, 1, -1]);
const steps: Tensor = randn([5, 2, 4]);
const attention = (): nn.MultiheadAttention => new nn.MultiheadAttention(4, 2);
const weights = { inProjWeight: randn([12, 4]), outProjWeight: randn([4, 4]) };

type Call = (options: object) => unknown;

/** Functions and methods with all of their options. */
const calls: Readonly<Record<string, readonly [call: Call, options: object]>> = {
  mseLoss: [(o) => F.mseLoss(x, x, o), { reduction: 'sum' }],
  l1Loss: [(o) => F.l1Loss(x, x, o), { reduction: 'sum' }],
  smoothL1Loss: [(o) => F.smoothL1Loss(x, x, o), { reduction: 'sum', beta: 2 }],
  huberLoss: [(o) => F.huberLoss(x, x, o), { reduction: 'sum', delta: 2 }],
  binaryCrossEntropy: [(o) => F.binaryCrossEntropy(x.sigmoid(), ones([4, 3]), o), { weight: null, reduction: 'sum' }],
  binaryCrossEntropyWithLogits: [
    (o) => F.binaryCrossEntropyWithLogits(x, ones([4, 3]), o),
    { weight: null, posWeight: null, reduction: 'sum' },
  ],
  nllLoss: [(o) => F.nllLoss(x.logSoftmax(1), labels, o), { weight: ones(3), ignoreIndex: 1, reduction: 'sum' }],
  crossEntropy: [
    (o) => F.crossEntropy(x, labels, o),
    { weight: ones(3), ignoreIndex: 1, reduction: 'sum', labelSmoothing: 0.1 },
  ],
  hingeEmbeddingLoss: [(o) => F.hingeEmbeddingLoss(signs, signs, o), { margin: 2, reduction: 'sum' }],
  marginRankingLoss: [(o) => F.marginRankingLoss(signs, signs, signs, o), { margin: 2, reduction: 'sum' }],
  softMarginLoss: [(o) => F.softMarginLoss(signs, signs, o), { reduction: 'sum' }],
  multilabelSoftMarginLoss: [(o) => F.multilabelSoftMarginLoss(x, ones([4, 3]), o), { weight: null, reduction: 'sum' }],
  multiMarginLoss: [(o) => F.multiMarginLoss(x, labels, o), { p: 2, margin: 2, weight: null, reduction: 'sum' }],
  multilabelMarginLoss: [(o) => F.multilabelMarginLoss(x, zeros([4, 3], { dtype: 'int32' }), o), { reduction: 'sum' }],
  klDiv: [(o) => F.klDiv(x.logSoftmax(1), x.softmax(1), o), { reduction: 'batchmean', logTarget: false }],
  poissonNllLoss: [(o) => F.poissonNllLoss(x, ones([4, 3]), o), { logInput: true, full: true, eps: 1e-6, reduction: 'sum' }],
  gaussianNllLoss: [(o) => F.gaussianNllLoss(x, x, ones([4, 3]), o), { full: true, eps: 1e-5, reduction: 'sum' }],
  cosineEmbeddingLoss: [(o) => F.cosineEmbeddingLoss(x, x, signs, o), { margin: 0.1, reduction: 'sum' }],
  tripletMarginLoss: [
    (o) => F.tripletMarginLoss(x, x, x, o),
    { margin: 2, p: 1, eps: 1e-5, swap: true, reduction: 'sum' },
  ],
  tripletMarginWithDistanceLoss: [
    (o) => F.tripletMarginWithDistanceLoss(x, x, x, o),
    { distanceFunction: null, margin: 2, swap: true, reduction: 'sum' },
  ],
  ctcLoss: [
    (o) => F.ctcLoss(steps.logSoftmax(-1), tensor([[1, 2], [3, 1]], { dtype: 'int32' }), [5, 5], [2, 2], o),
    { blank: 0, zeroInfinity: true, reduction: 'sum' },
  ],
  gumbelSoftmax: [(o) => F.gumbelSoftmax(x, o), { tau: 2, hard: true, dim: 0 }],
  cosineSimilarity: [(o) => F.cosineSimilarity(x, x, o), { dim: 0, eps: 1e-6 }],
  pairwiseDistance: [(o) => F.pairwiseDistance(x, x, o), { p: 1, eps: 1e-5, keepdim: true }],
  normalize: [(o) => F.normalize(x, o), { p: 1, dim: 0, eps: 1e-5 }],
  embedding: [(o) => F.embedding(labels, x, o), { paddingIdx: 0, maxNorm: 1, normType: 1, scaleGradByFreq: true }],
  embeddingBag: [
    (o) => F.embeddingBag(labels.reshape([2, 2]), x, null, o),
    {
      paddingIdx: 0,
      maxNorm: 1,
      normType: 1,
      scaleGradByFreq: true,
      mode: 'sum',
      perSampleWeights: null,
      includeLastOffset: false,
    },
  ],
  localResponseNorm: [(o) => F.localResponseNorm(image, 2, o), { alpha: 1e-3, beta: 1, k: 2 }],
  crossMapResponseNorm: [(o) => F.crossMapResponseNorm(image, 2, o), { alpha: 1e-3, beta: 1, k: 2 }],
  lpPool2d: [(o) => F.lpPool2d(image.abs(), 2, 2, null, o), { ceilMode: true }],
  dropout: [(o) => F.dropout(x, 0.5, o), { training: false }],
  dropout2d: [(o) => F.dropout2d(image, 0.5, o), { training: true }],
  alphaDropout: [(o) => F.alphaDropout(x, 0.5, o), { training: true }],
  featureAlphaDropout: [(o) => F.featureAlphaDropout(image, 0.5, o), { training: true }],
  rrelu: [(o) => F.rrelu(x, 0.1, 0.3, o), { training: true }],
  upsampleNearest: [(o) => F.upsampleNearest(image, { scaleFactor: 2, ...o }), { size: null }],
  upsampleBilinear: [(o) => F.upsampleBilinear(image, { scaleFactor: 2, ...o }), { size: null }],
  multiHeadAttentionForward: [
    (o) => F.multiHeadAttentionForward(steps, steps, steps, 2, weights, o),
    {
      keyPaddingMask: null,
      attnMask: zeros([5, 5]),
      needWeights: false,
      averageAttnWeights: false,
      isCausal: true,
      addZeroAttn: true,
      dropoutP: 0.1,
      training: false,
    },
  ],
  MultiheadAttention: [
    (o) => attention()(steps, steps, steps, o),
    { keyPaddingMask: null, attnMask: zeros([5, 5]), needWeights: false, averageAttnWeights: false, isCausal: true },
  ],
  TransformerEncoderLayer: [
    (o) => new nn.TransformerEncoderLayer(4, 2)(steps, o),
    { srcMask: zeros([5, 5]), srcKeyPaddingMask: null, isCausal: true },
  ],
  TransformerEncoder: [
    (o) => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2), 1)(steps, o),
    { mask: zeros([5, 5]), srcKeyPaddingMask: null, isCausal: true },
  ],
  TransformerDecoder: [
    (o) => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(4, 2), 1)(steps, steps, o),
    {
      tgtMask: zeros([5, 5]),
      memoryMask: zeros([5, 5]),
      tgtKeyPaddingMask: null,
      memoryKeyPaddingMask: null,
      tgtIsCausal: true,
      memoryIsCausal: true,
    },
  ],
  Transformer: [
    (o) => new nn.Transformer(4, 2, { numEncoderLayers: 1, numDecoderLayers: 1 })(steps, steps, o),
    { srcMask: zeros([5, 5]), srcKeyPaddingMask: null, srcIsCausal: true, tgtMask: zeros([5, 5]), tgtIsCausal: true },
  ],
  uniform_: [(o) => nn.init.uniform_(x, o), { a: -1, b: 2, generator: undefined }],
  normal_: [(o) => nn.init.normal_(x, 0, 1, o), { generator: undefined }],
  xavierUniform_: [(o) => nn.init.xavierUniform_(x, o), { gain: 2, generator: undefined }],
  xavierNormal_: [(o) => nn.init.xavierNormal_(x, 2, o), { generator: undefined }],
  kaimingUniform_: [(o) => nn.init.kaimingUniform_(x, o), { a: 1, mode: 'fan_out', nonlinearity: 'relu' }],
  kaimingNormal_: [(o) => nn.init.kaimingNormal_(x, o), { a: 1, mode: 'fan_out', nonlinearity: 'relu' }],
  orthogonal_: [(o) => nn.init.orthogonal_(x, o), { gain: 2 }],
  sparse_: [(o) => nn.init.sparse_(x, 0.5, 1, o), { generator: undefined }],
  getTotalNorm: [(o) => nn.utils.getTotalNorm([x], o), { normType: 1, errorIfNonfinite: true }],
  clipGradNorm_: [(o) => nn.utils.clipGradNorm_([x], 1, o), { normType: 1, errorIfNonfinite: true }],
  packPaddedSequence: [(o) => nn.utils.rnn.packPaddedSequence(x, [4, 4, 4], o), { enforceSorted: false, batchFirst: false }],
  padSequence: [(o) => nn.utils.rnn.padSequence([x], o), { batchFirst: true, paddingValue: 1, paddingSide: 'left' }],
  packSequence: [(o) => nn.utils.rnn.packSequence([x], o), { enforceSorted: false }],
  unpadSequence: [(o) => nn.utils.rnn.unpadSequence(x, [4, 4, 4], o), { batchFirst: false }],
  weightNorm: [(o) => nn.utils.weightNorm(new nn.Linear(2, 2), o), { name: 'weight', dim: 1 }],
  spectralNorm: [(o) => nn.utils.spectralNorm(new nn.Linear(2, 2), o), { name: 'weight', nPowerIterations: 2, eps: 1e-6, dim: 1 }],
  functionalCall: [(o) => nn.functionalCall(new nn.Linear(3, 2), {}, [x], o), { strict: false, tieWeights: false }],
  summary: [(o) => nn.summary(new nn.Linear(3, 2), [1, 3], o), { dtype: 'float32' }],
  Parameter: [(o) => new nn.Parameter(x, o), { requiresGrad: false }],
  parameters: [(o) => new nn.Linear(2, 2).parameters(o), { recurse: false, prefix: 'a', removeDuplicate: false }],
  namedBuffers: [(o) => new nn.Linear(2, 2).namedBuffers(o), { recurse: false, prefix: 'a', removeDuplicate: false }],
  namedModules: [(o) => new nn.Linear(2, 2).namedModules(o), { prefix: 'a', removeDuplicate: false }],
  stateDict: [(o) => new nn.Linear(2, 2).stateDict(o), { prefix: 'a.', keepVars: true }],
  loadStateDict: [(o) => new nn.Linear(2, 2).loadStateDict(new nn.Linear(2, 2).stateDict(), o), { strict: false, assign: true }],
  zeroGrad: [(o) => new nn.Linear(2, 2).zeroGrad(o), { setToNone: false }],
  registerBuffer: [(o) => new nn.Linear(2, 2).registerBuffer('mask', x, o), { persistent: false, key: 'm' }],
  registerParameter: [(o) => new nn.Linear(2, 2).registerParameter('scale', null, o), { key: 's' }],
  registerForwardPreHook: [(o) => new nn.Linear(2, 2).registerForwardPreHook(() => {}, o), { prepend: true }],
  registerForwardHook: [(o) => new nn.Linear(2, 2).registerForwardHook(() => {}, o), { prepend: true, alwaysCall: true }],
  LeakyReLU: [(o) => new nn.LeakyReLU(o), { negativeSlope: 0.2 }],
  PReLU: [(o) => new nn.PReLU(o), { numParameters: 3, init: 0.1, dtype: 'float64' }],
  Softplus: [(o) => new nn.Softplus(o), { beta: 2, threshold: 10 }],
  Hardtanh: [(o) => new nn.Hardtanh(o), { minVal: -2, maxVal: 2 }],
  RReLU: [(o) => new nn.RReLU(o), { lower: 0.1, upper: 0.2 }],
  GELU: [(o) => new nn.GELU(o), { approximate: 'tanh' }],
  Flatten: [(o) => new nn.Flatten(o), { startDim: 0, endDim: 1 }],
  CosineSimilarity: [(o) => new nn.CosineSimilarity(o), { dim: 0, eps: 1e-6 }],
  PairwiseDistance: [(o) => new nn.PairwiseDistance(o), { p: 1, eps: 1e-5, keepdim: true }],
  Unfold: [(o) => new nn.Unfold(2, o), { dilation: 1, padding: 1, stride: 2 }],
  Fold: [(o) => new nn.Fold(4, 2, o), { dilation: 1, padding: 1, stride: 2 }],
  Upsample: [(o) => new nn.Upsample({ scaleFactor: 2, ...o }), { mode: 'bilinear', alignCorners: true, recomputeScaleFactor: null }],
  UpsamplingNearest2d: [(o) => new nn.UpsamplingNearest2d({ scaleFactor: 2, ...o }), { size: null }],
  FractionalMaxPool2d: [(o) => new nn.FractionalMaxPool2d(2, o), { outputSize: 2, randomSamples: null }],
  MaxUnpool2d: [(o) => new nn.MaxUnpool2d(2, 2, o), { padding: 1 }],
  LPPool2d: [(o) => new nn.LPPool2d(2, 2, null, o), { ceilMode: true }],
  LocalResponseNorm: [(o) => new nn.LocalResponseNorm(2, o), { alpha: 1e-3, beta: 1, k: 2 }],
  AdaptiveAvgPool2d: [(o) => new nn.AdaptiveAvgPool2d({ outputSize: 1, ...o }), {}],
  AdaptiveLogSoftmaxWithLoss: [
    (o) => new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [4], o),
    { divValue: 2, headBias: true, dtype: 'float64' },
  ],
  LSTMCell: [(o) => new nn.LSTMCell(2, 2, o), { bias: false, dtype: 'float64' }],
  RNNCell: [(o) => new nn.RNNCell(2, 2, o), { bias: false, dtype: 'float64', nonlinearity: 'relu' }],
};

describe('options of functions', () => {
  it.each(Object.entries(calls))('%s takes all of its own, and refuses others', (name, [call, options]) => {
    expect(() => call(options)).not.toThrow();
    expect(() => call({ strange: 1 })).toThrow(ValueError);
    expect(() => call({ strange: 1 })).toThrow(`${name}: unknown option strange`.replace(/^(MultiheadAttention|Transformer\w*).*/, 'unknown option strange'));
    expect(() => call({ strange: undefined })).not.toThrow();
  });

  it('says which one was probably meant', () => {
    expect(() => F.crossEntropy(x, labels, { label_smoothing: 0.1 } as object)).toThrow('Did you mean labelSmoothing?');
    expect(() => new nn.Linear(2, 2).loadStateDict({}, { strct: false } as object)).toThrow('Did you mean strict?');
    expect(() => new nn.Upsample({ scale_factor: 2 } as object)).toThrow('Did you mean scaleFactor?');
  });

  it('refuses values by position where options are meant', () => {
    expect(() => F.mseLoss(x, x, 'sum' as unknown as object)).toThrow('mseLoss: further arguments are options, given by name, as in { reduction: … }');
    expect(() => new nn.Linear(2, 2).zeroGrad(true as unknown as object)).toThrow('as in { setToNone: … }; got true');
    expect(() => nn.utils.clipGradNorm_([x], 1, 2 as unknown as object)).toThrow('as in { normType: … }; got 2');
    expect(() => nn.init.kaimingNormal_(x, 'fan_in' as unknown as object)).toThrow('as in { a: … }');
  });

  it('refuses values that an option does not have', () => {
    const wrong = (values: object): never => values as never;
    for (const loss of [F.mseLoss, F.huberLoss, F.klDiv, F.poissonNllLoss]) {
      expect(() => loss(x, x, wrong({ reduction: 'avg' }))).toThrow(/reduction must be 'mean', 'sum' or 'none', got 'avg'/);
    }
    expect(() => new nn.GELU(wrong({ approximate: 'tan' }))).toThrow("GELU: approximate must be 'none' or 'tanh', got 'tan'");
    expect(() => new nn.EmbeddingBag(3, 2, wrong({ mode: 'avg' }))).toThrow("EmbeddingBag: mode must be 'sum', 'mean' or 'max', got 'avg'");
    expect(() => nn.utils.rnn.padSequence([x], wrong({ paddingSide: 'rigt' }))).toThrow(/paddingSide must be 'right' or 'left', got 'rigt'/);
    expect(() => nn.init.kaimingUniform_(x, wrong({ mode: 'fan' }))).toThrow(/kaimingUniform_: mode must be 'fan_in' or 'fan_out', got 'fan'/);
    expect(() => nn.utils.clipGradValue_([x], wrong({ clipValue: 1 }))).toThrow(/clipValue is a number, given by position/);
    expect(() => nn.init.sparse_(x, wrong({ sparsity: 0.5 }))).toThrow(/the sparsity must be between 0 and 1/);
    expect(() => new nn.TransformerEncoderLayer(4, 2)(steps, { isCausal: true })).toThrow(/isCausal is a hint about attnMask/);
  });

  it('does by name what it does by position', () => {
    expect(F.dropout(x, 0.5, { training: false })).toBe(x);
    expect(F.cosineSimilarity(x, x.square(), { dim: 0 }).tolist()).toEqual(F.cosineSimilarity(x, x.square(), 0).tolist());
    expect(new nn.LeakyReLU({ negativeSlope: 0.2 })(tensor([-1])).item()).toBeCloseTo(-0.2);
    expect(new nn.Flatten({ startDim: 2 })(image).shape).toEqual([2, 4, 36]);
    expect(new nn.AdaptiveAvgPool2d({ outputSize: 1 })(image).shape).toEqual([2, 4, 1, 1]);
    expect(new nn.PReLU({ numParameters: 3 }).weight.shape).toEqual([3]);
  });
});
