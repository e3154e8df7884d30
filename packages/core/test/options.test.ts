import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { t, useAnyBackend } from './notation.ts';

useAnyBackend();

const x = t([[1, 2, 3], [4, 5, 6]]);
const index = tg.tensor([[0, 1, 0]], { dtype: 'int32' });
/** The library as JavaScript sees it, which has no types. */
const js = tg as unknown as Record<string, (...args: unknown[]) => unknown>;
const namespaces = tg as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>;
const { func, linalg, masked, safe } = namespaces as Record<'func' | 'linalg' | 'masked' | 'safe', (typeof namespaces)[string]>;

/** Calls of functions that are given these options where theirs go, beside those of PyTorch's record. */
const calls: Record<string, (options: unknown) => unknown> = {
  'sum of a tensor': (o) => js['sum']!(x, 0, o),
  tensor: (o) => js['tensor']!([1], o),
  empty: (o) => js['empty']!([2], o),
  zeros: (o) => js['zeros']!([2], o),
  ones: (o) => js['ones']!([2], o),
  full: (o) => js['full']!([2], true, o),
  eye: (o) => js['eye']!(2, 2, o),
  arange: (o) => js['arange']!(0, 3, 1, o),
  linspace: (o) => js['linspace']!(0, 3, 4, o),
  logspace: (o) => js['logspace']!(0, 3, 4, 10, o),
  trilIndices: (o) => js['trilIndices']!(2, 2, 0, o),
  triuIndices: (o) => js['triuIndices']!(2, 2, 0, o),
  newEmptyStrided: (o) => js['newEmptyStrided']!(x, [2], [1], o),
  newZeros: (o) => js['newZeros']!(x, [2], o),
  rand: (o) => js['rand']!([2], o),
  randn: (o) => js['randn']!([2], o),
  randint: (o) => js['randint']!(0, 3, [2], o),
  randperm: (o) => js['randperm']!(3, o),
  randLike: (o) => js['randLike']!(x, o),
  randintLike: (o) => js['randintLike']!(x, 0, 2, o),
  'normal of a size': (o) => js['normal']!(0, 1, [2], o),
  'normal of tensors': (o) => js['normal']!(x, 1, o),
  'add_ in place': (o) => (x.clone() as unknown as typeof js)['add_']!(1, o),
  'round_ in place': (o) => (x.clone() as unknown as typeof js)['round_']!(o),
  bucketize: (o) => js['bucketize']!(x, t([1, 2]), o),
  isin: (o) => js['isin']!(x, 1, o),
  backward: (o) => (tg.tensor(1, { requiresGrad: true }) as unknown as typeof js)['backward']!(null, o),
  grad: (o) => js['grad']!(x, x, o),
  gradcheck: (o) => js['gradcheck']!((y: tg.Tensor) => y, [x], o),
  gradgradcheck: (o) => js['gradgradcheck']!((y: tg.Tensor) => y, [x], o),
  jacobian: (o) => js['jacobian']!((y: tg.Tensor) => y, x, o),
  hessian: (o) => js['hessian']!((y: tg.Tensor) => y.sum(), x, o),
  checkpoint: (o) => js['checkpoint']!((y: unknown) => y, [x], o),
  profile: (o) => js['profile']!(() => 1, o),
  detectAnomaly: (o) => js['detectAnomaly']!(() => 1, o),
  setDetectAnomaly: (o) => js['setDetectAnomaly']!(false, o),
  'func.grad': (o) => func['grad']!((y: unknown) => y, o),
  'func.gradAndValue': (o) => func['gradAndValue']!((y: unknown) => y, o),
  'func.jacrev': (o) => func['jacrev']!((y: unknown) => y, o),
  'func.jacfwd': (o) => func['jacfwd']!((y: unknown) => y, o),
  'func.hessian': (o) => func['hessian']!((y: unknown) => y, o),
  'func.vmap': (o) => func['vmap']!((y: unknown) => y, o),
  'linalg.lu': (o) => linalg['lu']!(x, o),
  'linalg.luFactor': (o) => linalg['luFactor']!(x, o),
  'linalg.matrixNorm': (o) => linalg['matrixNorm']!(x, 'fro', [0, 1], o),
  'masked.sum': (o) => masked['sum']!(x, 0, o),
  'masked.softmax': (o) => masked['softmax']!(x, 0, o),
  'safe.norm': (o) => safe['norm']!(x, 0, o),
  'safe.logsumexp': (o) => safe['logsumexp']!(x, 0, o),
  'safe.where': (o) => safe['where']!(x.gt(0), x, (y: unknown) => y, o),
};

describe('options', () => {
  it.each(Object.entries(calls))('that %s does not have are refused', (_, call) => {
    expect(() => call({ strange: 1 })).toThrow(tg.ValueError);
    expect(() => call({ strange: 1 })).toThrow(/unknown option strange\. Options are /);
    expect(() => call(null)).toThrow(/further arguments are options, given by name, as in \{ \w+: … \}; got null/);
  });

  it.each<[() => unknown, string]>([
    [() => js['mean']!(x, 1, true), 'mean: further arguments are options, given by name, as in { keepdim: … }; got true'],
    [() => js['sum']!(x, 0, { keep_dim: true }), 'sum: unknown option keep_dim. Did you mean keepdim?'],
    [() => js['interpolate']!(x, { scale_factor: 2 }), 'interpolate: unknown option scale_factor. Did you mean scaleFactor?'],
    [
      () => js['std']!(x, { unbiased: false }),
      'std: dim must be a whole number, given by position; got an object { unbiased }. Options go in an object after it',
    ],
    [() => js['sum']!(x, { dim: 1 }), 'sum: dim must be a whole number, given by position; got an object { dim }. Options go in an object after it'],
    [() => js['sum']!(x, '1'), "sum: dim must be a whole number, given by position; got '1'. Options go in an object after it"],
    [() => js['sum']!(x, 1, x), 'sum: further arguments are options, given by name, as in { keepdim: … }; got a Tensor'],
    [() => js['tensor']!([1], 'float64'), "tensor: further arguments are options, given by name, as in { dtype: … }; got 'float64'"],
    [() => js['max']!(x, undefined, { keepdim: true }), 'max: keepdim goes with a dim, as in max(0, { keepdim: true }); over all dimensions use amax'],
    [() => js['median']!(x, undefined, { keepdim: true }), 'median: keepdim goes with a dim, as in median(0, { keepdim: true })'],
    [() => js['div']!(x, x, { roundingMode: 'up' }), "div: roundingMode must be 'floor' or 'trunc', got 'up'"],
    [() => js['randint']!(5, [2]), 'randint: high must be a number, given by position; got an array [2]'],
    [() => js['randint']!(0, 5), 'randint: the size is missing; write randint(low, high, size)'],
    [() => js['arange']!(3, { dtype: 'float64' }), 'arange: end must be a number, given by position; got an object { dtype }'],
    [() => js['tril']!(x, { diagonal: 1 }), 'tril: diagonal must be a number, given by position; got an object { diagonal }'],
    [() => js['nonzero']!(x, { asTuple: true }), 'nonzero: unknown option asTuple. nonzero has no options'],
    [() => js['to']!(x, 'float32', { copy: true }), 'to: unknown option copy. to has no options'],
    [() => js['clone']!(x, { memoryFormat: 1 }), 'clone: unknown option memoryFormat. clone has no options'],
    [() => func['jvp']!((y: unknown) => y, x, x), 'jvp: tensors and their tangents go in arrays, as in jvp(fn, [x], [v])'],
    [() => js['clamp']!(x, { min: 0 }), 'clamp_min: argument 1 must be a Tensor or a number (at least one a Tensor), got an object { min }'],
    [() => js['qr']!(x, { some: false }), 'qr: some must be true or false, given by position; got an object { some }'],
    [() => js['dropout']!(x, 0.5, { training: false }), 'dropout: training must be true or false, given by position; got an object { training }'],
    [
      () => js['layerNorm']!(x, 3, { eps: 1 }),
      'layerNorm: weight must be a Tensor, or null where there is none; got an object { eps }. Options go in an object after it',
    ],
    [
      () => js['conv1d']!(x, tg.ones([1, 2, 1], { dtype: 'float64' }), { stride: 2 }),
      'conv1d: bias must be a Tensor, or null where there is none; got an object { stride }. Options go in an object after it',
    ],
  ])('in other places, or of other kinds, are refused: %s', (run, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(tg.TapegradError);
  });

  it('that are undefined count as not given, whatever their name', () => {
    expect((js['sum']!(x, 0, { keepdim: undefined, strange: undefined }) as tg.Tensor).shape).toEqual([3]);
  });

  it('have no out: results are new tensors', () => {
    const out = t([0]);
    const without: Record<string, () => unknown> = {
      exp: () => js['exp']!(x, { out }),
      mul: () => js['mul']!(x, x, { out }),
      sum: () => js['sum']!(x, 0, { out }),
      cat: () => js['cat']!([x], 0, { out }),
      stack: () => js['stack']!([x], 0, { out }),
      gather: () => js['gather']!(x, 0, index, { out }),
      indexSelect: () => js['indexSelect']!(x, 0, index.flatten(), { out }),
      maskedSelect: () => js['maskedSelect']!(x, x.gt(1), { out }),
      take: () => js['take']!(x, index, { out }),
      matmul: () => js['matmul']!(x, x.T, { out }),
      mm: () => js['mm']!(x, x.T, { out }),
      countNonzero: () => js['countNonzero']!(x, 0, { out }),
    };
    for (const [name, run] of Object.entries(without)) {
      expect(run).toThrow(`${name}: unknown option out. Results are new tensors here; to write one into memory that is there: out.copy_(${name}(…))`);
    }
  });

  it('leave functions fit for map, which passes on a position and the list', () => {
    expect([x, x].map(tg.exp as (y: tg.Tensor) => tg.Tensor)).toHaveLength(2);
  });

  it('are refused before anything has changed', () => {
    const y = x.clone();
    expect(() => (y as unknown as typeof js)['add_']!(1, { beta: 2 })).toThrow('add_: unknown option beta');
    expect(() => (y as unknown as typeof js)['exp_']!({ out: x })).toThrow(tg.ValueError);
    expect(() => (y as unknown as typeof js)['normal_']!({ mean: 1 })).toThrow(tg.ValueError);
    expect([y.toArray(), y.version]).toEqual([x.toArray(), 0]);
  });
});
