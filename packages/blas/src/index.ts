export { dropBlas, useBlas, type BlasOptions, type BlasReport } from './use-blas.ts';
export type { BlasName } from './library.ts';
