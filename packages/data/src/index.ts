export { DataError } from './errors.ts';
export { parseIdx } from './idx.ts';
export type { IdxArray } from './idx.ts';
