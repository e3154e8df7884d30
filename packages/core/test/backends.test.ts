import { describe, expect, it } from '@jest/globals';
import { reference } from '../src/backend/reference/index.ts';
import type { Kernels, Strided } from '../src/backend/types.ts';
import { wasmBackend as wasm } from '../src/backend/wasm/index.ts';
import { Expr, input, primitives, type PrimitiveName } from '../src/expr/index.ts';
import { hostArray, storageOf } from '../src/storage.ts';
import { Draw } from './draw.ts';
import { trials, type Trial } from './kernel-trials.ts';
import { blank, operand } from './operand.ts';
import { difference, gapsAreUntouched, run, values } from './strided.ts';

const TRIALS = 60;

function copyOf(x: Strided): Strided {
  return { ...x, storage: storageOf(Uint8Array.from(hostArray(x.storage, 'uint8')), x.dtype) };
}

/** What is wrong with the results of the backend under test, or null. */
function disagreement(trial: Trial): string | null {
  const [expected, actual] = [trial.outputs.map(copyOf), trial.outputs.map(copyOf)];
  run(() => trial.run(reference.kernels, expected));
  run(() => trial.run(wasm.kernels, actual));
  for (const [i, result] of actual.entries()) {
    const wrong = difference(values(result), values(expected[i]!), trial.tolerance);
    if (wrong !== null) return `output ${i}: ${wrong}`;
    if (!gapsAreUntouched(result)) return `output ${i}: something was written between its elements`;
  }
  return null;
}

describe('the WebAssembly backend', () => {
  it.each(Object.keys(trials) as (keyof Kernels)[])('agrees with the reference on %s', (kernel) => {
    for (let seed = 1; seed <= TRIALS; seed++) {
      const trial = trials[kernel](new Draw(seed));
      const problem = disagreement(trial);
      expect(problem === null ? null : { seed, problem, about: trial.about }).toBeNull();
    }
  });
});

/** Where each primitive is compared: the whole line, and the places where functions bend. */
const line = [
  ...Array.from({ length: 161 }, (_, i) => (i - 80) / 8),
  ...[0, -0, NaN, Infinity, -Infinity, 1e-30, -1e-30, 1e-7, 0.999, 88, -88, 1e4, -1e4, 3e38, -3e38],
];
const orders = [1, 2, 3];

/** Primitives whose partners are not the whole line. */
const firsts: Readonly<Partial<Record<PrimitiveName, readonly number[]>>> = {
  polygamma: orders,
  zeta: [...orders, 1.5],
};

/** What float32 can hold of a double: near 0 its results have few digits, and far out none. */
const smallest = { float32: 1e-37, float64: 1e-300 };
/** Relative errors that are allowed. */
const precision = { float32: 1e-6, float64: 1e-13 };

describe.each(['float32', 'float64'] as const)('an expression of one primitive in %s', (dtype) => {
  it.each(Object.keys(primitives) as PrimitiveName[])('agrees with the reference on %s', (name) => {
    const { arity, givesMask } = primitives[name];
    const seconds = arity === 1 ? [0] : line.filter((_, i) => i % 5 === 0 || i > 160);
    const pairs = (firsts[name] ?? line).flatMap((a) => seconds.map((b) => [a, b] as const));
    const columns = [pairs.map(([a]) => a), pairs.map(([, b]) => b), pairs.map((_, i) => i % 7)];
    const inputs = columns.slice(0, arity).map((column) => operand(column, [column.length], dtype));
    const expr = Expr.apply(name, [input(0), input(1), input(2)].slice(0, arity));
    const [expected, actual] = [reference, wasm].map(({ kernels }) => {
      const out = blank([pairs.length], givesMask ? 'bool' : dtype);
      run(() => kernels.elementwise(expr, out, inputs, [], dtype));
      return values(out);
    }) as [number[], number[]];
    const wrong = pairs.flatMap((pair, i) => {
      const [a, e] = [actual[i]!, expected[i]!];
      const near = Math.abs(a - e) <= precision[dtype] * Math.abs(e) + smallest[dtype];
      return Object.is(a, e) || a === e || near ? [] : [`${name}(${pair}) is ${a} instead of ${e}`];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

const ofIntegers = [
  ...(['add', 'sub', 'mul', 'neg', 'min', 'max', 'abs', 'sign', 'floorDiv', 'fmod', 'remainder'] as const),
  ...(['bitAnd', 'bitOr', 'bitXor', 'shiftLeft', 'shiftRight', 'lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const),
  ...(['and', 'or', 'xor', 'not', 'where', 'floor', 'round', 'signbit', 'isnan', 'isfinite'] as const),
];

describe.each(['int32', 'uint8', 'bool'] as const)('an expression of one primitive in %s', (dtype) => {
  it.each(ofIntegers)('agrees with the reference on %s', (name) => {
    const integers = [0, 1, -1, 2, 3, -7, 31, 32, 100, 255, -255, 65537, 2147483647, -2147483648, 123456789];
    const { arity, givesMask } = primitives[name];
    const list = dtype === 'bool' ? [0, 1] : integers;
    const isDivision = name === 'floorDiv' || name === 'fmod' || name === 'remainder';
    const seconds = isDivision ? list.filter((b) => b % 256 !== 0) : list;
    const columns = [
      list.flatMap((a) => seconds.map(() => a)),
      list.flatMap(() => seconds),
      list.flatMap((a) => seconds.map((b) => (a + b) % 3)),
    ];
    const inputs = columns.slice(0, arity).map((column) => operand(column, [column.length], dtype));
    const expr = Expr.apply(name, [input(0), input(1), input(2)].slice(0, arity));
    const [expected, actual] = [reference, wasm].map(({ kernels }) => {
      const out = blank([columns[0]!.length], givesMask ? 'bool' : dtype);
      run(() => kernels.elementwise(expr, out, inputs, [], dtype));
      return values(out);
    }) as [number[], number[]];
    expect(difference(actual, expected)).toBeNull();
  });
});
