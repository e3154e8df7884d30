import { describe, expect, it } from '@jest/globals';
import type { Strided } from '../src/backend/types.ts';
import { elementwise } from '../src/backend/wasm/elementwise.ts';
import { Expr, input, type PrimitiveName, primitives } from '../src/expr/index.ts';
import { hostArray } from '../src/storage.ts';
import { fill, generator, run, strided } from './strided.ts';

const COUNT = 1 << 16;

/** The distance between single-precision numbers near v. */
function unit(v: number): number {
  const magnitude = Math.abs(v);
  return magnitude < 2 ** -126 ? 2 ** -149 : 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

/** Every exponent, both signs, NaN and infinities. */
function allMagnitudes(x: Strided): void {
  const bits = hostArray(x.storage, 'int32');
  for (let k = 0; k < COUNT; k++) bits[k] = (k * 65537 + ((k * 40503) % 65536)) | 0;
}

/** Largest error in units in the last place over given floats. */
function worstError(name: PrimitiveName, ...fills: readonly ((x: Strided) => void)[]): number {
  const out = strided([COUNT]);
  const inputs = fills.map((fill) => {
    const x = strided([COUNT]);
    fill(x);
    return x;
  });
  const args = inputs.map((_, k) => input(k));
  run(() => elementwise(Expr.apply(name, args), out, inputs, [], 'float32'));
  const given = inputs.map((x) => hostArray(x.storage, 'float32'));
  const got = hostArray(out.storage, 'float32');
  let worst = 0;
  for (let k = 0; k < COUNT; k++) {
    const [a = 0, b = 0] = given.map((list) => list[k]!);
    const exact = primitives[name].js(a, b, 0);
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
    expect(worstError(name, allMagnitudes)).toBeLessThanOrEqual(limit);
  });

  it('pow is good to 1.5 units in the last place, with its edge values', () => {
    const next = generator(1);
    const drawn = (low: number, high: number) => (x: Strided) => fill(x, () => low + next() * (high - low));
    expect(worstError('pow', drawn(0, 30), drawn(-20, 20))).toBeLessThanOrEqual(1.5);
    const whole = (x: Strided): Strided => fill(x, () => Math.floor(next() * 21) - 10);
    expect(worstError('pow', drawn(-30, 30), whole)).toBeLessThanOrEqual(1.5);
    expect(worstError('pow', allMagnitudes, drawn(-3, 3))).toBeLessThanOrEqual(1.5);
    const edges = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, Infinity, -Infinity, NaN, 1e-40, -1e-40, 1e38];
    const base = (x: Strided): Strided => fill(x, (k) => edges[k % 16]!);
    const exponent = (x: Strided): Strided => fill(x, (k) => edges[(k >> 4) % 16]!);
    expect(worstError('pow', base, exponent)).toBe(0);
  });
});
