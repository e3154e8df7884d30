export { fuseConvBnEval } from './fusion.ts';
export * from './parameter-lists.ts';
export * as parametrizations from './parametrizations.ts';
export * as parametrize from './parametrization.ts';
export * as prune from './prune.ts';
export * as rnn from './packed-sequence.ts';
export * from './weight-parametrizations.ts';
