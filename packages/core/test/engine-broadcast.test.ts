import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { g, ones, p, t, useAnyBackend, zeros } from './notation.ts';

useAnyBackend();

const f32 = (values: tg.TensorData): tg.Tensor => tg.tensor(values);
const i32 = (values: tg.TensorData): tg.Tensor => tg.tensor(values, { dtype: 'int32' });
const u8 = (values: tg.TensorData): tg.Tensor => tg.tensor(values, { dtype: 'uint8' });

describe('missing gradients', () => {
  it('E340 takes results that were not used', () => {
    const x = p([1, 2, 3, 4]);
    const [a] = x.chunk(2);
    a!.sum().backward();
    expect(g(x)).toEqual([1, 1, 0, 0]);
    const y = p([3, 1, 2]);
    y.sort().values.select(0, 0).backward();
    expect(g(y)).toEqual([0, 1, 0]);
    const z = p([[1, 2], [3, 4]]);
    z.unbind()[1]!.mul(3).sum().backward();
    expect(g(z)).toEqual([[0, 0], [3, 3]]);
  });

  it('E341 does no work where no gradient comes in', () => {
    class Nothing extends tg.Function {
      static forward(_: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
        return x.clone();
      }
      static backward(): null {
        return null;
      }
    }
    const x = p(2);
    const h = x.exp();
    let ran = 0;
    h.registerHook(() => void ran++);
    h.gradFn!.registerPrehook(() => void ran++);
    h.gradFn!.registerHook(() => void ran++);
    Nothing.apply(h).mul(3).backward();
    expect([ran, g(x)]).toEqual([0, null]);
    const [none] = tg.grad(Nothing.apply(x.mul(2)), x, { allowUnused: true });
    expect(none).toBeNull();
  });

  it('E342 hands zeros of the right shape to custom functions', () => {
    class Two extends tg.Function {
      static forward(_: tg.FunctionContext, x: tg.Tensor): [tg.Tensor, tg.Tensor] {
        return [x.sum(), x.to('float32').unsqueeze(0)];
      }
      static backward(_: tg.FunctionContext, ga: tg.Tensor, gb: tg.Tensor): tg.Tensor {
        expect([ga.shape, ga.dtype, gb.shape, gb.dtype, gb.toArray()]).toEqual([[], 'float64', [1, 2], 'float32', [[0, 0]]]);
        return ga.expand(2);
      }
    }
    const x = p([1, 2]);
    Two.apply(x)[0].backward();
    expect(g(x)).toEqual([1, 1]);
  });

  it('E344 leaves grad null where the loss does not depend on a parameter', () => {
    const [x, y] = [p(1), p(2)];
    x.mul(3).backward();
    expect(g(y)).toBeNull();
  });
});

describe('broadcasting and dtypes', () => {
  it('E350 sums gradients to the shapes of the inputs', () => {
    const a = ones(2, 3).requiresGrad_();
    const b = p([1, 1, 1]);
    a.mul(b).sum().backward();
    expect(g(b)).toEqual([2, 2, 2]);
    const c = p(2);
    ones(4, 5).mul(c).sum().backward();
    expect(g(c)).toBe(20);
    const d = ones(3, 1).requiresGrad_();
    d.add(zeros(2, 3, 4)).sum().backward();
    expect(g(d)).toEqual([[8], [8], [8]]);
    const e = p([[1, 2]]);
    t([[1], [2], [3]]).div(e).sum().backward();
    expect(g(e)).toEqual([[-6, -1.5]]);
    const f = p([1, 2, 3]);
    tg.where(tg.tensor([[true, false, true], [true, true, false]]), f, p(0)).sum().backward();
    expect(g(f)).toEqual([2, 1, 1]);
  });

  it('E351 aligns sizes from the right, equal or 1', () => {
    expect(() => zeros(4, 2).add(zeros(4, 3))).toThrow(
      /size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton dimension 1/,
    );
    expect(zeros(0).add(zeros(1)).shape).toEqual([0]);
    expect(zeros(3, 1, 0).add(zeros(2, 1)).shape).toEqual([3, 2, 0]);
    expect(() => zeros(0).add(zeros(2))).toThrow(tg.ShapeError);
  });

  it('E352 promotes by category: tensors before scalars before numbers', () => {
    const table: [tg.Tensor, tg.Tensor | number | boolean, string][] = [
      [i32([1]), 5, 'int32'],
      [i32([1]), 2.5, 'float32'],
      [i32([1]), true, 'int32'],
      [f32([1, 2, 3]), t(1), 'float32'],
      [f32([1, 2, 3]), t([1, 2, 3]), 'float64'],
      [i32([1]), f32([1]), 'float32'],
      [i32([1]), t(1), 'float64'],
      [tg.tensor([true]), u8([1]), 'uint8'],
      [tg.tensor([true]), 1, 'int32'],
      [tg.tensor([true]), 1.5, 'float32'],
      [u8([1]), i32([1]), 'int32'],
      [u8([1]), i32(1), 'uint8'],
      [u8([1]), 300, 'uint8'],
      [f32(1), t([1]), 'float64'],
      [f32(1), i32([1]), 'float32'],
      [t(1), f32(1), 'float64'],
      [i32(2), 1.5, 'float32'],
    ];
    for (const [a, b, dtype] of table) {
      expect(a.mul(b as tg.Tensor).dtype).toBe(dtype);
      if (typeof b === 'object') expect(b.mul(a).dtype).toBe(dtype);
    }
  });

  it('E353 divides integers to floats, compares to bool and sums to integers', () => {
    expect([i32([7]).div(2).dtype, i32([7]).div(i32([2])).toArray()]).toEqual(['float32', [3.5]]);
    expect([i32([-7]).floorDivide(2).toArray(), i32([-7]).floorDivide(2).dtype]).toEqual([[-4], 'int32']);
    expect([f32([1]).lt(2).dtype, i32([1]).eq(1).toArray()]).toEqual(['bool', [true]]);
    expect([u8([200, 100]).sum().item(), u8([1]).sum().dtype]).toEqual([300, 'int32']);
    expect([tg.tensor([true, true]).sum().item(), tg.tensor([true]).sum().dtype]).toEqual([2, 'int32']);
    expect(() => i32([1, 2]).mean()).toThrow(/must be .*floating.point/);
    expect(() => i32([1, 2]).mean()).toThrow(tg.DTypeError);
  });

  it('E354 casts gradients to the dtype of each input', () => {
    const a = tg.tensor([1], { requiresGrad: true });
    const b = p([2]);
    a.mul(b).sum().backward();
    expect([a.grad!.dtype, b.grad!.dtype, g(a), g(b)]).toEqual(['float32', 'float64', [2], [1]]);
    const c = tg.tensor([1, 2], { requiresGrad: true });
    const d = p(3);
    c.mul(d).sum().backward();
    expect([c.grad!.dtype, d.grad!.dtype, g(d)]).toEqual(['float32', 'float64', 3]);
    const e = tg.tensor([[1]], { requiresGrad: true });
    tg.where(tg.tensor([true]), e, p([2])).sum().backward();
    expect(e.grad!.dtype).toBe('float32');
  });

  it('E355 makes unary functions of integers floating-point', () => {
    expect([i32([0]).sin().dtype, i32([4]).sqrt().toArray(), tg.tensor([true]).exp().dtype]).toEqual(['float32', [2], 'float32']);
    expect(i32([-3]).abs().dtype).toBe('int32');
  });

  it('E356 follows the default dtype', () => {
    expect(tg.tensor([1]).dtype).toBe('float32');
    tg.setDefaultDType('float64');
    try {
      expect([tg.tensor([1.5]).dtype, tg.ones(2).dtype, i32([1]).div(2).dtype, i32([1]).mul(0.5).dtype]).toEqual(
        Array(4).fill('float64'),
      );
      expect(f32([1]).to('float32').mul(0.5).dtype).toBe('float32');
    } finally {
      tg.setDefaultDType('float32');
    }
  });
});
