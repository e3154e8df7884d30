import { ValueError } from '@tapegrad/core';
import { requireKnown } from '../options.ts';
import { cosine } from './cosine.ts';
import { setMomentum, usesBeta1 } from './momentum.ts';
import { LRScheduler, perGroup, requireThat, type AnyOptimizer, type ScheduleOptions } from './schedule.ts';

/** Options of OneCycleLR. */
export interface OneCycleOptions extends ScheduleOptions {
  /** Steps of the whole training; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number | null;
  epochs?: number | null;
  stepsPerEpoch?: number | null;
  /** Share of the steps on the way up; default 0.3. */
  pctStart?: number;
  /** The shape of the ways; default `'cos'`. */
  annealStrategy?: 'cos' | 'linear';
  /** Move the momentum against the rate; default true. */
  cycleMomentum?: boolean;
  /** Momentum where the rate is largest; default 0.85. */
  baseMomentum?: number | readonly number[];
  /** Momentum at the start and the end; default 0.95. */
  maxMomentum?: number | readonly number[];
  /** The first rate is the largest one divided by this; default 25. */
  divFactor?: number;
  /** The last rate is the first one divided by this; default 1e4. */
  finalDivFactor?: number;
  /** Down to the first rate as fast as up, and then to the last one; default false. */
  threePhase?: boolean;
}

const further = [
  'totalSteps', 'epochs', 'stepsPerEpoch', 'pctStart', 'annealStrategy', 'cycleMomentum', 'baseMomentum', 'maxMomentum', 'divFactor',
  'finalDivFactor', 'threePhase',
] as const;

type Level = 'initialLr' | 'maxLr' | 'minLr' | 'maxMomentum' | 'baseMomentum';

/** A part of the schedule: the step at which it ends, and what rate and momentum go from and to. */
type Phase = readonly [end: number, rate: readonly [Level, Level], momentum: readonly [Level, Level]];

const strategies: Readonly<Record<string, (from: number, to: number, at: number) => number>> = {
  cos: cosine,
  linear: (from, to, at) => (to - from) * at + from,
};

/**
 * Once up to the largest rate and down to almost nothing; step it after every batch.
 * @source torch.optim.lr_scheduler.OneCycleLR; Smith and Topin (2018)
 */
export class OneCycleLR extends LRScheduler {
  totalSteps: number;
  cycleMomentum: boolean;
  useBeta1: boolean;
  private readonly annealFunc: (from: number, to: number, at: number) => number;
  readonly #phases: readonly Phase[];

  /**
   * @param maxLr largest rate, for all groups or for each
   * @throws ValueError without a number of steps, for one that makes no sense, or an optimizer without a momentum
   */
  constructor(optimizer: AnyOptimizer, maxLr: number | readonly number[], options: OneCycleOptions = {}) {
    requireKnown('OneCycleLR', options, [...further, 'lastEpoch']);
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true, lastEpoch = -1 } = options;
    const totalSteps = stepsOf(options);
    requireThat(pctStart >= 0 && pctStart <= 1, 'OneCycleLR: pctStart must be between 0 and 1', pctStart);
    requireThat(annealStrategy in strategies, "OneCycleLR: annealStrategy must be 'cos' or 'linear'", annealStrategy);
    const maxLrs = perGroup(optimizer, 'OneCycleLR: maxLr', maxLr);
    const baseMomentums = perGroup(optimizer, 'OneCycleLR: baseMomentum', options.baseMomentum ?? 0.85);
    const maxMomentums = perGroup(optimizer, 'OneCycleLR: maxMomentum', options.maxMomentum ?? 0.95);
    const useBeta1 = cycleMomentum && usesBeta1(optimizer, 'OneCycleLR');
    if (lastEpoch === -1) {
      optimizer.paramGroups.forEach((group, i) => {
        group.maxLr = maxLrs[i]!;
        group.initialLr = maxLrs[i]! / (options.divFactor ?? 25);
        group.minLr = group.initialLr / (options.finalDivFactor ?? 1e4);
        if (cycleMomentum) Object.assign(group, { maxMomentum: maxMomentums[i]!, baseMomentum: baseMomentums[i]! });
      });
    }
    super(optimizer, options, further);
    this.totalSteps = totalSteps;
    this.cycleMomentum = cycleMomentum;
    this.useBeta1 = useBeta1;
    this.annealFunc = strategies[annealStrategy]!;
    const up: Phase = [pctStart * totalSteps - 1, ['initialLr', 'maxLr'], ['maxMomentum', 'baseMomentum']];
    this.#phases = options.threePhase
      ? [
          up,
          [2 * pctStart * totalSteps - 2, ['maxLr', 'initialLr'], ['baseMomentum', 'maxMomentum']],
          [totalSteps - 1, ['initialLr', 'minLr'], ['maxMomentum', 'maxMomentum']],
        ]
      : [up, [totalSteps - 1, ['maxLr', 'minLr'], ['baseMomentum', 'maxMomentum']]];
    this.step();
  }

  /** @throws ValueError when there are no steps left */
  override step(epoch?: number): void {
    const next = epoch ?? this.lastEpoch + 1;
    if (next > this.totalSteps) {
      throw new ValueError(`OneCycleLR: step ${next + 1} of a schedule of ${this.totalSteps} steps; give it a larger totalSteps`);
    }
    super.step(epoch);
    if (!this.cycleMomentum) return;
    setMomentum(this.optimizer, this.useBeta1, this.optimizer.paramGroups.map((_, i) => this.between(i, 2)));
  }

  protected override rate(i: number): number {
    return this.between(i, 1);
  }

  /** Rate (1) or momentum (2) of a group in the present phase. */
  private between(i: number, what: 1 | 2): number {
    const found = this.#phases.findIndex(([end]) => this.lastEpoch <= end);
    const index = found < 0 ? this.#phases.length - 1 : found;
    const phase = this.#phases[index]!;
    const start = index === 0 ? 0 : this.#phases[index - 1]![0];
    const [from, to] = phase[what];
    const group = this.optimizer.paramGroups[i] as Record<Level, number>;
    return this.annealFunc(group[from], group[to], (this.lastEpoch - start) / (phase[0] - start));
  }
}

/** How many steps were asked for, in either way. */
function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleOptions): number {
  const count = totalSteps ?? (epochs != null && stepsPerEpoch != null ? epochs * stepsPerEpoch : null);
  if (count === null) throw new ValueError('OneCycleLR: give totalSteps, or epochs and stepsPerEpoch');
  requireThat(Number.isInteger(count) && count > 0, 'OneCycleLR: the number of steps must be a positive integer', count);
  return count;
}
