import { LRScheduler, perGroup, requireThat, type AnyOptimizer, type ScheduleOptions } from './schedule.ts';

/** Options of SWALR. */
export interface SWAOptions extends ScheduleOptions {
  /** Epochs on the way to the rate; default 10. */
  annealEpochs?: number;
  /** The shape of the way; default `'cos'`. */
  annealStrategy?: 'cos' | 'linear';
}

/** How much of the way is done after a share of the time. */
const strategies: Readonly<Record<string, (t: number) => number>> = {
  cos: (t) => (1 - Math.cos(Math.PI * t)) / 2,
  linear: (t) => t,
};

/**
 * From the present rate to a constant one, for the last epochs of a training whose weights are averaged.
 * @source torch.optim.swa_utils.SWALR; Izmailov et al. (2018)
 */
export class SWALR extends LRScheduler {
  annealEpochs: number;
  private readonly annealFunc: (t: number) => number;

  /**
   * @param swaLr the constant rate, for all groups or for each
   * @throws ValueError for an unknown strategy, negative epochs, or a list of another length than the groups
   */
  constructor(optimizer: AnyOptimizer, swaLr: number | readonly number[], options: SWAOptions = {}) {
    const { annealEpochs = 10, annealStrategy = 'cos' } = options;
    requireThat(annealStrategy in strategies, "SWALR: annealStrategy must be 'cos' or 'linear'", annealStrategy);
    requireThat(Number.isInteger(annealEpochs) && annealEpochs >= 0, 'SWALR: annealEpochs must be an integer from 0', annealEpochs);
    const swaLrs = perGroup(optimizer, 'SWALR: swaLr', swaLr);
    super(optimizer, options, ['annealEpochs', 'annealStrategy']);
    optimizer.paramGroups.forEach((group, i) => (group.swaLr = swaLrs[i]!));
    this.annealEpochs = annealEpochs;
    this.annealFunc = strategies[annealStrategy]!;
    this.step();
  }

  /** The rate that the way began at follows from the present one, so that another schedule may have changed it. */
  protected override rate(i: number, present: number): number {
    const goal = this.optimizer.paramGroups[i]!.swaLr as number;
    const epoch = this.annealEpochs === 0 ? Math.max(1, this.lastEpoch) : this.lastEpoch;
    const before = this.done(epoch - 1);
    const now = this.done(epoch);
    const start = before === 1 ? goal : (present - before * goal) / (1 - before);
    return goal * now + start * (1 - now);
  }

  private done(epoch: number): number {
    return this.annealFunc(Math.max(0, Math.min(1, epoch / Math.max(1, this.annealEpochs))));
  }
}
