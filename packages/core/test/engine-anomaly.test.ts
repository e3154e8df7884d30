import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, useAnyBackend } from './notation.ts';

useAnyBackend();

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

/** Has a NaN in its gradient that no forward value shows. */
function hiddenNaN(x: tg.Tensor): tg.Tensor {
  return x.sqrt().mul(0);
}

describe('anomaly detection', () => {
  it('E240 names the function that returned NaN and the place where it was called', () => {
    const x = p(0);
    const message = messageOf(() => tg.detectAnomaly(() => hiddenNaN(x).backward()));
    expect(message).toMatch(/Function 'SqrtBackward0' returned nan values in its 0th output/);
    expect(message).toMatch(/recorded here:\n\s+at hiddenNaN .*engine-anomaly\.test\.ts/);
  });

  it('E240 says where the node was recorded when its rule fails', () => {
    class Failing extends tg.Function {
      static forward(_: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
        return x.mul(2);
      }
      static backward(): never {
        throw new RangeError('mine');
      }
    }
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      expect(() => tg.detectAnomaly(() => Failing.apply(p(1)).backward())).toThrow(RangeError);
      expect(warn.mock.calls[0]![0]).toMatch(/FailingBackward failed in a backward pass.*engine-anomaly\.test\.ts/s);
    } finally {
      warn.mockRestore();
    }
  });

  it('E241 lets NaN through without it', () => {
    const x = p(0);
    hiddenNaN(x).backward();
    expect(g(x)).toBeNaN();
    const y = p(-1);
    const root = tg.detectAnomaly(() => y.sqrt());
    expect(() => tg.detectAnomaly(() => root.backward())).toThrow(/SqrtBackward0.*nan/);
  });

  it('E242 says so when the graph was made outside', () => {
    const y = hiddenNaN(p(0));
    expect(() => tg.detectAnomaly(() => y.backward())).toThrow(/No forward pass information available/);
  });

  it('E243 chains the places of derivatives of derivatives', () => {
    const message = messageOf(() =>
      tg.detectAnomaly(() => {
        const x = p(0);
        const y = x.pow(1.5);
        const [first] = tg.grad(y, x, { createGraph: true });
        first!.mul(0).backward();
      }),
    );
    expect(message).toMatch(/PowBackwardBackward0.*nan/);
    expect(message).toMatch(/while the gradient of PowBackward0 was computed, which was recorded here:\n.*engine-anomaly/s);
  });

  it('E244 is a scope, a callback or a global switch, with or without the check', () => {
    {
      using _scope = tg.detectAnomaly();
      expect(() => hiddenNaN(p(0)).backward()).toThrow(/nan/);
    }
    hiddenNaN(p(0)).backward();
    const y = tg.detectAnomaly(() => p(2).mul(2));
    expect(y.gradFn!.stack).toMatch(/engine-anomaly/);
    tg.detectAnomaly(() => hiddenNaN(p(0)).backward(), { checkNaN: false });
    {
      using _scope = tg.detectAnomaly({ checkNaN: false });
      hiddenNaN(p(0)).backward();
    }
    tg.setDetectAnomaly(true);
    try {
      expect(() => hiddenNaN(p(0)).backward()).toThrow(/nan/);
    } finally {
      tg.setDetectAnomaly(false);
    }
    expect(p(1).mul(2).gradFn!.stack).toBeNull();
  });
});
