import { elementwise, type Binary, type Unary } from '../define/elementwise.ts';

/** −x log x, 0 at 0 and −∞ below. @derivative −1 − log x, ∞ at 0 @source torch.special.entr */
export const entr: Unary = elementwise(
  'entr',
  (x) => x.isnan().where(x, x.gt(0).where(x.mul(x.log()).neg(), x.eq(0).where(0, -Infinity))),
  {
    result: 'float',
    domain: [0.2, 3],
    partials: ([x]) => [x!.log().add(1).neg()],
    points: [
      { at: [0], value: 0, partials: [Infinity] },
      { at: [-1], value: -Infinity, partials: [NaN] },
    ],
  },
);

/** x · log(1 + other), 0 where x is 0; NaN where other is. @source torch.special.xlog1py */
export const xlog1py: Binary = elementwise('xlog1py', (x, y) => y.isnan().where(y, x.eq(0).where(0, x.mul(y.log1p()))), {
  result: 'float',
  domain: [0.2, 3],
  partials: ([x, y]) => [x!.eq(0).and(y!.le(-1)).where(0, y!.log1p()), x!.div(y!.add(1))],
  points: [{ at: [0, -1], value: 0, partials: [0, NaN] }],
});
