import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { describeOnEachBackend, ints } from './each-backend.ts';

type Data = tg.TensorData;

/** At a kink or an edge: what is called, with which arguments, the value there if the sheet has one, and the gradients of its sum. */
interface Line {
  readonly call: string;
  readonly of: (...x: Tensor[]) => Tensor;
  readonly at: readonly Data[];
  readonly value?: unknown;
  readonly slopes?: readonly unknown[];
}

const line = (call: string, of: Line['of'], at: readonly Data[], expected: Pick<Line, 'value' | 'slopes'>): Line => ({ call, of, at, ...expected });

/** A function of one argument, its value and its slope. */
const one = (call: string, of: (x: Tensor) => Tensor, at: Data, slope: unknown, value?: unknown): Line => {
  return line(call, of, [at], { slopes: [slope], ...(value === undefined ? {} : { value }) });
};

const inf = Infinity;
const ln2 = Math.LN2;
const mask = (...values: boolean[]): Tensor => tg.tensor(values);

const activations: Line[] = [
  one('relu', (x) => x.relu(), 0, 0, 0),
  one('leakyRelu', (x) => x.leakyRelu(0.2), 0, 0.2, 0),
  one('elu', (x) => x.elu(), 0, 1, 0),
  one('selu', (x) => x.selu(), 0, 1.7580993408473766, 0),
  one('hardtanh', (x) => x.hardtanh(), [-1, 1], [0, 0]),
  one('relu6', (x) => x.relu6(), [0, 6], [0, 0]),
  one('hardsigmoid', (x) => x.hardsigmoid(), [-3, 3], [0, 0]),
  one('hardswish', (x) => x.hardswish(), [-3, 3], [-0.5, 1.5]),
  one('softmax of −∞ alone', (x) => x.softmax(0), [-inf, -inf], [NaN, NaN], [NaN, NaN]),
  one('softmax of large scores', (x) => x.softmax(0), [1000, 1000], [0, 0], [0.5, 0.5]),
  one('logSoftmax of large scores', (x) => x.logSoftmax(0), [1000, 0], [-1, 1], [0, -1000]),
];

const pieces: Line[] = [
  one('abs', (x) => x.abs(), 0, 0),
  one('sign', (x) => x.sign(), [-2, 0, 2], [0, 0, 0]),
  one('round', (x) => x.round(), [0.5, 1], [0, 0]),
  one('floor', (x) => x.floor(), [0, 1.5], [0, 0]),
  one('ceil', (x) => x.ceil(), [0, 1.5], [0, 0]),
  one('trunc', (x) => x.trunc(), [0, -1.5], [0, 0]),
  one('frac', (x) => x.frac(), [0, -1.5], [1, 1]),
  one('clamp', (x) => x.clamp(-1, 1), [-1, 1, 2], [1, 1, 0], [-1, 1, 1]),
  one('clamp with min above max', (x) => x.clamp(2, 1), [0, 1.5, 3], [0, 0, 0], [1, 1, 1]),
  line('clamp with min equal to max', (x, low, high) => x.clamp(low, high), [[0, 1, 2], [1, 1, 1], [1, 1, 1]], {
    value: [1, 1, 1],
    slopes: [[0, 1, 0], [0, 0, 0], [0, 0, 1]],
  }),
  line('maximum of equals', (a, b) => a.maximum(b), [2, 2], { value: 2, slopes: [0.5, 0.5] }),
  line('minimum of equals', (a, b) => a.minimum(b), [2, 2], { value: 2, slopes: [0.5, 0.5] }),
  line('fmax of equals', (a, b) => a.fmax(b), [2, 2], { value: 2, slopes: [1, 0] }),
  line('fmin of equals', (a, b) => a.fmin(b), [2, 2], { value: 2, slopes: [1, 0] }),
  one('nanToNum', (x) => x.nanToNum(), [NaN, 1], [0, 1], [0, 1]),
];

const roots: Line[] = [
  one('sqrt', (x) => x.sqrt(), 0, inf),
  one('rsqrt', (x) => x.rsqrt(), 0, -inf),
  one('log', (x) => x.log(), 0, inf),
  one('reciprocal', (x) => x.reciprocal(), 0, -inf),
  one('0^0', (x) => x.pow(0), 0, 0, 1),
  one('0^½', (x) => x.pow(0.5), 0, inf),
  one('0^1', (x) => x.pow(1), 0, 1),
  one('0^2', (x) => x.pow(2), 0, 0),
  one('(−2)^2', (x) => x.pow(2), -2, -4),
  one('NaN^0', (x) => x.pow(0), NaN, 0, 1),
  one('0^e by e', (e) => tg.pow(0, e), [-1, 0, 1], [-inf, 0, 0]),
  one('0^e by e, of tensors', (e) => tg.zerosLike(e).pow(e), [-1, 0, 1], [-inf, 0, 0]),
  one('(−2)^e by e', (e) => tg.pow(-2, e), 2, NaN),
  line('atan2', (y, x) => y.atan2(x), [0, 0], { slopes: [NaN, NaN] }),
  line('hypot', (x, y) => x.hypot(y), [0, 0], { slopes: [NaN, NaN] }),
  line('xlogy of 0 and 0', (x, y) => x.xlogy(y), [0, 0], { value: 0, slopes: [0, NaN] }),
  line('xlogy of 0 and 2', (x, y) => x.xlogy(y), [0, 2], { value: 0, slopes: [ln2, 0] }),
  one('entr', (x) => tg.special.entr(x), 0, inf, 0),
  one('sinc', (x) => x.sinc(), 0, 0, 1),
  one('logit', (x) => x.logit(), 0, inf, -inf),
  one('logit below eps', (x) => x.logit(0.1), 0.05, 0),
  line('logaddexp', (x, y) => x.logaddexp(y), [-inf, -inf], { value: -inf }),
  one('where on the branch not taken', (x) => tg.where(mask(false), x.log(), 0), [0], [NaN], [0]),
  one('maskedFill before softmax', (x) => x.maskedFill(mask(true, false), -inf).softmax(0).mul(tg.tensor([1, 3])), [5, 1], [0, 0], [0, 3]),
];

const norms: Line[] = [
  one('norm', (x) => x.norm(), [0, 0], [0, 0], 0),
  one('norm 1', (x) => x.norm(1), [0, 0], [0, 0], 0),
  one('norm ∞', (x) => x.norm(inf), [3, -3, 1], [0.5, -0.5, 0], 3),
  one('norm 0', (x) => x.norm(0), [3, 0, 1], [0, 0, 0], 2),
  one('Frobenius norm', (x) => x.norm('fro'), [[0, 0], [0, 0]], [[0, 0], [0, 0]], 0),
  line('dist', (x, y) => x.dist(y), [[1, 2], [1, 2]], { value: 0, slopes: [[0, 0], [0, 0]] }),
  line('cdist', (x, y) => tg.cdist(x, y), [[[1, 2]], [[1, 2]]], { value: [[0]], slopes: [[[0, 0]], [[0, 0]]] }),
  one('std of a constant', (x) => x.std(), [2, 2, 2], [0, 0, 0], 0),
  one('var of one element', (x) => x.var(), [2], [NaN], NaN),
  one('var of one element, correction 0', (x) => x.var(null, { correction: 0 }), [2], [0], 0),
];

const reductions: Line[] = [
  one('max of all', (x) => x.max(), [1, 3, 3], [0, 0.5, 0.5], 3),
  one('max of a dimension', (x) => x.max(0).values, [1, 3, 3], [0, 1, 0], 3),
  one('amax', (x) => x.amax(0), [1, 3, 3], [0, 0.5, 0.5], 3),
  one('median', (x) => x.median(), [1, 3, 3, 2], [0, 0, 0, 1], 2),
  one('median of equals', (x) => x.median(), [1, 2, 2], [0, 0.5, 0.5], 2),
  one('prod with a zero', (x) => x.prod(), [2, 0, 3], [0, 6, 0], 0),
  one('prod with zeros', (x) => x.prod(), [0, 0, 3], [0, 0, 0], 0),
  one('cumprod with a zero', (x) => x.cumprod(0), [2, 0, 3, 4], [1, 32, 0, 0], [2, 0, 0, 0]),
  one('cummax of equals', (x) => x.cummax(0).values, [2, 2, 1], [1, 2, 0], [2, 2, 2]),
  one('logsumexp of −∞ alone', (x) => x.logsumexp(0), [-inf, -inf], [NaN, NaN], -inf),
  one('logsumexp with ∞', (x) => x.logsumexp(0), [inf, 1], [NaN, 0], inf),
];

const choices: Line[] = [
  one('sort of equals, the first', (x) => x.sort(0, { stable: true }).values.select(0, 0), [2, 2, 3], [1, 0, 0], 2),
  one('sort with NaN', (x) => x.sort(0).values, [NaN, 1, 2], [1, 1, 1], [1, 2, NaN]),
  one('topk of equals', (x) => x.topk(1, 0).values.sum(), [3, 3, 1], [1, 0, 0], 3),
  one('a row that is picked twice', (x) => x.at([0, 0, 2]), [5, 6, 7], [2, 0, 1], [5, 5, 7]),
  one('indexFill at a place twice', (v) => tg.zeros([3], { dtype: 'float64' }).indexFill(0, ints([0, 0]), v), 5, 1, [5, 0, 0]),
  line('scatterAdd to one place', (x, v) => x.scatterAdd(0, ints([1, 1]), v), [[1, 1], [2, 3]], { value: [1, 6], slopes: [[1, 1], [1, 1]] }),
  one('embedding', (w) => tg.embedding(ints([1, 1, 2]), w, { paddingIdx: 2 }), [[1], [2], [3]], [[0], [2], [0]]),
  one(
    'embedding by frequency',
    (w) => tg.embedding(ints([1, 1, 2]), w, { paddingIdx: 2, scaleGradByFreq: true }),
    [[1], [2], [3]],
    [[0], [1], [0]],
  ),
  one('maxPool1d of −∞ alone', (x) => tg.maxPool1d(x, 2), [[[-inf, -inf]]], [[[1, 0]]], [[[-inf]]]),
  one('maxPool1d with NaN', (x) => tg.maxPool1d(x, 3), [[[1, NaN, 2]]], [[[0, 1, 0]]], [[[NaN]]]),
  one('maxPool1d with padding', (x) => tg.maxPool1d(x, 3, 3, { padding: 1 }), [[[-5, -4, -3]]], [[[0, 1, 0]]], [[[-4]]]),
];

/** The expected numbers where the found ones differ from them in the last digits only, the found ones elsewhere. */
function near(found: unknown, expected: unknown): unknown {
  if (Array.isArray(found)) return found.map((item, i) => near(item, (expected as unknown[])[i]));
  const [a, b] = [found as number, expected as number];
  return Math.abs(a - b) <= 1e-12 * Math.abs(b) ? b : a;
}

const groups = { activations, pieces, roots, norms, reductions, choices };

describeOnEachBackend('at kinks and edges', () => {
  it.each(Object.values(groups).flat().map((entry) => [entry.call, entry] as const))('%s', (_, { of, at, value, slopes }) => {
    const leaves = at.map((data) => tg.tensor(data, { dtype: 'float64', requiresGrad: true }));
    const y = of(...leaves);
    if (value !== undefined) expect(near(y.toArray(), value)).toEqual(value);
    if (slopes === undefined) return;
    const found = tg.grad(y.sum(), leaves, { materializeGrads: true }).map((slope) => slope!.toArray());
    expect(near(found, slopes)).toEqual(slopes);
  });

  it('cummax names the last of equals', () => {
    expect(tg.tensor([2, 2, 1]).cummax(0).indices.toArray()).toEqual([0, 1, 1]);
  });

  it('an assignment to one place twice gives its gradient to each value', () => {
    const x = tg.zeros([2], { dtype: 'float64' });
    const v = tg.tensor([3, 4], { dtype: 'float64', requiresGrad: true });
    const y = x.indexPut([ints([0, 0])], v);
    expect(tg.grad(y.mul(tg.tensor([5, 7])).sum(), v)[0]!.toArray()).toEqual([5, 5]);
  });

  it('sinc has the derivatives of its series at 0', () => {
    const x = tg.tensor(0, { dtype: 'float64', requiresGrad: true });
    const found: number[] = [];
    for (let y = x.sinc(), order = 0; order < 4; order++) {
      [y] = tg.grad(y, x, { createGraph: true }) as [Tensor];
      found.push(y.item());
    }
    expect(near(found, [0, -(Math.PI ** 2) / 3, 0, Math.PI ** 4 / 5])).toEqual([0, -(Math.PI ** 2) / 3, 0, Math.PI ** 4 / 5]);
  });
});
