import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import { aspects, questionOf, type FloatingDType, type Outcome } from '../src/operators/aspects.ts';
import { matrixOf } from '../src/operators/matrix.ts';
import { countOf, pageOf, type Row } from '../src/operators/page.ts';
import { readOperators } from '../src/oracle/files.ts';
import type { Sample } from '../src/oracle/replay.ts';
import type { Adapter } from '../src/oracle/signature.ts';
import { signatures } from '../src/oracle/signatures.ts';
import { root } from '../src/root.ts';

const recorded = path.join(root, 'packages/dev/test/data/operators.jsonl.gz');
const page = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('the page of operators', () => {
  let rows: Row[];
  beforeAll(async () => {
    rows = await matrixOf(readOperators(recorded));
  }, 120_000);

  it('is what `npm run operators` writes', () => {
    expect(page('docs/operators.md').split('\n')).toEqual(pageOf(rows, signatures, root).split('\n'));
  });

  it('has the count that the readme tells', () => {
    expect(page('README.md').replace(/\s+/g, ' ')).toContain(countOf(rows));
  });

  it('has the row that CONTRIBUTING.md shows', () => {
    const [row] = /^\| `nn\.functional\.leaky_relu` .*$/m.exec(page('CONTRIBUTING.md'))!;
    expect(page('docs/operators.md')).toContain(row);
  });

  it('leaves no operator without a family that is there', () => {
    expect(pageOf(rows, signatures, root)).not.toMatch(/^## others/m);
  });
});

it('CONTRIBUTING.md shows code that is there', () => {
  const excerpts = [...page('CONTRIBUTING.md').matchAll(/```ts excerpt\n\/\/ (\S+)\n(.*?)```/gs)];
  expect(excerpts.length).toBeGreaterThan(1);
  for (const [, file, code] of excerpts) expect(page(file!)).toContain(code!);
});

const at = [0.5, -1.25, 2];
const tensor = (data: number[], grad = false): { $tensor: { shape: number[]; dtype: string; data: number[]; grad: boolean } } => ({
  $tensor: { shape: [data.length], dtype: 'float64', data, grad },
});

/** A call of x³ on record, with as many derivatives as are asked for. */
function cube(order: 0 | 1 | 2): Sample {
  return {
    input: tensor(at, true),
    args: [],
    kwargs: {},
    outputs: [tensor(at.map((x) => x ** 3))],
    ...(order > 0 ? { cotangents: [tensor([1, 1, 1])], grads: [tensor(at.map((x) => 3 * x ** 2))] } : {}),
    ...(order > 1 ? { directions: [tensor([1, 1, 1])], gradgrads: [tensor(at.map((x) => 6 * x))] } : {}),
  };
}

/** x³ with a backward rule. */
function cubeWith(rule: (gradient: tg.Tensor, x: tg.Tensor) => tg.Tensor): Adapter {
  class Cube extends tg.Function {
    static forward(ctx: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
      ctx.saveForBackward(x);
      return x.pow(3);
    }
    static backward(ctx: tg.FunctionContext, gradient: tg.Tensor): tg.Tensor {
      return rule(gradient, ctx.savedTensors[0]!);
    }
  }
  return ({ input }) => Cube.apply(input as tg.Tensor);
}

const right = cubeWith((g, x) => g.mul(x.square()).mul(3));
const ask = (letter: keyof typeof aspects, sample: Sample, call: Adapter, dtype: FloatingDType = 'float64'): Outcome =>
  aspects[letter](questionOf(sample, call, dtype));
const kinds = (order: 0 | 1 | 2, call: Adapter): Record<string, Outcome['kind']> =>
  Object.fromEntries((['V', 'G', 'S', 'J', 'M'] as const).map((letter) => [letter, ask(letter, cube(order), call).kind]));

describe('the marks', () => {
  it('tell what is on record from what is measured', () => {
    expect(kinds(2, right)).toEqual({ V: 'recorded', G: 'recorded', S: 'recorded', J: 'measured', M: 'measured' });
    expect(kinds(0, right)).toEqual({ V: 'recorded', G: 'measured', S: 'measured', J: 'measured', M: 'measured' });
    expect(ask('S', cube(0), right, 'float32')).toEqual({ kind: 'measured' });
  });

  it.each([0, 2] as const)('are refused to a wrong value, gradient or second gradient, with %s orders on record', (order) => {
    expect(kinds(order, ({ input }) => (input as tg.Tensor).pow(2)).V).toBe('wrong');
    expect(kinds(order, cubeWith((g, x) => g.mul(x.square()).mul(2)))).toMatchObject({ V: 'recorded', G: 'wrong' });
    const once = cubeWith((g, x) => g.mul(x.detach().square()).mul(3));
    expect(kinds(order, once)).toMatchObject({ G: order > 0 ? 'recorded' : 'measured', S: 'wrong' });
  });

  it('are refused to a rule that is not linear in what comes in', () => {
    expect(kinds(2, cubeWith((g, x) => g.mul(g).mul(x.square()).mul(3)))).toMatchObject({ V: 'recorded', J: 'wrong' });
  });

  it('are refused to a call that gives something else for each slice than alone', () => {
    let calls = 0;
    expect(kinds(2, ({ input }) => (input as tg.Tensor).pow(3).add(calls++)).M).toBe('wrong');
  });

  it('do not exist where nothing can be differentiated or mapped over', () => {
    const constant: Adapter = () => tg.tensor(at.map((x) => x ** 3), { dtype: 'float64' });
    expect(kinds(0, constant)).toMatchObject({ V: 'recorded', G: 'absent', S: 'absent', J: 'absent' });
    expect(ask('M', { ...cube(0), input: [2, 3] }, constant).reason).toBe('no tensor to map over');
    expect(ask('M', cube(0), ({ input }) => (input as tg.Tensor).maskedSelect((input as tg.Tensor).cumsum(0).gt(1)))).toEqual({
      kind: 'absent',
      reason: 'the shape of the result depends on values',
    });
  });
});
