import { describe, expect, it, jest } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const F = nn.functional;
const f64 = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'float64' });
const leaf = (data: tg.TensorData): Tensor => f64(data).requiresGrad_();
const int = (data: tg.TensorData): Tensor => tg.tensor(data, { dtype: 'int64' });

function expectNear(actual: Tensor, expected: number | readonly number[]): void {
  const wanted = [expected].flat() as number[];
  const got = [...actual.toTypedArray()];
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    if (Number.isNaN(wanted[i])) expect(value).toBeNaN();
    else expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1e-12 + 1e-9 * Math.abs(wanted[i]!));
  });
}

const scores = (): Tensor => f64([[1, 2, 3], [0, -1, 0.5]]);
const labels = int([2, 0]);
const weight = f64([1, 2, 0.5]);

describe('crossEntropy', () => {
  // [options, mean, sum, none], by PyTorch
  it.each([
    [{}, 0.7558682848905544, 1.5117365697811087, [0.4076059644443804, 1.1041306053367284]],
    [{ weight }, 0.8719557250392791, 1.3079335875589186, [0.2038029822221902, 1.1041306053367284]],
    [{ ignoreIndex: 0 }, 0.4076059644443804, 0.4076059644443804, [0.4076059644443804, 0]],
    [{ labelSmoothing: 0.1 }, 0.8142016182238877, 1.6284032364477754, [0.5076059644443804, 1.120797272003395]],
    [{ labelSmoothing: 0.1, weight }, 1.0301174412961043, 1.5451761619441562, [0.36431004651848226, 1.1808661154256739]],
  ])('agrees with PyTorch for %j', (options, mean, sum, none) => {
    expectNear(F.crossEntropy(scores(), labels, options), mean);
    expectNear(F.crossEntropy(scores(), labels, { ...options, reduction: 'sum' }), sum);
    expectNear(F.crossEntropy(scores(), labels, { ...options, reduction: 'none' }), none);
    expectNear(new nn.CrossEntropyLoss(options)(scores(), labels), mean);
  });

  it('takes probabilities of the shape of the scores', () => {
    const target = f64([[0.2, 0.3, 0.5], [1, 0, 0]]);
    expectNear(F.crossEntropy(scores(), target), 1.1058682848905543);
    expectNear(F.crossEntropy(scores(), target, { labelSmoothing: 0.1 }), 1.1292016182238877);
    expect(() => F.crossEntropy(scores(), int([[0, 0, 1], [1, 0, 0]]))).toThrow(/class probabilities, but its dtype is int32/);
    expect(() => F.crossEntropy(scores(), target, { ignoreIndex: 1 })).toThrow(/ignoreIndex/);
  });

  it('has the gradient (softmax − onehot)/N', () => {
    const x = leaf([[1, 2, 3], [0, -1, 0.5]]);
    F.crossEntropy(x, labels).backward();
    expectNear(x.grad!, [...x.detach().softmax(1).sub(f64([[0, 0, 1], [1, 0, 0]])).div(2).toTypedArray()]);
  });

  it('works unbatched, over more dimensions and over no rows', () => {
    expectNear(F.crossEntropy(f64([1, 2, 3]), int(2)), 0.4076059644443804);
    const image = scores().unsqueeze(2).expand(2, 3, 4);
    expectNear(F.crossEntropy(image, labels.unsqueeze(1).expand(2, 4)), 0.7558682848905544);
    expectNear(F.crossEntropy(tg.zeros([0, 3], { dtype: 'float64' }), tg.zeros([0], { dtype: 'int64' })), NaN);
  });

  it('is NaN when all labels are ignored, and 0 as a sum', () => {
    expectNear(F.crossEntropy(scores(), int([-100, -100])), NaN);
    expectNear(F.crossEntropy(scores(), int([-100, -100]), { reduction: 'sum' }), 0);
  });

  it('stays finite for large scores and keeps ignored rows out of the gradient', () => {
    const x = leaf([[1000, 0], [-Infinity, 0]]);
    const loss = F.crossEntropy(x, int([0, -100]));
    expectNear(loss, 0);
    loss.backward();
    expect((x.grad!.toArray() as number[][])[1]).toEqual([0, 0]);
  });

  it('names a label that is out of range, its row and the number of classes', () => {
    expect(() => F.crossEntropy(scores(), int([2, 3]))).toThrow(tg.IndexError);
    expect(() => F.crossEntropy(scores(), int([2, 3]))).toThrow(
      'crossEntropy: class label 3 at target[1] is out of range: the input has 3 classes, so labels go from 0 to 2. ' +
        'Do the labels start at 1? Then subtract 1',
    );
    expect(() => F.crossEntropy(tg.zeros([1, 3, 2, 2]), int([[[0, 0], [-1, 0]]]))).toThrow(/label -1 at target\[0, 1, 0\]/);
    expect(() => new nn.CrossEntropyLoss()(scores(), int([0, 7]))).toThrow(/^CrossEntropyLoss: class label 7 at target\[1\]/);
  });

  it('says what shape and dtype the target must have', () => {
    expect(() => F.crossEntropy(scores(), int([0, 1, 2]))).toThrow(
      'the input is [2, 3], so class labels must have the shape [2] and probabilities that of the input, but the target is [3]',
    );
    expect(() => F.crossEntropy(scores(), f64([0, 1]))).toThrow(/class labels must be integers, got float64/);
    expect(() => F.crossEntropy(f64(1), int(0))).toThrow(/dimension of classes/);
    expect(() => F.crossEntropy(scores(), labels, { weight: f64([1]) })).toThrow(/one element for each of the 3 classes/);
    expect(() => F.crossEntropy(scores(), labels, { labelSmoothing: 2 })).toThrow(/between 0 and 1/);
    expect(() => F.crossEntropy(scores(), labels, { reduction: 'avg' as 'mean' })).toThrow(/'mean', 'sum' or 'none', got 'avg'/);
  });

  it('has second derivatives', () => {
    const x = leaf([[1, 2, 3]]);
    const [first] = tg.grad(F.crossEntropy(x, int([1])), [x], { createGraph: true });
    const [second] = tg.grad(first!.select(1, 0).sum(), [x]);
    const [p] = [...x.detach().softmax(1).toTypedArray()];
    expect(second!.toTypedArray()[0]).toBeCloseTo(p! * (1 - p!), 12);
  });
});

describe('nllLoss', () => {
  it('is crossEntropy of logarithms', () => {
    expectNear(F.nllLoss(scores().logSoftmax(1), labels, { weight }), 0.8719557250392791);
    expectNear(new nn.NLLLoss({ ignoreIndex: 0 })(scores().logSoftmax(1), labels), 0.4076059644443804);
    expectNear(F.nllLoss(scores(), labels, { weight: weight.mul(0) }), NaN);
  });
});

describe('binary cross-entropy', () => {
  it('limits the logarithms, and its derivative at the ends', () => {
    const x = leaf([0, 1, 0.3, 0.9]);
    const losses = F.binaryCrossEntropy(x, f64([1, 0, 0.4, 0.9]), { reduction: 'none' });
    expectNear(losses, [100, 100, 0.695594088093614, 0.3250829733914482]);
    losses.sum().backward();
    expectNear(x.grad!, [-1e12, 1e12, -0.1 / 0.21, 0]);
  });

  it('of logits does not overflow, and weighs positive examples', () => {
    const x = leaf([-1000, 1000, 0, 2]);
    const options = { reduction: 'none', posWeight: f64(3) } as const;
    const losses = F.binaryCrossEntropyWithLogits(x, f64([1, 0, 0.4, 0.9]), options);
    expectNear(losses, [3000, 1000, 1.2476649250079015, 0.5553984309203233]);
    losses.sum().backward();
    expectNear(x.grad!, [-3, 1, -0.3, 0.1 - 2.8 * (1 / (1 + Math.exp(2)))]);
  });

  it('of logits equals that of their sigmoid', () => {
    const [x, target] = [f64([-1, 0.5, 2]), f64([0, 1, 0.3])];
    const factors = f64([1, 2, 3]);
    const direct = F.binaryCrossEntropy(x.sigmoid(), target, { weight: factors });
    expectNear(F.binaryCrossEntropyWithLogits(x, target, { weight: factors }), direct.item());
    expectNear(new nn.BCEWithLogitsLoss({ weight: factors })(x, target), direct.item());
    expectNear(new nn.BCELoss({ weight: factors })(x.sigmoid(), target), direct.item());
  });

  it('refuses other shapes and what is no probability', () => {
    expect(() => F.binaryCrossEntropy(f64([[0.5]]), f64([1]))).toThrow(/\[1, 1\], but the target is \[1\]\. Use input.squeeze\(1\)/);
    expect(() => F.binaryCrossEntropyWithLogits(f64([1, 2]), f64([1]))).toThrow(/must have the same shape/);
    expect(() => F.binaryCrossEntropy(f64([0.5, 1.5]), f64([1, 1]))).toThrow(/between 0 and 1, but element 1 is 1.5/);
    expect(() => F.binaryCrossEntropy(f64([NaN]), f64([1]))).toThrow(/is NaN/);
  });

  it('keeps its weights in the state, under the names of PyTorch', () => {
    const loss = new nn.BCEWithLogitsLoss({ weight: f64([1]), posWeight: f64([2]) });
    expect(Object.keys(loss.stateDict())).toEqual(['weight', 'pos_weight']);
    expect(Object.keys(new nn.CrossEntropyLoss().stateDict())).toEqual([]);
  });
});

describe('regression losses', () => {
  // [loss, module, values, gradients] at x = −2, −½, 0, ½, 1 against 0
  it.each([
    ['mse', F.mseLoss, new nn.MSELoss(), {}, [4, 0.25, 0, 0.25, 1], [-4, -1, 0, 1, 2]],
    ['l1', F.l1Loss, new nn.L1Loss(), {}, [2, 0.5, 0, 0.5, 1], [-1, -1, 0, 1, 1]],
    ['smooth l1', F.smoothL1Loss, new nn.SmoothL1Loss(), {}, [1.5, 0.125, 0, 0.125, 0.5], [-1, -0.5, 0, 0.5, 1]],
    ['half beta', F.smoothL1Loss, new nn.SmoothL1Loss({ beta: 0.5 }), { beta: 0.5 }, [1.75, 0.25, 0, 0.25, 0.75], [-1, -1, 0, 1, 1]],
    ['no beta', F.smoothL1Loss, new nn.SmoothL1Loss({ beta: 0 }), { beta: 0 }, [2, 0.5, 0, 0.5, 1], [-1, -1, 0, 1, 1]],
    ['huber', F.huberLoss, new nn.HuberLoss({ delta: 0.5 }), { delta: 0.5 }, [0.875, 0.125, 0, 0.125, 0.375], [-0.5, -0.5, 0, 0.5, 0.5]],
  ] as const)('%s', (_, loss, module, options, values, gradients) => {
    const [x, target] = [leaf([-2, -0.5, 0, 0.5, 1]), leaf([0, 0, 0, 0, 0])];
    const losses = loss(x, target, { ...options, reduction: 'none' });
    expectNear(losses, values);
    losses.sum().backward();
    expectNear(x.grad!, gradients);
    expectNear(target.grad!, gradients.map((g) => -g));
    expectNear(module(x, target), values.reduce<number>((sum, v) => sum + v, 0) / 5);
  });

  it('refuse a negative width', () => {
    expect(() => F.smoothL1Loss(f64([1]), f64([1]), { beta: -1 })).toThrow(/beta must not be negative/);
    expect(() => F.huberLoss(f64([1]), f64([1]), { delta: 0 })).toThrow(/delta must be positive/);
    expect(() => new nn.MSELoss({ reduction: 'median' as 'mean' })).toThrow(/got 'median'/);
  });

  it('warn once when shapes differ, with the fix', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const [x, target] = [tg.zeros([10, 1]), tg.zeros([10])];
    expect(F.mseLoss(x, target, { reduction: 'none' }).shape).toEqual([10, 10]);
    F.mseLoss(x, target);
    expect(warn.mock.calls).toHaveLength(1);
    expect(warn.mock.calls[0]![0]).toMatch(
      /mseLoss: the input is \[10, 1\], but the target is \[10\]\. Use input.squeeze\(1\) or target.unsqueeze\(1\)\. They are broadcast/,
    );
    warn.mockRestore();
  });
});

it('asks for targets that are tensors', () => {
  expect(() => F.crossEntropy(tg.zeros([2, 3]), [0, 1] as never)).toThrow(/crossEntropy: the target must be a Tensor, such as tensor\(\[0, 1\]/);
});
