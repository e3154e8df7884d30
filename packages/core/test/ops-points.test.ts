import { expect, it } from '@jest/globals';
import type { ElementwiseOp } from '../src/define/elementwise.ts';
import * as tg from '../src/index.ts';
import { describeOnEachBackend } from './each-backend.ts';

const declared = [...Object.entries(tg), ...Object.entries(tg.special)].flatMap(([name, value]) => {
  const op = (value as { op?: ElementwiseOp }).op;
  return op?.options.points === undefined ? [] : [[name, op] as const];
});

describeOnEachBackend('edge values of elementwise operations', () => {
  it.each(declared)('holds for %s at every listed point', (_, op) => {
    for (const point of op.options.points!) {
      const leaves = point.at.map((value) => tg.tensor(value, { dtype: 'float64', requiresGrad: true }));
      const y = op.variant(2 ** leaves.length - 1).apply(leaves, []);
      if (point.value !== undefined) expect(y.item() + 0).toBe(point.value);
      const slopes = tg.grad(y, leaves, { allowUnused: true });
      point.partials.forEach((partial, i) => {
        if (partial === null) return;
        const got = slopes[i]?.item() ?? 0;
        const where = { op: op.name, at: point.at, argument: i };
        if (Number.isNaN(partial)) expect({ ...where, got }).toEqual({ ...where, got: NaN });
        else expect(Math.abs(got - partial) <= 1e-12 * Math.abs(partial) || got === partial ? where : { ...where, got, partial }).toEqual(where);
      });
    }
  });

  it('finds operations to look at', () => expect(declared.length).toBeGreaterThan(15));
});
