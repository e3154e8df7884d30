import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

// A gradient that nobody else holds is overwritten by the one that is computed from it.
describe('places of gradients in a backward pass', () => {
  it('leaves the gradient alone that the pass starts with', () => {
    const x = p([1, 2]);
    const seed = t([3, 4]);
    x.exp().mul(2).sin().backward(seed);
    expect(seed.toArray()).toEqual([3, 4]);
  });

  it('leaves alone what goes on to another input', () => {
    const x = p([1, 2]);
    const seed = t([1, 1]);
    // The gradient of a difference is that of its first operand as it is, and negated that of its second.
    x.mul(2).sub(x.mul(3)).mul(t([5, 7])).backward(seed);
    expect(g(x)).toEqual([-5, -7]);
    const y = p([1, 2]);
    const doubled = y.mul(2);
    doubled.mul(3).add(doubled.mul(4)).mul(t([1, 2])).backward(seed);
    expect(g(y)).toEqual([14, 28]);
  });

  it('leaves alone what hooks have seen and what is kept or asked for', () => {
    const x = p([1, 2]);
    const seen: tg.Tensor[] = [];
    const middle = x.mul(2);
    middle.registerHook((gradient) => void seen.push(gradient));
    const kept = middle.mul(5);
    kept.retainGrad();
    kept.mul(t([3, 4])).backward(t([1, 1]));
    expect(seen[0]!.toArray()).toEqual([15, 20]);
    expect(g(kept)).toEqual([3, 4]);
    expect(g(x)).toEqual([30, 40]);
    const y = p([1, 2]);
    const inner = y.mul(2);
    const [ofInner, ofY] = tg.grad(inner.mul(t([3, 4])).mul(2), [inner, y], { gradOutputs: t([1, 1]) });
    expect(ofInner!.toArray()).toEqual([6, 8]);
    expect(ofY!.toArray()).toEqual([12, 16]);
  });

  it('leaves alone pieces of one gradient that others read', () => {
    const x = p([1, 2, 3, 4]);
    const [first, second] = x.mul(2).chunk(2);
    tg.cat([first!.mul(3), second!.mul(first!)]).mul(t([1, 10, 100, 1000])).backward(t([1, 1, 1, 1]));
    // y = [6 a, 6 b, 4 c a, 4 d b] and weights 1, 10, 100, 1000.
    expect(g(x)).toEqual([6 + 1200, 60 + 16000, 400, 8000]);
  });

  it('can walk a graph again that it kept', () => {
    const x = p([1, 2]);
    const out = x.exp().mul(x).mul(2);
    out.backward(t([1, 1]), { retainGraph: true });
    const once = g(x) as number[];
    out.backward(t([1, 1]));
    expect(g(x)).toEqual(once.map((value) => 2 * value));
  });
});
