export { functionalCall, type FunctionalCallOptions } from './functional-call.ts';
export { Module, type BufferOptions, type ListOptions, type RegisterOptions } from './module.ts';
export { Parameter, type ParameterOptions } from './parameter.ts';
export { ParameterDict, ParameterList } from './parameter-containers.ts';
export type { BackwardHook, BackwardPreHook, ModuleGradients } from './backward-hooks.ts';
export { registerModuleForwardHook, registerModuleForwardPreHook } from './hooks.ts';
export type { ForwardHook, ForwardHookOptions, ForwardPreHook, HookOptions } from './hooks.ts';
export {
  StateDictError,
  type LoadOptions,
  type LoadReport,
  type StateDict,
  type StateDictOptions,
} from './state-dict.ts';
export { ModuleDict, ModuleList, Sequential, type NamedModules } from './containers.ts';
export * from './layers/activation.ts';
export * from './layers/adaptive-softmax.ts';
export * from './layers/batch-norm.ts';
export * from './layers/convolution.ts';
export * from './layers/distance.ts';
export * from './layers/distribution-loss.ts';
export * from './layers/dropout.ts';
export { Embedding, type EmbeddingLayerOptions } from './layers/embedding.ts';
export * from './layers/embedding-bag.ts';
export * from './layers/fractional-pooling.ts';
export { Bilinear, Identity, Linear, type LinearOptions } from './layers/linear.ts';
export * from './layers/local-response.ts';
export * from './layers/loss.ts';
export * from './layers/margin-loss.ts';
export * from './layers/multihead-attention.ts';
export * from './layers/normalization.ts';
export * from './layers/padding.ts';
export * from './layers/pooling.ts';
export * from './layers/power-pooling.ts';
export * from './layers/recurrent-cell.ts';
export {
  GRU,
  LSTM,
  RNN,
  type LSTMOptions,
  type RecurrentOptions,
  type RNNOptions,
} from './layers/recurrent.ts';
export * from './layers/resampling.ts';
export * from './layers/shape.ts';
export * from './layers/transformer.ts';
export * from './layers/transformer-layer.ts';
export * from './layers/unpooling.ts';
export type { MultiHeadOptions } from './functional/multi-head-attention.ts';
export type { LossOptions, Reduction } from './functional/reduction.ts';
export * as init from './init.ts';
export * as functional from './functional.ts';
export * as utils from './model-tools.ts';
export { summary, type Summary, type SummaryInput, type SummaryOptions, type SummaryRow } from './summary.ts';
