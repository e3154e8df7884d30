export { Adam, AdamW, type AdamOptions } from './adam.ts';
export {
  Optimizer,
  type OptimizerStateDict,
  type ParameterState,
  type ParamGroup,
  type ParamGroupInput,
  type ParamsInput,
} from './optimizer.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export * as lrScheduler from './schedulers.ts';
