import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tensor, useBackend, type Tensor } from '@tapegrad/core';
import * as optim from '../src/index.ts';

interface Case {
  optimizer: string;
  options: Record<string, unknown>;
  groups?: Record<string, unknown>[];
  start: { $tensor: { shape: number[]; data: number[] } }[];
  steps: { loss: number; params: { $tensor: { data: number[] } }[] }[];
}

const { cases } = JSON.parse(readFileSync(new URL('./data/optimizers.json', import.meta.url), 'utf8')) as { cases: Case[] };
const optimizers = optim as unknown as Record<string, new (params: never, options: never) => optim.Optimizer<{ lr: number }>>;

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

/** The loss of each step followed by all parameters after it; all values of the start are changed by a factor. */
function trajectory({ optimizer: name, options, groups, start, steps }: Case, factor = 1): number[][] {
  const [a, b] = start.map(({ $tensor: { shape, data } }) => {
    return tensor(data.map((value) => value * factor), { dtype: 'float64' }).view(shape).clone().requiresGrad_();
  }) as [Tensor, Tensor];
  const params = groups === undefined ? [a, b] : groups.map((g, i) => ({ ...camel(g), params: [[a, b][i]!] }));
  const optimizer = new optimizers[name]!(params as never, camel(options) as never);
  return steps.map((_, t) => {
    const loss = optimizer.step(() => {
      optimizer.zeroGrad();
      const value = objective(a, b, t);
      value.backward();
      return value;
    });
    return [loss.item(), ...a.toTypedArray(), ...b.toTypedArray()];
  });
}

const distance = (x: number, y: number): number => Math.abs(x - y) / Math.max(1, Math.abs(y));

describe('optimizers', () => {
  beforeAll(() => useBackend('reference'));

  it.each(cases.map((c, i) => [i, c.optimizer, JSON.stringify(c.options)] as const))(
    'case %i: %s %s follows the recorded trajectory',
    (index) => {
      const c = cases[index]!;
      const ours = trajectory(c);
      // One unit in the last place of the start, after so many steps: a search that runs down an objective without a
      // minimum makes any rounding as large as that, PyTorch's own included.
      const shifted = trajectory(c, 1 + Number.EPSILON);
      let compared = 0;
      for (const [t, { loss, params }] of c.steps.entries()) {
        const recorded = [loss, ...params.flatMap(({ $tensor: { data } }) => data)];
        const allowed = 20 * Math.max(...recorded.map((_, k) => distance(ours[t]![k]!, shifted[t]![k]!)));
        if (allowed > 1e-2) break;
        recorded.forEach((value, k) => expect(distance(ours[t]![k]!, value)).toBeLessThanOrEqual(Math.max(1e-10, allowed)));
        compared++;
      }
      expect(compared).toBeGreaterThanOrEqual(4);
    },
  );

  it('compares all but one of the recorded trajectories to the last step without any allowance', () => {
    const sensitive = cases.filter((c) => {
      const [ours, shifted] = [trajectory(c), trajectory(c, 1 + Number.EPSILON)];
      return ours.some((step, t) => step.some((value, k) => distance(value, shifted[t]![k]!) > 5e-12));
    });
    expect(sensitive.map(({ optimizer, options }) => [optimizer, options['line_search_fn']])).toEqual([['LBFGS', 'strong_wolfe']]);
  });
});
