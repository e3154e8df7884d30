import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import { readOperators } from '../src/oracle/files.ts';
import { nameOf, perform, replay, type Operator } from '../src/oracle/replay.ts';
import { jsonOf, reportOf, totalsOf } from '../src/oracle/report.ts';
import { adapterOf, Refused } from '../src/oracle/signature.ts';
import { signatures } from '../src/oracle/signatures.ts';
import { replaySingle } from '../src/oracle/single.ts';
import { tierOf } from '../src/oracle/tiers.ts';
import { Decoder, Unsupported } from '../src/oracle/values.ts';
import { root } from '../src/root.ts';

const extract = path.join(root, 'packages/dev/test/data/operators.jsonl.gz');
/** A larger record, for whoever has one. */
const complete = process.env['TAPEGRAD_ORACLE'];

/**
 * What PyTorch 1.13 itself computes to some seven digits only: beyond 5 it evaluates the denominators of its rational functions
 * without their leading term. Ours are compared with exact values, to fourteen digits, in core's special.test.ts.
 */
const inexactInRecord: readonly string[] = ['special.bessel_j0', 'special.bessel_j1', 'special.bessel_y0', 'special.bessel_y1'];

/** All that went wrong, in lines. */
function failuresOf(operators: readonly Operator[]): string[] {
  return operators
    .filter((operator) => nameOf(operator) in signatures && !inexactInRecord.includes(nameOf(operator)))
    .flatMap((operator) => replay(operator, signatures[nameOf(operator)]))
    .flatMap(({ name, failures, accepted }) => [...failures, ...accepted].map((line) => `${name} ${line}`));
}

describe.each(['wasm', 'reference'])("PyTorch's operators on %s", (backend) => {
  beforeAll(() => tg.useBackend(backend));
  afterAll(() => tg.useBackend('wasm'));

  it('compute what PyTorch does in the calls of the extract, with gradients to the second order', () => {
    expect(failuresOf(readOperators(extract))).toEqual([]);
  });

  if (complete !== undefined) {
    it('compute what PyTorch does in the calls of TAPEGRAD_ORACLE', () => {
      expect(failuresOf(readOperators(complete))).toEqual([]);
    }, 120_000);
  }
});

const call = (input: unknown, args: unknown[] = [], kwargs: Record<string, unknown> = {}): { input: unknown; args: unknown[]; kwargs: Record<string, unknown> } => {
  return { input, args, kwargs };
};

describe('signatures', () => {
  const x = tg.tensor([[1, 2], [3, 4]], { dtype: 'float64' });

  it('take parameters by position or by name, and options under our names', () => {
    const sum = adapterOf('dim, keepdim => x.sum(dim, { keepdim })');
    expect((sum(call(x, [1])) as tg.Tensor).toArray()).toEqual([3, 7]);
    expect((sum(call(x, [], { dim: 0, keepdim: true })) as tg.Tensor).shape).toEqual([1, 2]);
    expect((sum(call(x)) as tg.Tensor).item()).toBe(10);
    expect((adapterOf('*dims => x.permute(dims)')(call(x, [1, 0])) as tg.Tensor).toArray()).toEqual([[1, 3], [2, 4]]);
  });

  it('say what they cannot express', () => {
    const sum = adapterOf('dim, keepdim, where => x.sum(dim, { keepdim })');
    expect(() => sum(call(x, [], { where: 1 }))).toThrow(Unsupported);
    expect(() => sum(call(x, [0, true, null, 5]))).toThrow(Unsupported);
    expect(() => adapterOf('x.noSuchMethod()')(call(x))).toThrow(new Unsupported('no x.noSuchMethod'));
  });
});

describe('a keyword that we have no parameter for', () => {
  const x = tg.tensor([[1, 2], [3, 4]], { dtype: 'float64' });
  const strange = { out_dtype: 1 };

  it('goes among the options under our spelling, and has to be refused', () => {
    for (const form of ['dim, keepdim => x.sum(dim, { keepdim })', 'dim => x.sum(dim)', 'x.exp()', 'other => tg.mul(x, other)']) {
      const run = (): unknown => adapterOf(form)(call(x, form.includes('other') ? [x] : [], strange));
      expect(run).toThrow(Refused);
      expect(run).toThrow('keyword outDtype');
    }
    expect(() => adapterOf('dim, keepdim => x.sum(dim, { keepdim })')(call(x, [0, true], strange))).toThrow(Refused);
    // A function that lets it pass.
    const run = (): unknown => adapterOf('x.t()')(call(x, [], strange));
    expect(run).toThrow('keyword outDtype, which is not refused');
    expect(run).not.toThrow(Refused);
  });

  it('is right in a call that PyTorch rejects, and no form for one with a result', () => {
    const json = { $tensor: { shape: [2], dtype: 'float64', data: [1, 2] } };
    const recorded = { input: json, args: [], kwargs: { out: json } };
    const operator: Operator = { op: 'any', differentiable: true, samples: [{ ...recorded, outputs: [json] }], errors: [recorded] };
    expect(replay(operator, 'x.neg()')).toMatchObject({ passed: 0, rejected: 1, accepted: [], failures: [], unsupported: ['sample 0: keyword out'] });
    expect(replay(operator, 'x.t()')).toMatchObject({ passed: 0, rejected: 0, failures: [], unsupported: { length: 2 } });
  });

  it('is refused by every function of core that has options', () => {
    const swallowing = readOperators(extract).flatMap((operator) => {
      const name = nameOf(operator);
      const form = signatures[name];
      const [sample] = operator.samples;
      if (typeof form !== 'string' || !/(x|tg)\.[\w.]+\(.*\}\)$/.test(form) || sample === undefined) return [];
      try {
        perform(new Decoder(), { ...sample, kwargs: { ...sample.kwargs, strange: 1 } }, form);
      } catch (error) {
        return error instanceof Refused && /unknown option strange/.test(String(error.cause)) ? [] : [`${name}: ${String(error)}`];
      }
      return [name];
    });
    expect(swallowing).toEqual([]);
  });
});

describe('a replay', () => {
  const json = (data: number[], grad = false): { $tensor: { shape: number[]; dtype: string; data: number[]; grad: boolean } } => ({
    $tensor: { shape: [data.length], dtype: 'float64', data, grad },
  });
  const square = (outputs: number[], grads: number[], gradgrads: number[]): Operator => ({
    op: 'square',
    differentiable: true,
    samples: [
      {
        input: json([2, 3], true),
        args: [],
        kwargs: {},
        outputs: [json(outputs)],
        cotangents: [json([1, 10])],
        grads: [json(grads)],
        directions: [json([1, 1])],
        gradgrads: [json(gradgrads)],
      },
    ],
    errors: [],
  });

  it('passes what is right, and names the order at which something is wrong', () => {
    expect(replay(square([4, 9], [4, 60], [2, 20]), 'x.square()')).toMatchObject({ passed: 1, failures: [] });
    expect(replay(square([4, 8], [4, 60], [2, 20]), 'x.square()').failures).toEqual(['sample 0: output 0: element 1 is 9, expected 8']);
    expect(replay(square([4, 9], [4, 61], [2, 20]), 'x.square()').failures).toEqual(['sample 0: grad 0: element 1 is 60, expected 61']);
    expect(replay(square([4, 9], [4, 60], [2, 21]), 'x.square()').failures).toEqual([
      'sample 0: second order, grad 0: element 1 is 20, expected 21',
    ]);
  });

  it('compares float32 with float64 on the same numbers', () => {
    const operator = square([4, 9], [4, 60], [2, 20]);
    expect(replay(operator, 'x.square()', replaySingle)).toMatchObject({ passed: 1, failures: [] });
    // Right in float64, and too coarse in float32.
    const coarse = ({ input }: { input: unknown }): tg.Tensor => {
      const one = input as tg.Tensor;
      return one.square().mul(one.dtype === 'float32' ? 1.0001 : 1);
    };
    expect(replay(operator, coarse)).toMatchObject({ passed: 1 });
    expect(replay(operator, coarse, replaySingle).failures[0]).toMatch(/^sample 0: output 0: element 0 is 4.0004/);
    // An operator that always gives float32 does so in both.
    const single = ({ input }: { input: unknown }): tg.Tensor => (input as tg.Tensor).square().float();
    expect(replay(operator, single, replaySingle).passed).toBe(1);
    expect(replay(operator, single).failures[0]).toBe('sample 0: output 0: dtype is float32, expected float64');
  });

  it('ends in counts of samples and of calls to reject, by operator too', () => {
    const right = square([4, 9], [4, 60], [2, 20]);
    const mixed: Operator = { ...right, errors: [{ input: json([1]), args: [], kwargs: {} }] };
    const verdicts = [
      replay(right, 'x.square()'),
      { ...replay(mixed, 'x.square()'), name: 'mixed' },
      { ...replay(right, undefined), name: 'none' },
    ];
    const line = jsonOf(verdicts, { backend: 'wasm' });
    expect(line).not.toMatch(/\n/);
    expect(JSON.parse(line)).toMatchObject({
      backend: 'wasm',
      total: 3,
      passed: 2,
      failed: 0,
      unsupported: 1,
      errorsTotal: 1,
      errorsRejected: 0,
      byOp: {
        square: { status: 'complete', total: 1, passed: 1, failed: 0, unsupported: 0, errors: 0, rejected: 0 },
        mixed: { status: 'failing', errors: 1, rejected: 0, lines: { accepted: ['error 0: did not throw (PyTorch: )'] } },
        none: { status: 'unsupported', unsupported: 1 },
      },
    });
  });

  it('counts the operators that matter most apart', () => {
    const names = [
      'nn.functional.dropout2d', 'std/unbiased', 'fft.fft', 'std_mean', 'nn.functional.multilabel_margin_loss', 'special.bessel_j0', 'nn.Conv1d',
    ];
    expect(names.map(tierOf)).toEqual(['A', 'A', 'B', 'C', 'B', 'C', null]);
    const verdict = replay(square([4, 9], [4, 60], [2, 20]), 'x.square()');
    const wrong = replay(square([4, 8], [4, 60], [2, 20]), 'x.square()');
    expect(reportOf([{ ...verdict, name: 'add' }, { ...wrong, name: 'mul/variant' }, verdict]).split('\n').slice(-2)).toEqual([
      'tier A: 1 of 2 operators complete, 1 of 2 samples passed (50.0 %)',
      'tier C: 1 of 1 operators complete, 1 of 1 samples passed (100.0 %)',
    ]);
  });

  it('asks that refused calls throw errors of our own', () => {
    const operator: Operator = { op: 'reshape', differentiable: true, samples: [], errors: [{ input: json([1, 2]), args: [[3]], kwargs: {} }] };
    expect(replay(operator, '*shape => x.reshape(shape)')).toMatchObject({ errors: 1, rejected: 1, accepted: [] });
    expect(replay(operator, ({ input }) => input).accepted[0]).toMatch(/did not throw/);
    expect(replay(operator, () => { throw new TypeError('a crash'); }).accepted[0]).toMatch(/threw TypeError: a crash/);
  });

  it('counts what has no signature as unsupported, never as passed', () => {
    const verdict = replay(square([4, 9], [4, 60], [2, 20]), undefined);
    expect(totalsOf([verdict])).toMatchObject({ complete: 0, unsupported: 1, samplesPassed: 0 });
  });
});
