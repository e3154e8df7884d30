import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { p, t, useAnyBackend } from './notation.ts';

useAnyBackend();

/** What goes wrong, the kind of error, and the whole sentence. */
type Line = [run: () => unknown, kind: new (...args: never[]) => Error, message: string];

const int = (values: tg.TensorData): tg.Tensor => tg.tensor(values, { dtype: 'int32' });
const zeros = (...shape: number[]): tg.Tensor => tg.zeros(shape);

function check(lines: Record<string, Line>): void {
  it.each(Object.entries(lines))('%s', (_, [run, kind, message]) => {
    let caught: unknown = null;
    try {
      run();
    } catch (error) {
      caught = error;
    }
    expect((caught as Error | null)?.message).toBe(message);
    expect(caught).toBeInstanceOf(kind);
    expect(caught).toBeInstanceOf(tg.TapegradError);
  });
}

describe('errors about shapes say both shapes and what to do', () => {
  check({
    'inner dimensions that would fit transposed': [
      () => zeros(32, 784).matmul(zeros(512, 784)),
      tg.ShapeError,
      'matmul: x is [32, 784] and w is [512, 784]; the inner dimensions 784 and 512 differ. Did you mean x.matmul(w.T)?',
    ],
    'inner dimensions that would fit flattened': [
      () => zeros(32, 28, 28).matmul(zeros(784, 10)),
      tg.ShapeError,
      'matmul: x is [32, 28, 28] and w is [784, 10]; the inner dimensions 28 and 784 differ. Did you forget x.flatten(1)?',
    ],
    'inner dimensions that do not fit': [
      () => zeros(2, 3).matmul(zeros(4, 5)),
      tg.ShapeError,
      'matmul: x is [2, 3] and w is [4, 5]; the inner dimensions 3 and 4 differ.',
    ],
    'the input of a linear layer': [
      () => tg.linear(zeros(8, 256), zeros(120, 400)),
      tg.ShapeError,
      'linear: input is [8, 256], expected [..., 400]',
    ],
    broadcasting: [
      () => zeros(4, 2).add(zeros(4, 3)),
      tg.ShapeError,
      'add: [4, 2] and [4, 3] do not broadcast: the size of tensor a (2) must match the size of tensor b (3) at ' +
        'non-singleton dimension 1. Sizes are aligned from the right and must be equal or 1',
    ],
    'broadcasting of a column': [
      () => zeros(4, 2).add(zeros(4)),
      tg.ShapeError,
      'add: [4, 2] and [4] do not broadcast: the size of tensor a (2) must match the size of tensor b (4) at ' +
        'non-singleton dimension 1. To line [4] up with dimension 0, unsqueeze it at the right: x.unsqueeze(-1)',
    ],
    'a target that would grow': [
      () => zeros(3).add_(zeros(2, 3)),
      tg.ShapeError,
      'add_: the result would have shape [2, 3], but an in-place operation cannot change the shape of its target [3] (the ' +
        'expanded size must match the existing size)',
    ],
    'a view of another number of elements': [
      () => zeros(8).view(3, 3),
      tg.ShapeError,
      'view: shape [3, 3] is invalid for a tensor of 8 elements (its shape is [8])',
    ],
    'a view that needs a copy': [
      () => zeros(2, 3).T.view(6),
      tg.ShapeError,
      'view: [3, 2] with strides [1, 3] cannot be shown as [6] without copying (at least one dimension spans across two ' +
        'contiguous subspaces). Use reshape(), which copies if it must',
    ],
    'joining tensors of different sizes': [
      () => tg.cat([zeros(2, 2), zeros(2, 3)]),
      tg.ShapeError,
      'cat: the tensors must match in every dimension but 0; tensor 0 is [2, 2] and tensor 1 [2, 3]',
    ],
    'ragged arrays': [
      () => tg.tensor([[1, 2], [3]]),
      tg.ShapeError,
      'tensor: nested arrays must have equal lengths, but data[1] is an array of length 1 where an array of length 2 is expected',
    ],
    'sizes below zero': [() => tg.zeros([-1]), tg.ShapeError, 'zeros: sizes must be whole numbers of at least 0, got [-1]'],
    'a gradient of another shape': [
      () => (p([1, 2]).grad = t([1])),
      tg.ShapeError,
      'grad: the gradient has shape [1], but the tensor has [2]; a gradient always has the shape of its variable',
    ],
    'a seed of another shape': [
      () => p([1, 2]).mul(2).backward(t([1])),
      tg.ShapeError,
      'backward: Mismatch in shape: grad_output[0] has a shape of [1] and output[0] has a shape of [2]; a gradient always has ' +
        'the shape of its variable',
    ],
  });
});

describe('errors about dtypes and values say how to convert', () => {
  check({
    'a product of two dtypes': [
      () => zeros(2, 3).matmul(t([[1], [2], [3]])),
      tg.DTypeError,
      "matmul: x is float32 and w is float64; both must have the same dtype. Convert one: x.to('float64')",
    ],
    'a mean of integers': [
      () => int([1, 2]).mean(),
      tg.DTypeError,
      "mean: the input must be floating-point, got int32; use x.to('float32').mean()",
    ],
    'fractions into integers': [
      () => int([1]).add_(1.5),
      tg.DTypeError,
      "add_: result type float32 can't be cast to the desired output type int32. Convert the target first: x = x.to('float32')",
    ],
    'gradients of integers': [
      () => int([1]).requiresGrad_(),
      tg.DTypeError,
      "only Tensors of floating point dtype can require gradients, and this one is int32. Convert it first: x.to('float32')",
    ],
    'integers that do not fit': [
      () => int([3e9]),
      tg.DTypeError,
      'tensor: element 0 is 3000000000, which int32 cannot hold (-2147483648 to 2147483647); 64-bit integers are held as int32 ' +
        'here, use float64 for larger whole numbers',
    ],
    'an unknown dtype': [
      () => tg.zeros(1, { dtype: 'float16' as 'float32' }),
      tg.DTypeError,
      "unknown dtype 'float16'; known are float32, float64, int32, uint8, bool",
    ],
    'data that are not numbers': [
      () => tg.tensor([1, 'two'] as unknown as number[]),
      tg.ValueError,
      'tensor: expected numbers, but data[1] is string',
    ],
    'an array as operand': [
      () => t([1]).mul([1, 2] as unknown as number),
      tg.TapegradError,
      'mul: argument 1 must be a Tensor or a number (at least one a Tensor), got an array; wrap it: tensor([…])',
    ],
    'a method without its tensor': [
      () => {
        const { add } = t([1]);
        return (add as (other: number) => tg.Tensor)(2);
      },
      tg.ValueError,
      'add: the method was called on undefined, not on a tensor. Call it as x.add(…), and pass it on as (…) => x.add(…)',
    ],
    "JavaScript's operators": [
      () => (t([1]) as unknown as number) + 1,
      tg.ValueError,
      'JavaScript operators do not work on tensors, since they cannot be recorded. Use methods: a.add(b), a.lt(b); read the ' +
        'number of a one-element tensor with x.item()',
    ],
    'one number of many': [
      () => t([1, 2, 3]).item(),
      tg.ValueError,
      'item: a Tensor with 3 elements cannot be converted to a scalar; its shape is [3]. Reduce it first (sum, mean) or read it ' +
        'with toArray()',
    ],
    'memory that was given back': [
      () => {
        const x = t([1]);
        x.dispose();
        x.toArray();
      },
      tg.MemoryError,
      'this tensor was disposed of; its values are gone',
    ],
  });
});

describe('errors about indices say the range', () => {
  check({
    'an index': [
      () => zeros(3).select(0, 5),
      tg.IndexError,
      'select: index 5 is out of bounds for dimension 0 with size 3 of a tensor of shape [3]',
    ],
    'a dimension': [
      () => zeros(2, 2).sum(2),
      tg.IndexError,
      'sum: dim 2 is out of range for a tensor of 2 dimensions; expected -2 to 1',
    ],
    'a range': [
      () => zeros(3).narrow(0, 2, 2),
      tg.IndexError,
      'narrow: start (2) + length (2) exceeds dimension size (3) of [3] at dim 0',
    ],
    'an index in a tensor of indices': [
      () => zeros(2, 3).gather(1, int([[0], [5]])),
      tg.IndexError,
      'gather: index 5 at position [1, 0] is out of bounds for dimension 1 with size 3',
    ],
  });
});

describe('errors about gradients say what to do instead', () => {
  check({
    'backward on several elements': [
      () => p([1, 2]).mul(2).backward(),
      tg.GradError,
      'backward: grad can be implicitly created only for scalar outputs, and this one has shape [2]. Reduce the loss to one ' +
        'number (loss.sum() or loss.mean()), or pass the gradient of each element',
    ],
    'backward without a graph': [
      () => t(1).backward(),
      tg.GradError,
      'backward: element 0 of tensors does not require grad and does not have a grad_fn. Nothing it was computed from requires ' +
        'grad (or it was computed inside noGrad, or detached); set requiresGrad on the parameters first',
    ],
    'backward twice': [
      () => {
        const x = p(2);
        const y = x.mul(x);
        y.backward();
        y.backward();
      },
      tg.GradError,
      'Trying to backward through the graph a second time: the values that MulBackward0 saved were released by the first ' +
        'backward(). Pass { retainGraph: true } to the first call if you need both, or add the losses up. If this is a ' +
        'training loop, a tensor from the last step is still connected: use h = h.detach()',
    ],
    'a parameter changed in place': [
      () => p([1]).add_(1),
      tg.GradError,
      'add_: a leaf Variable that requires grad is being used in an in-place operation. Wrap the change in noGrad(() => …) if ' +
        'it is an update of a parameter, or use the operation without the trailing underscore',
    ],
    'a saved value changed in place': [
      () => {
        const y = p([2]).mul(1);
        const z = y.mul(y);
        y.add_(1);
        z.backward();
      },
      tg.GradError,
      'one of the variables needed for gradient computation has been modified by an inplace operation: float64 [1], which is ' +
        'output 0 of MulBackward0, is at version 1; expected version 0 instead, as when MulBackward0 saved it. Use the ' +
        'operation without the trailing underscore, or clone() the tensor first; detectAnomaly shows where MulBackward0 was ' +
        'recorded',
    ],
    'one of several views changed in place': [
      () => p([1, 2]).mul(1).unbind()[0]!.mul_(2),
      tg.GradError,
      'mul_: Output of a view is being modified inplace. This view is the output of a function that returns multiple views; ' +
        'such functions do not allow their outputs to be modified in place. Replace the in-place operation by an ' +
        'out-of-place one, or clone() the view first',
    ],
    'the flag of a computed tensor': [
      () => (p([1]).mul(2).requiresGrad = false),
      tg.GradError,
      'you can only change requiresGrad flags of leaf variables. To use a computed tensor without its graph, take x.detach()',
    ],
    'an input that was not used': [
      () => tg.grad(p(1).mul(2), p([1, 2])),
      tg.GradError,
      'grad: One of the differentiated Tensors appears to not have been used in the graph: input 0, of shape [2]. Set ' +
        'allowUnused: true if this is the desired behavior',
    ],
    'a mode around a promise': [
      () => tg.noGrad(async () => 1),
      tg.GradError,
      'noGrad: the callback must be synchronous, but it returned a promise; the mode would leak into whatever runs while it ' +
        'waits. Call noGrad around the synchronous parts between the awaits',
    ],
    'conversion of what requires grad': [
      () => p([1]).toNdarray(),
      tg.GradError,
      "Can't call toNdarray() on Tensor that requires grad. Use tensor.detach().toNdarray() instead; to look at the values, use " +
        'toArray()',
    ],
  });

  it('NaN in data when anomaly mode is on', () => {
    const x = tg.tensor([1, NaN], { requiresGrad: true });
    const run = (): void => tg.detectAnomaly(() => x.mul(x).sum().backward());
    expect(run).toThrow(/^Function 'MulBackward0' returned nan values in its 0th output\. It was recorded here:\n.*error-messages/);
  });
});

describe('what an error carries', () => {
  it('has the operation, the shapes and the dtypes as data', () => {
    let caught: tg.TapegradError | null = null;
    try {
      zeros(2, 3).matmul(zeros(4, 5));
    } catch (error) {
      caught = error as tg.TapegradError;
    }
    expect(caught!.details).toEqual({ op: 'matmul', shapes: [[2, 3], [4, 5]] });
    expect(caught!.name).toBe('ShapeError');
  });

  it('refuses before anything changes', () => {
    const x = t([1, 2, 3]);
    for (const run of [() => x.add_(t([1, 2])), () => x.copy_(t([[1, 2, 3]]).expand(2, 3)), () => x.mul_(null as unknown as number)]) {
      expect(run).toThrow(tg.TapegradError);
    }
    expect([x.toArray(), x.version]).toEqual([[1, 2, 3], 0]);
  });
});
