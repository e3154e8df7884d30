import { expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend, ints } from './each-backend.ts';
import { t } from './notation.ts';

const random = (...shape: number[]): tg.Tensor => tg.rand(shape, { dtype: 'float64' }).requiresGrad_();
const count = (...shape: number[]): tg.Tensor => tg.arange(0, shape.reduce((a, b) => a * b), 1, { dtype: 'float64' }).reshape(shape);
const close = (x: tg.Tensor): unknown => x.mul(1e9).round().div(1e9).toArray();

/** Both orders of derivatives against differences. */
function expectDerivatives(f: (...args: tg.Tensor[]) => tg.Tensor, args: tg.Tensor[]): void {
  expect(tg.gradcheck(f, args)).toBe(true);
  expect(tg.gradgradcheck(f, args)).toBe(true);
}

describeOnEachBackend('windows as columns', () => {
  it('lie in the order in which a convolution multiplies them', () => {
    const [x, w] = [count(2, 2, 4, 5), count(3, 2, 2, 3)];
    const options = { stride: 2, padding: 1, dilation: [1, 2] as const };
    const product = w.reshape(3, 12).matmul(tg.im2col(x, [2, 3], options));
    expect(product.toArray()).toEqual(tg.conv2d(x, w, null, options).flatten(2).toArray());
    expect(tg.im2col(x.select(0, 0), 2).shape).toEqual([8, 12]);
  });

  it('are added up where they came from', () => {
    expect(tg.col2im(tg.ones([1, 4, 4]), 3, 2).toArray()).toEqual([[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]);
    const options = { padding: 1, stride: [1, 2] as const };
    const [x, g] = [random(1, 2, 3, 4), random(1, 12, 8)];
    const there = tg.im2col(x, [2, 3], options).mul(g).sum().item();
    expect(x.mul(tg.col2im(g, [3, 4], [2, 3], options)).sum().item()).toBeCloseTo(there, 12);
    expectDerivatives((a) => tg.im2col(a, 2, { dilation: 2, padding: 1 }), [random(1, 1, 3, 4)]);
    expectDerivatives((a) => tg.col2im(a, [3, 3], 2), [random(1, 4, 4)]);
  });

  it('must fit', () => {
    expect(() => tg.im2col(tg.ones([1, 1, 2, 2]), 3)).toThrow(/unfold: windows of \[3, 3\].*do not fit an image of \[2, 2\]/);
    expect(() => tg.col2im(tg.ones([1, 4, 5]), 3, 2)).toThrow(/fold: an image of \[3, 3\] has 4 windows of 4 elements.*5 columns of 4/);
    expect(() => tg.im2col(tg.ones([3]), 2)).toThrow(tg.ShapeError);
    expect(() => tg.im2col(tg.ones([1, 1, 4, 4]), 2, { stride: 0 })).toThrow(/stride must be a whole number of at least 1/);
  });
});

describeOnEachBackend('interpolation', () => {
  it('takes the nearest element, or the mean of the neighbours', () => {
    const x = t([[[1, 2, 4]]]);
    expect(tg.interpolate(x, { size: 6 }).flatten().toArray()).toEqual([1, 1, 2, 2, 4, 4]);
    expect(tg.interpolate(x, { size: 2, mode: 'nearest-exact' }).flatten().toArray()).toEqual([1, 4]);
    expect(tg.interpolate(x, { size: 5, mode: 'linear', alignCorners: true }).flatten().toArray()).toEqual([1, 1.5, 2, 3, 4]);
    expect(close(tg.interpolate(x, { scaleFactor: 2, mode: 'linear' }).flatten())).toEqual([1, 1.25, 1.75, 2.5, 3.5, 4]);
    expect(tg.interpolate(x, { size: 2, mode: 'area' }).flatten().toArray()).toEqual([1.5, 3]);
  });

  it('reproduces straight lines, and parabolas with cubics', () => {
    const line = count(1, 1, 6, 6);
    const wide = tg.interpolate(line, { size: [11, 6], mode: 'bilinear', alignCorners: true });
    expect(close(wide.select(3, 0).flatten())).toEqual(Array.from({ length: 11 }, (_, i) => 3 * i));
    const cubic = tg.interpolate(line, { size: [11, 11], mode: 'bicubic', alignCorners: true });
    expect(cubic.select(2, 4).select(2, 4).item()).toBeCloseTo(14, 9);
  });

  it.each([
    ['nearest', [1, 2, 3]],
    ['linear', [1, 2, 3]],
    ['bilinear', [1, 1, 3, 2]],
    ['bicubic', [1, 1, 3, 2]],
    ['trilinear', [1, 1, 2, 2, 2]],
    ['area', [1, 1, 4, 3]],
  ] as const)('%s has derivatives', (mode, shape) => {
    expectDerivatives((x) => tg.interpolate(x, { scaleFactor: 1.6, mode }), [random(...shape)]);
  });

  it('refuses what makes no sense', () => {
    const x = tg.ones([1, 1, 4]);
    expect(() => tg.interpolate(x, {})).toThrow(/give either size or scaleFactor/);
    expect(() => tg.interpolate(x, { size: 2, scaleFactor: 2 })).toThrow(tg.ValueError);
    expect(() => tg.interpolate(x, { size: 2, mode: 'bilinear' })).toThrow(/mode 'bilinear' is for 4D input, got \[1, 1, 4\]/);
    expect(() => tg.interpolate(x, { size: 2, alignCorners: true })).toThrow(/alignCorners is for the linear and cubic modes/);
    expect(() => tg.interpolate(x, { scaleFactor: 0.1 })).toThrow(/would get the sizes \[0\]/);
    expect(() => tg.interpolate(x, { size: 2, mode: 'best' as 'linear' })).toThrow(/unknown mode 'best'/);
    expect(() => tg.interpolate(tg.ones([4]), { size: 2 })).toThrow(/expected 3D to 5D input/);
  });
});

describeOnEachBackend('sampling by a grid', () => {
  const identity = t([[[1, 0, 0], [0, 1, 0]]]);

  it('gives the image back where the grid names its elements', () => {
    for (const alignCorners of [true, false]) {
      const grid = tg.affineGrid(identity, [1, 1, 3, 4], { alignCorners });
      for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
        expect(close(tg.gridSample(count(1, 1, 3, 4), grid, { mode, alignCorners }))).toEqual(count(1, 1, 3, 4).toArray());
      }
    }
  });

  it('finds zeros, the border or the mirrored image outside', () => {
    const x = t([[[[1, 2, 3, 4]]]]);
    const grid = t([[[[-1.5, 0], [1.75, 0]]]]);
    const at = (paddingMode: 'zeros' | 'border' | 'reflection'): unknown => close(tg.gridSample(x, grid, { paddingMode }).flatten());
    expect(at('zeros')).toEqual([0, 0]);
    expect(at('border')).toEqual([1, 4]);
    expect(at('reflection')).toEqual([1.5, 3]);
    expect(close(tg.gridSample(x, t([[[[NaN, 0]]]]), { mode: 'nearest' }).flatten())).toEqual([0]);
  });

  it.each([
    ['bilinear', 'zeros'],
    ['bilinear', 'border'],
    ['bilinear', 'reflection'],
    ['bicubic', 'zeros'],
    ['bicubic', 'reflection'],
  ] as const)('%s with %s has derivatives to image and grid', (mode, paddingMode) => {
    const grid = t([[[[-0.71, 0.13], [0.32, 0.57]], [[0.11, -0.43], [1.31, 0.22]]]]).requiresGrad_();
    expectDerivatives((x, g) => tg.gridSample(x, g, { mode, paddingMode }), [random(1, 2, 3, 3), grid]);
  });

  it('refuses grids that do not fit', () => {
    expect(() => tg.gridSample(tg.ones([1, 1, 3, 3]), tg.ones([1, 2, 2, 3]))).toThrow(/expected \[N, C, H, W\] and \[N, H′, W′, 2\]/);
    expect(() => tg.gridSample(tg.ones([1, 1, 3, 3]), t([[[[0, 0]]]]))).toThrow(tg.DTypeError);
    expect(() => tg.gridSample(tg.ones([1, 1, 3, 3, 3]), tg.ones([1, 2, 2, 2, 3]), { mode: 'bicubic' })).toThrow(/is for images/);
    expect(() => tg.affineGrid(identity, [2, 1, 3, 3])).toThrow(tg.ShapeError);
  });
});

describeOnEachBackend('pooling by the size of the output', () => {
  it('takes the largest of overlapping windows, and the first of equal ones', () => {
    const { values, indices } = tg.adaptiveMaxPool1dWithIndices(t([[[3, 1, 3, 2, 2]]]), 3);
    expect(values.flatten().toArray()).toEqual([3, 3, 2]);
    expect(indices.flatten().toArray()).toEqual([0, 2, 3]);
    expect(tg.adaptiveMaxPool2d(count(1, 4, 6), [2, null]).toArray()).toEqual([[[6, 7, 8, 9, 10, 11], [18, 19, 20, 21, 22, 23]]]);
    expectDerivatives((x) => tg.adaptiveMaxPool2d(x, [2, 3]), [random(1, 2, 3, 5)]);
    expect(() => tg.adaptiveMaxPool1d(tg.ones([1, 1, 0]), 2)).toThrow(/has no elements to pool/);
  });

  it('places windows at random distances', () => {
    const randomSamples = t([[[0.5, 0.5]]]);
    const { values, indices } = tg.fractionalMaxPool2dWithIndices(count(1, 1, 5, 5), 2, { outputSize: 3, randomSamples });
    expect(values.squeeze().toArray()).toEqual([[6, 8, 9], [16, 18, 19], [21, 23, 24]]);
    expect(indices.toArray()).toEqual(values.toArray());
    expectDerivatives((x) => tg.fractionalMaxPool2d(x, 2, { outputRatio: 0.6, randomSamples }), [random(1, 1, 5, 5)]);
    expect(() => tg.fractionalMaxPool2d(tg.ones([1, 1, 4, 4]), 3, { outputSize: 3 })).toThrow(/has no room for \[3, 3\] windows of \[3, 3\]/);
    expect(() => tg.fractionalMaxPool2d(tg.ones([1, 1, 4, 4]), 2, {})).toThrow(/give either outputSize or outputRatio/);
  });

  it('puts maxima back where they were found', () => {
    const { values, indices } = tg.maxPool1dWithIndices(t([[[1, 5, 2, 8, 3]]]), 2);
    expect(tg.maxUnpool1d(values, indices, 2).flatten().toArray()).toEqual([0, 5, 0, 8]);
    expect(tg.maxUnpool1d(values, indices, 2, null, { outputSize: [5] }).flatten().toArray()).toEqual([0, 5, 0, 8, 0]);
    expectDerivatives((x) => tg.maxUnpool2d(x, ints([[[[0, 3]]]]), 2), [random(1, 1, 1, 2)]);
    expect(() => tg.maxUnpool1d(values, indices, 2, null, { outputSize: [7] })).toThrow(/must be less than the stride \[2\] away from \[4\]/);
    expect(() => tg.maxUnpool1d(values, ints([[[1, 9]]]), 2)).toThrow(tg.IndexError);
  });
});

describeOnEachBackend('recurrent steps', () => {
  it('have derivatives', () => {
    expectDerivatives((gates, cell) => tg.cat([...tg.lstmStep(gates, cell)]), [random(2, 12), random(2, 3)]);
    expectDerivatives((x, h, hidden) => tg.gruStep(x, h, hidden), [random(2, 9), random(2, 9), random(2, 3)]);
    expectDerivatives((sum, x, w) => tg.plusLinear(sum.mul(2), x, w), [random(2, 3), random(2, 4), random(3, 4)]);
  });

  it('share a weight', () => {
    const pass = (sum: tg.Tensor, x: tg.Tensor, w: tg.Tensor): tg.Tensor => {
      const products = tg.stepProducts(sum.mul(2), w, [2, 1, 2]);
      const first = tg.stepProduct(products, 0, x);
      return tg.stepProduct(products, 2, tg.stepProduct(products, 1, first.narrow(0, 0, 1)).tanh().expand([2, 3]));
    };
    expectDerivatives(pass, [random(5, 3), random(2, 3), random(3, 3)]);
    const args = [random(5, 3), random(2, 3), random(3, 3)] as const;
    pass(...args).sum().backward();
    const found = args.map((x) => close(x.grad!));
    const [sum, x, w] = args.map((arg) => arg.detach().requiresGrad_()) as [tg.Tensor, tg.Tensor, tg.Tensor];
    const [first, second, third] = sum.mul(2).split([2, 1, 2]) as [tg.Tensor, tg.Tensor, tg.Tensor];
    const next = first.add(x.linear(w)).narrow(0, 0, 1).linear(w).add(second);
    third.add(next.tanh().expand([2, 3]).linear(w)).sum().backward();
    expect(found).toEqual([sum, x, w].map((arg) => close(arg.grad!)));
  });

  it('share a large weight, until it is changed', () => {
    const [sum, x, w] = [random(8, 1100).detach(), random(8, 300), random(1100, 300).detach()];
    const [above, below] = [x.narrow(0, 0, 4), x.narrow(0, 4, 4)];
    const products = tg.stepProducts(sum.clone(), w, [4, 4]);
    const first = tg.stepProduct(products, 0, above);
    expect(close(first)).toEqual(close(sum.narrow(0, 0, 4).add(above.linear(w))));
    first.sum().backward();
    expect(close(x.grad!.narrow(0, 0, 4))).toEqual(close(w.sum(0).expand([4, 300])));
    w.mul_(2);
    expect(close(tg.stepProduct(products, 1, below.detach()))).toEqual(close(sum.narrow(0, 4, 4).add(below.linear(w))));
  });

  it('do not take a hidden state for what it was when a hook has changed it since', () => {
    const [sum, x, w] = [random(4, 3), random(2, 3).detach(), random(3, 3)];
    const products = tg.stepProducts(sum.mul(2), w, [2, 2]);
    const first = tg.stepProduct(products, 0, x);
    first.registerHook(() => void x.mul_(2));
    const last = tg.stepProduct(products, 1, x).add(first);
    expect(() => last.sum().backward()).toThrow(tg.GradError);
  });

  it('need a hidden state of the type of the weight, and steps may be left out', () => {
    const [sum, x, w] = [random(5, 3), random(2, 4), random(3, 4)];
    expect(() => tg.plusLinear(sum, x, w.to('float32'))).toThrow(tg.DTypeError);
    expect(() => tg.plusLinear(sum, x.to('float32'), w.to('float32'))).toThrow(tg.DTypeError);
    expect(() => tg.plusLinear(sum, x, w)).toThrow(/the gates are \[5, 3\], the hidden state \[2, 4\]/);
    tg.stepProduct(tg.stepProducts(sum.mul(2), w, [2, 1, 2]), 2, x).sum().backward();
    expect(sum.grad!.sum(1).toArray()).toEqual([0, 0, 0, 6, 6]);
    expect(close(w.grad!)).toEqual(close(x.sum(0).expand([3, 4])));
  });

  it('need gates that fit the state', () => {
    expect(() => tg.lstmStep(tg.ones([2, 9]), tg.ones([2, 3]))).toThrow(/the gates are \[2, 9\] and the state \[2, 3\]; expected \[N, 4 H\]/);
  });

  it('join the gradients of pieces, of those that were not used too', () => {
    const x = random(2, 6);
    const [a, , c] = x.split([1, 2, 3], 1) as [tg.Tensor, tg.Tensor, tg.Tensor];
    a.mul(2).sum().add(c.mul(3).sum()).backward();
    expect(x.grad!.toArray()).toEqual([[2, 0, 0, 3, 3, 3], [2, 0, 0, 3, 3, 3]]);
    expectDerivatives((y) => tg.cat(y.split([2, 1], 0).reverse()).square(), [random(3, 2)]);
  });
});
