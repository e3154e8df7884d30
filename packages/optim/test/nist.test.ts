import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { tensor, type Tensor } from '@tapegrad/core';
import { curveFit } from '../src/index.ts';

interface Problem {
  name: string;
  starts: number[][];
  certified: number[];
  deviations: number[];
  sumOfSquares: number;
  y: number[];
  x: number[];
}

const { problems } = JSON.parse(readFileSync(new URL('./data/nist.json', import.meta.url), 'utf8')) as { problems: Problem[] };

type Model = (x: Tensor, b: Tensor[]) => Tensor;
const decay = (x: Tensor, rate: Tensor): Tensor => x.mul(rate).neg().exp();
const polynomial = (x: Tensor, ...b: (Tensor | number)[]): Tensor => {
  return b.reduceRight<Tensor>((sum, coefficient) => sum.mul(x).add(coefficient), x.zerosLike());
};
const saturation: Model = (x, [b1, b2]) => decay(x, b2!).rsub(1).mul(b1!);
const models: Record<string, Model> = {
  Misra1a: saturation,
  Misra1b: (x, [b1, b2]) => x.mul(b2!).div(2).add(1).pow(-2).rsub(1).mul(b1!),
  Misra1c: (x, [b1, b2]) => x.mul(b2!).mul(2).add(1).pow(-0.5).rsub(1).mul(b1!),
  Misra1d: (x, [b1, b2]) => x.mul(b2!).mul(b1!).div(x.mul(b2!).add(1)),
  Chwirut2: (x, [b1, b2, b3]) => decay(x, b1!).div(x.mul(b3!).add(b2!)),
  DanWood: (x, [b1, b2]) => x.pow(b2!).mul(b1!),
  Lanczos3: (x, [b1, b2, b3, b4, b5, b6]) => decay(x, b2!).mul(b1!).add(decay(x, b4!).mul(b3!)).add(decay(x, b6!).mul(b5!)),
  Rat42: (x, [b1, b2, b3]) => b1!.div(b2!.sub(x.mul(b3!)).exp().add(1)),
  Rat43: (x, [b1, b2, b3, b4]) => b1!.div(b2!.sub(x.mul(b3!)).exp().add(1).pow(b4!.reciprocal())),
  MGH09: (x, [b1, b2, b3, b4]) => x.square().add(x.mul(b2!)).mul(b1!).div(x.square().add(x.mul(b3!)).add(b4!)),
  MGH10: (x, [b1, b2, b3]) => b2!.div(x.add(b3!)).exp().mul(b1!),
  MGH17: (x, [b1, b2, b3, b4, b5]) => b1!.add(decay(x, b4!).mul(b2!)).add(decay(x, b5!).mul(b3!)),
  Thurber: (x, [b1, b2, b3, b4, b5, b6, b7]) => polynomial(x, b1!, b2!, b3!, b4!).div(polynomial(x, 1, b5!, b6!, b7!)),
  BoxBOD: saturation,
  Eckerle4: (x, [b1, b2, b3]) => x.sub(b3!).div(b2!).square().mul(-0.5).exp().mul(b1!.div(b2!)),
  Roszman1: (x, [b1, b2, b3, b4]) => b1!.sub(x.mul(b2!)).sub(b3!.div(x.sub(b4!)).atan().div(Math.PI)),
  Bennett5: (x, [b1, b2, b3]) => x.add(b2!).pow(b3!.reciprocal().neg()).mul(b1!),
};

const double = (values: number[]): Tensor => tensor(values, { dtype: 'float64' });

describe.each(problems.map((p) => [p.name, p] as const))('NIST problem %s', (name, { starts, certified, deviations, sumOfSquares, x, y }) => {
  it.each(starts.map((start, i) => [i + 1, start] as const))('is solved from start %i', (_, start) => {
    const fit = curveFit((at: Tensor, b) => models[name]!(at, b.unbind()), double(x), double(y), start);
    expect(fit.converged).toBe(true);
    expect(Math.abs((2 * fit.cost) / sumOfSquares - 1)).toBeLessThan(1e-9);
    fit.x.toTypedArray().forEach((value, i) => expect(Math.abs(value / certified[i]! - 1)).toBeLessThan(1e-7));
    fit.covariance!.diagonal().sqrt().toTypedArray().forEach((value, i) => {
      expect(Math.abs(value / deviations[i]! - 1)).toBeLessThan(1e-6);
    });
  });
});
