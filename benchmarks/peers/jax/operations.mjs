// What jax-js does for each single operation of the cases.
import { grad, lax, nn, numpy as np } from '@jax-js/jax';
import { arrays, compiled, layerNorm } from './library.mjs';

const forward = (compute) => (inputs, _sizes, shapes) =>
  compiled((named) => ({ out: compute(named) }), arrays(inputs, shapes));

const padding = [
  [1, 1],
  [1, 1],
];
const conv = (x, w) => lax.convGeneralDilated(x, w, [1, 1], padding);

function chain(inputs, { ops }, shapes) {
  const compute = ({ x, a, b }) => {
    let out = x;
    for (let i = 0; i < ops; i += 2) out = out.mul(a.ref).add(b.ref);
    return out;
  };
  const gradient = grad((named) => np.sum(compute(named)));
  return compiled(
    ({ x, a, b }) => ({
      out: compute({ x: x.ref, a: a.ref, b: b.ref }),
      ...gradient({ x, a, b }),
    }),
    arrays(inputs, shapes),
  );
}

function convBackward(inputs, _sizes, shapes) {
  const gradient = grad(({ x, w }, g) => np.sum(conv(x, w).mul(g)));
  return compiled(
    ({ x, w, g }) => ({ out: conv(x.ref, w.ref), ...gradient({ x, w }, g) }),
    arrays(inputs, shapes),
  );
}

export const operations = {
  matmul: forward(({ a, b }) => np.matmul(a, b)),
  add: forward(({ a, b }) => a.add(b)),
  axpb: forward(({ x }) => x.mul(1.5).add(0.5)),
  'axpb-once': forward(({ x }) => x.mul(1.5).add(0.5)),
  relu: forward(({ x }) => nn.relu(x)),
  exp: forward(({ x }) => np.exp(x)),
  tanh: forward(({ x }) => np.tanh(x)),
  gelu: forward(({ x }) => nn.gelu(x)),
  sum: forward(({ x }) => np.sum(x)),
  mean: forward(({ x }) => np.mean(x)),
  softmax: forward(({ x }) => nn.softmax(x, -1)),
  'layer-norm': forward(({ x, weight, bias }) => layerNorm(x, weight, bias)),
  'conv-forward': forward(({ x, w }) => conv(x, w)),
  'conv-backward': convBackward,
  chain,
};
