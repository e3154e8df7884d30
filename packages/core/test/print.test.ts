import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import * as tg from '../src/index.ts';
import { p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

/** The values alone, without what follows them. */
function values(x: tg.Tensor): string {
  return String(x).replace(/,\s+shape=.*$/s, ')');
}

describe('printing', () => {
  it('shows whole numbers, fractions and magnitudes in the format that they need', () => {
    const lines: [number[], string][] = [
      [[1, 2, 3], 'tensor([1., 2., 3.])'],
      [[1, 2.5, -3.25], 'tensor([ 1.0000,  2.5000, -3.2500])'],
      [[0, 1000, -2], 'tensor([   0., 1000.,   -2.])'],
      [[1e9, 1], 'tensor([1.0000e+09, 1.0000e+00])'],
      [[1e8, 1], 'tensor([1.0000e+08, 1.0000e+00])'],
      [[1e-5, 1], 'tensor([1.0000e-05, 1.0000e+00])'],
      [[0.5, 1000], 'tensor([5.0000e-01, 1.0000e+03])'],
      [[NaN, 1, Infinity], 'tensor([nan, 1., inf])'],
      [[NaN, -Infinity], 'tensor([nan, -inf])'],
      [[NaN, 1.5, -Infinity], 'tensor([   nan, 1.5000,   -inf])'],
      [[-0, 0], 'tensor([-0., 0.])'],
      [[-0, 0.5], 'tensor([-0.0000, 0.5000])'],
      [[0.03125, 0.09375, 0.15625, -0.03125], 'tensor([ 0.0312,  0.0938,  0.1562, -0.0312])'],
    ];
    for (const [data, text] of lines) expect(values(tg.tensor(data))).toBe(text);
    expect(values(tg.tensor([1.00005e9, 1.00015e9], { dtype: 'float64' }))).toBe('tensor([1.0000e+09, 1.0002e+09])');
    expect(values(tg.tensor(1.5))).toBe('tensor(1.5000)');
    expect(values(tg.tensor(1))).toBe('tensor(1.)');
  });

  it('shows integers and bools without points', () => {
    expect(values(tg.tensor([1, -20, 300], { dtype: 'int32' }))).toBe('tensor([  1, -20, 300])');
    expect(values(tg.tensor([true, false]))).toBe('tensor([ true, false])');
    expect(values(tg.tensor(true))).toBe('tensor(true)');
  });

  it('nests dimensions with indents and blank lines', () => {
    const x = tg.arange(16, undefined, 1, { dtype: 'float32' }).reshape(2, 2, 2, 2);
    expect(values(x)).toBe(
      [
        'tensor([[[[ 0.,  1.],',
        '          [ 2.,  3.]],',
        '',
        '         [[ 4.,  5.],',
        '          [ 6.,  7.]]],',
        '',
        '',
        '        [[[ 8.,  9.],',
        '          [10., 11.]],',
        '',
        '         [[12., 13.],',
        '          [14., 15.]]]])',
      ].join('\n'),
    );
  });

  it('breaks long lines', () => {
    const x = tg.arange(20).div(8).sub(1);
    expect(values(x)).toBe(
      [
        'tensor([-1.0000, -0.8750, -0.7500, -0.6250, -0.5000, -0.3750, -0.2500, -0.1250,',
        '         0.0000,  0.1250,  0.2500,  0.3750,  0.5000,  0.6250,  0.7500,  0.8750,',
        '         1.0000,  1.1250,  1.2500,  1.3750])',
      ].join('\n'),
    );
  });

  it('shows the edges of tensors of more than 1000 elements', () => {
    expect(values(tg.arange(2000))).toBe('tensor([   0,    1,    2,  ..., 1997, 1998, 1999])');
    expect(values(tg.arange(1001).to('float32'))).toBe('tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])');
    expect(values(tg.arange(2000).reshape(40, 50)).split('\n')).toEqual([
      'tensor([[   0,    1,    2,  ...,   47,   48,   49],',
      '        [  50,   51,   52,  ...,   97,   98,   99],',
      '        [ 100,  101,  102,  ...,  147,  148,  149],',
      '        ...,',
      '        [1850, 1851, 1852,  ..., 1897, 1898, 1899],',
      '        [1900, 1901, 1902,  ..., 1947, 1948, 1949],',
      '        [1950, 1951, 1952,  ..., 1997, 1998, 1999]])',
    ]);
    expect(values(tg.arange(1000))).not.toContain('...');
  });

  it('chooses the format by what it shows', () => {
    const x = tg.zeros(2000).add(1);
    tg.noGrad(() => x.narrow(0, 1000, 1).fill_(0.5));
    expect(values(x)).toBe('tensor([1., 1., 1.,  ..., 1., 1., 1.])');
  });

  it('names the shape, other dtypes, and the graph', () => {
    expect(String(tg.tensor([[1, 2], [3, 4]]))).toBe('tensor([[1., 2.],\n        [3., 4.]], shape=[2, 2])');
    expect(String(t(1.5))).toBe("tensor(1.5000, shape=[], dtype='float64')");
    expect(String(p([1]))).toBe("tensor([1.], shape=[1], dtype='float64', requiresGrad=true)");
    expect(String(p([1]).add(1))).toBe("tensor([2.], shape=[1], dtype='float64', gradFn=<AddBackward0>)");
    expect(String(tg.tensor([1], { dtype: 'uint8' }))).toBe("tensor([1], shape=[1], dtype='uint8')");
    expect(String(tg.zeros([0, 3]))).toBe('tensor([], shape=[0, 3])');
    expect(String(tg.zeros(0, { dtype: 'int32' }))).toBe("tensor([], shape=[0], dtype='int32')");
    expect(String(tg.arange(18).div(8).to('float64').requiresGrad_())).toMatch(
      /2\.0000, 2\.1250\],\n {7}shape=\[18\], dtype='float64', requiresGrad=true\)$/,
    );
  });

  it('prints strided tensors and appears in console.log', () => {
    expect(values(tg.tensor([[1, 2], [3, 4]]).T)).toBe('tensor([[1., 3.],\n        [2., 4.]])');
    expect(inspect(tg.tensor([1]))).toBe('tensor([1.], shape=[1])');
    expect(`${tg.tensor([1])}`).toBe('tensor([1.], shape=[1])');
    expect(() => +(tg.tensor([1]) as unknown as number)).toThrow(/JavaScript operators do not work on tensors/);
  });
});
