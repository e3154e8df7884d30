/**
 * PyTorch's parameters of each constructor in order; those before the bar are positional here too, those after it are
 * options. A module that is not in the table has none.
 */
const signatures: Readonly<Record<string, string>> = {
  AdaptiveMaxPool1d: 'outputSize | returnIndices',
  AdaptiveMaxPool2d: 'outputSize | returnIndices',
  AdaptiveMaxPool3d: 'outputSize | returnIndices',
  CTCLoss: '| blank reduction zeroInfinity',
  ChannelShuffle: 'groups |',
  CircularPad1d: 'padding |',
  CircularPad2d: 'padding |',
  CircularPad3d: 'padding |',
  ConstantPad1d: 'padding value |',
  ConstantPad2d: 'padding value |',
  ConstantPad3d: 'padding value |',
  CosineEmbeddingLoss: '| margin sizeAverage reduce reduction',
  CosineSimilarity: 'dim | eps',
  CrossMapLRN2d: 'size | alpha beta k',
  EmbeddingBag:
    'numEmbeddings embeddingDim | maxNorm normType scaleGradByFreq mode sparse weight includeLastOffset paddingIdx',
  Fold: 'outputSize kernelSize | dilation padding stride',
  FractionalMaxPool2d: 'kernelSize | outputSize outputRatio returnIndices randomSamples',
  FractionalMaxPool3d: 'kernelSize | outputSize outputRatio returnIndices randomSamples',
  GRU: 'inputSize hiddenSize numLayers | bias batchFirst dropout bidirectional',
  GRUCell: 'inputSize hiddenSize | bias',
  GaussianNLLLoss: '| full eps reduction',
  HingeEmbeddingLoss: '| margin sizeAverage reduce reduction',
  KLDivLoss: '| sizeAverage reduce reduction logTarget',
  LSTM: 'inputSize hiddenSize numLayers | bias batchFirst dropout bidirectional projSize',
  LSTMCell: 'inputSize hiddenSize | bias',
  LPPool1d: 'normType kernelSize stride | ceilMode',
  LPPool2d: 'normType kernelSize stride | ceilMode',
  LPPool3d: 'normType kernelSize stride | ceilMode',
  LocalResponseNorm: 'size | alpha beta k',
  MarginRankingLoss: '| margin sizeAverage reduce reduction',
  MaxUnpool1d: 'kernelSize stride | padding',
  MaxUnpool2d: 'kernelSize stride | padding',
  MaxUnpool3d: 'kernelSize stride | padding',
  MultiLabelMarginLoss: '| sizeAverage reduce reduction',
  MultiLabelSoftMarginLoss: '| weight sizeAverage reduce reduction',
  MultiMarginLoss: '| p margin weight sizeAverage reduce reduction',
  PairwiseDistance: '| p eps keepdim',
  PixelShuffle: 'upscaleFactor |',
  PixelUnshuffle: 'downscaleFactor |',
  PoissonNLLLoss: '| logInput full sizeAverage eps reduce reduction',
  RReLU: 'lower upper |',
  ReflectionPad1d: 'padding |',
  ReflectionPad2d: 'padding |',
  ReflectionPad3d: 'padding |',
  ReplicationPad1d: 'padding |',
  ReplicationPad2d: 'padding |',
  ReplicationPad3d: 'padding |',
  RNN: 'inputSize hiddenSize numLayers | nonlinearity bias batchFirst dropout bidirectional',
  RNNCell: 'inputSize hiddenSize | bias nonlinearity',
  RMSNorm: 'normalizedShape | eps elementwiseAffine',
  SoftMarginLoss: '| sizeAverage reduce reduction',
  Transformer:
    'dModel nhead | numEncoderLayers numDecoderLayers dimFeedforward dropout activation customEncoder customDecoder ' +
    'layerNormEps batchFirst normFirst',
  TransformerDecoderLayer: 'dModel nhead | dimFeedforward dropout activation layerNormEps batchFirst normFirst',
  TransformerEncoderLayer: 'dModel nhead | dimFeedforward dropout activation layerNormEps batchFirst normFirst',
  TripletMarginLoss: '| margin p eps swap sizeAverage reduce reduction',
  TripletMarginWithDistanceLoss: '| distanceFunction margin swap reduction',
  Unfold: 'kernelSize | dilation padding stride',
  Upsample: '| size scaleFactor mode alignCorners recomputeScaleFactor',
  UpsamplingBilinear2d: '| size scaleFactor',
  UpsamplingNearest2d: '| size scaleFactor',
  ZeroPad1d: 'padding |',
  ZeroPad2d: 'padding |',
  ZeroPad3d: 'padding |',
  AdaptiveAvgPool1d: 'outputSize |',
  AdaptiveAvgPool2d: 'outputSize |',
  AdaptiveAvgPool3d: 'outputSize |',
  AvgPool1d: 'kernelSize stride | padding ceilMode countIncludePad',
  AvgPool2d: 'kernelSize stride | padding ceilMode countIncludePad divisorOverride',
  AvgPool3d: 'kernelSize stride | padding ceilMode countIncludePad divisorOverride',
  BCELoss: '| weight sizeAverage reduce reduction',
  BCEWithLogitsLoss: '| weight sizeAverage reduce reduction posWeight',
  BatchNorm1d: 'numFeatures | eps momentum affine trackRunningStats',
  BatchNorm2d: 'numFeatures | eps momentum affine trackRunningStats',
  BatchNorm3d: 'numFeatures | eps momentum affine trackRunningStats',
  Bilinear: 'in1Features in2Features outFeatures | bias',
  AdaptiveLogSoftmaxWithLoss: 'inFeatures nClasses cutoffs | divValue headBias',
  AlphaDropout: 'p |',
  CELU: 'alpha |',
  Conv1d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  Conv2d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  Conv3d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  ConvTranspose1d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  ConvTranspose2d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  ConvTranspose3d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  CrossEntropyLoss: '| weight sizeAverage ignoreIndex reduce reduction labelSmoothing',
  Dropout: 'p |',
  Dropout1d: 'p |',
  Dropout2d: 'p |',
  Dropout3d: 'p |',
  ELU: 'alpha |',
  Embedding: 'numEmbeddings embeddingDim | paddingIdx maxNorm normType scaleGradByFreq',
  FeatureAlphaDropout: 'p |',
  Flatten: 'startDim endDim |',
  GELU: '| approximate',
  GLU: 'dim |',
  GroupNorm: 'numGroups numChannels | eps affine',
  Hardshrink: 'lambda |',
  Hardtanh: 'minVal maxVal |',
  HuberLoss: '| reduction delta',
  InstanceNorm1d: 'numFeatures | eps momentum affine trackRunningStats',
  InstanceNorm2d: 'numFeatures | eps momentum affine trackRunningStats',
  InstanceNorm3d: 'numFeatures | eps momentum affine trackRunningStats',
  L1Loss: '| sizeAverage reduce reduction',
  LayerNorm: 'normalizedShape | eps elementwiseAffine',
  LeakyReLU: 'negativeSlope |',
  Linear: 'inFeatures outFeatures | bias',
  LogSoftmax: 'dim |',
  MSELoss: '| sizeAverage reduce reduction',
  MaxPool1d: 'kernelSize stride | padding dilation returnIndices ceilMode',
  MaxPool2d: 'kernelSize stride | padding dilation returnIndices ceilMode',
  MaxPool3d: 'kernelSize stride | padding dilation returnIndices ceilMode',
  MultiheadAttention: 'embedDim numHeads | dropout bias addBiasKv addZeroAttn kdim vdim batchFirst',
  NLLLoss: '| weight sizeAverage ignoreIndex reduce reduction',
  PReLU: 'numParameters | init',
  SmoothL1Loss: '| sizeAverage reduce reduction beta',
  Softmax: 'dim |',
  Softmin: 'dim |',
  Softplus: 'beta threshold |',
  Softshrink: 'lambda |',
  Threshold: 'threshold value |',
  Unflatten: 'dim sizes |',
};

const parts = (text: string): string[] => text.split(' ').filter((part) => part !== '');

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The same for calls of modules whose keywords are options. */
const forwardSignatures: Readonly<Record<string, string>> = {
  MultiheadAttention: 'query key value | keyPaddingMask needWeights attnMask averageAttnWeights',
  Transformer:
    'src tgt | srcMask tgtMask memoryMask srcKeyPaddingMask tgtKeyPaddingMask memoryKeyPaddingMask',
  TransformerDecoderLayer: 'tgt memory | tgtMask memoryMask tgtKeyPaddingMask memoryKeyPaddingMask',
  EmbeddingBag: 'input offsets perSampleWeights |',
  TransformerEncoderLayer: 'src | srcMask srcKeyPaddingMask',
};

/** The arguments of our constructor for those of PyTorch's; `inplace` has no form here and changes no result. */
export function constructorArguments(module: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  return ourArguments(signatures[module] ?? '|', args, kwargs);
}

/** Whether the constructor asked for indices beside the values, which a method of its own gives here. */
export function wantsIndices(module: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): boolean {
  return named(namesOf(signatures[module] ?? '|'), args, kwargs)['returnIndices'] === true;
}

/** The arguments of a call of our module for those of a call of PyTorch's. */
export function forwardArguments(module: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  const signature = forwardSignatures[module];
  return signature === undefined ? [...args, ...Object.values(kwargs)] : ourArguments(signature, args, kwargs);
}

/** What has no form here: it changes no result, or another method gives the result. */
const formless: readonly string[] = ['inplace', 'returnIndices'];

type Names = readonly [positional: readonly string[], options: readonly string[]];

function namesOf(signature: string): Names {
  const [positional = [], options = []] = signature.split('|').map(parts);
  return [positional, options];
}

/** All arguments by our names. */
function named(names: Names, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ordered = names.flat();
  return Object.fromEntries([
    ...args.map((value, i) => [ordered[i] ?? 'inplace', value] as const),
    ...Object.entries(kwargs).map(([name, value]) => [camelCase(name), value] as const),
  ]);
}

function ourArguments(signature: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  const names = namesOf(signature);
  const [positional] = names;
  const given = named(names, args, kwargs);
  const rest = Object.entries(given).filter(([name]) => !positional.includes(name) && !formless.includes(name));
  return [...positional.map((name) => given[name]), ...(rest.length > 0 ? [Object.fromEntries(rest)] : [])];
}
