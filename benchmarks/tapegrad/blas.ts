import { useBlas } from '@tapegrad/blas';
import type { Adapter } from '../prepared.ts';
import { adapter as own } from './index.ts';

const { name, summary } = await useBlas();

/** The same with products of matrices by a BLAS; without one there is nothing to measure. */
export const adapter: Adapter = {
  version: `${own.version} (${summary})`,
  operations: name === null ? {} : own.operations,
  scoped: own.scoped!,
};
