import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { tensor, useBackend, type Tensor } from '@tapegrad/core';
import { Adam, AdamW, lrScheduler, SGD } from '../src/index.ts';

interface Case {
  optimizer: string;
  options: Record<string, unknown>;
  groups?: Record<string, unknown>[];
  start: { $tensor: { shape: number[]; data: number[] } }[];
  steps: { loss: number; params: { $tensor: { data: number[] } }[] }[];
}

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`./data/${name}`, import.meta.url), 'utf8')) as T;
const cases = read<{ cases: Case[] }>('optimizers.json').cases;
const optimizers: Record<string, new (params: never, options: never) => SGD | Adam> = { SGD, Adam, AdamW };

function camel(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key.replace(/_(.)/g, (_, c: string) => c.toUpperCase()), value]),
  );
}

/** The objective that the recorded trajectories descend, written in tensor operations. */
function objective(a: Tensor, b: Tensor, t: number): Tensor {
  const head = a.slice(0, 0, 3);
  const tail = a.slice(0, 1, 4);
  const valley = head.rsub(1).square().add(tail.sub(head.square()).square().mul(100)).sum().mul(0.01);
  const line = b.matmul(tensor([1, 2, 3], { dtype: 'float64' })).sub(0.1 * t).square().sum();
  return valley.add(line).add(a.sum().mul(b.sum()).mul(0.1));
}

describe('optimizers', () => {
  it.each(cases.map((c, i) => [i, c.optimizer, JSON.stringify(c.options)] as const))(
    'case %i: %s %s follows the recorded trajectory',
    async (index, name) => {
      await useBackend('reference');
      const c = cases[index]!;
      const [a, b] = c.start.map(({ $tensor: { shape, data } }) => {
        return tensor(data, { dtype: 'float64' }).view(shape).clone().requiresGrad_();
      }) as [Tensor, Tensor];
      const { groups, options } = c;
      const params = groups === undefined ? [a, b] : groups.map((g, i) => ({ ...camel(g), params: [[a, b][i]!] }));
      const optimizer = new optimizers[name]!(params as never, camel(options) as never);
      c.steps.forEach(({ loss: expected, params: after }, t) => {
        optimizer.zeroGrad();
        const loss = objective(a, b, t);
        loss.backward();
        optimizer.step();
        expect(Math.abs(loss.item() - expected)).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(expected)));
        [a, b].forEach((p, i) => {
          const want = after[i]!.$tensor.data;
          p.toTypedArray().forEach((value, k) => {
            expect(Math.abs(value - want[k]!)).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(want[k]!)));
          });
        });
      });
    },
  );
});

interface ScheduleCase {
  scheduler: string;
  options: Record<string, unknown>;
  values: number[][];
}

describe('schedulers', () => {
  const make: Record<string, (optimizer: SGD, o: Record<string, number>) => lrScheduler.LRScheduler> = {
    StepLR: (optimizer, o) => new lrScheduler.StepLR(optimizer, o['stepSize']!, o),
    CosineAnnealingLR: (optimizer, o) => new lrScheduler.CosineAnnealingLR(optimizer, (o['tMax'] ?? o['TMax'])!, o),
  };
  const known = read<{ cases: ScheduleCase[] }>('schedulers.json').cases.filter((c) => c.scheduler in make);
  it.each(known.map((c, i) => [i, c.scheduler, JSON.stringify(c.options)] as const))(
    'case %i: %s %s gives the recorded rates',
    async (index, name) => {
      await useBackend('reference');
      const c = known[index]!;
      const groups = [0.1, 0.05].map((lr) => ({ params: [tensor([1], { requiresGrad: true })], lr }));
      const optimizer = new SGD(groups, { momentum: 0.9 });
      const options = camel(c.options) as Record<string, number>;
      const scheduler = make[name]!(optimizer, options);
      c.values.forEach((rates) => {
        rates.forEach((rate, i) => expect(optimizer.paramGroups[i]!.lr).toBeCloseTo(rate, 14));
        optimizer.step();
        scheduler.step();
      });
    },
  );
});
