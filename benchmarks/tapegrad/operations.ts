import * as tg from '@tapegrad/core';
import { noGrad, Tensor } from '@tapegrad/core';
import type { Inputs } from '../inputs.ts';
import type { Prepare, Shapes } from '../prepared.ts';

/** The inputs as tensors. */
export function tensors(inputs: Inputs, shapes: Shapes, requiresGrad = false): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => {
      const x = tg.tensor(values).reshape([...shapes[name]!]);
      return [name, requiresGrad ? x.detach().requiresGrad_() : x];
    }),
  );
}

type Forward = (inputs: Record<string, Tensor>) => Tensor;

/** A single operation gives its result back at once, as those of the other libraries do. */
function forward(compute: Forward): Prepare {
  return (inputs, _sizes, shapes) => {
    const named = tensors(inputs, shapes);
    return {
      step: () => noGrad(() => tg.scope(() => void compute(named))),
      results: () => ({ out: compute(named).reshape([-1]).toTypedArray() }),
    };
  };
}

const axpb = tg.elementwise<tg.Ternary>('axpb', (x, a, b) => x.mul(a).add(b));

const forwards: Record<string, Forward> = {
  matmul: ({ a, b }) => a!.matmul(b!),
  add: ({ a, b }) => a!.add(b!),
  axpb: ({ x }) => x!.mul(1.5).add(0.5),
  'axpb-once': ({ x }) => axpb(x!, 1.5, 0.5),
  relu: ({ x }) => x!.relu(),
  exp: ({ x }) => x!.exp(),
  tanh: ({ x }) => x!.tanh(),
  gelu: ({ x }) => x!.gelu({ approximate: 'tanh' }),
  sum: ({ x }) => x!.sum(),
  mean: ({ x }) => x!.mean(),
  softmax: ({ x }) => x!.softmax(-1),
  'layer-norm': ({ x, weight, bias }) => tg.layerNorm(x!, 1000, weight!, bias!),
  'conv-forward': ({ x, w }) => tg.conv2d(x!, w!, null, { padding: 1 }),
};

/** Gradients of a result with respect to leaves, as a user reads them. */
function backward(
  names: readonly string[],
  compute: (inputs: Record<string, Tensor>) => { out: Tensor; g: Tensor },
): Prepare {
  return (inputs, _sizes, shapes) => {
    const fixed = tensors(inputs, shapes);
    const named = { ...fixed };
    for (const name of names) named[name] = fixed[name]!.detach().requiresGrad_();
    let out: Tensor;
    return {
      step: () => {
        for (const name of names) named[name]!.grad = null;
        const computed = compute(named);
        out = computed.out;
        out.backward(computed.g);
      },
      results: () => ({
        out: out.detach().reshape([-1]).toTypedArray(),
        ...Object.fromEntries(names.map((name) => [name, named[name]!.grad!.reshape([-1]).toTypedArray()])),
      }),
    };
  };
}

const chain: Prepare = (inputs, sizes, shapes) => {
  const ones = tg.ones([...shapes['x']!]);
  const prepare = backward(['x', 'a', 'b'], ({ x, a, b }) => {
    let out = x!;
    for (let i = 0; i < sizes['ops']!; i += 2) out = out.mul(a!).add(b!);
    return { out, g: ones };
  });
  return prepare(inputs, sizes, shapes);
};

/** Single operations. */
export const operations: Record<string, Prepare> = {
  ...Object.fromEntries(Object.entries(forwards).map(([name, compute]) => [name, forward(compute)])),
  'conv-backward': backward(['x', 'w'], ({ x, w, g }) => ({
    out: tg.conv2d(x!, w!, null, { padding: 1 }),
    g: g!,
  })),
  chain,
};
