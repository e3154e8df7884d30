import { ValueError } from '@tapegrad/core';
import { LRScheduler, requireThat, type AnyOptimizer, type SchedulerStateDict } from './schedule.ts';

/** A schedule that is made of others for the same optimizer. */
abstract class CombinedLR extends LRScheduler {
  protected readonly schedulers: readonly LRScheduler[];

  constructor(optimizer: AnyOptimizer, schedulers: readonly LRScheduler[]) {
    const other = schedulers.findIndex((scheduler) => scheduler.optimizer !== optimizer);
    if (other >= 0) throw new ValueError(`the scheduler at index ${other} belongs to another optimizer; give all of them one`);
    super(optimizer);
    this.schedulers = [...schedulers];
    this.lastEpoch = 0;
  }

  protected override rate(_: number, present: number): number {
    return present;
  }

  /** As all schedules, with the states of the parts. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** @throws ValueError, before anything has changed, when the state is of another number of schedules */
  override loadStateDict(state: SchedulerStateDict): void {
    const parts = state['_schedulers'] as SchedulerStateDict[] | undefined;
    const { length } = this.schedulers;
    requireThat(Array.isArray(parts) && parts.length === length, `the state must be of ${length} schedulers`, parts?.length);
    super.loadStateDict({ last_epoch: this.lastEpoch, ...state });
    this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(parts![i]!));
  }

  protected readRates(): void {
    this.lastLrs = this.optimizer.paramGroups.map(({ lr }) => lr as number);
  }
}

/**
 * One schedule after the other: at each milestone the next one takes over, from its own beginning.
 * @example
 * const optimizer = new tg.optim.SGD([tg.zeros([1], { requiresGrad: true })], { lr: 1 });
 * const { ConstantLR, ExponentialLR, SequentialLR } = tg.optim.lrScheduler;
 * const warmUp = new ConstantLR(optimizer, { factor: 0.25, totalIters: 2 });
 * const scheduler = new SequentialLR(optimizer, [warmUp, new ExponentialLR(optimizer, 0.5)], [2]);
 * const rates = [0, 1, 2, 3].map(() => {
 *   const [rate] = scheduler.getLastLr();
 *   optimizer.step();
 *   scheduler.step();
 *   return rate;
 * });
 * console.log(rates); // → [ 0.25, 0.25, 1, 0.5 ]
 * @source torch.optim.lr_scheduler.SequentialLR
 */
export class SequentialLR extends CombinedLR {
  /** The epochs at which the next schedule takes over. */
  switches: number[];

  /** @throws ValueError when a schedule is of another optimizer, or there is not one milestone less than schedules */
  constructor(optimizer: AnyOptimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    requireThat(
      milestones.length === schedulers.length - 1,
      `SequentialLR: ${schedulers.length} schedulers need one milestone less`,
      milestones.length,
    );
    super(optimizer, schedulers);
    this.switches = [...milestones];
    // Each schedule has set its first rates when it was made; only those of the first count.
    this.setRates(optimizer.paramGroups.map((group) => group.initialLr as number));
    schedulers.forEach((scheduler) => scheduler.wait());
    schedulers[0]!.step();
    this.readRates();
  }

  override step(): void {
    this.lastEpoch++;
    const index = this.switches.filter((epoch) => epoch <= this.lastEpoch).length;
    const scheduler = this.schedulers[index]!;
    if (index > 0 && this.switches[index - 1] === this.lastEpoch) scheduler.step(0);
    else scheduler.step();
    this.readRates();
  }
}

/** Several schedules together, each changing the rate that the one before left. @source torch.optim.lr_scheduler.ChainedScheduler */
export class ChainedScheduler extends CombinedLR {
  /** @throws ValueError without schedules, or when they are of several optimizers */
  constructor(schedulers: readonly LRScheduler[]) {
    if (schedulers.length === 0) throw new ValueError('ChainedScheduler needs at least one scheduler');
    super(schedulers[0]!.optimizer, schedulers);
    this.readRates();
  }

  override step(): void {
    this.lastEpoch++;
    for (const scheduler of this.schedulers) scheduler.step();
    this.readRates();
  }
}
