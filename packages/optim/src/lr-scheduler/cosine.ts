import { LRScheduler, requireThat, type AnyOptimizer, type ScheduleOptions } from './schedule.ts';

/** From `top` at 0 down half a cosine to `bottom` at 1. */
export function cosine(top: number, bottom: number, at: number): number {
  return bottom + ((top - bottom) * (1 + Math.cos(Math.PI * at))) / 2;
}

/**
 * Down half a cosine from the first rate to `etaMin` over `tMax` epochs, and up again after them.
 * @source torch.optim.lr_scheduler.CosineAnnealingLR; Loshchilov and Hutter (2017)
 */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;

  /** @param options etaMin: default 0 */
  constructor(optimizer: AnyOptimizer, tMax: number, options: ScheduleOptions & { etaMin?: number } = {}) {
    requireThat(tMax > 0, 'CosineAnnealingLR: tMax must be positive', tMax);
    super(optimizer, options, ['etaMin']);
    this.tMax = tMax;
    this.etaMin = options.etaMin ?? 0;
    this.step();
  }

  protected override rate(i: number, present: number): number {
    const { lastEpoch: t, tMax, etaMin } = this;
    if (t === 0) return present;
    if (this.stepCount === 1) return this.rateOfJump(i);
    // At the bottom there is nothing to multiply: the way up begins with a difference.
    if ((t - 1 - tMax) % (2 * tMax) === 0) return present + (this.baseLrs[i]! - cosine(this.baseLrs[i]!, etaMin, 1 / tMax));
    const ratio = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax));
    return ratio * (present - etaMin) + etaMin;
  }

  protected override rateOfJump(i: number): number {
    return cosine(this.baseLrs[i]!, this.etaMin, this.lastEpoch / this.tMax);
  }
}

/**
 * Down half a cosine again and again, each time `tMult` times as long. `step` may be given fractions of epochs, to set
 * rates between them.
 * @source torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; Loshchilov and Hutter (2017)
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** Epochs of the first run. */
  t0: number;
  /** Epochs of the present run. */
  tI: number;
  tMult: number;
  etaMin: number;
  /** Epochs since the last restart. */
  tCur: number;

  /** @param options tMult: default 1; etaMin: default 0 */
  constructor(
    optimizer: AnyOptimizer,
    t0: number,
    options: ScheduleOptions & { tMult?: number; etaMin?: number } = {},
  ) {
    const { tMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    requireThat(Number.isInteger(t0) && t0 > 0, 'CosineAnnealingWarmRestarts: t0 must be a positive integer', t0);
    requireThat(Number.isInteger(tMult) && tMult >= 1, 'CosineAnnealingWarmRestarts: tMult must be an integer from 1', tMult);
    super(optimizer, options, ['tMult', 'etaMin']);
    this.t0 = t0;
    this.tI = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.tCur = lastEpoch;
    this.step();
  }

  /** @throws ValueError for a negative epoch */
  override step(epoch?: number): void {
    if (epoch === undefined) this.tCur++;
    else {
      requireThat(epoch >= 0, 'CosineAnnealingWarmRestarts: the epoch must not be negative', epoch);
      this.tCur = epoch;
      this.tI = this.t0;
    }
    while (this.tCur >= this.tI) {
      this.tCur -= this.tI;
      this.tI *= this.tMult;
    }
    super.step(epoch === undefined ? undefined : Math.floor(epoch));
  }

  protected override rate(i: number): number {
    return cosine(this.baseLrs[i]!, this.etaMin, this.tCur / this.tI);
  }
}
