import { describe, expect, it } from '@jest/globals';
import { stack, tensor, zeros, type Tensor } from '@tapegrad/core';
import { curveFit, leastSquares } from '../src/index.ts';

const double = (values: number[]): Tensor => tensor(values, { dtype: 'float64' });
const close = (found: Tensor, expected: number[], digits = 8): void => {
  const values = [...found.reshape(-1).toTypedArray()];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, digits));
};

const t = double([0, 1, 2, 3, 4]);
const line = (p: Tensor): Tensor => t.mul(p.select(0, 1)).add(p.select(0, 0));

/** Rosenbrock's valley as two residuals. */
const valleyOf = (p: Tensor): Tensor => {
  const [x, y] = p.unbind() as [Tensor, Tensor];
  return stack([y.sub(x.square()).mul(10), x.rsub(1)]);
};

describe('leastSquares', () => {
  it('gives the line of ordinary regression, its covariance and its residuals', () => {
    const y = double([1, 3, 2, 5, 4]);
    const fit = leastSquares((p) => line(p).sub(y), [0, 0]);
    close(fit.x, [1.4, 0.8], 10);
    // Sum of squares 3.6 on 3 degrees of freedom; Σ(t − 2)² = 10.
    expect(2 * fit.cost).toBeCloseTo(3.6, 10);
    close(fit.covariance!, [1.2 * (1 / 5 + 4 / 10), -0.24, -0.24, 0.12], 10);
    close(fit.residuals, [-0.4, 0.8, -1, 1.2, -0.6].map((r) => -r), 10);
    close(fit.jacobian, [1, 0, 1, 1, 1, 2, 1, 3, 1, 4], 12);
    expect([fit.converged, fit.x.dtype, fit.x.requiresGrad]).toEqual([true, 'float64', false]);
  });

  it('keeps the shape of the start, leaves it as it is, and takes float32', () => {
    const start = zeros([2, 1]).requiresGrad_();
    const fit = leastSquares((p) => p.sub(tensor([[3], [4]])), start);
    expect(fit.x.shape).toEqual([2, 1]);
    close(fit.x, [3, 4]);
    expect([start.toArray(), start.grad]).toEqual([[[0], [0]], null]);
    expect(fit.covariance).toBeNull();
  });

  it('finds an exact solution of equations', () => {
    const fit = leastSquares((p) => valleyOf(p), [-1.2, 1]);
    close(fit.x, [1, 1], 10);
    expect(fit.cost).toBeLessThan(1e-20);
    expect(fit.evaluations).toBeLessThan(60);
  });

  it('stays within bounds, and stops at one where it would go on', () => {
    const seen: number[] = [];
    const fit = leastSquares(
      (p) => {
        seen.push(p.select(0, 0).item());
        return valleyOf(p);
      },
      [-1.2, 1],
      { bounds: { lower: [-2, -2], upper: [0.5, 2] } },
    );
    close(fit.x, [0.5, 0.25]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(0.5);
    expect(fit.converged).toBe(true);
  });

  it('leaves a bound again that was only on the way', () => {
    const fit = leastSquares((p) => valleyOf(p), [-1.2, 1], { bounds: { lower: -1.5, upper: double([1.5, 1.2]) } });
    close(fit.x, [1, 1]);
  });

  it('takes steps back that lead to where residuals are not finite', () => {
    const fit = leastSquares((p) => p.log().sub(1), [30]);
    close(fit.x, [Math.E]);
  });

  it('takes derivatives that are known instead of the tape', () => {
    const y = double([1, 3, 2, 5, 4]);
    let asked = 0;
    const fit = leastSquares((p) => line(p.detach()).sub(y), [0, 0], {
      jacobian: () => {
        asked++;
        return double([1, 0, 1, 1, 1, 2, 1, 3, 1, 4]).view([5, 2]);
      },
    });
    close(fit.x, [1.4, 0.8], 10);
    expect(asked).toBeGreaterThan(0);
    expect(() => leastSquares((p) => line(p).sub(y), [0, 0], { jacobian: () => zeros([2, 2]) })).toThrow(
      /the jacobian has 4 elements, expected one per residual and parameter, 5 · 2/,
    );
  });

  it('has no covariance where parameters cannot be told apart', () => {
    const fit = leastSquares((p) => t.mul(p.sum()).sub(double([0, 2, 4, 6, 8])), [0.1, 0.3]);
    expect(fit.x.sum().item()).toBeCloseTo(2, 8);
    expect(fit.covariance).toBeNull();
  });

  it('works on fewer residuals than parameters, and on parameters without an effect', () => {
    close(leastSquares((p) => p.sum().sub(3), [0, 0]).x, [1.5, 1.5]);
    close(leastSquares((p) => t.mul(p.select(0, 0)).sub(t), [0, 7]).x, [1, 7]);
  });

  it('says when it ran out of evaluations', () => {
    const fit = leastSquares((p) => valleyOf(p), [-1.2, 1], { maxEvaluations: 5 });
    expect([fit.reason, fit.converged]).toEqual(['evaluations', false]);
    expect(fit.evaluations).toBeLessThanOrEqual(6);
  });

  it('refuses starts and bounds that make no sense, and functions without residuals', () => {
    const identity = (p: Tensor): Tensor => p;
    expect(() => leastSquares(identity, [NaN])).toThrow('parameter 0 starts at NaN, outside its bounds');
    expect(() => leastSquares((p) => p.log(), [-1])).toThrow('the residuals at the start are not finite');
    expect(() => leastSquares(identity, [3], { bounds: { upper: 2 } })).toThrow('parameter 0 starts at 3, outside its bounds');
    expect(() => leastSquares(identity, [1, 2], { bounds: { lower: [0, 2], upper: 2 } })).toThrow(
      'the bounds of parameter 1 are 2 and 2; lower must be less',
    );
    expect(() => leastSquares(identity, [1, 2], { bounds: { lower: [0] } })).toThrow('1 lower bounds for 2 parameters');
    expect(() => leastSquares(() => 3 as never, [1])).toThrow('must return a tensor of residuals, got number');
    expect(() => leastSquares((p) => p.sqrt().sub(1), [0])).toThrow('the derivatives of the residuals at [0] are not finite');
    expect(() => leastSquares(() => zeros([0]), [1])).toThrow('must return a tensor of residuals, got shape [0]');
  });
});

describe('curveFit', () => {
  const y = double([1, 3, 2, 5, 4]);
  const model = (x: Tensor, p: Tensor): Tensor => x.mul(p.select(0, 1)).add(p.select(0, 0));

  it('weighs observations by their deviations', () => {
    const sigma = double([1, 1, 1, 1, 1e6]);
    const fit = curveFit(model, t, y, [0, 0], { sigma });
    const without = curveFit(model, t.slice(0, 0, 4), y.slice(0, 0, 4), [0, 0]);
    close(fit.x, [...without.x.toTypedArray()], 5);
  });

  it('takes deviations as they are only when told so', () => {
    const relative = curveFit(model, t, y, [0, 0], { sigma: 2 });
    close(relative.covariance!, [0.72, -0.24, -0.24, 0.12], 10);
    const absolute = curveFit(model, t, y, [0, 0], { sigma: 2, absoluteSigma: true });
    close(absolute.covariance!, [4 * 0.6, 4 * -0.2, 4 * -0.2, 4 * 0.1], 10);
  });

  it('refuses a model whose shape would broadcast against the observations', () => {
    expect(() => curveFit((x, p) => model(x, p).unsqueeze(1), t, y, [0, 0])).toThrow(
      'curveFit: the model gives shape [5, 1] for observations of shape [5]',
    );
  });
});
