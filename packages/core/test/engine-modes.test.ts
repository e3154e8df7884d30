import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('gradient modes', () => {
  it('E090 records nothing inside noGrad, but counts in-place changes', () => {
    const x = p(1);
    const y = tg.noGrad(() => x.mul(2));
    expect([y.requiresGrad, y.isLeaf, y.gradFn]).toEqual([false, true, null]);
    const { version } = x;
    tg.noGrad(() => x.add_(1));
    expect(x.version).toBe(version + 1);
    const z = x.mul(1);
    const w = z.mul(z);
    tg.noGrad(() => z.add_(1));
    expect(() => w.backward()).toThrow(/modified by an inplace/);
  });

  it('E091 records again inside enableGrad', () => {
    expect(tg.noGrad(() => tg.enableGrad(() => p(1).mul(2))).requiresGrad).toBe(true);
    expect(tg.noGrad(() => (tg.enableGrad(() => 0), tg.isGradEnabled()))).toBe(false);
  });

  it('E092 switches by setGradEnabled as a statement, a scope or around a callback', () => {
    {
      using _outer = tg.setGradEnabled(false);
      expect(tg.isGradEnabled()).toBe(false);
      tg.setGradEnabled(true);
      expect(p(1).mul(2).requiresGrad).toBe(true);
    }
    expect(tg.isGradEnabled()).toBe(true);
    tg.setGradEnabled(false);
    {
      using _inner = tg.setGradEnabled(true);
      expect(tg.isGradEnabled()).toBe(true);
    }
    expect(tg.isGradEnabled()).toBe(false);
    tg.setGradEnabled(true);
    expect(tg.setGradEnabled(false, () => tg.isGradEnabled())).toBe(false);
    expect(tg.isGradEnabled()).toBe(true);
  });

  it('opens scopes for using, which nest', () => {
    {
      using _off = tg.noGrad();
      expect(p(1).mul(2).requiresGrad).toBe(false);
      {
        using _on = tg.enableGrad();
        expect(p(1).mul(2).requiresGrad).toBe(true);
      }
      expect(tg.isGradEnabled()).toBe(false);
    }
    expect(tg.isGradEnabled()).toBe(true);
    const scope = tg.noGrad();
    scope.end();
    tg.setGradEnabled(false);
    scope.end();
    expect(tg.isGradEnabled()).toBe(false);
    tg.setGradEnabled(true);
  });

  it('E093 holds while the code of a generator runs and not while it waits', () => {
    const seen: boolean[] = [];
    const numbers = tg.noGrad(function* (): Generator<number, string, string> {
      try {
        seen.push(tg.isGradEnabled());
        const sent = yield 1;
        seen.push(tg.isGradEnabled());
        tg.setGradEnabled(true);
        yield 2;
        return sent;
      } finally {
        seen.push(tg.isGradEnabled());
      }
    });
    expect(tg.isGradEnabled()).toBe(true);
    expect(numbers.next('ignored').value).toBe(1);
    expect(tg.isGradEnabled()).toBe(true);
    expect(numbers.next('sent').value).toBe(2);
    expect(tg.isGradEnabled()).toBe(true);
    expect(numbers.next('')).toEqual({ value: 'sent', done: true });
    expect(seen).toEqual([false, false, false]);
    const doubled = tg.noGrad(function* () {
      for (const x of [p(1), p(2)]) yield x.mul(2);
    });
    expect([...doubled].map((y) => y.requiresGrad)).toEqual([false, false]);
    const failing = tg.noGrad(function* () {
      yield 1;
      throw new RangeError('stop');
    });
    failing.next();
    expect(() => failing.next()).toThrow(RangeError);
    expect(tg.isGradEnabled()).toBe(true);
  });

  it('E094 refuses callbacks that would leak the mode over await', async () => {
    for (const scope of [tg.noGrad, tg.enableGrad, tg.detectAnomaly]) {
      const pending: Promise<unknown>[] = [];
      const body = (): Promise<number> => {
        const promise = Promise.resolve(1);
        pending.push(promise);
        return promise;
      };
      expect(() => scope(body)).toThrow(/must be synchronous/);
      await Promise.all(pending);
      expect(tg.isGradEnabled()).toBe(true);
    }
    expect(() => tg.noGrad(async function* () {})).toThrow(/must be synchronous/);
  });

  it('E095 restores the mode when the body throws', () => {
    expect(() =>
      tg.noGrad(() => {
        throw new RangeError('stop');
      }),
    ).toThrow(RangeError);
    expect(tg.isGradEnabled()).toBe(true);
    expect(() => {
      using _scope = tg.noGrad();
      throw new RangeError('stop');
    }).toThrow(RangeError);
    expect(tg.isGradEnabled()).toBe(true);
  });

  it('E096 allows in-place updates of parameters', () => {
    const x = p([1]);
    tg.noGrad(() => x.add_(1));
    expect([x.toArray(), x.isLeaf, x.requiresGrad]).toEqual([[2], true, true]);
  });

  it('E097 refuses to write while recording through a view that was taken without', () => {
    const x = p([1, 2]).mul(1);
    const view = tg.noGrad(() => x.narrow(0, 0, 1));
    expect(() => view.mul_(p([2]))).toThrow(/created in no_?grad.*outside.*detach\(\)/is);
    const leaf = p([1, 2]);
    const parameterView = tg.noGrad(() => leaf.narrow(0, 0, 1));
    expect(() => parameterView.mul_(2)).toThrow(tg.GradError);
    tg.noGrad(() => parameterView.mul_(2));
    expect(leaf.toArray()).toEqual([2, 2]);
    expect(parameterView.requiresGrad).toBe(false);
    expect(parameterView.mul(t([3])).requiresGrad).toBe(false);
  });
});
