import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { manualSeed, ones, ShapeError, tensor, ValueError, type Tensor } from '@tapegrad/core';
import * as nn from '../src/index.ts';

/** What PyTorch 1.13 gave in float64. */
interface Case {
  readonly shape: number[];
  readonly map: 'matrix_exp' | 'cayley' | 'householder';
  readonly trivialization: boolean;
  readonly start: number[];
  readonly first: number[];
  readonly original: number[];
  readonly moved: number[];
  readonly value: number[];
  readonly gradient: number[];
  readonly keys: string[];
  readonly base?: number[];
  readonly assigned?: number[];
  readonly after?: number[];
}

const cases = JSON.parse(readFileSync(new URL('data/orthogonal.json', import.meta.url), 'utf8')) as Case[];

const { orthogonal } = nn.utils.parametrizations;

class Holder extends nn.Module {
  weight: nn.Parameter;
  constructor(weight: Tensor) {
    super();
    this.weight = new nn.Parameter(weight);
  }
  forward(x: Tensor): Tensor {
    return x.matmul(this.weight);
  }
}

function close(x: Tensor, expected: readonly number[]): void {
  const values = [...x.detach().toTypedArray()];
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10));
}

const named = cases.map((each) => [`${each.map} of ${each.shape.join(' × ')}${each.trivialization ? '' : ', without trivialization'}`, each] as const);

describe('orthogonal', () => {
  it.each(named)('gives PyTorch\'s values and gradients: %s', (_, each) => {
    const make = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'float64' }).reshape(each.shape);
    const holder = new Holder(make(each.start));
    const own = holder.weight;
    manualSeed(7);
    orthogonal(holder, { orthogonalMap: each.map, useTrivialization: each.trivialization });
    expect(Object.keys(holder.stateDict())).toEqual(each.keys);
    const original = holder.getParameter('parametrizations.weight.original');
    expect(original).toBe(own);
    close(original, each.original);
    close(holder.weight, each.first);
    if (each.base !== undefined) close(holder.getBuffer('parametrizations.weight.0.base'), each.base);

    original.setData(make(each.moved));
    close(holder.weight, each.value);
    const seed = make(each.start.map((__, i) => Math.sin(i)));
    holder.weight.mul(seed).sum().backward();
    close(original.grad!, each.gradient);
    if (each.assigned === undefined) {
      expect(() => (holder.weight = make(each.start))).toThrow(/Orthogonal has no rightInverse/);
      return;
    }
    holder.weight = make(each.assigned);
    close(holder.weight, each.after!);
  });

  it('stays orthogonal while it learns, and can be saved, loaded and removed', () => {
    const layer = orthogonal(new nn.Linear(5, 3));
    const excess = (): number => {
      const products = layer.weight.matmul(layer.weight.mT);
      return products.sub(tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]])).abs().max().item();
    };
    for (let i = 0; i < 5; i++) {
      layer.zeroGrad();
      layer(ones([2, 5])).square().sum().backward();
      for (const parameter of layer.parameters()) parameter.setData(parameter.detach().sub(parameter.grad!.mul(0.1)));
      expect(excess()).toBeLessThan(1e-5);
    }
    const other = orthogonal(new nn.Linear(5, 3));
    other.loadStateDict(layer.stateDict());
    expect(other.weight.tolist()).toEqual(layer.weight.tolist());
    nn.utils.parametrize.removeParametrizations(layer, 'weight');
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
    expect(excess()).toBeLessThan(1e-5);
  });

  it('refuses what is no matrix, no parameter or no map', () => {
    expect(() => orthogonal(new nn.Linear(2, 2), { name: 'bias' })).toThrow(ShapeError);
    expect(() => orthogonal(new nn.Linear(2, 2), { name: 'wait' })).toThrow(/Linear has no parameter 'wait'/);
    expect(() => orthogonal(new nn.Linear(2, 2), { orthogonalMap: 'expm' as never })).toThrow(/orthogonalMap must be 'matrix_exp', 'cayley' or 'householder'/);
    expect(() => orthogonal(new nn.Linear(2, 2), 'weight' as never)).toThrow(ValueError);
  });
});
