import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { tensor } from '@tapegrad/core';
import { lrScheduler, SGD } from '../src/index.ts';

interface Case {
  scheduler: string;
  options: Record<string, unknown>;
  metrics?: number[] | null;
  withMomentum?: boolean;
  values: number[][];
}

const { cases } = JSON.parse(readFileSync(new URL('./data/schedulers.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** The arguments that are not options here, in order. */
const positional: Record<string, string[]> = {
  StepLR: ['step_size'],
  MultiStepLR: ['milestones'],
  ExponentialLR: ['gamma'],
  CosineAnnealingLR: ['T_max'],
  CosineAnnealingWarmRestarts: ['T_0'],
  CyclicLR: ['base_lr', 'max_lr'],
  OneCycleLR: ['max_lr'],
};

const camel = (key: string): string => key.replace(/^T_/, 't_').replace(/_(.)/g, (_, c: string) => c.toUpperCase());

const schedules = lrScheduler as unknown as Record<string, new (...args: unknown[]) => lrScheduler.LRScheduler>;

function make(optimizer: SGD, name: string, options: Record<string, unknown>): lrScheduler.LRScheduler {
  const parts = (options['of'] as [string, Record<string, unknown>][] | undefined)?.map(([part, own]) => make(optimizer, part, own));
  if (name === 'SequentialLR') return new lrScheduler.SequentialLR(optimizer, parts!, options['milestones'] as number[]);
  if (name === 'ChainedScheduler') return new lrScheduler.ChainedScheduler(parts!);
  const first = positional[name] ?? [];
  const rest = Object.entries(options).filter(([key]) => !first.includes(key));
  const Schedule = schedules[name]!;
  return new Schedule(optimizer, ...first.map((key) => options[key]), Object.fromEntries(rest.map(([k, v]) => [camel(k), v])));
}

function twoGroups(): SGD {
  const groups = [0.1, 0.05].map((lr) => ({ params: [tensor([1], { requiresGrad: true })], lr }));
  return new SGD(groups, { momentum: 0.9 });
}

/** The rates, and with momentum the momenta, that are used in each epoch. */
function* rates(optimizer: SGD, scheduler: lrScheduler.LRScheduler, c: Case, from = 0): Iterable<number[]> {
  for (let epoch = from; epoch < c.values.length; epoch++) {
    const { paramGroups } = optimizer;
    yield [...paramGroups.map((g) => g.lr), ...(c.withMomentum ? paramGroups.map((g) => g.momentum) : [])];
    optimizer.step();
    scheduler.step(c.metrics?.[epoch]);
  }
}

const names = cases.map((c, i) => [i, c.scheduler, JSON.stringify(c.options).slice(0, 90)] as const);

describe('schedules', () => {
  it.each(names)('case %i: %s %s gives the recorded rates', (index, name) => {
    const c = cases[index]!;
    const optimizer = twoGroups();
    const scheduler = make(optimizer, name, c.options);
    [...rates(optimizer, scheduler, c)].forEach((found, epoch) => {
      expect(found).toHaveLength(c.values[epoch]!.length);
      found.forEach((rate, i) => {
        const recorded = c.values[epoch]![i]!;
        expect(Math.abs(rate - recorded)).toBeLessThanOrEqual(1e-13 * recorded);
      });
    });
  });

  it.each(names)('case %i: %s %s goes on from its state as if it had never stopped', (index, name) => {
    const c = cases[index]!;
    const optimizer = twoGroups();
    const scheduler = make(optimizer, name, c.options);
    const stop = 11;
    const all: number[][] = [];
    const states: [unknown, unknown][] = [];
    for (const found of rates(optimizer, scheduler, c)) {
      if (all.length === stop) states.push([optimizer.stateDict(), structuredClone(scheduler.stateDict())]);
      all.push(found);
    }
    const fresh = twoGroups();
    const resumed = make(fresh, name, c.options);
    fresh.loadStateDict(states[0]![0] as never);
    resumed.loadStateDict(states[0]![1] as never);
    expect([...rates(fresh, resumed, c, stop)]).toEqual(all.slice(stop));
    expect(resumed.getLastLr()).toEqual(scheduler.getLastLr());
  });

  it('refuses options that a schedule does not have, and what is not given by name, before anything has changed', () => {
    const optimizer = twoGroups();
    const before = optimizer.stateDict();
    const { OneCycleLR, ReduceLROnPlateau, StepLR } = lrScheduler;
    expect(() => new StepLR(optimizer, 2, { gama: 0.5 } as object)).toThrow('StepLR: unknown option gama. Did you mean gamma?');
    expect(() => new StepLR(optimizer, 2, 0.5 as unknown as object)).toThrow('as in { gamma: … }; got 0.5');
    expect(() => new ReduceLROnPlateau(optimizer, 'min' as unknown as object)).toThrow("as in { mode: … }; got 'min'");
    expect(() => new OneCycleLR(optimizer, 0.1, { total_steps: 5 } as object)).toThrow('Did you mean totalSteps?');
    expect(() => new lrScheduler.ExponentialLR(optimizer, {} as number)).toThrow('gamma must be a number');
    expect(() => new lrScheduler.LambdaLR(optimizer, {} as never)).toThrow('must be a function of the epoch');
    expect(optimizer.stateDict()).toEqual(before);
  });
});
