import { Tensor, ValueError } from '@tapegrad/core';
import { requireKnown } from '../options.ts';
import { LRScheduler, perGroup, requireThat } from './schedule.ts';
import type { AnyOptimizer, SchedulerStateDict } from './schedule.ts';

/** Options of ReduceLROnPlateau. */
export interface PlateauOptions {
  /** Whether the metric should fall or rise; default `'min'`. */
  mode?: 'min' | 'max';
  /** By which the rate is multiplied; below 1, default 0.1. */
  factor?: number;
  /** Epochs without improvement that are put up with; default 10. */
  patience?: number;
  /** How much better counts as better; default 1e-4. */
  threshold?: number;
  /** Whether the threshold is a share of the best metric or a difference; default `'rel'`. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which nothing is counted; default 0. */
  cooldown?: number;
  /** Least rate, for all groups or for each; default 0. */
  minLr?: number | readonly number[];
  /** Smaller changes of the rate are not made; default 1e-8. */
  eps?: number;
}

const optionNames = [
  'mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps',
] as const;

/**
 * The rate times a factor when a metric has stopped getting better. `step` takes the metric; call it once per epoch.
 * @source torch.optim.lr_scheduler.ReduceLROnPlateau
 */
export class ReduceLROnPlateau extends LRScheduler {
  mode: 'min' | 'max';
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: 'rel' | 'abs';
  cooldown: number;
  minLrs: number[];
  eps: number;
  /** The best metric so far; infinite before the first one. */
  best: number;
  numBadEpochs = 0;
  cooldownCounter = 0;

  /** @throws ValueError for a factor of 1 or more, an unknown mode, or a list of another length than the groups */
  constructor(optimizer: AnyOptimizer, options: PlateauOptions = {}) {
    requireKnown('ReduceLROnPlateau', options, optionNames);
    const { mode = 'min', factor = 0.1, thresholdMode = 'rel' } = options;
    requireThat(factor < 1, 'ReduceLROnPlateau: the factor must be below 1', factor);
    requireThat(mode === 'min' || mode === 'max', "ReduceLROnPlateau: mode must be 'min' or 'max'", mode);
    requireThat(['rel', 'abs'].includes(thresholdMode), "ReduceLROnPlateau: thresholdMode must be 'rel' or 'abs'", thresholdMode);
    const minLrs = perGroup(optimizer, 'ReduceLROnPlateau: minLr', options.minLr ?? 0);
    super(optimizer);
    this.mode = mode;
    this.factor = factor;
    this.patience = options.patience ?? 10;
    this.threshold = options.threshold ?? 1e-4;
    this.thresholdMode = thresholdMode;
    this.cooldown = options.cooldown ?? 0;
    this.minLrs = minLrs;
    this.eps = options.eps ?? 1e-8;
    this.best = mode === 'min' ? Infinity : -Infinity;
    this.lastEpoch = 0;
    this.lastLrs = optimizer.paramGroups.map(({ lr }) => lr as number);
  }

  /**
   * Looks at the metric of an epoch, such as the validation loss, and lowers the rates if it is time.
   * @throws ValueError without a metric
   */
  override step(metric?: number | Tensor): void {
    const value = metric instanceof Tensor ? metric.item() : metric;
    if (typeof value !== 'number') throw new ValueError('ReduceLROnPlateau: step needs the metric, a number or a tensor of one');
    this.lastEpoch++;
    const better = this.isBetter(value);
    if (better) this.best = value;
    this.numBadEpochs = better || this.cooldownCounter > 0 ? 0 : this.numBadEpochs + 1;
    if (this.cooldownCounter > 0) this.cooldownCounter--;
    if (this.numBadEpochs > this.patience) {
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
      this.setRates(this.optimizer.paramGroups.map(({ lr }, i) => this.rate(i, lr as number)));
    }
    this.lastLrs = this.optimizer.paramGroups.map(({ lr }) => lr as number);
  }

  protected override rate(i: number, present: number): number {
    const next = Math.max(present * this.factor, this.minLrs[i]!);
    return present - next > this.eps ? next : present;
  }

  /** As all schedules, and what PyTorch's needs beside it. */
  override stateDict(): SchedulerStateDict {
    const { base_lrs: _, _step_count: __, ...own } = super.stateDict();
    return { ...own, mode_worse: this.mode === 'min' ? Infinity : -Infinity };
  }

  private isBetter(value: number): boolean {
    const { mode, best, threshold, thresholdMode } = this;
    const sign = mode === 'min' ? -1 : 1;
    const bar = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return sign * (value - bar) > 0;
  }
}
