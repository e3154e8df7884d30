import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

describe('robustness', () => {
  it('E380 E381 lets graphs be collected and releases what nodes saved', () => {
    const program = fileURLToPath(new URL('./graph-collection.ts', import.meta.url));
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const flags = ['--expose-gc', '--conditions=@tapegrad/source', '--import', 'tsx'];
    const output = execFileSync(process.execPath, [...flags, program], { cwd: root, encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual({
      graphs: 'collected',
      savedBefore: 'alive',
      savedAfterBackward: 'collected',
      savedWithRetainGraph: 'alive',
      customSavedAfterBackward: 'collected',
      hookCycles: 'collected',
    });
  }, 60_000);

  it('E381 gives saved tensors up while nodes live on', () => {
    const x = p([1, 2]);
    const y = x.exp();
    const node = y.gradFn!;
    y.sum().backward();
    expect(y.gradFn).toBe(node);
    expect(() => node.output(0)).toThrow(/second time/);
  });

  it('E385 builds graphs in generators and async code, several at a time', async () => {
    function* steps(x: tg.Tensor): Generator<tg.Tensor, void, void> {
      let y = x;
      for (let i = 1; i <= 3; i++) yield (y = y.mul(x));
    }
    const a = p(2);
    const b = p(3);
    const [first, second] = [steps(a), steps(b)];
    let [ya, yb] = [a, b];
    for (let i = 0; i < 3; i++) [ya, yb] = [first.next().value as tg.Tensor, second.next().value as tg.Tensor];
    yb.backward();
    ya.backward();
    expect([g(a), g(b)]).toEqual([4 * 8, 4 * 27]);
    const train = async (x: tg.Tensor): Promise<void> => {
      let y = x.mul(x);
      await Promise.resolve();
      y = y.mul(x);
      await new Promise((resolve) => setTimeout(resolve, 1));
      y.backward();
    };
    const leaves = [p(1), p(2), p(3)];
    await Promise.all(leaves.map(train));
    expect(leaves.map(g)).toEqual([3, 12, 27]);
  });

  it('runs a diamond of 3000 levels in linear time', () => {
    const x = p(1);
    let y = x.clone();
    for (let i = 0; i < 3000; i++) y = y.add(y).mul(0.5);
    y.backward();
    expect(g(x)).toBe(1);
  });

  it('works on after an error inside backward', () => {
    const x = ones(2).requiresGrad_();
    const h = x.mul(2);
    const handle = h.registerHook(() => {
      throw new RangeError('stop');
    });
    const y = h.mul(t([1, 2]));
    expect(() => y.sum().backward(null, { retainGraph: true })).toThrow(RangeError);
    handle.remove();
    y.sum().backward();
    expect(g(x)).toEqual([2, 4]);
  });
});
