import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '../src/index.ts';
import { ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

type Tensor = tg.Tensor;
type Ctx = tg.FunctionContext;

/** 2x with whatever backward is given. */
function doubling(backward: (gradient: Tensor) => Tensor): (x: Tensor) => Tensor {
  class Doubling extends tg.Function {
    static forward(_: Ctx, x: Tensor): Tensor {
      return x.mul(2);
    }
    static backward(_: Ctx, gradient: Tensor): Tensor {
      return backward(gradient);
    }
  }
  return (x) => Doubling.apply(x);
}

function failure(run: () => unknown): tg.GradcheckError {
  try {
    run();
  } catch (error) {
    if (error instanceof tg.GradcheckError) return error;
    throw error;
  }
  throw new Error('the check passed');
}

const matrix = (): Tensor => p([[0.3, -1.2, 0.7], [1.5, 0.2, -0.4]]);

describe('gradcheck', () => {
  it('E270 takes any function of any number of tensors, and options', () => {
    const x = matrix();
    const w = p([[0.5, 0.1], [-0.3, 0.8], [1.1, -0.6]]);
    const b = p([0.1, 0.2]);
    expect(tg.gradcheck((x: Tensor) => x.sin(), x)).toBe(true);
    expect(tg.gradcheck((x: Tensor, w: Tensor, b: Tensor) => x.matmul(w).add(b).tanh(), [x, w, b])).toBe(true);
    expect(tg.gradcheck((x: Tensor, n: number) => [x.pow(n), x.sum(), 'text'], [x, 3])).toBe(true);
    expect(tg.gradcheck((x: Tensor) => x.sort(0), x)).toBe(true);
    expect(tg.gradcheck((x: Tensor) => x.exp(), [x], { eps: 1e-5, atol: 1e-7, rtol: 1e-6, nondetTol: 0 })).toBe(true);
    expect(tg.gradcheck((x: Tensor, c: Tensor) => x.mul(c), [x, t([1, 2, 3])])).toBe(true);
  });

  it('E271 moves each element by eps in both directions', () => {
    const seen: number[][] = [];
    const x = p([1, 2]);
    tg.compareGradients((x: Tensor) => {
      seen.push(x.toArray() as number[]);
      return x.sum();
    }, [x], 0.25);
    expect(seen.slice(0, 4)).toEqual([[1.25, 2], [0.75, 2], [1, 2.25], [1, 1.75]]);
    expect(x.toArray()).toEqual([1, 2]);
    const [entry] = tg.compareGradients((x: Tensor) => x.pow(3), [p([2])], 0.5);
    expect(entry).toEqual({
      output: 0,
      outputIndex: [0],
      input: 0,
      inputIndex: [0],
      analytic: 12,
      numeric: 12.25,
      absoluteError: 0.25,
      relativeError: 0.25 / 12.25,
    });
  });

  it('E271 moves the elements of strided and computed inputs, and warns of low precision', () => {
    const square = (x: Tensor): Tensor => x.mul(x).mul(t([[1, 2], [3, 4], [5, 6]]));
    expect(tg.gradcheck(square, [matrix().T])).toBe(true);
    expect(tg.gradcheck(square, [p([[1, 2, 3, 4], [5, 6, 7, 8]]).slice(1, 0, 3).T])).toBe(true);
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      tg.gradcheck((x: Tensor) => x.mul(2), tg.tensor([1], { requiresGrad: true }), { eps: 0.5 });
      expect(warn.mock.calls[0]![0]).toMatch(/input 0 is float32.*double precision/);
    } finally {
      warn.mockRestore();
    }
  });

  it('E272 runs the backward pass twice and compares', () => {
    let calls = 0;
    const shaky = doubling((gradient) => gradient.mul(2 + 1e-9 * calls++));
    expect(() => tg.gradcheck(shaky, matrix())).toThrow(/Backward is not reentrant.*tolerance for nondeterminism was 0/s);
    calls = 0;
    expect(tg.gradcheck(shaky, matrix(), { nondetTol: 1e-6, checkUndefinedGrad: false })).toBe(true);
  });

  it('E273 reports output, input, index, analytic and numeric value of what differs', () => {
    const x = p([[1, 2], [3, 4]]);
    const wrongAt = (gradient: Tensor): Tensor => gradient.mul(t([[2, 2], [2.5, 2]]));
    const error = failure(() => tg.gradcheck((c: number, x: Tensor) => [x.mul(c), doubling(wrongAt)(x)], [3, x]));
    expect(error.message).toMatch(/Jacobian mismatch for output 1 with respect to input 1/);
    expect(error.message).toMatch(/1 of 32 entries/);
    expect(error.message).toMatch(/output 1 at \[1, 0\], input 1 at \[1, 0\]: analytic 2.5, numeric 2/);
    expect(error.mismatches).toHaveLength(1);
    expect(error.mismatches[0]).toMatchObject({ output: 1, outputIndex: [1, 0], input: 1, inputIndex: [1, 0], analytic: 2.5 });
    expect(error).toBeInstanceOf(tg.GradError);
    expect(tg.gradcheck(doubling((gradient) => gradient.mul(2.001)), x)).toBe(true);
    expect(() => tg.gradcheck((v: Tensor) => ({ values: doubling((gradient) => gradient.mul(2.01))(v) }), x)).toThrow(/rtol 0.001/);
    expect(() => tg.gradcheck(doubling((gradient) => gradient.mul(2.01)), x)).toThrow(/rtol 0.001/);
    expect(() => tg.gradcheck(doubling((gradient) => gradient.mul(NaN)), x)).toThrow(/analytic NaN|reentrant/);
  });

  it('E274 checks that backward is multiplied by the incoming gradient', () => {
    const x = p([1, 2]);
    const ignores = doubling((gradient) => gradient.mul(2).add(gradient.eq(0).all().to('float64').mul(1e-3)));
    expect(() => tg.gradcheck(ignores, x)).toThrow(/backward not multiplied by grad_output|although no output had one/);
  });

  it('E274 checks that missing gradients are taken', () => {
    class Strict extends tg.Function {
      static forward(ctx: Ctx, x: Tensor): [Tensor, Tensor] {
        ctx.setMaterializeGrads(false);
        return [x.mul(2), x.mul(3)];
      }
      static backward(_: Ctx, ga: Tensor, gb: Tensor | null): Tensor {
        return ga.mul(2).add(gb!.mul(3));
      }
    }
    const both = (x: Tensor): Tensor => {
      const [a, b] = Strict.apply(x);
      return a.add(b);
    };
    expect(tg.gradcheck(both, p([1]))).toBe(true);
    expect(() => tg.gradcheck((x: Tensor) => [...Strict.apply(x)], p([1]))).toThrow(TypeError);
    expect(tg.gradcheck((x: Tensor) => [x.mul(2), x.sin()], p([1]))).toBe(true);
  });

  it('E274 refuses inputs that cannot be checked', () => {
    expect(() => tg.gradcheck((x: Tensor) => x.mul(2), t([1]))).toThrow(/at least one input tensor to require gradient/);
    expect(() => tg.gradcheck((x: Tensor) => x.mul(2), p([1]).expand(3))).toThrow(/input 0 has a dimension with stride 0/);
    expect(() => tg.gradcheck((x: Tensor) => x.mul(2), p([1]).expand(3), { raiseException: false })).toThrow(tg.ValueError);
  });

  it('E274 finds a function that depends on its input without a graph', () => {
    expect(() => tg.gradcheck((x: Tensor) => x.detach().mul(2), p([1]))).toThrow(/No output requires grad/);
    expect(tg.gradcheck((x: Tensor) => x.gt(0), p([1]))).toBe(true);
  });

  it('E275 compares projections in fast mode and shows entries when they differ', () => {
    const x = matrix();
    expect(tg.gradcheck((x: Tensor) => ['text', x.gt(0), x.sin(), x.mul(x).sum(1)], [x], { fastMode: true })).toBe(true);
    expect(() => tg.gradcheck(doubling((gradient) => gradient), [x], { fastMode: true })).toThrow(/analytic 1, numeric/);
  });

  it('E278 checks second derivatives', () => {
    const x = matrix();
    const w = p([[0.5], [-0.3], [1.1]]);
    expect(tg.gradgradcheck((x: Tensor) => x.pow(3), x)).toBe(true);
    expect(tg.gradgradcheck((x: Tensor, w: Tensor) => x.matmul(w).sigmoid(), [x, w])).toBe(true);
    expect(tg.gradgradcheck((x: Tensor) => [x.exp(), x.mul(2)], [x], { nonContiguousGradOutputs: true })).toBe(true);
    expect(tg.gradgradcheck((x: Tensor) => x.sin(), [x], { gradOutputs: [ones(2, 3).requiresGrad_()] })).toBe(true);
    class WrongSecond extends tg.Function {
      static forward(ctx: Ctx, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.pow(3);
      }
      static backward(ctx: Ctx, gradient: Tensor): Tensor {
        const [x] = ctx.savedTensors;
        return gradient.mul(x.detach().pow(2)).mul(3);
      }
    }
    expect(tg.gradcheck((x: Tensor) => WrongSecond.apply(x), x)).toBe(true);
    expect(() => tg.gradgradcheck((x: Tensor) => WrongSecond.apply(x), x)).toThrow(/Jacobian mismatch.*input 0/);
  });

  it('E279 knows right from wrong backward functions', () => {
    const x = p([1, 2, 3]);
    expect(() => tg.gradcheck(doubling((gradient) => gradient), x)).toThrow(/analytic 1, numeric 2|analytic 1, numeric 1\.99/);
    expect(tg.gradcheck(doubling((gradient) => gradient.mul(2)), x)).toBe(true);
    let seed = 0;
    const noisy = doubling((gradient) => gradient.mul(2).add(1e-6 * Math.sin(seed++)));
    expect(() => tg.gradcheck(noisy, x)).toThrow(/not reentrant/);
    const constant = doubling(() => t([2, 2, 2]));
    expect(() => tg.gradcheck((x: Tensor) => constant(x).sum(), x)).toThrow(/although no output had one|not multiplied by grad_output/);
  });

  it('E280 returns false instead of throwing on request', () => {
    expect(tg.gradcheck(doubling((gradient) => gradient), p([1]), { raiseException: false })).toBe(false);
    expect(tg.gradgradcheck((x: Tensor) => x.sin(), p([1]), { raiseException: false })).toBe(true);
  });

  it('checks a relative error where that can hold', () => {
    const x = p([[0.6, -1.2], [0.9, 1.4]]);
    const w = p([[0.7, 1.1], [-0.8, 0.5]]);
    const linear = (x: Tensor, w: Tensor): Tensor => x.matmul(w).sum();
    expect(tg.gradcheck(linear, [x, w], { eps: 1e-4, relative: 1e-7 })).toBe(true);
    const quadratic = (x: Tensor): Tensor => x.mul(x);
    expect(tg.gradcheck(quadratic, [x], { eps: 1e-4, relative: 1e-7 })).toBe(true);
    expect(tg.gradcheck((x: Tensor) => x.exp(), [x], { eps: 1e-2, relative: 1e-7, raiseException: false })).toBe(false);
    expect(() => tg.gradcheck(doubling((gradient) => gradient.mul(2.000001)), [x], { eps: 1e-4, relative: 1e-7 })).toThrow(
      /a relative error of 1e-7/,
    );
  });
});
