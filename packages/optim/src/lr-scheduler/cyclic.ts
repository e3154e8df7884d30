import { setMomentum, usesBeta1 } from './momentum.ts';
import { LRScheduler, perGroup, requireThat, type AnyOptimizer, type ScheduleOptions } from './schedule.ts';

/** How the height of a cycle depends on its number or on the step. */
export type CycleMode = 'triangular' | 'triangular2' | 'exp_range';

/** Options of CyclicLR. */
export interface CyclicOptions extends ScheduleOptions {
  /** Steps of the way up; default 2000. */
  stepSizeUp?: number;
  /** Steps of the way down; default as many as up. */
  stepSizeDown?: number | null;
  /** Cycles of one height, halved each time, or shrinking by `gamma` each step; default `'triangular'`. */
  mode?: CycleMode;
  /** Default 1. */
  gamma?: number;
  /** Gives the share of the height; `mode` is then ignored. */
  scaleFn?: ((x: number) => number) | null;
  /** Whether `scaleFn` is given the number of the cycle, from 1, or of the step; default `'cycle'`. */
  scaleMode?: 'cycle' | 'iterations';
  /** Move the momentum against the rate; default true. */
  cycleMomentum?: boolean;
  /** Momentum where the rate is largest; default 0.8. */
  baseMomentum?: number | readonly number[];
  /** Momentum where the rate is least; default 0.9. */
  maxMomentum?: number | readonly number[];
}

const further = [
  'stepSizeUp', 'stepSizeDown', 'mode', 'gamma', 'scaleFn', 'scaleMode', 'cycleMomentum', 'baseMomentum', 'maxMomentum',
] as const;

/** What the modes stand for. */
const modes: Readonly<Record<CycleMode, [by: 'cycle' | 'iterations', share: (x: number, gamma: number) => number]>> = {
  triangular: ['cycle', () => 1],
  triangular2: ['cycle', (cycle) => 1 / 2 ** (cycle - 1)],
  exp_range: ['iterations', (step, gamma) => gamma ** step],
};

/**
 * Up and down between two rates in straight lines; step it after every batch.
 * @source torch.optim.lr_scheduler.CyclicLR; Smith (2017)
 */
export class CyclicLR extends LRScheduler {
  maxLrs: number[];
  /** Steps of a whole cycle, and the share of them that goes up. */
  totalSize: number;
  stepRatio: number;
  mode: CycleMode;
  gamma: number;
  scaleMode: 'cycle' | 'iterations';
  cycleMomentum: boolean;
  useBeta1 = false;
  baseMomentums: number[];
  maxMomentums: number[];
  private readonly scaleFn: (x: number) => number;

  /**
   * @param baseLr lowest rate, for all groups or for each
   * @param maxLr highest rate
   * @throws ValueError for an unknown mode, lists of another length than the groups, or an optimizer without a momentum
   */
  constructor(
    optimizer: AnyOptimizer,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicOptions = {},
  ) {
    const { stepSizeUp = 2000, mode = 'triangular', gamma = 1, cycleMomentum = true, lastEpoch = -1 } = options;
    const stepSizeDown = options.stepSizeDown ?? stepSizeUp;
    requireThat(stepSizeUp > 0 && stepSizeDown > 0, 'CyclicLR: step sizes must be positive', [stepSizeUp, stepSizeDown]);
    requireThat(options.scaleFn != null || mode in modes, `CyclicLR: mode is one of ${Object.keys(modes).join(', ')}`, mode);
    const baseLrs = perGroup(optimizer, 'CyclicLR: baseLr', baseLr);
    const maxLrs = perGroup(optimizer, 'CyclicLR: maxLr', maxLr);
    const baseMomentums = perGroup(optimizer, 'CyclicLR: baseMomentum', options.baseMomentum ?? 0.8);
    const maxMomentums = perGroup(optimizer, 'CyclicLR: maxMomentum', options.maxMomentum ?? 0.9);
    const useBeta1 = cycleMomentum && usesBeta1(optimizer, 'CyclicLR');
    super(optimizer, options, further);
    if (lastEpoch === -1) this.setRates(baseLrs);
    this.baseLrs = baseLrs;
    this.maxLrs = maxLrs;
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = stepSizeUp / this.totalSize;
    this.mode = mode;
    this.gamma = gamma;
    if (options.scaleFn != null) {
      this.scaleMode = options.scaleMode ?? 'cycle';
      this.scaleFn = options.scaleFn;
    } else {
      const [by, share] = modes[mode];
      this.scaleMode = by;
      this.scaleFn = (x) => share(x, this.gamma);
    }
    this.cycleMomentum = cycleMomentum;
    this.useBeta1 = useBeta1;
    this.baseMomentums = baseMomentums;
    this.maxMomentums = maxMomentums;
    this.step();
  }

  override step(epoch?: number): void {
    super.step(epoch);
    if (!this.cycleMomentum) return;
    const height = this.height();
    const values = this.maxMomentums.map((most, i) => most - (most - this.baseMomentums[i]!) * height);
    setMomentum(this.optimizer, this.useBeta1, values);
  }

  protected override rate(i: number): number {
    return this.baseLrs[i]! + (this.maxLrs[i]! - this.baseLrs[i]!) * this.height();
  }

  /** Where between the lowest and the highest rate the present step is, as a share. */
  private height(): number {
    const { lastEpoch, totalSize, stepRatio } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const triangle = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    return triangle * this.scaleFn(this.scaleMode === 'cycle' ? cycle : lastEpoch);
  }
}
