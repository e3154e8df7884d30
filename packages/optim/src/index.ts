export { Adadelta, type AdadeltaOptions } from './adadelta.ts';
export { Adafactor, type AdafactorOptions } from './adafactor.ts';
export { Adagrad, type AdagradOptions } from './adagrad.ts';
export { Adam, AdamW, type AdamOptions } from './adam.ts';
export { Adamax, type AdamaxOptions } from './adamax.ts';
export { ASGD, type ASGDOptions } from './asgd.ts';
export {
  type HookOptions,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StateDictHook,
  type StateHook,
  type StepPostHook,
  type StepPreHook,
} from './hooks.ts';
export { LBFGS, type LBFGSOptions } from './lbfgs.ts';
export { curveFit, type CurveFitOptions } from './least-squares/curve-fit.ts';
export type { Bound, Bounds } from './least-squares/box.ts';
export { leastSquares, type LeastSquaresOptions, type LeastSquaresResult } from './least-squares/levenberg-marquardt.ts';
export type { ResidualFunction } from './least-squares/residuals.ts';
export { Lion, type LionOptions } from './lion.ts';
export { Muon, type MuonOptions } from './muon.ts';
export { NAdam, type NAdamOptions } from './nadam.ts';
export {
  Optimizer,
  type OptimizerStateDict,
  type ParameterState,
  type ParamGroup,
  type ParamGroupInput,
  type ParamsInput,
  type StateValue,
} from './optimizer.ts';
export { RAdam, type RAdamOptions } from './radam.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
export { Rprop, type RpropOptions } from './rprop.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export * as lrScheduler from './lr-scheduler/index.ts';
export * as swaUtils from './swa-utils.ts';
