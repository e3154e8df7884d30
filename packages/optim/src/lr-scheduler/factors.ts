import { LRScheduler, perGroup, requireThat } from './schedule.ts';
import type { AnyOptimizer, ScheduleOptions, SchedulerStateDict } from './schedule.ts';

/**
 * A schedule that multiplies the first rate by a factor of the epoch. A subclass says the factor; from epoch to epoch the
 * present rate is multiplied by what the factor changes by, so that other changes of the rate persist.
 */
export abstract class FactorLR extends LRScheduler {
  /** The share of the first rate that is used in an epoch. */
  protected abstract factorAt(epoch: number): number;

  protected override rate(_: number, present: number): number {
    const now = this.factorAt(this.lastEpoch);
    if (this.lastEpoch === 0) return present * now;
    const before = this.factorAt(this.lastEpoch - 1);
    return before === now || before === 0 ? present : present * (now / before);
  }

  protected override rateOfJump(i: number): number {
    return this.baseLrs[i]! * this.factorAt(this.lastEpoch);
  }
}

/** The rate times gamma every `stepSize` epochs. @source torch.optim.lr_scheduler.StepLR */
export class StepLR extends FactorLR {
  stepSize: number;
  gamma: number;

  /** @param options gamma: default 0.1 */
  constructor(optimizer: AnyOptimizer, stepSize: number, options: ScheduleOptions & { gamma?: number } = {}) {
    requireThat(stepSize > 0, 'StepLR: the step size must be positive', stepSize);
    super(optimizer, options, ['gamma']);
    this.stepSize = stepSize;
    this.gamma = options.gamma ?? 0.1;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    return this.gamma ** Math.floor(epoch / this.stepSize);
  }
}

/**
 * The rate times gamma at each milestone; one that is given twice counts twice.
 * @source torch.optim.lr_scheduler.MultiStepLR
 */
export class MultiStepLR extends FactorLR {
  /** How often each epoch is a milestone. */
  milestones: Record<number, number> = {};
  gamma: number;

  /** @param options gamma: default 0.1 */
  constructor(optimizer: AnyOptimizer, milestones: readonly number[], options: ScheduleOptions & { gamma?: number } = {}) {
    super(optimizer, options, ['gamma']);
    for (const epoch of milestones) this.milestones[epoch] = (this.milestones[epoch] ?? 0) + 1;
    this.gamma = options.gamma ?? 0.1;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    const passed = Object.entries(this.milestones).filter(([milestone]) => Number(milestone) <= epoch);
    return this.gamma ** passed.reduce((sum, [, count]) => sum + count, 0);
  }
}

/** A share of the rate for the first epochs, then all of it. @source torch.optim.lr_scheduler.ConstantLR */
export class ConstantLR extends FactorLR {
  /** The share; between 0 and 1. */
  factor: number;
  totalIters: number;

  /** @param options factor: default 1/3; totalIters: epochs with the share, default 5 */
  constructor(optimizer: AnyOptimizer, options: ScheduleOptions & { factor?: number; totalIters?: number } = {}) {
    const { factor = 1 / 3, totalIters = 5 } = options;
    requireThat(factor >= 0 && factor <= 1, 'ConstantLR: the factor must be between 0 and 1', factor);
    super(optimizer, options, ['factor', 'totalIters']);
    this.factor = factor;
    this.totalIters = totalIters;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    return epoch < this.totalIters ? this.factor : 1;
  }
}

/** A share of the rate that changes evenly and then stays. @source torch.optim.lr_scheduler.LinearLR */
export class LinearLR extends FactorLR {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  /** @param options startFactor: default 1/3; endFactor: default 1; totalIters: epochs in between, default 5 */
  constructor(
    optimizer: AnyOptimizer,
    options: ScheduleOptions & { startFactor?: number; endFactor?: number; totalIters?: number } = {},
  ) {
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    requireThat(startFactor > 0 && startFactor <= 1, 'LinearLR: the start factor must be above 0 and at most 1', startFactor);
    requireThat(endFactor >= 0 && endFactor <= 1, 'LinearLR: the end factor must be between 0 and 1', endFactor);
    super(optimizer, options, ['startFactor', 'endFactor', 'totalIters']);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    const { startFactor, endFactor, totalIters } = this;
    return startFactor + ((endFactor - startFactor) * Math.min(totalIters, epoch)) / totalIters;
  }
}

/** The rate times gamma every epoch. @source torch.optim.lr_scheduler.ExponentialLR */
export class ExponentialLR extends FactorLR {
  gamma: number;

  constructor(optimizer: AnyOptimizer, gamma: number, options: ScheduleOptions = {}) {
    requireThat(typeof gamma === 'number', 'ExponentialLR: gamma must be a number', gamma);
    super(optimizer, options);
    this.gamma = gamma;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    return this.gamma ** epoch;
  }
}

/** Down to 0 as a power of what is left. @source torch.optim.lr_scheduler.PolynomialLR */
export class PolynomialLR extends FactorLR {
  totalIters: number;
  power: number;

  /** @param options totalIters: epochs until 0, default 5; power: default 1 */
  constructor(optimizer: AnyOptimizer, options: ScheduleOptions & { totalIters?: number; power?: number } = {}) {
    super(optimizer, options, ['totalIters', 'power']);
    this.totalIters = options.totalIters ?? 5;
    this.power = options.power ?? 1;
    this.step();
  }

  protected override factorAt(epoch: number): number {
    return (1 - Math.min(this.totalIters, epoch) / this.totalIters) ** this.power;
  }
}

/** A function of the epoch, one for all groups or one for each. */
export type EpochFactor = ((epoch: number) => number) | readonly ((epoch: number) => number)[];

/** The first rate times a function of the epoch. @source torch.optim.lr_scheduler.LambdaLR */
export class LambdaLR extends LRScheduler {
  protected readonly lrLambdas: readonly ((epoch: number) => number)[];

  /** @throws ValueError when there are several functions, but not one for each group */
  constructor(optimizer: AnyOptimizer, factor: EpochFactor, options: ScheduleOptions = {}) {
    const factors = perGroup(optimizer, 'LambdaLR: functions', factor);
    requireThat(factors.every((f) => typeof f === 'function'), 'LambdaLR: the factor must be a function of the epoch', factor);
    super(optimizer, options);
    this.lrLambdas = factors;
    this.step();
  }

  protected override rate(i: number, _: number): number {
    return this.baseLrs[i]! * this.lrLambdas[i]!(this.lastEpoch);
  }

  /** As all schedules; functions are not kept, and stand as null. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), lr_lambdas: this.lrLambdas.map(() => null) };
  }
}

/**
 * The present rate times a function of the epoch, from the second epoch on.
 * @source torch.optim.lr_scheduler.MultiplicativeLR
 */
export class MultiplicativeLR extends LambdaLR {
  protected override rate(i: number, present: number): number {
    return this.lastEpoch > 0 ? present * this.lrLambdas[i]!(this.lastEpoch) : present;
  }
}
