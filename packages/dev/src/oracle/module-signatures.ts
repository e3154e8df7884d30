/**
 * PyTorch's parameters of each constructor in order; those before the bar are positional here too, those after it are
 * options. A module that is not in the table has none.
 */
const signatures: Readonly<Record<string, string>> = {
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
  CELU: 'alpha |',
  Conv1d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  Conv2d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  Conv3d: 'inChannels outChannels kernelSize | stride padding dilation groups bias paddingMode',
  ConvTranspose1d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  ConvTranspose2d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  ConvTranspose3d: 'inChannels outChannels kernelSize | stride padding outputPadding groups bias dilation',
  CrossEntropyLoss: '| weight sizeAverage ignoreIndex reduce reduction labelSmoothing',
  ELU: 'alpha |',
  Embedding: 'numEmbeddings embeddingDim | paddingIdx maxNorm normType scaleGradByFreq',
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

/** The arguments of our constructor for those of PyTorch's; `inplace` has no form here and changes no result. */
export function constructorArguments(module: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  const [positional = [], options = []] = (signatures[module] ?? '|').split('|').map(parts);
  const names = [...positional, ...options];
  const given: Record<string, unknown> = {};
  args.forEach((value, i) => (given[names[i] ?? 'inplace'] = value));
  for (const [name, value] of Object.entries(kwargs)) given[camelCase(name)] = value;
  const rest = Object.entries(given).filter(([name]) => !positional.includes(name) && name !== 'inplace');
  return [...positional.map((name) => given[name]), ...(rest.length > 0 ? [Object.fromEntries(rest)] : [])];
}
