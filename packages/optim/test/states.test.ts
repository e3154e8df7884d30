import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tensor, Tensor, useBackend } from '@tapegrad/core';
import * as optim from '../src/index.ts';

interface Case {
  optimizer: string;
  options: Record<string, unknown>;
  /** The parameters after three steps, PyTorch's state dict then, and the parameters after three more steps. */
  params: number[][];
  state: { state: Record<string, Record<string, unknown>>; param_groups: Record<string, unknown>[] };
  after: number[][];
}

const { cases } = JSON.parse(readFileSync(new URL('./data/states.json', import.meta.url), 'utf8')) as { cases: Case[] };
type AnyOptimizer = optim.Optimizer<{ lr: number }>;
const optimizers = optim as unknown as Record<string, new (params: never, options: never) => AnyOptimizer>;

const shapes = [[3], [2, 2]];
const start = [[1, -2, 0.5], [0.3, -0.4, 1.2, 2]];
const camel = (key: string): string => key.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

/** A value of the file: records with `$tensor` are tensors. */
function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  const { $tensor: x, ...rest } = value as { $tensor?: { shape: number[]; dtype: 'float32'; data: number[] } };
  if (x !== undefined) return tensor(x.data, { dtype: x.dtype }).view(x.shape);
  return Object.fromEntries(Object.entries(rest).map(([key, field]) => [key, revive(field)]));
}

function make(c: Case, values: number[][], options: Record<string, unknown> = c.options): { params: Tensor[]; optimizer: AnyOptimizer } {
  const params = values.map((v, i) => tensor(v, { dtype: 'float64' }).view(shapes[i]!).clone().requiresGrad_());
  const lr = options['lr'] as number;
  const groups = c.optimizer === 'LBFGS' ? params : [{ params: [params[0]!] }, { params: [params[1]!], lr: lr / 2 }];
  const camelled = Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]));
  return { params, optimizer: new optimizers[c.optimizer]!(groups as never, camelled as never) };
}

function train({ params: [a, b], optimizer }: { params: Tensor[]; optimizer: AnyOptimizer }, steps: number): void {
  for (let i = 0; i < steps; i++) {
    optimizer.step(() => {
      optimizer.zeroGrad();
      const bowl = a!.exp().add(a!.square()).sum();
      const loss = bowl.add(b!.matmul(b!).sub(1).square().sum().mul(0.1)).add(a!.select(0, 0).mul(b!.sum()).mul(0.1));
      loss.backward();
      return loss;
    });
  }
}

function expectValues(params: Tensor[], expected: number[][]): void {
  params.forEach((p, i) => {
    p.toTypedArray().forEach((value, k) => expect(Math.abs(value - expected[i]![k]!)).toBeLessThanOrEqual(1e-10));
  });
}

const names = cases.map((c, i) => [i, c.optimizer, JSON.stringify(c.options)] as const);

describe('optimizer states', () => {
  beforeAll(() => useBackend('reference'));

  it.each(names)('case %i: %s %s goes on from a state of PyTorch', (index) => {
    const c = cases[index]!;
    const resumed = make(c, c.params, { lr: 9 });
    resumed.optimizer.loadStateDict(revive(c.state) as optim.OptimizerStateDict);
    train(resumed, 3);
    expectValues(resumed.params, c.after);
  });

  it.each(names)('case %i: %s %s has a state in the layout of PyTorch', (index) => {
    const c = cases[index]!;
    const trained = make(c, start);
    train(trained, 3);
    expectValues(trained.params, c.params);
    const { state, param_groups: groups } = trained.optimizer.stateDict();
    // What PyTorch keeps beside it says how to compute, is None, or is made anew by each step.
    const needless = new Set(['foreach', 'capturable', 'differentiable', 'fused', 'al']);
    const theirs = Object.entries(c.state.state).filter(([, entry]) => Object.values(entry).some((value) => value !== null));
    const ours = Object.keys(state).filter((key) => Object.keys(state[key]!).length > 0);
    expect(ours).toEqual(theirs.map(([key]) => key));
    for (const [key, entry] of theirs) {
      const known = Object.keys(entry).filter((name) => !needless.has(name) && entry[name] !== null);
      expect(Object.keys(state[key]!)).toEqual(expect.arrayContaining(known));
      for (const name of known) {
        const [found, given] = [state[key]![name], revive(entry[name])];
        if (found instanceof Tensor) expect(found.shape).toEqual((given as Tensor).shape);
      }
    }
    c.state.param_groups.forEach((group, i) => {
      const options = Object.keys(group).filter((name) => !needless.has(name));
      expect(Object.keys(groups[i]!)).toEqual(expect.arrayContaining(options));
      expect(groups[i]!.params).toEqual(group['params']);
    });
  });
});
