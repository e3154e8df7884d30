import { beforeAll, describe, expect, it } from '@jest/globals';
import { setDefaultDType, tensor, useBackend, zeros, type Tensor } from '@tapegrad/core';
import * as optim from '../src/index.ts';

beforeAll(() => useBackend('reference'));

/** Four gradients that do not depend on where the parameter is. */
const gradients = [[0.5, -1], [-0.25, 2], [1.5, 0.3], [0.1, -0.7]];

/** What the parameter is after each of the steps. */
function follow(p: Tensor, optimizer: optim.Optimizer<{ lr: number }>, steps: unknown[]): unknown[] {
  return steps.map((g) => {
    p.grad = tensor(g as number[], { dtype: 'float64' });
    optimizer.step();
    return [...p.toTypedArray()];
  });
}

function expectClose(found: unknown[], expected: unknown[], tolerance: number): void {
  found.flat().forEach((value, i) => {
    expect(Math.abs((value as number) - (expected.flat()[i] as number))).toBeLessThanOrEqual(tolerance);
  });
}

const vector = (): Tensor => tensor([1, -2], { dtype: 'float64', requiresGrad: true });
const matrix = (): Tensor => tensor([[1, -2], [0.5, 3]], { dtype: 'float64', requiresGrad: true });
const pairs = gradients.map((g) => [g, g.toReversed().map((value) => value / 2)]);

describe('Adafactor', () => {
  it('scales a vector by the average of its squared gradients', () => {
    const p = vector();
    expectClose(follow(p, new optim.Adafactor([p]), gradients), [
      [0.9841886116991581, -1.984188611699158],
      [0.9945676111348128, -2.0031703007695616],
      [0.9724769313935884, -2.0066613560929585],
      [0.9705720300687586, -1.9968039299566211],
    ], 1e-12);
  });

  it('keeps one average per row and per column of a matrix', () => {
    const p = matrix();
    const optimizer = new optim.Adafactor([p]);
    expectClose(follow(p, optimizer, pairs).slice(0, 2), [
      [0.9860787931557641, -1.9809002617818987, 0.5278424136884717, 2.9904501308909492],
      [0.9901688340960543, -1.9987729580065048, 0.4951220861661499, 2.992684217919025],
    ], 1e-12);
    const state = optimizer.stateDict().state[0]!;
    expect(Object.keys(state).sort()).toEqual(['col_var', 'row_var', 'step']);
    expect([(state['row_var'] as Tensor).shape, (state['col_var'] as Tensor).shape]).toEqual([[2, 1], [1, 2]]);
  });

  it('shrinks the parameter by lr · weightDecay beside the step', () => {
    const [p, q] = [vector(), vector()];
    const plain = follow(p, new optim.Adafactor([p]), gradients.slice(0, 1)).flat() as number[];
    const decayed = follow(q, new optim.Adafactor([q], { weightDecay: 0.5 }), gradients.slice(0, 1)).flat() as number[];
    expectClose(decayed, [plain[0]! - 1 * 0.005, plain[1]! + 2 * 0.005], 1e-15);
  });
});

describe('Muon', () => {
  it('steps along an orthogonalized momentum', () => {
    const p = matrix();
    expectClose(follow(p, new optim.Muon([p], { lr: 0.1 }), pairs), [
      [0.97735501, -1.90741772, 0.56676036, 2.98141212],
      [0.96717253, -1.95721434, 0.44964329, 2.95046217],
      [0.8852419172658542, -1.9509418395053262, 0.4550752661240736, 2.85099220831827],
      [0.80710115, -1.93523204, 0.43998638, 2.71028899],
    ], 1e-8);
  });

  it('brings the singular values of a step near 1, whatever the shape, and adjusts the rate to it', () => {
    const step = (rows: number, columns: number, options: optim.MuonOptions): number => {
      const p = zeros([rows, columns], { dtype: 'float64', requiresGrad: true });
      p.grad = tensor(Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i)), { dtype: 'float64' }).view([rows, columns]);
      new optim.Muon([p], { lr: 1, ...options }).step();
      return p.vectorNorm().item();
    };
    // The square of the norm is the sum of the squared singular values, of which there are three.
    for (const [rows, columns] of [[3, 12], [12, 3]] as const) {
      const norm = step(rows, columns, {});
      expect(norm / Math.sqrt(3 * Math.max(1, rows / columns))).toBeGreaterThan(0.6);
      expect(norm / Math.sqrt(3 * Math.max(1, rows / columns))).toBeLessThan(1.3);
      const matched = step(rows, columns, { adjustLrFn: 'match_rms_adamw' });
      expect(matched / norm).toBeCloseTo((0.2 * Math.sqrt(12)) / Math.sqrt(Math.max(1, rows / columns)), 12);
    }
  });

  it('refuses what is not a matrix', () => {
    expect(() => new optim.Muon([vector()])).toThrow(/must be matrices, got shape \[2\]; give the others to AdamW/);
  });
});

describe('Lion', () => {
  it('takes steps of one size by the sign of a mean that is not yet the new momentum', () => {
    const p = tensor([1, -2], { dtype: 'float64', requiresGrad: true });
    const optimizer = new optim.Lion([p], { lr: 0.1, betas: [0.5, 0.75], weightDecay: 0.1 });
    const found = follow(p, optimizer, [[1, -1], [-0.2, 4]]);
    // Momenta: [0.25, -0.25] after the first step; means in the second: [0.025, 1.875].
    expectClose(found, [[0.99 - 0.1, -1.98 + 0.1], [0.89 * 0.99 - 0.1, -1.88 * 0.99 - 0.1]], 1e-15);
    expectClose((optimizer.state.get(p)!['expAvg'] as Tensor).toArray() as number[], [0.1375, 0.8125], 1e-15);
  });
});

describe('RAdam', () => {
  it('begins to scale its steps at the sixth', () => {
    const p = vector();
    const found = follow(p, new optim.RAdam([p]), [...gradients, ...gradients]);
    expectClose([found[4], found[5], found[7]], [
      [0.9978297, -2.00004613],
      [0.99781773, -2.00005225],
      [0.99777418, -2.00006491],
    ], 5e-9);
  });
});

describe('ASGD', () => {
  it('averages from step t0 on', () => {
    const p = vector();
    const optimizer = new optim.ASGD([p], { t0: 1 });
    follow(p, optimizer, gradients);
    const { ax, eta, mu } = optimizer.state.get(p)!;
    expectClose((ax as Tensor).toArray() as number[], [0.98199654, -2.00949298], 1e-8);
    expectClose([eta, mu], [0.009999970000105, 1 / 3], 1e-8);
  });
});

describe('LBFGS', () => {
  it('goes the way of the two-loop recursion without a line search', () => {
    const iterates = [1, 2, 3, 4, 5].map((maxIter) => {
      const p = vector();
      const optimizer = new optim.LBFGS([p], { maxIter, maxEval: 10 });
      const loss = optimizer.step(() => {
        optimizer.zeroGrad();
        const value = p.square().mul(tensor([0.5, 5], { dtype: 'float64' })).sum();
        value.backward();
        return value;
      });
      expect(loss.item()).toBe(20.5);
      return p.toArray() as number[];
    });
    expectClose(iterates, [
      [0.95238095, -1.04761905],
      [0.80957486, 0.00404787],
      [0.72691949, 0.00987086],
      [0.00081679, 0.0011594],
      [-9e-8, 7.6e-7],
    ], 5e-9);
  });

  it('puts the parameters back when the closure throws on its search', () => {
    const p = vector();
    const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strong_wolfe' });
    let calls = 0;
    const closure = (): Tensor => {
      if (++calls === 2) throw new Error('lost');
      optimizer.zeroGrad();
      const value = p.square().sum();
      value.backward();
      return value;
    };
    expect(() => optimizer.step(closure)).toThrow('lost');
    expect(p.toArray()).toEqual([1, -2]);
  });

  it('refuses groups, several dtypes, unknown searches, and steps without a closure or a loss', () => {
    const p = vector();
    expect(() => new optim.LBFGS([{ params: [p] }, { params: [vector()] }])).toThrow(/doesn't support parameter groups/);
    expect(() => new optim.LBFGS([p, tensor([1], { requiresGrad: true })])).toThrow(/one dtype, got float64 and float32/);
    expect(() => new optim.LBFGS([p], { lineSearchFn: 'wolfe' as never })).toThrow('Invalid line search: wolfe');
    expect(() => new optim.LBFGS([p]).step()).toThrow(/needs a closure/);
    expect(() => new optim.LBFGS([p]).step(() => 'low')).toThrow(/must return the loss/);
  });
});

describe('NAdam', () => {
  it('keeps the product of momenta in the default dtype', () => {
    const run = (): unknown[] => {
      const p = vector();
      return follow(p, new optim.NAdam([p], { lr: 0.1 }), gradients).slice(-1);
    };
    expectClose(run(), [0.8135308512390507, -1.9717907735801514], 1e-15);
    try {
      setDefaultDType('float64');
      expectClose(run(), [0.8135308520173331, -1.9717907745765453], 1e-15);
    } finally {
      setDefaultDType('float32');
    }
  });
});
