import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tensor, useBackend, type Tensor } from '@tapegrad/core';
import { LBFGS } from '../src/index.ts';
import { strongWolfe, type LinePoint } from '../src/line-search.ts';

interface Case {
  objective: string;
  lr: number;
  start: number[];
  /** After each of PyTorch's steps: calls of the closure so far, the loss it began with, the parameters. */
  steps: number[][];
}

/** What PyTorch's search does on a curve: the lengths that it tries, from the first, and the one that it takes. */
interface Search {
  curve: string;
  first: number;
  tried: number[];
  found: number;
}

const recorded = JSON.parse(readFileSync(new URL('./data/line-searches.json', import.meta.url), 'utf8')) as {
  steps: Case[];
  searches: Search[];
};
const cases = recorded.steps;

/** Curves that mislead a cubic, with their slopes. */
const curves: Record<string, [(t: number) => number, (t: number) => number]> = {
  wall: [(t) => -t + Math.exp(30 * (t - 1)), (t) => -1 + 30 * Math.exp(30 * (t - 1))],
  cusp: [(t) => (t < 0.8 ? -t : -0.8 + 50 * (t - 0.8) ** 2), (t) => (t < 0.8 ? -1 : 100 * (t - 0.8))],
  ripple: [(t) => -0.3 * t + 0.05 * t * t + 0.08 * Math.sin(40 * t), (t) => -0.3 + 0.1 * t + 3.2 * Math.cos(40 * t)],
  bent: [
    (t) => (t < 3 ? -0.001 * t : -0.003 + 8 * (t - 3) ** 4 - 0.001 * (t - 3)),
    (t) => (t < 3 ? -0.001 : 32 * (t - 3) ** 3 - 0.001),
  ],
  shallow: [(t) => -t + (0.5 + 0.005) * t * t, (t) => -1 + 1.01 * t],
};

const objectives: Record<string, (x: Tensor) => Tensor> = {
  valley: (x) => {
    const [head, tail] = [x.slice(0, 0, 2), x.slice(0, 1, 3)];
    return head.rsub(1).square().add(tail.sub(head.square()).square().mul(10)).sum();
  },
  waves: (x) => x.square().sum().mul(0.05).add(x.mul(3).sin().sum()).add(x.select(0, 0).mul(x.select(0, 1)).cos()),
  steep: (x) => x.mul(4).exp().sum().mul(0.01).add(x.pow(4).sum()).sub(x.sum()),
};

describe('strongWolfe', () => {
  it.each(recorded.searches.map((s) => [s.curve, s.first, s] as const))('on the curve %s from %d tries what PyTorch tries', (curve, first, search) => {
    const [height, slope] = curves[curve]!;
    const tried: number[] = [];
    const gradient = tensor([0]);
    const at = (t: number): LinePoint => {
      tried.push(t);
      return { t, loss: height(t), gradient, slope: slope(t) };
    };
    const found = strongWolfe(at, { t: 0, loss: height(0), gradient, slope: slope(0) }, first, 1e-9);
    expect(tried).toHaveLength(search.tried.length);
    tried.forEach((t, i) => expect(Math.abs(t - search.tried[i]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, search.tried[i]!)));
    expect(Math.abs(found.t - search.found)).toBeLessThanOrEqual(1e-9 * Math.max(1, search.found));
  });
});

describe('the line search of LBFGS', () => {
  beforeAll(() => useBackend('reference'));

  it.each(cases.map((c, i) => [i, c.objective, c.lr] as const))('case %i: on %s from rate %d looks where PyTorch looks', (index) => {
    const { objective, lr, start, steps } = cases[index]!;
    const x = tensor(start, { dtype: 'float64', requiresGrad: true });
    const optimizer = new LBFGS([x], { lr, maxIter: 3, maxEval: 60, toleranceGrad: 1e-5, lineSearchFn: 'strong_wolfe' });
    let calls = 0;
    for (const [count, loss, ...params] of steps) {
      const found = optimizer.step(() => {
        calls++;
        optimizer.zeroGrad();
        const value = objectives[objective]!(x);
        value.backward();
        return value;
      });
      expect(calls).toBe(count);
      expect(Math.abs(found.item() - loss!)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(loss!)));
      x.toTypedArray().forEach((value, k) => expect(Math.abs(value - params[k]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(params[k]!))));
    }
  });
});
