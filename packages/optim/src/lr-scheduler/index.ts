export { ChainedScheduler, SequentialLR } from './combined.ts';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './cosine.ts';
export { CyclicLR, type CycleMode, type CyclicOptions } from './cyclic.ts';
export {
  ConstantLR,
  type EpochFactor,
  ExponentialLR,
  FactorLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './factors.ts';
export { OneCycleLR, type OneCycleOptions } from './one-cycle.ts';
export { type PlateauOptions, ReduceLROnPlateau } from './plateau.ts';
export { type AnyOptimizer, LRScheduler, type ScheduleOptions, type SchedulerStateDict } from './schedule.ts';
export { SWALR, type SWAOptions } from './swa.ts';
