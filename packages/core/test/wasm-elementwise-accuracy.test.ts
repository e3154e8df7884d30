import { describe, expect, it } from '@jest/globals';
import { elementwise } from '../src/backend/wasm/elementwise.ts';
import { Expr, input, type PrimitiveName, primitives } from '../src/expr/index.ts';
import { hostArray } from '../src/storage.ts';
import { run, strided } from './strided.ts';

const COUNT = 1 << 16;

/** The distance between single-precision numbers near v. */
function unit(v: number): number {
  const magnitude = Math.abs(v);
  return magnitude < 2 ** -126 ? 2 ** -149 : 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

/** Largest error in units in the last place over floats of all magnitudes. */
function worstError(name: PrimitiveName): number {
  const [x, out] = [strided([COUNT]), strided([COUNT])];
  const bits = hostArray(x.storage, 'int32');
  for (let k = 0; k < COUNT; k++) bits[k] = (k * 65537 + ((k * 40503) % 65536)) | 0;
  run(() => elementwise(Expr.apply(name, [input(0)]), out, [x], [], 'float32'));
  const [given, got] = [hostArray(x.storage, 'float32'), hostArray(out.storage, 'float32')];
  let worst = 0;
  for (let k = 0; k < COUNT; k++) {
    const exact = primitives[name].js(given[k]!, 0, 0);
    const rounded = Math.fround(exact);
    if (Object.is(got[k]!, rounded) || got[k] === rounded) continue;
    // Results below the normal numbers may become 0.
    if (Math.abs(exact) < 2 ** -126 && Math.abs(got[k]!) <= 2 ** -126) continue;
    const error = Math.abs(got[k]! - exact) / unit(exact);
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}

describe('single-precision functions', () => {
  it.each([
    ['exp', 1],
    ['exp2', 1],
    ['expm1', 2],
    ['log', 1],
    ['log2', 2],
    ['log10', 2],
    ['log1p', 2],
    ['sigmoid', 3],
    ['tanh', 3],
    ['erf', 2],
    ['sin', 2.5],
    ['cos', 2.5],
    ['tan', 4],
    ['sqrt', 0.5],
    ['rsqrt', 1.5],
    ['erfc', 0.5],
  ] as const)('%s is good to %d units in the last place at every magnitude', (name, limit) => {
    expect(worstError(name)).toBeLessThanOrEqual(limit);
  });
});
