import { ValueError } from '@tapegrad/core';
import type { Optimizer } from './optimizer.ts';

type AnyOptimizer = Optimizer<{ lr: number } & Record<string, never>> | Optimizer<any>; // any: option sets differ

/** The state of a scheduler: plain data. */
export type SchedulerStateDict = Record<string, unknown>;

/**
 * Base of learning-rate schedules. `step` moves one epoch on and sets the rate of every group; the rate of the first
 * epoch is set at once.
 * @source torch.optim.lr_scheduler.LRScheduler
 */
export abstract class LRScheduler {
  readonly optimizer: AnyOptimizer;
  /** The epoch that the present rates are for. */
  lastEpoch = -1;
  /** The rates that the schedule starts from, one per group. */
  baseLrs: number[];
  private lastLrs: number[] = [];

  constructor(optimizer: AnyOptimizer) {
    this.optimizer = optimizer;
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr!);
  }

  /** The rate of group `i` in epoch `lastEpoch`, from its present one. */
  protected abstract rate(i: number, present: number): number;

  /** Moves on to the next epoch; call it after the optimizer's step. */
  step(): void {
    this.lastEpoch++;
    if (this.lastEpoch === 1 && this.optimizer.stepCount === 0) {
      console.warn(
        'tapegrad: scheduler.step() was called before optimizer.step(), so the first rate of the schedule is skipped. ' +
          'Call optimizer.step() first.',
      );
    }
    this.optimizer.paramGroups.forEach((group, i) => (group.lr = this.rate(i, group.lr)));
    this.lastLrs = this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** The rates that were set last, one per group. */
  getLastLr(): number[] {
    return [...this.lastLrs];
  }

  /** Everything but the optimizer and functions. */
  stateDict(): SchedulerStateDict {
    return Object.fromEntries(
      Object.entries(this).filter(([key, value]) => key !== 'optimizer' && typeof value !== 'function'),
    );
  }

  /** Takes over what `stateDict` gave. */
  loadStateDict(state: SchedulerStateDict): void {
    Object.assign(this, structuredClone(state));
  }
}

/** The rate times gamma every `stepSize` epochs. @source torch.optim.lr_scheduler.StepLR */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;
  constructor(optimizer: AnyOptimizer, stepSize: number, options: { gamma?: number } = {}) {
    super(optimizer);
    if (!(stepSize > 0)) throw new ValueError(`StepLR: the step size must be positive, got ${stepSize}`);
    this.stepSize = stepSize;
    this.gamma = options.gamma ?? 0.1;
    this.step();
  }
  protected override rate(_: number, present: number): number {
    const { lastEpoch, stepSize, gamma } = this;
    return lastEpoch > 0 && lastEpoch % stepSize === 0 ? present * gamma : present;
  }
}

/** Down half a cosine from the first rate to `etaMin` over `tMax` epochs. @source torch.optim.lr_scheduler.CosineAnnealingLR */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;
  constructor(optimizer: AnyOptimizer, tMax: number, options: { etaMin?: number } = {}) {
    super(optimizer);
    this.tMax = tMax;
    this.etaMin = options.etaMin ?? 0;
    this.step();
  }
  protected override rate(i: number, present: number): number {
    const { lastEpoch: t, tMax, etaMin } = this;
    if (t === 0) return present;
    if ((t - 1 - tMax) % (2 * tMax) === 0) {
      return present + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    }
    const ratio = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax));
    return ratio * (present - etaMin) + etaMin;
  }
}

/** The first rate times a function of the epoch, one for all groups or one for each. @source torch.optim.lr_scheduler.LambdaLR */
export class LambdaLR extends LRScheduler {
  private readonly factors: readonly ((epoch: number) => number)[];
  constructor(optimizer: AnyOptimizer, factor: ((epoch: number) => number) | readonly ((epoch: number) => number)[]) {
    super(optimizer);
    const { length } = optimizer.paramGroups;
    this.factors = typeof factor === 'function' ? Array.from({ length }, () => factor) : factor;
    if (this.factors.length !== length) {
      throw new ValueError(`LambdaLR: ${this.factors.length} functions for ${length} parameter groups; give one for each`);
    }
    this.step();
  }
  protected override rate(i: number): number {
    return this.baseLrs[i]! * this.factors[i]!(this.lastEpoch);
  }
  override stateDict(): SchedulerStateDict {
    const { factors: _, ...rest } = super.stateDict();
    return rest;
  }
}
