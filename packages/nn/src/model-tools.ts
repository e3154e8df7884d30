export { fuseConvBnEval } from './fusion.ts';
export * from './parameter-lists.ts';
export * as parametrize from './parametrization.ts';
export * as rnn from './packed-sequence.ts';
export * from './weight-parametrizations.ts';
