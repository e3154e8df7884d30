export { AveragedParameters, type AveragingOptions, type AveragingState } from './averaging.ts';
export { SWALR, type SWAOptions } from './lr-scheduler/swa.ts';
