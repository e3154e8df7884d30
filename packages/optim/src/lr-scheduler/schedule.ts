import { ValueError, warnOnce } from '@tapegrad/core';
import { camelCase, mapKeys, snakeCase } from '../names.ts';
import { requireKnown } from '../options.ts';
import type { AnyOptimizer } from '../hooks.ts';

export type { AnyOptimizer };

/** The state of a scheduler under PyTorch's names: plain data. */
export type SchedulerStateDict = Record<string, unknown>;

/** What every schedule may be given. */
export interface ScheduleOptions {
  /** The last epoch of a training that is resumed; the optimizer's groups then have their `initialLr`. Default -1. */
  lastEpoch?: number;
}

/** Fields whose names in a state dict do not follow from ours. */
const stateNames: Readonly<Record<string, string>> = {
  stepCount: '_step_count',
  lastLrs: '_last_lr',
  tMax: 'T_max',
  t0: 'T_0',
  tMult: 'T_mult',
  tI: 'T_i',
  tCur: 'T_cur',
  switches: '_milestones',
};

/** The field that a state dict of PyTorch's names so. */
function fieldOf(name: string): string {
  const [field = camelCase(name)] = Object.entries(stateNames).find(([, other]) => other === name) ?? [];
  return field;
}

/**
 * Base of learning-rate schedules. `step` moves one epoch on and sets the rate of every group; the rate of the first
 * epoch is set at once. Most schedules change the present rate, so that several of them, and changes by hand, add up.
 * @source torch.optim.lr_scheduler.LRScheduler
 */
export abstract class LRScheduler {
  readonly optimizer: AnyOptimizer;
  /** The epoch that the present rates are for. */
  lastEpoch: number;
  /** The rates that the schedule starts from, one per group. */
  baseLrs: number[];
  /** How often rates were set. */
  protected stepCount = 0;
  protected lastLrs: number[] = [];

  /**
   * @param further options that a schedule has beside `lastEpoch`
   * @throws ValueError when a training is resumed but a group does not know its first rate, or an option is unknown
   */
  constructor(optimizer: AnyOptimizer, options: ScheduleOptions = {}, further: readonly string[] = []) {
    requireKnown(new.target.name, options, [...further, 'lastEpoch']);
    const { lastEpoch = -1 } = options;
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    optimizer.paramGroups.forEach((group, i) => {
      if (lastEpoch !== -1 && group.initialLr === undefined) {
        throw new ValueError(
          `'initialLr' is not specified in paramGroups[${i}] when resuming an optimizer; load its state dict first`,
        );
      }
    });
    this.baseLrs = optimizer.paramGroups.map((group) => (group.initialLr ??= group.lr) as number);
  }

  /** The rate of group `i` in epoch `lastEpoch`, from the one of the epoch before. */
  protected abstract rate(i: number, present: number): number;

  /** The rate of group `i` in epoch `lastEpoch`, when that was not reached step by step. */
  protected rateOfJump(i: number, present: number): number {
    return this.rate(i, present);
  }

  /**
   * Moves on to the next epoch; call it after the optimizer's step.
   * @param epoch the epoch to jump to instead of the next one
   * @throws ValueError when that is no number, as a loss would be
   */
  step(epoch?: number): void {
    requireThat(epoch === undefined || typeof epoch === 'number', `${this.constructor.name}: step takes an epoch or nothing`, epoch);
    if (this.stepCount === 1 && this.optimizer.stepCount === 0 && epoch === undefined) {
      warnOnce(
        'schedule before step',
        'scheduler.step() was called before optimizer.step(), so the first rate of the schedule is skipped. Call ' +
          'optimizer.step() first.',
      );
    }
    this.stepCount++;
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    const rates = this.optimizer.paramGroups.map(({ lr }, i) => {
      return epoch === undefined ? this.rate(i, lr as number) : this.rateOfJump(i, lr as number);
    });
    this.setRates(rates);
  }

  /** The rates that were set last, one per group. */
  getLastLr(): number[] {
    return [...this.lastLrs];
  }

  /** Everything but the optimizer and functions. */
  stateDict(): SchedulerStateDict {
    const data = Object.entries(this).filter(([key, value]) => key !== 'optimizer' && isData(value));
    return structuredClone(mapKeys(Object.fromEntries(data), (key) => stateNames[key] ?? snakeCase(key)));
  }

  /**
   * Takes over what `stateDict` gave; what is not known here is left alone.
   * @throws ValueError, before anything has changed, when the state has no epoch or is of another number of groups
   */
  loadStateDict(state: SchedulerStateDict): void {
    const own = Object.entries(mapKeys(state, fieldOf)).filter(([key]) => {
      return key !== 'optimizer' && key in this && isData(this[key as keyof this]);
    });
    const { lastEpoch, baseLrs } = Object.fromEntries(own);
    if (typeof lastEpoch !== 'number') throw new ValueError('the state of a scheduler must have a last_epoch');
    if (Array.isArray(baseLrs) && baseLrs.length !== this.baseLrs.length) {
      throw new ValueError(
        `the state is of a scheduler for ${baseLrs.length} parameter groups, this one has ${this.baseLrs.length}`,
      );
    }
    Object.assign(this, structuredClone(Object.fromEntries(own)));
  }

  /** Takes back the step that a schedule takes when it is made: it is not its turn. @internal */
  wait(): void {
    this.lastEpoch--;
    this.stepCount = 0;
  }

  protected setRates(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, i) => (group.lr = rates[i]));
    this.lastLrs = [...rates];
  }
}

/** One value for each group, from one for all or a list. @throws ValueError when the list has another length */
export function perGroup<T>(optimizer: AnyOptimizer, name: string, value: T | readonly T[]): T[] {
  const { length } = optimizer.paramGroups;
  if (!Array.isArray(value)) return Array.from({ length }, () => value as T);
  if (value.length !== length) {
    throw new ValueError(`${name}: expected ${length} values, one for each parameter group, got ${value.length}`);
  }
  return [...(value as readonly T[])];
}

/** Refuses an argument of a schedule. @throws ValueError */
export function requireThat(ok: boolean, what: string, got: unknown): void {
  if (!ok) throw new ValueError(`${what}, got ${String(got)}`);
}

function isData(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isData);
  return typeof value !== 'function' && !(value instanceof LRScheduler);
}
