import type { Case } from '../case.ts';
import { chains } from './chain.ts';
import { convolutions } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { gpt } from './gpt.ts';
import { lenet } from './lenet.ts';
import { lstm } from './lstm.ts';
import { matmuls } from './matmul.ts';
import { mlps } from './mlp.ts';

/** Everything that is timed step by step, in the order of the tables. */
export const cases: readonly Case[] = [
  ...matmuls,
  ...elementwise,
  ...chains,
  ...mlps,
  lenet,
  ...convolutions,
  gpt,
  lstm,
];
