export * from './parameter-lists.ts';
export * as rnn from './packed-sequence.ts';
