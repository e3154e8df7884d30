import { describe, expect, it } from '@jest/globals';
import { arange, manualSeed, noGrad, ones, ShapeError, tensor, ValueError, type Tensor } from '@tapegrad/core';
import * as nn from '../src/index.ts';

const { prune } = nn.utils;

function layer(): nn.Linear {
  const made = new nn.Linear(4, 3, { dtype: 'float64' });
  noGrad(() => {
    made.weight.copy_(arange(12).to('float64').mul(1.7).sin().reshape([3, 4]));
    made.bias!.copy_(tensor([0.1, -0.5, 0.3]));
  });
  return made;
}

const rows = (module: nn.Module, name = 'weight'): string => {
  const mask = (module as unknown as Record<string, Tensor>)[`${name}Mask`]!.to('int32');
  return mask.ndim === 1 ? (mask.tolist() as number[]).join('') : (mask.tolist() as number[][]).map((row) => row.join('')).join(' ');
};

/** Masks that PyTorch 1.13 gave, after each of the calls. */
const masks: Readonly<Record<string, readonly (readonly [(l: nn.Linear) => unknown, string])[]>> = {
  'by magnitude': [
    [(l) => prune.l1Unstructured(l, 'weight', 0.3), '0101 1111 1010'],
    [(l) => prune.l1Unstructured(l, 'weight', 0.25), '0101 0110 1010'],
    [(l) => prune.l1Unstructured(l, 'weight', 2), '0101 0000 1010'],
  ],
  'by norms of channels': [
    [(l) => prune.lnStructured(l, 'weight', 0.5, 1, 1), '0110 0110 0110'],
    [(l) => prune.lnStructured(l, 'weight', 1, 2, 0), '0000 0110 0110'],
    [(l) => prune.l1Unstructured(l, 'weight', 0.5), '0000 0100 0010'],
  ],
  'by largest magnitudes of channels': [[(l) => prune.lnStructured(l, 'weight', 0.5, Infinity, -1), '0110 0110 0110']],
  'by scores': [
    [(l) => prune.l1Unstructured(l, 'weight', 3, { importanceScores: arange(12).reshape([3, 4]) }), '0001 1111 1111'],
  ],
  'by a mask': [
    [(l) => prune.customFromMask(l, 'weight', tensor([[1, 0, 1, 0], [1, 0, 1, 0], [1, 0, 1, 0]])), '1010 1010 1010'],
    [(l) => prune.l1Unstructured(l, 'weight', 0.5), '0000 0010 1010'],
  ],
  'by chance': [
    [(l) => (manualSeed(5), prune.randomUnstructured(l, 'weight', 0.5)), '0111 1000 0011'],
    [(l) => prune.randomUnstructured(l, 'weight', 0.5), '0011 1000 0000'],
  ],
  'channels by chance': [[(l) => (manualSeed(5), prune.randomStructured(l, 'weight', 0.5, 1)), '1010 1010 1010']],
  'halves of elements, rounded to even': [[(l) => prune.l1Unstructured(l, 'weight', 2.5 / 12), '0111 1111 1110']],
};

describe('pruning', () => {
  it.each(Object.entries(masks))("gives PyTorch's masks: %s", (_, calls) => {
    const l = layer();
    for (const [call, mask] of calls) {
      call(l);
      expect(rows(l)).toBe(mask);
    }
    expect(Object.keys(l.stateDict())).toEqual(['bias', 'weight_orig', 'weight_mask']);
  });

  it('prunes several parameters as one', () => {
    const [l, m] = [layer(), layer()];
    noGrad(() => m.weight.mul_(1.1));
    const { L1Unstructured: pruningMethod } = prune;
    prune.globalUnstructured([[l, 'weight'], [l, 'bias'], [m, 'weight']], { pruningMethod, amount: 0.4 });
    expect([rows(l), rows(l, 'bias'), rows(m)]).toEqual(['0101 0111 1010', '010', '0101 1111 1010']);
    expect(Object.keys(l.stateDict())).toEqual(['weight_orig', 'bias_orig', 'weight_mask', 'bias_mask']);
    prune.globalUnstructured([[l, 'weight'], [m, 'weight']], { pruningMethod, amount: 0.5 });
    expect([rows(l), rows(m)]).toEqual(['0101 0000 0010', '0101 0000 1010']);
  });

  it('lets only what is left learn, and leaves the same parameter with zeros', () => {
    const l = layer();
    const { weight } = l;
    expect(prune.isPruned(l)).toBe(false);
    prune.l1Unstructured(l, 'weight', 0.5);
    expect(prune.isPruned(new nn.Sequential(l))).toBe(true);
    l(ones([1, 4], { dtype: 'float64' })).sum().backward();
    expect(l.getParameter('weight_orig')).toBe(weight);
    expect(weight.grad!.tolist()).toEqual([[0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]]);
    expect(() => (l.weight = new nn.Parameter(ones([3, 4])))).toThrow(/'weight' of Linear is pruned; overwrite weightOrig/);
    prune.remove(l, 'weight');
    expect(l.weight).toBe(weight);
    expect(Object.keys(l.stateDict())).toEqual(['bias', 'weight']);
    expect(weight.ne(0).to('int32').tolist()).toEqual([[0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]]);
    expect(prune.isPruned(l)).toBe(false);
  });

  it('is kept by state dicts', () => {
    const [l, m] = [layer(), layer()];
    prune.l1Unstructured(l, 'weight', 0.5);
    prune.randomUnstructured(m, 'weight', 0.5);
    m.loadStateDict(l.stateDict());
    expect(m.weight.tolist()).toEqual(l.weight.tolist());
  });

  it('refuses what is not possible, and changes nothing', () => {
    const l = layer();
    for (const amount of [-1, 1.5, 13, Number.NaN]) expect(() => prune.l1Unstructured(l, 'weight', amount)).toThrow(ValueError);
    expect(() => prune.l1Unstructured(l, 'wait', 0.5)).toThrow(/Linear has no parameter 'wait' of its own/);
    expect(() => prune.l1Unstructured(l, 'weight', 0.5, { importanceScores: ones([2]) })).toThrow(ShapeError);
    expect(() => prune.lnStructured(l, 'bias', 0.5, 2, 0)).toThrow(/2 dimensions or more/);
    expect(() => prune.customFromMask(l, 'weight', ones([4]))).toThrow(ShapeError);
    expect(() => prune.remove(l, 'weight')).toThrow(/'weight' of Linear is not pruned/);
    expect(Object.keys(l.stateDict())).toEqual(['weight', 'bias']);
  });
});
