// What TensorFlow.js does for each single operation of the cases.
import { gelu, keepingLast, layerNorm, tensors, tf, toChannelsLast, toKernel } from './library.mjs';

function forward(compute, prepareInputs = (named) => named, toResult = (out) => out) {
  return (inputs, _sizes, shapes) => {
    const named = prepareInputs(tensors(inputs, shapes));
    return keepingLast(
      () => compute(named),
      (out) => ({ out: toResult(out).dataSync() }),
    );
  };
}

const channelsLast = ({ x, w, g }) => ({
  x: toChannelsLast(x),
  w: toKernel(w),
  ...(g === undefined ? {} : { g: toChannelsLast(g) }),
});
const toChannelsFirst = (x) => tf.transpose(x, [0, 3, 1, 2]);
const conv = (x, w) => tf.conv2d(x, w, 1, 'same');

function chain(inputs, { ops }, shapes) {
  const { x, a, b } = tensors(inputs, shapes);
  const compute = (x, a, b) => {
    let out = x;
    for (let i = 0; i < ops; i += 2) out = tf.add(tf.mul(out, a), b);
    return out;
  };
  const gradients = tf.valueAndGrads(compute);
  return keepingLast(
    () => {
      const { value, grads } = gradients([x, a, b]);
      return [value, ...grads];
    },
    (last) => Object.fromEntries(['out', 'x', 'a', 'b'].map((name, i) => [name, last[i].dataSync()])),
  );
}

function convBackward(inputs, _sizes, shapes) {
  const { x, w, g } = channelsLast(tensors(inputs, shapes));
  const gradients = tf.valueAndGrads(conv);
  return keepingLast(
    () => {
      const { value, grads } = gradients([x, w], g);
      return [value, ...grads];
    },
    ([out, gx, gw]) => ({
      out: toChannelsFirst(out).dataSync(),
      x: toChannelsFirst(gx).dataSync(),
      w: tf.transpose(gw, [3, 2, 0, 1]).dataSync(),
    }),
  );
}

export const operations = {
  matmul: forward(({ a, b }) => tf.matMul(a, b)),
  add: forward(({ a, b }) => tf.add(a, b)),
  axpb: forward(({ x }) => tf.add(tf.mul(x, 1.5), 0.5)),
  relu: forward(({ x }) => tf.relu(x)),
  exp: forward(({ x }) => tf.exp(x)),
  tanh: forward(({ x }) => tf.tanh(x)),
  gelu: forward(({ x }) => gelu(x)),
  sum: forward(({ x }) => tf.sum(x)),
  mean: forward(({ x }) => tf.mean(x)),
  softmax: forward(({ x }) => tf.softmax(x)),
  'layer-norm': forward(({ x, weight, bias }) => layerNorm(x, weight, bias)),
  'conv-forward': forward(({ x, w }) => conv(x, w), channelsLast, toChannelsFirst),
  'conv-backward': convBackward,
  chain,
};
