import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { difference, fingerprint } from '../fingerprint.ts';
import { makeInputs } from '../inputs.ts';
import { summarize } from '../statistics.ts';
import { adapter } from '../tapegrad/index.ts';
import { cases } from '../workloads/index.ts';
import type { References } from '../references.ts';

const references = JSON.parse(
  readFileSync(new URL('../reference.json', import.meta.url), 'utf8'),
) as References;

describe('inputs', () => {
  it('are the numbers that the Python generator gives', () => {
    const { a, b, ids } = makeInputs({
      a: { shape: [3] },
      b: { shape: [2, 1], between: [0.99, 1.01] },
      ids: { shape: [4], below: 65 },
    });
    expect(Array.from(a!)).toEqual([0.5361599922180176, -0.981759786605835, -0.5082346200942993]);
    expect(Array.from(b!)).toEqual([1.0045615434646606, 1.0015013217926025]);
    expect(Array.from(ids!)).toEqual([15, 18, 55, 44]);
  });
});

describe('fingerprints', () => {
  const values = makeInputs({ x: { shape: [100_000] } })['x']!;
  const reference = fingerprint(values);

  it('agree within the rounding of float32', () => {
    expect(difference(fingerprint(values.map((value) => value * (1 + 1e-7))), reference)).toBeLessThan(1e-6);
  });

  it('tell one wrong element among many', () => {
    const wrong = values.slice();
    wrong[54_321]! += 1;
    expect(difference(fingerprint(wrong), reference)).toBeGreaterThan(1e-3);
  });

  it('tell two elements that changed places', () => {
    const swapped = values.slice();
    [swapped[1001], swapped[70_002]] = [swapped[70_002]!, swapped[1001]!];
    expect(difference(fingerprint(swapped), reference)).toBeGreaterThan(1e-5);
  });

  it('take nothing for equal to a number that is missing or not a number', () => {
    const wrong = values.slice();
    wrong[5] = NaN;
    expect(difference(fingerprint(wrong), reference)).toBe(Infinity);
    expect(difference(fingerprint(values.subarray(1)), reference)).toBe(Infinity);
  });
});

/**
 * The benchmark itself compares all of them; the ones with few numbers are enough to show that it would
 * notice.
 */
const small = cases.filter(({ inputs }) => {
  const sizes = Object.values(inputs).map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  return sizes.reduce((a, b) => a + b, 0) < 300_000;
});

describe('the small cases', () => {
  it.each(small.map((work) => [work.name, work] as const))(
    '%s gives what PyTorch gives in float64',
    async (name, work) => {
      const shapes = Object.fromEntries(
        Object.entries(work.inputs).map(([input, { shape }]) => [input, shape]),
      );
      const prepared = await adapter.operations[work.operation]!(makeInputs(work.inputs), work.sizes, shapes);
      for (let step = 1; step <= work.checkedSteps; step++) {
        await prepared.step();
        for (const [result, values] of Object.entries(await prepared.results())) {
          const expected = references[name]![work.checkedSteps === 1 ? result : `${result} ${step}`]!;
          expect(difference(fingerprint(values), expected)).toBeLessThan(work.tolerance);
        }
      }
    },
  );
});

describe('summaries', () => {
  it('are medians that one slow round does not move', () => {
    expect(summarize([3, 1, 2, 100, 2]).median).toBe(2);
    expect(summarize([1, 2, 3, 4, 5]).spread).toBeCloseTo(1 / 3);
  });
});
